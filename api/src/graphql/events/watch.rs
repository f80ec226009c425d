//! Events as they come.

use std::collections::VecDeque;
use std::sync::Arc;

use async_graphql::{Context, Error, SimpleObject, Subscription};
use futures_util::stream::{Stream, try_unfold};
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;
use vigie_eventlog::{Follower, LogError, Recorded};

use super::event::{Event, readable};
use super::filter::{EventFilter, Wanted};
use super::log_fault;
use crate::graphql::context::Parts;
use crate::graphql::follow::{PORTION, start};
use crate::graphql::heartbeat::Heartbeat;
use crate::graphql::scalars::Position;

/// Events that the client did not take in time. They follow, read from the log.
#[derive(SimpleObject)]
pub(crate) struct Lagged {
    /// The first position that was not taken in time.
    from: Position,
    /// The last position that there was by then.
    to: Position,
}

/// An event; or the news that the log has moved on without one that matches, which is a heartbeat; or that the client
/// lags.
#[derive(SimpleObject)]
pub(crate) struct EventItem {
    /// Everything up to here has been delivered, or does not match: resume after it.
    position: Position,
    /// The event; null for a heartbeat and for a lag.
    event: Option<Event>,
    /// What the client did not take in time, told before it follows.
    lagged: Option<Lagged>,
}

/// Subscriptions to the log.
#[derive(Default)]
pub(crate) struct EventsSubscription;

#[Subscription]
impl EventsSubscription {
    /// Matching events after a position, each once and in order: first those there are, then those to come. Without
    /// `after`, those to come. When the log moves on without a match, an item without event tells how far, at most once a
    /// second, and the rarer the longer nothing matches. A client that reads so slowly that what it has not taken is no longer in memory is told so with `lagged`,
    /// and then gets it all the same. An event that this build cannot read ends it with the error UNREADABLE_EVENT,
    /// instead of being left out; one that is archived ends it with the error ARCHIVED.
    async fn events(
        &self,
        ctx: &Context<'_>,
        after: Option<Position>,
        filter: Option<EventFilter>,
    ) -> Result<impl Stream<Item = Result<EventItem, Error>> + use<>, Error> {
        let wanted = filter.unwrap_or_default().checked(ctx.snapshot().view().scope())?;
        let after = start(ctx, after).await?;
        let follower = ctx.services().log.follow(wanted.query.clone(), after).in_portions(PORTION);
        let stopping = ctx.stopping();
        let (waiting, heartbeat) = (VecDeque::new(), Heartbeat::at_once());
        Ok(try_unfold(Watch { follower, wanted, waiting, told: after, heartbeat, stopping }, next))
    }
}

struct Watch {
    follower: Follower,
    wanted: Wanted,
    waiting: VecDeque<Arc<Recorded>>,
    /// The position of the last item.
    told: i64,
    heartbeat: Heartbeat,
    stopping: CancellationToken,
}

impl Watch {
    fn item(&mut self, position: i64, event: Option<Event>, lagged: Option<Lagged>) -> EventItem {
        self.told = position;
        match event {
            Some(_) => self.heartbeat.told(),
            None => self.heartbeat.beaten(),
        }
        EventItem { position: Position(position), event, lagged }
    }

    /// How far the log has moved on without an event for the client, if it has.
    fn quietly(&self) -> Option<i64> {
        Some(self.follower.position()).filter(|position| *position > self.told)
    }

    fn take(&mut self, events: Vec<Arc<Recorded>>) {
        self.waiting.extend(events.into_iter().filter(|event| self.wanted.takes(event)));
    }
}

async fn next(mut watch: Watch) -> Result<Option<(EventItem, Watch)>, Error> {
    loop {
        if watch.stopping.is_cancelled() {
            return Ok(last(watch));
        }
        if let Some(event) = watch.waiting.pop_front() {
            // An error is the last item: the client resumes where it was, at a server that can read the event.
            readable(&event)?;
            let item = watch.item(event.position, Some(Event(event)), None);
            return Ok(Some((item, watch)));
        }
        let quietly = watch.quietly();
        if let Some(position) = quietly.filter(|_| watch.heartbeat.is_due()) {
            return Ok(Some((watch.item(position, None, None), watch)));
        }
        if let Some(lag) = watch.follower.lagged() {
            let lagged = Lagged { from: Position(lag.from), to: Position(lag.to) };
            let item = watch.item(lag.from - 1, None, Some(lagged));
            return Ok(Some((item, watch)));
        }
        tokio::select! {
            step = watch.follower.next_or_quiet(watch.heartbeat.due()) => match step {
                Ok(step) => watch.take(step.events),
                // The log closes when the server stops; the connection tells the client to come back.
                Err(LogError::Closed) => return Ok(last(watch)),
                Err(error) => return Err(log_fault(&error)),
            },
            () = sleep_until(watch.heartbeat.due()), if quietly.is_some() => {}
            () = watch.stopping.cancelled() => {}
        }
    }
}

/// The server stops: the last item says after which position to go on elsewhere.
fn last(mut watch: Watch) -> Option<(EventItem, Watch)> {
    watch.follower.pass();
    let position = watch.quietly().filter(|_| watch.waiting.is_empty())?;
    Some((watch.item(position, None, None), watch))
}
