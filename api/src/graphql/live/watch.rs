//! Watching one list.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Context, Error, OutputType};
use futures_util::stream::{Stream, try_unfold};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use vigie_eventlog::{Follower, Log, LogError, Step};
use vigie_projections::Projections;

use super::windows::Window;
use super::{Live, LiveRow, Windows, difference};
use crate::graphql::context::Parts;
use crate::graphql::events::log_fault;
use crate::graphql::follow::start;
use crate::graphql::list::Filter;
use crate::graphql::page::Page;
use crate::graphql::scalars::Position;
use crate::graphql::snapshot::Snapshot;
use crate::graphql::time::Tree;
use crate::rights::{Scope, Sites};

/// The shortest time from an item to the news that nothing has changed.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// So many things at most are looked at together.
const TOGETHER: usize = 1_000;

/// A list that is asked for.
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

    /// The query of whoever sees as much: others who see something else get another list.
    fn seen_by(self, scope: &Scope) -> Self {
        match &scope.read {
            Sites::All => self,
            sites @ Sites::Some(_) => Self { name: format!("{} {sites:?}", self.name).into(), ..self },
        }
    }
}

/// The list as it is and as it changes; or only what changes after a position.
pub(in crate::graphql) async fn live<R: LiveRow, T>(
    ctx: &Context<'_>,
    after: Option<Position>,
    query: Query,
) -> Result<impl Stream<Item = Result<Tree<Live<T>>, Error>> + use<R, T>, Error>
where
    T: OutputType + From<R> + Send + 'static,
{
    let position = start(ctx, after).await?;
    let query = query.seen_by(ctx.snapshot().view().scope());
    // What the filter was made with is not held while the subscription lasts.
    ctx.snapshot().renew().await;
    let services = ctx.services();
    let mut watch = Watch {
        follower: services.log.follow(vigie_eventlog::Query::kinds(R::kinds()), position),
        log: services.log.clone(),
        projections: services.projections.clone(),
        snapshot: ctx.snapshot().clone(),
        windows: ctx.data_unchecked::<Windows>().clone(),
        stopping: ctx.stopping(),
        query,
        ids: Arc::default(),
        touched: BTreeSet::new(),
        together: position,
        told: position,
        heartbeat: Instant::now() + HEARTBEAT,
    };
    let (window, snapshot) = watch.read::<R>(position).await?;
    watch.ids = Arc::clone(&window.ids);
    // Who resumes has the rows.
    let first = after.is_none().then(|| Tree::new(snapshot, Live::whole(position, &window.rows)));
    Ok(try_unfold((watch, first), |(watch, first)| next::<R, T>(watch, first)))
}

struct Watch {
    follower: Follower,
    log: Log,
    projections: Projections,
    snapshot: Snapshot,
    windows: Windows,
    stopping: CancellationToken,
    query: Query,
    /// The list that the client has.
    ids: Arc<[String]>,
    /// What may have changed since.
    touched: BTreeSet<String>,
    /// Changes up to here are told as one.
    together: i64,
    /// The position of the last item.
    told: i64,
    /// No item without changes before.
    heartbeat: Instant,
}

type Item<T> = (Tree<Live<T>>, (Watch, Option<Tree<Live<T>>>));

async fn next<R: LiveRow, T>(mut watch: Watch, first: Option<Tree<Live<T>>>) -> Result<Option<Item<T>>, Error>
where
    T: OutputType + From<R>,
{
    if let Some(first) = first {
        return Ok(Some((first, (watch, None))));
    }
    loop {
        if watch.stopping.is_cancelled() {
            return Ok(watch.quietly().map(|position| watch.unchanged(position)).map(|item| (item, (watch, None))));
        }
        if watch.is_due()
            && let Some(item) = watch.changes::<R, T>().await?
        {
            return Ok(Some((item, (watch, None))));
        }
        let quietly = watch.quietly();
        if let Some(position) = quietly.filter(|_| Instant::now() >= watch.heartbeat) {
            return Ok(Some((watch.unchanged(position), (watch, None))));
        }
        tokio::select! {
            step = watch.follower.next() => match step {
                Ok(step) => watch.take::<R>(&step),
                Err(LogError::Closed) => watch.stopping.cancel(),
                Err(error) => return Err(log_fault(&error)),
            },
            () = sleep_until(watch.heartbeat), if quietly.is_some() => {}
            () = watch.stopping.cancelled() => {}
        }
    }
}

impl Watch {
    /// The list at a position, and the state that it was read from.
    async fn read<R: LiveRow>(&self, position: i64) -> Result<(Arc<Window<R>>, Snapshot), Error> {
        self.windows.reached(&self.projections, position).await?;
        self.windows.window(&self.query, position, &self.snapshot).await
    }

    /// What has changed from the list that the client has to that at the follower's position, if anything has.
    async fn changes<R: LiveRow, T>(&mut self) -> Result<Option<Tree<Live<T>>>, Error>
    where
        T: OutputType + From<R>,
    {
        let position = self.follower.position();
        let (window, snapshot) = self.read::<R>(position).await?;
        let touched = std::mem::take(&mut self.touched);
        let before = std::mem::replace(&mut self.ids, Arc::clone(&window.ids));
        let changes = difference(&before, &window.ids, &touched);
        if changes.is_empty() {
            return Ok(None);
        }
        self.tell(position);
        Ok(Some(Tree::new(snapshot, Live::next(position, changes, &window.rows))))
    }

    fn take<R: LiveRow>(&mut self, step: &Step) {
        let tags = step.events.iter().flat_map(|event| &event.tags);
        let ids = tags.filter_map(|tag| tag.strip_prefix(R::TAG)).map(str::to_owned);
        let nothing_before = self.touched.is_empty();
        self.touched.extend(ids);
        if nothing_before {
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

    fn unchanged<T: OutputType>(&mut self, position: i64) -> Tree<Live<T>> {
        self.tell(position);
        Tree::new(self.snapshot.fresh(), Live::same(position))
    }

    fn tell(&mut self, position: i64) {
        self.told = position;
        self.heartbeat = Instant::now() + HEARTBEAT;
    }
}
