//! Watching one list.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use async_graphql::{Context, Data, Error, OutputType};
use futures_util::stream::{Stream, try_unfold};
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;
use vigie_eventlog::{Follower, Log, LogError, Step};
use vigie_projections::Projections;

use super::item::{Item, Key, Source, asked};
use super::windows::Window;
use super::{Live, LiveRow, Windows, difference};
use crate::graphql::context::Parts;
use crate::graphql::events::log_fault;
use crate::graphql::follow::{PORTION, start};
use crate::graphql::heartbeat::Heartbeat;
use crate::graphql::list::Filter;
use crate::graphql::page::Page;
use crate::graphql::scalars::Position;
use crate::graphql::snapshot::Snapshot;
use crate::rights::Scope;

/// So many things at most are looked at together.
const TOGETHER: usize = 1_000;

/// A list that is asked for.
#[derive(Clone)]
pub(in crate::graphql) struct Query {
    /// Tells it from every other.
    pub(super) name: Arc<str>,
    pub(super) page: Page,
    pub(super) filter: Filter,
}

impl Query {
    /// `asked` is all that the filter is made of: it tells the query from others.
    pub(in crate::graphql) fn new<R: LiveRow>(asked: &impl Debug, page: Page, filter: Filter) -> Self {
        Self { name: format!("{} {asked:?} {page:?}", R::TABLE).into(), page, filter }
    }

    /// The query of whoever sees as much: who sees something else, in the list or below its rows, gets another list.
    fn seen_by(self, scope: &Scope) -> Self {
        Self { name: format!("{} {scope:?}", self.name).into(), ..self }
    }
}

/// The list as it is and as it changes; or only what changes after a position.
pub(in crate::graphql) async fn live<R: LiveRow, T>(
    ctx: &Context<'_>,
    after: Option<Position>,
    query: Query,
) -> Result<impl Stream<Item = Result<Item<Live<T>>, Error>> + use<R, T>, Error>
where
    T: OutputType + From<R> + Send + 'static,
{
    let position = start(ctx, after).await?;
    let query = query.seen_by(ctx.snapshot().view().scope());
    let asked = asked(ctx, &query.name);
    // What the filter was made with is not held while the subscription lasts.
    ctx.snapshot().renew().await;
    let services = ctx.services();
    let mut watch = Watch {
        follower: services.log.follow(vigie_eventlog::Query::kinds(R::kinds()), position).in_portions(PORTION),
        log: services.log.clone(),
        projections: services.projections.clone(),
        snapshot: ctx.snapshot().clone(),
        windows: ctx.data_unchecked::<Windows>().clone(),
        asked,
        stopping: ctx.stopping(),
        query,
        ids: Arc::default(),
        touched: BTreeSet::new(),
        touched_last: position,
        together: position,
        listed: position,
        told: position,
        heartbeat: Heartbeat::soon(),
    };
    let (window, open) = watch.read::<R>(position).await?;
    watch.ids = Arc::clone(&window.ids);
    // Who resumes has the rows.
    let first = after.is_none().then(|| {
        let source = watch.source(&window, open, None, position);
        Item::shared(source, Live::whole(position, &window.rows))
    });
    Ok(try_unfold((watch, first), |(watch, first)| next::<R, T>(watch, first)))
}

struct Watch {
    follower: Follower,
    log: Log,
    projections: Projections,
    snapshot: Snapshot,
    windows: Windows,
    /// The list and what is selected of it.
    asked: Arc<str>,
    stopping: CancellationToken,
    query: Query,
    /// The list that the client has.
    ids: Arc<[String]>,
    /// What may have changed since.
    touched: BTreeSet<String>,
    /// The position of the last event that touched something.
    touched_last: i64,
    /// Changes up to here are told as one.
    together: i64,
    /// Where the list is that the client has.
    listed: i64,
    /// The position of the last item.
    told: i64,
    heartbeat: Heartbeat,
}

type Told<T> = (Item<Live<T>>, (Watch, Option<Item<Live<T>>>));

