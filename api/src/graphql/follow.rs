//! Things as they change: events say which, the read models say how they are now.

use std::collections::{BTreeMap, VecDeque};
use std::str::FromStr;
use std::sync::Arc;

use async_graphql::{Context, Data, Error, ID, ObjectType};
use futures_util::stream::{Stream, try_unfold};
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;
use vigie_domain::support::SiteId;
use vigie_eventlog::{Criterion, Follower, LogError, Portion, Query, Recorded};
use vigie_projections::Projections;

use super::context::Parts;
use super::error::{bad_input, optional};
use super::events::log_fault;
use super::heartbeat::Heartbeat;
use super::live::LiveRow;
use super::load::{ByKey, Keyed, loader_of};
use super::loader::Load;
use super::scalars::Position;
use super::snapshot::Snapshot;
use super::states::States;
use super::time::Tree;

/// What one subscription looks at together, and so holds at most while its client does not read; a single event may be
/// larger.
pub(super) const PORTION: Portion = Portion { events: 256, bytes: 256 * 1024 };

/// Where a subscription starts: after the position that the client names, else after the last event. The end of the log is
/// the database's: what another process has told is there, also when this one has not seen it yet.
pub(super) async fn start(ctx: &Context<'_>, after: Option<Position>) -> Result<i64, Error> {
    let head = ctx.services().log.head().await.map_err(|error| log_fault(&error))?;
    match after {
        Some(Position(after)) if after > head => {
            Err(bad_input("after", format!("the log ends at position {head}: {after} has not happened")))
        }
        Some(Position(after)) if after < 0 => Err(bad_input("after", "positions are counted from 1; 0 is before all")),
        Some(Position(after)) => Ok(after),
        None => Ok(head),
    }
}

/// Which things of a kind are followed.
pub(super) struct Watched {
    /// The read models that they are read from.
    models: &'static [&'static str],
    /// Only at this site.
    site: Option<SiteId>,
    /// Only this one.
    id: Option<String>,
}

impl Watched {
    pub(super) fn new(models: &'static [&'static str], id: Option<ID>, site: Option<&ID>) -> Result<Self, Error> {
        let site = optional("site", site.map(|site| site.0.as_str()), SiteId::new)?;
        Ok(Self { models, site, id: id.map(|id| id.0) })
    }

    fn query<R: LiveRow>(&self) -> Query {
        let kinds = R::kinds().into_iter().map(str::to_owned).collect();
        let tags = self.id.iter().map(|id| format!("{}{id}", R::TAG)).collect();
        Query { criteria: vec![Criterion { kinds, tags }] }
    }
}

/// Things of one kind as they change after `after`; without it, as they will. Each item is made of the position after
/// which to resume and of a row, read from a state in which the change is; or of the position alone, when nothing has
/// changed up to there.
pub(super) async fn changes<R: Keyed + LiveRow, C>(
    ctx: &Context<'_>,
    after: Option<Position>,
    watched: Watched,
    make: fn(Position, Option<Arc<R>>) -> C,
) -> Result<impl Stream<Item = Result<Tree<C>, Error>> + use<R, C>, Error>
where
    R::Key: FromStr,
    C: ObjectType,
    ByKey<R>: Load<Key = R::Key, Value = Arc<R>>,
{
    let after = start(ctx, after).await?;
    let services = ctx.services();
    let changes = Changes {
        follower: services.log.follow(watched.query::<R>(), after).in_portions(PORTION),
        projections: services.projections.clone(),
        states: ctx.data_unchecked::<States>().clone(),
        base: ctx.snapshot().fresh(),
        stopping: ctx.stopping(),
        waiting: VecDeque::new(),
        told: after,
        heartbeat: Heartbeat::soon(),
        watched,
    };
    Ok(try_unfold(changes, move |mut changes| async move {
        while let Some(Changed { position, resume, id }) = changes.next::<R>().await? {
            let Some(id) = id else {
                return Ok(Some((Tree::of(Arc::default(), make(Position(resume), None)), changes)));
            };
            let Ok(id) = id.parse() else { continue };
            // Closed once the items that share it are told, so that a client that does not read keeps none open.
            let state = changes.state(position).await?;
            if let Some(row) = loader_of::<R>(&state).one(id).await? {
                return Ok(Some((Tree::of(state, make(Position(resume), Some(row))), changes)));
            }
        }
        Ok(None)
    }))
}

