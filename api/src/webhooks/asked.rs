//! What was tried, what waits, what is sent again: the tables of what delivers, as people ask for them.
//! The columns are described in the migration.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;
use vigie_domain::webhooks::EndpointId;
use vigie_eventlog::Log;
use vigie_integrations::webhooks::{Order, Preview, ask, cancel as call_off};

use super::WebhookError;

/// How far the deliveries to an endpoint have come.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StateRow {
    pub endpoint: Uuid,
    pub position: i64,
    pub owner: Option<i64>,
    pub succeeded_at: Option<DateTime<Utc>>,
    pub failing_since: Option<DateTime<Utc>>,
    pub breaker: String,
    pub breaker_until: Option<DateTime<Utc>>,
    pub throttled_until: Option<DateTime<Utc>>,
    pub error: Option<String>,
    pub waiting: i64,
    pub set_aside: i64,
}

impl StateRow {
    /// Those of endpoints, as far as something was ever to be delivered.
    pub(crate) async fn of(pool: &PgPool, endpoints: &[Uuid]) -> Result<HashMap<Uuid, Self>, sqlx::Error> {
        let rows = sqlx::query_as!(
            Self,
            r#"select s.endpoint, position, owner, succeeded_at, failing_since, breaker, breaker_until, throttled_until,
                      error, coalesce(w.waiting, 0) as "waiting!", coalesce(w.set_aside, 0) as "set_aside!"
               from webhook_state s
               left join lateral (
                   select count(*) filter (where state = 'waiting') as waiting,
                          count(*) filter (where state = 'set_aside') as set_aside
                   from webhook_waiting w where w.endpoint = s.endpoint
               ) w on true
               where s.endpoint = any ($1)"#,
            endpoints
        );
        Ok(rows.fetch_all(pool).await?.into_iter().map(|row| (row.endpoint, row)).collect())
    }
}

/// The site that an endpoint is bound to, empty for those of all; none if there is no such endpoint.
pub(crate) async fn site_of(pool: &PgPool, endpoint: EndpointId) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select coalesce(site, '') as "site!" from read.webhook_endpoints where endpoint = $1"#,
        endpoint.uuid()
    )
    .fetch_optional(pool)
    .await
}

/// Why a delivery is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type, serde::Serialize)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub(crate) enum WaitingState {
    /// It is to be tried, or waits for what is ahead of it.
    Waiting,
    /// It has failed as often as it may.
    SetAside,
}

/// A delivery that did not go through at once.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub(crate) struct WaitingRow {
    pub seq: i64,
    pub position: i64,
    pub replay: i64,
    pub state: WaitingState,
    pub attempts: i32,
    pub next_try: Option<DateTime<Utc>>,
    pub reason: Option<String>,
    pub queued_at: DateTime<Utc>,
    pub failed_at: Option<DateTime<Utc>>,
}

impl WaitingRow {
    /// Those of an endpoint, in the order in which they came, after the number of the last one of a page.
    pub(crate) async fn page(
        pool: &PgPool,
        endpoint: Uuid,
        state: Option<WaitingState>,
        after: i64,
        limit: i64,
    ) -> Result<Vec<Self>, sqlx::Error> {
        sqlx::query_as!(
            Self,
            r#"select seq, position, replay, state as "state: WaitingState", attempts, next_try, reason, queued_at, failed_at
               from webhook_waiting
               where endpoint = $1 and seq > $2 and ($3::text is null or state = $3) order by seq limit $4"#,
            endpoint,
            after,
            state as Option<WaitingState>,
            limit,
        )
        .fetch_all(pool)
        .await
    }
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type, serde::Serialize)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// The receiver has it.
    Delivered,
    /// It did not go through.
    Failed,
    /// The receiver has too much to do.
    Throttled,
    /// The receiver wants nothing more.
    Gone,
}

