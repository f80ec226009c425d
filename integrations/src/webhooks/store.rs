//! What the database knows of each endpoint: whose it is, how far it has come, and what waits.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use super::endpoint::{Endpoint, EndpointId};
use super::worker::Live;

/// How far an endpoint had come when this process became its owner.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) endpoint: Uuid,
    pub(super) epoch: i64,
    pub(super) recorded: i64,
    pub(super) position: i64,
    pub(super) ahead: Vec<i64>,
    pub(super) ordering: Option<String>,
    pub(super) succeeded_at: Option<DateTime<Utc>>,
    pub(super) failing_since: Option<DateTime<Utc>>,
    pub(super) breaker: String,
    pub(super) breaker_until: Option<DateTime<Utc>>,
    pub(super) breaker_opened: i32,
    pub(super) throttled_until: Option<DateTime<Utc>>,
}

/// Makes a state for each endpoint that has none.
pub(super) async fn ensure(endpoints: &[&Endpoint], pool: &PgPool) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = endpoints.iter().map(|endpoint| endpoint.id).collect();
    let after: Vec<i64> = endpoints.iter().map(|endpoint| endpoint.after).collect();
    sqlx::query!(
        "insert into webhook_state (endpoint, position)
         select endpoint, position from unnest($1::uuid[], $2::bigint[]) as e (endpoint, position)
         order by endpoint on conflict on constraint webhook_state_pk do nothing",
        &ids,
        &after
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Becomes the owner of up to `most` of these endpoints that belong to none of those who live, as this process saw them. That
/// may be long ago if it has stood still since: an owner that has shown itself after it is left alone.
pub(super) async fn claim(
    worker: i64,
    endpoints: &[EndpointId],
    live: &Live,
    most: i64,
    pool: &PgPool,
) -> Result<Vec<State>, sqlx::Error> {
    sqlx::query_as!(
        State,
        "update webhook_state s set owner = $1, epoch = s.epoch + 1, updated_at = clock_timestamp()
         where s.endpoint in (select f.endpoint from webhook_state f
                              where f.endpoint = any($2)
                                and (f.owner is null or f.owner = $1
                                     or f.owner <> all($3) and f.updated_at < $4)
                              limit $5 for update skip locked)
         returning s.endpoint, s.epoch, s.recorded, s.position, s.ahead, s.ordering, s.succeeded_at, s.failing_since,
                   s.breaker, s.breaker_until, s.breaker_opened, s.throttled_until",
        worker,
        endpoints,
        &live.workers,
        live.at,
        most
    )
    .fetch_all(pool)
    .await
}

/// Shows that the owner of an endpoint lives, before whoever took it for dead claims the endpoint; false if it was claimed.
pub(super) async fn keep(worker: i64, endpoint: EndpointId, epoch: i64, pool: &PgPool) -> Result<bool, sqlx::Error> {
    let kept = sqlx::query!(
        "update webhook_state set updated_at = clock_timestamp() where endpoint = $1 and owner = $2 and epoch = $3",
        endpoint,
        worker,
        epoch
    );
    Ok(kept.execute(pool).await?.rows_affected() == 1)
}

/// The state of an endpoint, if it still is this worker's.
pub(super) async fn own(
    worker: i64,
    endpoint: EndpointId,
    epoch: i64,
    pool: &PgPool,
) -> Result<Option<State>, sqlx::Error> {
    sqlx::query_as!(
        State,
        "select s.endpoint, s.epoch, s.recorded, s.position, s.ahead, s.ordering, s.succeeded_at, s.failing_since,
                s.breaker, s.breaker_until, s.breaker_opened, s.throttled_until
         from webhook_state s where s.endpoint = $1 and s.owner = $2 and s.epoch = $3",
        endpoint,
        worker,
        epoch
    )
    .fetch_optional(pool)
    .await
}

/// Leaves an endpoint to others; whoever owns it by now is not disturbed.
pub(super) async fn release(worker: i64, endpoint: EndpointId, epoch: i64, pool: &PgPool) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update webhook_state set owner = null, updated_at = clock_timestamp()
         where endpoint = $1 and owner = $2 and epoch = $3",
        endpoint,
        worker,
        epoch
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Leaves an endpoint that is disabled. When it is enabled, nothing is held against it: its five days begin anew.
pub(super) async fn rest(worker: i64, endpoint: EndpointId, epoch: i64, pool: &PgPool) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update webhook_state set owner = null, failing_since = null, breaker = 'closed', breaker_until = null,
                breaker_opened = 0, throttled_until = null, updated_at = clock_timestamp()
         where endpoint = $1 and owner = $2 and epoch = $3",
        endpoint,
        worker,
        epoch
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Says why an endpoint stands still; an empty text that it does not.
pub(super) async fn note(
    worker: i64,
    endpoint: EndpointId,
    epoch: i64,
    error: &str,
    pool: &PgPool,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update webhook_state set error = nullif($4, ''), updated_at = clock_timestamp()
         where endpoint = $1 and owner = $2 and epoch = $3 and error is distinct from nullif($4, '')",
        endpoint,
        worker,
        epoch,
        error
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Which endpoints have replays that are not over.
pub(super) async fn replaying(endpoints: &[EndpointId], pool: &PgPool) -> Result<Vec<EndpointId>, sqlx::Error> {
    sqlx::query_scalar!(
        "select distinct endpoint from webhook_replay where state in ('asked', 'running') and endpoint = any($1)",
        endpoints
    )
    .fetch_all(pool)
    .await
}
