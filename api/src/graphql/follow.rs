//! Things as they change: events say which, the read models say how they are now.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use async_graphql::{Context, Error};
use vigie_domain::support::SiteId;
use vigie_eventlog::{Follower, LogError, Query};
use vigie_projections::Projections;

use super::context::Parts;
use super::error::{bad_input, fault};
use super::events::log_fault;
use super::scalars::Position;
use super::snapshot::Snapshot;

/// How long a read model may lag behind the log before the subscription ends with an error.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where a subscription starts: after the position that the client names, else after the last event.
pub(super) async fn start(ctx: &Context<'_>, after: Option<Position>) -> Result<i64, Error> {
    let head = ctx.services().log.head().await.map_err(|error| log_fault(&error))?;
    match after {
        Some(Position(after)) if after > head => {
            Err(bad_input("after", format!("the log ends at position {head}: {after} has not happened")))
        }
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

/// Follows the changes of things of one kind.
pub(super) struct Changes {
    follower: Follower,
    watched: Watched,
    projections: Projections,
    snapshot: Snapshot,
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
    /// Changes after `after`; without it, those to come.
    pub(super) async fn after(ctx: &Context<'_>, after: Option<Position>, watched: Watched) -> Result<Self, Error> {
        let after = start(ctx, after).await?;
        let services = ctx.services();
        let follower = services.log.follow(Query::kinds(watched.kinds.iter().copied()), after);
        let (projections, snapshot) = (services.projections.clone(), ctx.snapshot().clone());
        Ok(Self { follower, watched, projections, snapshot, waiting: VecDeque::new() })
    }

    /// The next thing that has changed, by its id, and the position after which to resume once it is taken.
    /// When this returns, the operation's snapshot sees the change. `None` when the log closes.
    pub(super) async fn next(&mut self) -> Result<Option<(Position, String)>, Error> {
        loop {
            // Nothing is held open while waiting, and each item is read from a state of its own.
            self.snapshot.renew().await;
            if let Some(changed) = self.waiting.pop_front() {
                self.caught_up(changed.position).await?;
                return Ok(Some((Position(changed.resume), changed.id)));
            }
            match self.follower.next().await {
                Ok(step) => self.take(&step.events),
                Err(LogError::Closed) => return Ok(None),
                Err(error) => return Err(log_fault(&error)),
            }
        }
    }

    /// A thing that several events of a batch have changed is told once, at the last of them.
    fn take(&mut self, events: &[std::sync::Arc<vigie_eventlog::Recorded>]) {
        let mut changed = BTreeMap::new();
        for event in events {
            if self.watched.site.as_ref().is_some_and(|site| site.as_str() != event.site) {
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