/// One request.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub(crate) struct AttemptRow {
    pub id: i64,
    pub endpoint: Uuid,
    pub event: Uuid,
    pub position: Option<i64>,
    pub kind: String,
    pub replay: i64,
    pub attempt: i32,
    pub at: DateTime<Utc>,
    pub latency_us: i64,
    pub outcome: Outcome,
    pub status: Option<i32>,
    pub error: Option<String>,
    pub request_head: String,
    pub response_head: Option<String>,
    pub response_body: Option<String>,
    pub next_try: Option<DateTime<Utc>>,
}

/// Which attempts.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Attempts {
    /// Only of this event.
    pub(crate) position: Option<i64>,
    /// Only what came out so.
    pub(crate) outcome: Option<Outcome>,
}

impl AttemptRow {
    /// Those of an endpoint, newest first, before the number of the last one of a page.
    pub(crate) async fn page(
        pool: &PgPool,
        endpoint: Uuid,
        which: Attempts,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Self>, sqlx::Error> {
        sqlx::query_as!(
            Self,
            r#"select id, endpoint, event, position, kind, replay, attempt, at, latency_us, outcome as "outcome: Outcome",
                      status, error, request_head, response_head, response_body, next_try
               from webhook_attempt
               where endpoint = $1 and ($2::bigint is null or id < $2) and ($3::bigint is null or position = $3)
                 and ($4::text is null or outcome = $4)
               order by id desc limit $5"#,
            endpoint,
            before,
            which.position,
            which.outcome as Option<Outcome>,
            limit,
        )
        .fetch_all(pool)
        .await
    }

    /// Those after a number, oldest first, of an endpoint or of all.
    pub(crate) async fn since(
        pool: &PgPool,
        endpoint: Option<Uuid>,
        after: i64,
        limit: i64,
    ) -> Result<Vec<Self>, sqlx::Error> {
        sqlx::query_as!(
            Self,
            r#"select id, endpoint, event, position, kind, replay, attempt, at, latency_us, outcome as "outcome: Outcome",
                      status, error, request_head, response_head, response_body, next_try
               from webhook_attempt
               where id > $2 and ($1::uuid is null or endpoint = $1)
               order by id limit $3"#,
            endpoint,
            after,
            limit,
        )
        .fetch_all(pool)
        .await
    }

    /// The newest one of an event.
    pub(crate) async fn of_event(pool: &PgPool, endpoint: Uuid, event: Uuid) -> Result<Option<Self>, sqlx::Error> {
        sqlx::query_as!(
            Self,
            r#"select id, endpoint, event, position, kind, replay, attempt, at, latency_us, outcome as "outcome: Outcome",
                      status, error, request_head, response_head, response_body, next_try
               from webhook_attempt
               where endpoint = $1 and event = $2 order by id desc limit 1"#,
            endpoint,
            event,
        )
        .fetch_optional(pool)
        .await
    }

    /// The number of the newest one.
    pub(crate) async fn newest(pool: &PgPool) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar!(r#"select coalesce(max(id), 0) as "newest!" from webhook_attempt"#).fetch_one(pool).await
    }
}

/// What is sent again, or let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type, serde::Serialize)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReplayWhat {
    /// Every event that the endpoint asks for.
    Everything,
    /// Those that were set aside, and those that wait for their next try.
    Failed,
    /// Those that wait, which are let go.
    Skip,
}

/// A replay.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub(crate) struct ReplayRow {
    pub id: i64,
    pub endpoint: Uuid,
    pub what: ReplayWhat,
    pub after: i64,
    pub until: i64,
    pub position: i64,
    pub state: String,
    pub sent: i64,
    pub asked_by: String,
    pub reason: String,
    pub asked_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
}

impl ReplayRow {
    /// The newest ones of an endpoint.
    pub(crate) async fn newest(pool: &PgPool, endpoint: Uuid, limit: i64) -> Result<Vec<Self>, sqlx::Error> {
        sqlx::query_as!(
            Self,
            r#"select id, endpoint, what as "what: ReplayWhat", after, until, position, state, sent, asked_by, reason,
                      asked_at, started_at, ended_at
               from webhook_replay where endpoint = $1 order by id desc limit $2"#,
            endpoint,
            limit,
        )
        .fetch_all(pool)
        .await
    }
}

