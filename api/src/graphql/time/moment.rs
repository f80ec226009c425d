//! Which event a moment comes after.

use async_graphql::{Context, Error, ErrorExtensions as _, Value};
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use vigie_eventlog::LogError;

use crate::graphql::context::Parts;
use crate::graphql::error::{bad_input, fault};
use crate::graphql::events::log_fault;
use crate::graphql::scalars::Position;
use crate::graphql::snapshot::{recorded_at, unreadable};

/// The position of a moment that is asked for: after that event and before the next. Exactly one argument is needed.
pub(in crate::graphql) async fn moment(
    ctx: &Context<'_>,
    position: Option<Position>,
    time: Option<DateTime<Utc>>,
) -> Result<i64, Error> {
    match (position, time) {
        (Some(Position(position)), None) => checked(ctx, "position", position).await,
        (None, Some(time)) => when(ctx, "time", time).await,
        (Some(_), Some(_)) | (None, None) => Err(bad_input("position", "exactly one of position and time is needed")),
    }
}

/// A position that the log has.
pub(in crate::graphql) async fn checked(
    ctx: &Context<'_>,
    argument: &'static str,
    position: i64,
) -> Result<i64, Error> {
    let services = ctx.services();
    if (1..=services.known_last()).contains(&position) {
        return Ok(position);
    }
    let last = services.last().await.map_err(|error| log_fault(&error))?;
    if (1..=last).contains(&position) { Ok(position) } else { Err(out_of_range(argument, 1, last)) }
}

/// The last event that was recorded by `time`, which the log must know of.
async fn when(ctx: &Context<'_>, argument: &'static str, time: DateTime<Utc>) -> Result<i64, Error> {
    match span(ctx).await? {
        None => Err(out_of_range(argument, Value::Null, Value::Null)),
        Some(span) if span.holds(time) => within(ctx, time, span.last).await,
        Some(Span { first, end, .. }) => Err(out_of_range(argument, first.to_rfc3339(), end.to_rfc3339())),
    }
}

/// The last event that was recorded by `time`: before the log begins that is none, 0, and of what is to come the newest.
pub(in crate::graphql) async fn bounded(ctx: &Context<'_>, time: DateTime<Utc>) -> Result<i64, Error> {
    match span(ctx).await? {
        Some(span) if span.holds(time) => within(ctx, time, span.last).await,
        Some(span) if time > span.end => Ok(span.last),
        Some(_) | None => Ok(0),
    }
}

/// The times that the log knows of.
struct Span {
    first: DateTime<Utc>,
    end: DateTime<Utc>,
    /// The position of the last event.
    last: i64,
}

impl Span {
    fn holds(&self, time: DateTime<Utc>) -> bool {
        (self.first..=self.end).contains(&time)
    }
}

/// Those of the log, unless it is empty.
async fn span(ctx: &Context<'_>) -> Result<Option<Span>, Error> {
    let services = ctx.services();
    let last = services.last().await.map_err(|error| log_fault(&error))?;
    let (Some(first), Some(end)) = (recorded(&services.pool, 1).await?, recorded(&services.pool, last).await?) else {
        return Ok(None);
    };
    // Since the last event nothing has happened, up to now: but what was built up to a moment ends there.
    let end = if services.schema.until().is_some() { end } else { end.max(ctx.caller().asked_at) };
    Ok(Some(Span { first, end, last }))
}

/// The last event up to `last` that was recorded by `time`, unless it is archived.
async fn within(ctx: &Context<'_>, time: DateTime<Utc>, last: i64) -> Result<i64, Error> {
    let services = ctx.services();
    let position = search(&services.pool, time, last).await?;
    // Between this event and the next that is there others may be archived, and one of those may be the last.
    let next = services.log.require(position, last.min(position + 1)).await;
    next.map_err(|error| match error {
        LogError::Archived { .. } => {
            fault("ARCHIVED", format!("the log is archived at that time; a position can still be named ({error})"))
        }
        error => log_fault(&error),
    })?;
    Ok(position)
}

/// A moment that cannot be asked for, with the first and the last that can.
fn out_of_range<T: Into<Value>>(argument: &'static str, first: T, last: T) -> Error {
    let (first, last) = (first.into(), last.into());
    let message = match &last {
        Value::Null => format!("{argument}: the log is empty"),
        last => format!("{argument}: the log goes from {first} to {last}"),
    };
    Error::new(message).extend_with(move |_, extensions| {
        extensions.set("code", "OUT_OF_RANGE");
        extensions.set("argument", argument);
        extensions.set("first", first);
        extensions.set("last", last);
    })
}

async fn recorded(pool: &PgPool, position: i64) -> Result<Option<DateTime<Utc>>, Error> {
    let mut connection = pool.acquire().await.map_err(unreadable)?;
    recorded_at(position, &mut connection).await
}

/// The last event up to `last` that was recorded by `time`, or 0. The log's clock never goes back, so halving finds it;
/// each step looks one event up. What is archived is passed over.
async fn search(pool: &PgPool, time: DateTime<Utc>, last: i64) -> Result<i64, Error> {
    let found = sqlx::query_scalar!(
        r#"with recursive search (low, high) as (
               select 0::bigint, $2::bigint
               union all
               select case when e.recorded_at <= $1 then e.position else s.low end,
                      case when e.recorded_at <= $1 then s.high else s.middle - 1 end
               from (select low, high, (low + high + 1) / 2 as middle from search where low < high) s
               left join lateral (
                   select position, recorded_at from event
                   where position >= s.middle and position <= s.high order by position limit 1
               ) e on true
           )
           select low as "low!" from search where low >= high"#,
        time,
        last
    );
    found.fetch_one(pool).await.map_err(unreadable)
}
