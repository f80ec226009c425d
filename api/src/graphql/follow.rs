//! Things as they change: events say which, the read models say how they are now.

use std::collections::{BTreeMap, VecDeque};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Context, Error, ObjectType};
use futures_util::stream::{Stream, try_unfold};
use tokio_util::sync::CancellationToken;
use vigie_domain::support::SiteId;
use vigie_eventlog::{Follower, LogError, Query};
use vigie_projections::Projections;

use super::context::Parts;
use super::error::{bad_input, fault};
use super::events::log_fault;
use super::load::{ByKey, Keyed, by_key};
use super::loader::Load;
use super::scalars::Position;
use super::snapshot::Snapshot;
use super::time::Tree;
use crate::clock;
use crate::http::Caller;

/// How long a read model may lag behind the log before the subscription ends with an error.
const PATIENCE: Duration = Duration::from_secs(30);

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

/// What is followed.
pub(super) struct Watched {
    /// Types of the events that change such things.
    pub(super) kinds: Vec<&'static str>,
    /// The things' tags up to the id, such as `stand:`.
    pub(super) tag: &'static str,
    /// The read models that the things are read from.
    pub(super) models: &'static [&'static str],
    /// Only at this site.
    pub(super) site: Option<SiteId>,
}

/// Things of one kind as they change after `after`; without it, as they will. Each item is made of the position after
/// which to resume and of a row, and reads a state of its own, in which the change is.
pub(super) async fn changes<R: Keyed, C>(
    ctx: &Context<'_>,
    after: Option<Position>,
    watched: Watched,
    make: fn(Position, Arc<R>) -> C,
) -> Result<impl Stream<Item = Result<Tree<C>, Error>> + use<R, C>, Error>
where
    R::Key: FromStr,
    C: ObjectType,
    ByKey<R>: Load<Key = R::Key, Value = Arc<R>>,
{
    let after = start(ctx, after).await?;
    let services = ctx.services();
    let changes = Changes {
        follower: services.log.follow(Query::kinds(watched.kinds.iter().copied()), after),
        projections: services.projections.clone(),
        snapshot: ctx.snapshot().clone(),
        caller: ctx.caller().clone(),
        stopping: ctx.stopping(),
        waiting: VecDeque::new(),
        watched,
    };
    Ok(try_unfold(changes, move |mut changes| async move {
        while let Some((position, id)) = changes.next().await? {
            let Ok(id) = id.parse() else { continue };
            // Of the item: it is closed once the item is told, so that a client that does not read keeps none open.
            let snapshot = changes.snapshot.fresh();
            if let Some(row) = by_key::<R>(&snapshot).one(id).await? {
                let mut caller = changes.caller.clone();
                caller.asked_at = clock::now();
                return Ok(Some((Tree::now(snapshot, make(position, row), caller), changes)));
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
    snapshot: Snapshot,
    caller: Caller,
    stopping: CancellationToken,
    waiting: VecDeque<Changed>,
}

struct Changed {
    /// What the read models must have reached.
    position: i64,
    /// Where to resume: before `position` while other things that the same event changed are still to be told.
    resume: i64,
    id: String,
}

impl Changes {
    /// The next thing that has changed, by its id, and the position after which to resume once it is taken.
    /// When this returns, a new snapshot sees the change. `None` when the server stops.
    async fn next(&mut self) -> Result<Option<(Position, String)>, Error> {
        loop {
            if self.stopping.is_cancelled() {
                return Ok(None);
            }
            if let Some(changed) = self.waiting.pop_front() {
                self.caught_up(changed.position).await?;
                return Ok(Some((Position(changed.resume), changed.id)));
            }
            tokio::select! {
                step = self.follower.next() => match step {
                    Ok(step) => self.take(&step.events),
                    Err(LogError::Closed) => return Ok(None),
                    Err(error) => return Err(log_fault(&error)),
                },
                () = self.stopping.cancelled() => {}
            }
        }
    }

    /// A thing that several events of a batch have changed is told once, at the last of them.
    fn take(&mut self, events: &[std::sync::Arc<vigie_eventlog::Recorded>]) {
        let mut changed = BTreeMap::new();
        for event in events {
            let elsewhere = self.watched.site.as_ref().is_some_and(|site| site.as_str() != event.site);
            if elsewhere || !self.snapshot.view().scope().read.contain(&event.site) {
                continue;
            }
            for id in event.tags.iter().filter_map(|tag| tag.strip_prefix(self.watched.tag)) {
                changed.insert(id.to_owned(), event.position);
            }
        }
        let mut changed: Vec<_> = changed.into_iter().map(|(id, position)| (position, id)).collect();
        changed.sort();
        let mut changed = changed.into_iter().peekable();
        while let Some((position, id)) = changed.next() {
            let shared = changed.peek().is_some_and(|(next, _)| *next == position);
            let resume = if shared { position - 1 } else { position };
            self.waiting.push_back(Changed { position, resume, id });
        }
    }

    async fn caught_up(&self, position: i64) -> Result<(), Error> {
        let waited = self.projections.wait_for(self.watched.models, position, PATIENCE).await;
        waited.map_err(|behind| fault("BEHIND", behind.to_string()))
    }
}
