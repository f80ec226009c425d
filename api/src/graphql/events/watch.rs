//! Events as they come.

use std::collections::VecDeque;
use std::sync::Arc;

use async_graphql::{Context, Error, SimpleObject, Subscription};
use futures_util::stream::{Stream, try_unfold};
use vigie_eventlog::{Follower, LogError, Recorded};

use super::event::{Event, readable};
use super::filter::{EventFilter, Wanted};
use super::log_fault;
use crate::graphql::context::Parts;
use crate::graphql::follow::start;
use crate::graphql::scalars::Position;

/// An event, or the news that the log has moved on without one that matches.
#[derive(SimpleObject)]
pub(crate) struct EventItem {
    /// Everything up to here has been delivered, or does not match: resume after it.
    position: Position,
    /// The event; null for a heartbeat.
    event: Option<Event>,
}

/// Subscriptions to the log.
#[derive(Default)]
pub(crate) struct EventsSubscription;

#[Subscription]
impl EventsSubscription {
    /// Matching events after a position, each once and in order: first those there are, then those to come. Without
    /// `after`, those to come. When the log moves on without a match, an item without event tells how far. An event
    /// that this build cannot read ends it with the error UNREADABLE_EVENT, instead of being left out.
    async fn events(
        &self,
        ctx: &Context<'_>,
        after: Option<Position>,
        filter: Option<EventFilter>,
    ) -> Result<impl Stream<Item = Result<EventItem, Error>> + use<>, Error> {
        let wanted = filter.unwrap_or_default().checked()?;
        let after = start(ctx, after).await?;
        let follower = ctx.services().log.follow(wanted.query.clone(), after);
        Ok(try_unfold(Watch { follower, wanted, waiting: VecDeque::new(), told: after }, next))
    }
}

struct Watch {
    follower: Follower,
    wanted: Wanted,
    waiting: VecDeque<Arc<Recorded>>,
    /// The position of the last item.
    told: i64,
}

async fn next(mut watch: Watch) -> Result<Option<(EventItem, Watch)>, Error> {
    loop {
        if let Some(event) = watch.waiting.pop_front() {
            // An error is the last item: the client resumes where it was, at a server that can read the event.
            readable(&event)?;
            watch.told = event.position;
            let item = EventItem { position: Position(event.position), event: Some(Event(event)) };
            return Ok(Some((item, watch)));
        }
        if watch.follower.position() > watch.told {
            watch.told = watch.follower.position();
            return Ok(Some((EventItem { position: Position(watch.told), event: None }, watch)));
        }
        match watch.follower.next().await {
            Ok(step) => watch.waiting.extend(step.events.into_iter().filter(|event| watch.wanted.takes(event))),
            // The log closes when the server stops; the socket tells the client to come back.
            Err(LogError::Closed) => return Ok(None),
            Err(error) => return Err(log_fault(&error)),
        }
    }
}
