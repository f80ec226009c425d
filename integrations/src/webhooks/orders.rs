//! What people ask of an endpoint's deliveries. The owner finds it within a second and carries it out.

use sqlx::PgPool;
use uuid::Uuid;

use super::endpoint::EndpointId;

/// What is to be done with the events of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Everything that the endpoint asks for is sent again, with the same ids, through the same lanes.
    Everything,
    /// Dead letters are sent again, and what waits for its next try is tried now.
    Failed,
    /// What waits is let go: it becomes a dead letter, and what is behind it goes on.
    Skip,
}

impl Order {
    /// Its name in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Everything => "everything",
            Self::Failed => "failed",
            Self::Skip => "skip",
        }
    }
}

/// Puts an order down for the events in `(after, until]`; its id. `until` must not be beyond the log's head.
///
/// # Errors
/// The database failed.
pub async fn ask(
    endpoint: EndpointId,
    order: Order,
    (after, until): (i64, i64),
    (by, reason): (&str, &str),
    pool: &PgPool,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        "insert into webhook_replay (endpoint, what, after, until, position, asked_by, reason)
         values ($1, $2, $3, $4, $3, $5, $6) returning id",
        endpoint,
        order.name(),
        after,
        until,
        by,
        reason
    )
    .fetch_one(pool)
    .await
}

/// Calls an order off; what is on its way already goes on. False if it is over, or none.
///
/// # Errors
/// The database failed.
pub async fn cancel(id: i64, pool: &PgPool) -> Result<bool, sqlx::Error> {
    let cancelled = sqlx::query!(
        "update webhook_replay set state = 'cancelled', ended_at = clock_timestamp()
         where id = $1 and state in ('asked', 'running')",
        id
    );
    Ok(cancelled.execute(pool).await?.rows_affected() == 1)
}

/// Forgets everything about an endpoint that was removed, a piece of each table at a time; whether anything is left.
///
/// # Errors
/// The database failed.
pub async fn forget(endpoint: Uuid, pool: &PgPool) -> Result<bool, sqlx::Error> {
    let waiting = sqlx::query!(
        "delete from webhook_waiting where endpoint = $1
           and seq in (select seq from webhook_waiting where endpoint = $1 order by seq limit 1000)",
        endpoint
    );
    if waiting.execute(pool).await?.rows_affected() > 0 {
        return Ok(true);
    }
    let attempts = sqlx::query!(
        "delete from webhook_attempt where id in (select id from webhook_attempt where endpoint = $1 order by id limit 1000)",
        endpoint
    );
    if attempts.execute(pool).await?.rows_affected() > 0 {
        return Ok(true);
    }
    sqlx::query!("delete from webhook_lane where endpoint = $1", endpoint).execute(pool).await?;
    sqlx::query!("delete from webhook_replay where endpoint = $1", endpoint).execute(pool).await?;
    sqlx::query!("delete from webhook_secret where endpoint = $1", endpoint).execute(pool).await?;
    sqlx::query!("delete from webhook_state where endpoint = $1", endpoint).execute(pool).await?;
    Ok(false)
}
