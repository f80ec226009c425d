//! The log itself.

mod event;
mod filter;
mod list;
mod sites;
mod watch;

use async_graphql::connection::{Connection, EmptyFields};
use async_graphql::{Context, Error, Object};
use uuid::Uuid;
use vigie_eventlog::LogError;

pub(crate) use event::Event;
pub(crate) use filter::EventFilter;
pub(in crate::graphql) use watch::EventsSubscription;

use super::context::Parts;
use super::error::{bad_input, fault};
use super::keyset::Cursor;
use super::page::Page;
use super::scalars::Position;
use super::snapshot::unreadable;

/// Queries about the log.
#[derive(Default)]
pub(crate) struct EventsQuery;

#[Object]
impl EventsQuery {
    /// Events in the order of the log.
    async fn events(
        &self,
        ctx: &Context<'_>,
        filter: Option<EventFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Cursor, Event, EmptyFields, EmptyFields>, Error> {
        let page = Page::new(first, after, last, before)?;
        let wanted = filter.unwrap_or_default().checked(ctx.snapshot().view().scope())?;
        list::events(ctx, wanted, page).await
    }

    /// One event, by its position or its id.
    async fn event(
        &self,
        ctx: &Context<'_>,
        position: Option<Position>,
        id: Option<Uuid>,
    ) -> Result<Option<Event>, Error> {
        match (position, id) {
            (Some(Position(position)), None) => shown(ctx, position).await,
            (None, Some(id)) => {
                let mut reading = ctx.snapshot().read().await?;
                let found = sqlx::query_scalar!("select position from event where id = $1", id)
                    .fetch_optional(reading.connection())
                    .await
                    .map_err(unreadable)?;
                drop(reading);
                let event = match found {
                    Some(position) => shown(ctx, position).await?,
                    None => None,
                };
                if event.is_none() && !(found.is_some() && ctx.snapshot().view().scope().admits_all()) {
                    // It may be in what is archived; one that is not to be seen is answered as if it might.
                    ctx.services().log.require(0, i64::MAX).await.map_err(|error| log_fault(&error))?;
                }
                Ok(event)
            }
            (Some(_), Some(_)) | (None, None) => Err(bad_input("position", "either position or id is needed")),
        }
    }

    /// The end of the log: the position of the last event, or of the last before the moment that `at` looks at.
    async fn head(&self, ctx: &Context<'_>) -> Result<Position, Error> {
        if let Some(last) = ctx.snapshot().view().last() {
            return Ok(Position(last));
        }
        ctx.services().log.head().await.map(Position).map_err(|error| log_fault(&error))
    }

    /// Everything up to this position is in what this operation reads; all of its other fields see the same state.
    async fn position(&self, ctx: &Context<'_>) -> Result<Position, Error> {
        ctx.snapshot().read().await?.position().await.map(Position)
    }
}

/// The event at a position, if there is one by the moment that is looked at, for the caller to see.
async fn shown(ctx: &Context<'_>, position: i64) -> Result<Option<Event>, Error> {
    let view = ctx.snapshot().view();
    if position < 1 || view.last().is_some_and(|last| position > last) {
        return Ok(None);
    }
    list::one(&ctx.services().log, view.scope(), position).await
}

/// The caller is told that the log failed, the cause is for our own log; or that what was asked for is archived.
pub(in crate::graphql) fn log_fault(error: &LogError) -> Error {
    if let LogError::Archived { .. } = error {
        return fault("ARCHIVED", error.to_string());
    }
    tracing::error!(error = error as &dyn std::error::Error, "the log could not be read");
    fault("UNAVAILABLE", "the log could not be read")
}