async fn next<R: LiveRow, T>(mut watch: Watch, first: Option<Item<Live<T>>>) -> Result<Option<Told<T>>, Error>
where
    T: OutputType + From<R>,
{
    if let Some(first) = first {
        return Ok(Some((first, (watch, None))));
    }
    loop {
        watch.follower.pass();
        if watch.stopping.is_cancelled() {
            return Ok(watch.quietly().map(|position| watch.unchanged(position)).map(|item| (item, (watch, None))));
        }
        if watch.is_due()
            && let Some(item) = watch.changes::<R, T>().await?
        {
            return Ok(Some((item, (watch, None))));
        }
        let quietly = watch.quietly();
        if let Some(position) = quietly.filter(|_| watch.heartbeat.is_due()) {
            return Ok(Some((watch.unchanged(position), (watch, None))));
        }
        tokio::select! {
            step = watch.follower.next_or_quiet(watch.heartbeat.due()) => match step {
                Ok(step) => watch.take::<R>(&step),
                Err(LogError::Closed) => watch.stopping.cancel(),
                Err(error) => return Err(log_fault(&error)),
            },
            () = sleep_until(watch.heartbeat.due()), if quietly.is_some() => {}
            () = watch.stopping.cancelled() => {}
        }
    }
}

impl Watch {
    /// The list at a position, and the state that it was read from, if it was read now.
    async fn read<R: LiveRow>(&self, position: i64) -> Result<(Arc<Window<R>>, Option<Arc<Data>>), Error> {
        // Boxed: the many who wait for changes have no room for the reading in their futures.
        Box::pin(self.windows.window(&self.query, position, &self.snapshot, &self.projections)).await
    }

    fn source<R>(&self, window: &Window<R>, open: Option<Arc<Data>>, before: Option<i64>, position: i64) -> Source {
        Source {
            items: self.windows.items().clone(),
            key: Key { asked: Arc::clone(&self.asked), before, position },
            place: Arc::clone(&window.place),
            _open: open,
            base: self.snapshot.clone(),
        }
    }

    /// What has changed from the list that the client has to that at the follower's position, if anything has.
    async fn changes<R: LiveRow, T>(&mut self) -> Result<Option<Item<Live<T>>>, Error>
    where
        T: OutputType + From<R>,
    {
        // After the last touch the list is the same up to where everything was looked at.
        let position = self.windows.between(&self.query, self.touched_last, self.follower.position());
        let (window, open) = self.read::<R>(position).await?;
        let touched = std::mem::take(&mut self.touched);
        let before = std::mem::replace(&mut self.ids, Arc::clone(&window.ids));
        let changes = difference(&before, &window.ids, &touched);
        if changes.is_empty() {
            return Ok(None);
        }
        let source = self.source(&window, open, Some(self.listed), position);
        (self.listed, self.told) = (position, position);
        self.heartbeat.told();
        Ok(Some(Item::shared(source, Live::next(position, changes, &window.rows))))
    }

    fn take<R: LiveRow>(&mut self, step: &Step) {
        let tags = step.events.iter().flat_map(|event| &event.tags);
        let ids = tags.filter_map(|tag| tag.strip_prefix(R::TAG)).map(str::to_owned);
        let nothing_before = self.touched.is_empty();
        self.touched.extend(ids);
        self.touched_last = step.events.last().map_or(self.touched_last, |event| event.position);
        if nothing_before && !self.touched.is_empty() {
            self.together = *self.log.seen().borrow();
        }
    }

    /// Whether to look at what may have changed now: all that there was when the first of it was seen is there.
    fn is_due(&self) -> bool {
        let all = self.follower.position() >= self.together || self.touched.len() >= TOGETHER;
        !self.touched.is_empty() && all
    }

    /// How far the log has moved on without a change, if it has.
    fn quietly(&self) -> Option<i64> {
        Some(self.follower.position()).filter(|position| self.touched.is_empty() && *position > self.told)
    }

    fn unchanged<T: OutputType>(&mut self, position: i64) -> Item<Live<T>> {
        self.told = position;
        self.heartbeat.beaten();
        Item::bare(Live::same(position))
    }
}