impl ReplayRow {
    /// The replay of a number.
    async fn one(pool: &PgPool, id: i64) -> Result<Option<Self>, sqlx::Error> {
        sqlx::query_as!(
            Self,
            r#"select id, endpoint, what as "what: ReplayWhat", after, until, position, state, sent, asked_by, reason,
                      asked_at, started_at, ended_at
               from webhook_replay where id = $1"#,
            id,
        )
        .fetch_optional(pool)
        .await
    }
}

/// Asks for a replay of what is after one position, up to another. Everything can be sent only of what is in the log.
pub(crate) async fn replay(
    pool: &PgPool,
    log: &Log,
    endpoint: EndpointId,
    what: ReplayWhat,
    (after, until): (i64, i64),
    by: (&str, &str),
) -> Result<ReplayRow, WebhookError> {
    let order = match what {
        ReplayWhat::Everything => {
            log.require(after, until).await?;
            Order::Everything
        }
        ReplayWhat::Failed => Order::Failed,
        ReplayWhat::Skip => Order::Skip,
    };
    let id = ask(endpoint.uuid(), order, (after, until), by, pool).await?;
    Ok(ReplayRow::one(pool, id).await?.ok_or(sqlx::Error::RowNotFound)?)
}

/// Deliveries of an endpoint that a replay of what was kept would concern: how many, and the first of their events.
pub(crate) async fn kept(
    pool: &PgPool,
    log: &Log,
    endpoint: Uuid,
    what: ReplayWhat,
    (after, until): (i64, i64),
    first: usize,
) -> Result<Preview, WebhookError> {
    // What was set aside is let go already.
    let set_aside = what != ReplayWhat::Skip;
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from webhook_waiting
           where endpoint = $1 and position > $2 and position <= $3 and (state = 'waiting' or $4)"#,
        endpoint,
        after,
        until,
        set_aside
    );
    let positions = sqlx::query_scalar!(
        "select position from webhook_waiting
         where endpoint = $1 and position > $2 and position <= $3 and (state = 'waiting' or $4)
         group by position order by position limit $5",
        endpoint,
        after,
        until,
        set_aside,
        i64::try_from(first).unwrap_or(i64::MAX)
    );
    let (count, positions) = (count.fetch_one(pool).await?, positions.fetch_all(pool).await?);
    Ok(Preview { count, events: log.at(&positions).await?, until, complete: true })
}

/// The endpoint, if there is one, that has come least far, and to where: what is after that it still needs of the log.
/// What waits and what was set aside is needed too, and so is what is being sent again.
pub(crate) async fn needed(pool: &PgPool) -> Result<Option<(Uuid, i64)>, sqlx::Error> {
    let least = sqlx::query!(
        r#"select e.endpoint, least(
               coalesce(s.position, e.after),
               (select min(w.position) - 1 from webhook_waiting w where w.endpoint = e.endpoint),
               (select min(r.position) from webhook_replay r
                where r.endpoint = e.endpoint and r.state in ('asked', 'running'))) as "position!"
           from read.webhook_endpoints e left join webhook_state s on s.endpoint = e.endpoint
           where e.state <> 'removed' order by 2 limit 1"#
    );
    Ok(least.fetch_optional(pool).await?.map(|row| (row.endpoint, row.position)))
}

/// Ends a replay of an endpoint that is not done; none if there is no such one.
pub(crate) async fn cancel(pool: &PgPool, endpoint: EndpointId, id: i64) -> Result<Option<ReplayRow>, sqlx::Error> {
    let is_its = ReplayRow::one(pool, id).await?.is_some_and(|replay| replay.endpoint == endpoint.uuid());
    if !is_its || !call_off(id, pool).await? {
        return Ok(None);
    }
    ReplayRow::one(pool, id).await
}