/// Follows the changes of things of one kind.
struct Changes {
    follower: Follower,
    watched: Watched,
    projections: Projections,
    states: States,
    base: Snapshot,
    stopping: CancellationToken,
    waiting: VecDeque<Changed>,
    /// The position of the last item.
    told: i64,
    heartbeat: Heartbeat,
}

struct Changed {
    /// What the read models must have reached.
    position: i64,
    /// Where to resume: before `position` while other things that the same event changed are still to be told.
    resume: i64,
    /// The thing; `None` if nothing has changed.
    id: Option<String>,
}

impl Changes {
    /// What to tell next, and the position after which to resume once it is taken. `None` when the server stops.
    async fn next<R: LiveRow>(&mut self) -> Result<Option<Changed>, Error> {
        loop {
            if self.stopping.is_cancelled() {
                return Ok(self.last());
            }
            if let Some(changed) = self.waiting.pop_front() {
                self.told = changed.resume;
                self.heartbeat.told();
                return Ok(Some(changed));
            }
            let quietly = self.quietly();
            if let Some(position) = quietly.filter(|_| self.heartbeat.is_due()) {
                return Ok(Some(self.unchanged(position)));
            }
            tokio::select! {
                step = self.follower.next_or_quiet(self.heartbeat.due()) => match step {
                    Ok(step) => self.take::<R>(&step.events),
                    Err(LogError::Closed) => return Ok(self.last()),
                    Err(error) => return Err(log_fault(&error)),
                },
                () = sleep_until(self.heartbeat.due()), if quietly.is_some() => {}
                () = self.stopping.cancelled() => {}
            }
        }
    }

    /// How far the log has moved on without a change, if it has.
    fn quietly(&self) -> Option<i64> {
        Some(self.follower.position()).filter(|position| *position > self.told)
    }

    fn unchanged(&mut self, position: i64) -> Changed {
        self.told = position;
        self.heartbeat.beaten();
        Changed { position, resume: position, id: None }
    }

    /// The server stops: the last item says after which position to go on elsewhere.
    fn last(&mut self) -> Option<Changed> {
        self.follower.pass();
        let position = self.quietly().filter(|_| self.waiting.is_empty())?;
        Some(self.unchanged(position))
    }

    /// A thing that several events of a batch have changed is told once, at the last of them.
    fn take<R: LiveRow>(&mut self, events: &[Arc<Recorded>]) {
        let mut changed = BTreeMap::new();
        for event in events {
            let elsewhere = self.watched.site.as_ref().is_some_and(|site| site.as_str() != event.site);
            if elsewhere || !self.base.view().scope().read.contain(&event.site) {
                continue;
            }
            for id in event.tags.iter().filter_map(|tag| tag.strip_prefix(R::TAG)) {
                if self.watched.id.as_ref().is_none_or(|wanted| wanted == id) {
                    changed.insert(id.to_owned(), event.position);
                }
            }
        }
        let mut changed: Vec<_> = changed.into_iter().map(|(id, position)| (position, id)).collect();
        changed.sort();
        let mut changed = changed.into_iter().peekable();
        while let Some((position, id)) = changed.next() {
            let shared = changed.peek().is_some_and(|(next, _)| *next == position);
            let resume = if shared { position - 1 } else { position };
            self.waiting.push_back(Changed { position, resume, id: Some(id) });
        }
    }

    async fn state(&self, position: i64) -> Result<Arc<Data>, Error> {
        self.states.reaching(&self.base, &self.projections, self.watched.models, position).await
    }
}
