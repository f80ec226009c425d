//! Reading a page of the log.

use std::pin::Pin;

use chrono::{DateTime, Utc};
use futures_util::{Stream, TryStreamExt};
use serde_json::value::RawValue;
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::ranges::require_page;
use crate::{LogError, Metadata, Query, Recorded};

/// Which way to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Oldest first.
    #[default]
    Forwards,
    /// Newest first.
    Backwards,
}

/// Bounds and size of a page: positions in `(after, until]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// Positions above this one; 0 for all.
    pub after: i64,
    /// Positions up to this one; `i64::MAX` for all.
    pub until: i64,
    /// Oldest or newest first.
    pub direction: Direction,
    /// The most events in the page.
    pub limit: u32,
}

impl Read {
    /// The usual size of a page.
    pub const PAGE: u32 = 1_000;

    /// Oldest first from the event after `after`.
    #[must_use]
    pub fn after(after: i64) -> Self {
        Self { after, until: i64::MAX, direction: Direction::Forwards, limit: Self::PAGE }
    }

    /// Newest first.
    #[must_use]
    pub fn backwards() -> Self {
        Self { after: 0, until: i64::MAX, direction: Direction::Backwards, limit: Self::PAGE }
    }

    /// With another upper bound.
    #[must_use]
    pub fn until(self, until: i64) -> Self {
        Self { until, ..self }
    }

    /// With another size.
    #[must_use]
    pub fn limit(self, limit: u32) -> Self {
        Self { limit, ..self }
    }
}

/// Rows on their way from the server.
pub(crate) type Rows<'a> = Pin<Box<dyn Stream<Item = Result<Row, sqlx::Error>> + Send + 'a>>;

/// A row of `event`.
pub(crate) struct Row {
    position: i64,
    id: Uuid,
    kind: String,
    version: i16,
    site: String,
    tags: Vec<String>,
    data: Json<Box<RawValue>>,
    command_id: Uuid,
    command: String,
    correlation_id: Uuid,
    causation_id: Option<Uuid>,
    actor: String,
    traceparent: Option<String>,
    occurred_at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
}

impl From<Row> for Recorded {
    fn from(row: Row) -> Self {
        Self {
            position: row.position,
            id: row.id,
            kind: row.kind,
            version: u16::try_from(row.version).unwrap_or_default(),
            site: row.site,
            tags: row.tags,
            data: row.data.0,
            metadata: Metadata {
                command_id: row.command_id,
                command: row.command,
                correlation_id: row.correlation_id,
                causation_id: row.causation_id,
                actor: row.actor,
                traceparent: row.traceparent,
            },
            occurred_at: row.occurred_at,
            recorded_at: row.recorded_at,
        }
    }
}

/// Reads one page of matching events.
pub(crate) async fn page(pool: &PgPool, query: &Query, read: Read) -> Result<Vec<Recorded>, LogError> {
    let events: Result<Vec<_>, _> = rows(pool, query, read).map_ok(Recorded::from).try_collect().await;
    let events = events.map_err(|error| LogError::database("read events", error))?;
    require_page(pool, query, read, &events).await?;
    Ok(events)
}

/// The events at these positions, as far as they are there; oldest first.
pub(crate) async fn at(pool: &PgPool, positions: &[i64]) -> Result<Vec<Recorded>, LogError> {
    let rows = sqlx::query_as!(
        Row,
        r#"select position, id, kind, version, site, tags, data as "data: _", command_id, command,
                  correlation_id, causation_id, actor, traceparent, occurred_at, recorded_at
           from event where position = any($1) order by position"#,
        positions
    );
    let rows = rows.fetch_all(pool).await.map_err(|error| LogError::database("read events", error))?;
    Ok(rows.into_iter().map(Recorded::from).collect())
}

/// The rows of one page, as they come from the server.
pub(crate) fn rows<'a>(pool: &'a PgPool, query: &Query, read: Read) -> Rows<'a> {
    if query.is_all() { all(pool, read) } else { matching(pool, query, read) }
}

fn all(pool: &PgPool, read: Read) -> Rows<'_> {
    let limit = i64::from(read.limit);
    match read.direction {
        Direction::Forwards => sqlx::query_as!(
            Row,
            r#"select position, id, kind, version, site, tags, data as "data: _", command_id, command,
                          correlation_id, causation_id, actor, traceparent, occurred_at, recorded_at
                   from event where position > $1 and position <= $2 order by position limit $3"#,
            read.after,
            read.until,
            limit
        )
        .fetch(pool),
        Direction::Backwards => sqlx::query_as!(
            Row,
            r#"select position, id, kind, version, site, tags, data as "data: _", command_id, command,
                          correlation_id, causation_id, actor, traceparent, occurred_at, recorded_at
                   from event where position > $1 and position <= $2 order by position desc limit $3"#,
            read.after,
            read.until,
            limit
        )
        .fetch(pool),
    }
}

/// Every event in `(after, until]`, as a stream. A row that is no event is an error of its own; the rows after it follow.
pub(crate) fn between(
    connection: &mut PgConnection,
    after: i64,
    until: i64,
) -> impl Stream<Item = Result<Recorded, sqlx::Error>> {
    sqlx::query_as!(
        Row,
        r#"select position, id, kind, version, site, tags, data as "data: _", command_id, command,
                  correlation_id, causation_id, actor, traceparent, occurred_at, recorded_at
           from event where position > $1 and position <= $2 order by position"#,
        after,
        until
    )
    .fetch(connection)
    .map_ok(Recorded::from)
}

/// Each criterion is a range of an index, by its first tag or by each of its types, cut at the page's size.
fn matching<'a>(pool: &'a PgPool, query: &Query, read: Read) -> Rows<'a> {
    let limit = i64::from(read.limit);
    let kinds: Vec<String> = query.criteria.iter().map(|c| c.kinds.join("\u{1f}")).collect();
    let tags: Vec<String> = query.criteria.iter().map(|c| c.tags.join("\u{1f}")).collect();
    match read.direction {
        Direction::Forwards => sqlx::query_as!(
            Row,
            r#"select e.position, e.id, e.kind, e.version, e.site, e.tags, e.data as "data: _",
                          e.command_id, e.command, e.correlation_id, e.causation_id, e.actor, e.traceparent,
                          e.occurred_at, e.recorded_at
                   from (select p.position from log_matching($4, $5, $1, $2, $3, false) p(position)
                         group by p.position order by p.position limit $3) found
                   join event e on e.position = found.position
                   order by e.position"#,
            read.after,
            read.until,
            limit,
            &kinds,
            &tags
        )
        .fetch(pool),
        Direction::Backwards => sqlx::query_as!(
            Row,
            r#"select e.position, e.id, e.kind, e.version, e.site, e.tags, e.data as "data: _",
                          e.command_id, e.command, e.correlation_id, e.causation_id, e.actor, e.traceparent,
                          e.occurred_at, e.recorded_at
                   from (select p.position from log_matching($4, $5, $1, $2, $3, true) p(position)
                         group by p.position order by p.position desc limit $3) found
                   join event e on e.position = found.position
                   order by e.position desc"#,
            read.after,
            read.until,
            limit,
            &kinds,
            &tags
        )
        .fetch(pool),
    }
}
