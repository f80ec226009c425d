//! The log of attempts has an end: what is older than its retention goes, in pieces that hold nobody up.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

/// Rows that go with one statement: a few milliseconds, and locks on nothing but them.
const PIECE: i64 = 1_000;

/// What has gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Attempts.
    pub attempts: u64,
    /// Dead letters: the events are in the log still.
    pub letters: u64,
    /// Orders that are over.
    pub orders: u64,
}

/// Removes what is from before `before`.
///
/// # Errors
/// The database failed; what has gone until then is gone.
pub async fn prune(before: DateTime<Utc>, pool: &PgPool) -> Result<Pruned, sqlx::Error> {
    let mut pruned = Pruned::default();
    loop {
        // Ids grow with time, as far as it matters here: the oldest are at the beginning of the primary key.
        let attempts = sqlx::query!(
            "delete from webhook_attempt where id in (select id from webhook_attempt order by id limit $2) and at < $1",
            before,
            PIECE
        );
        let gone = attempts.execute(pool).await?.rows_affected();
        pruned.attempts += gone;
        if gone == 0 {
            break;
        }
    }
    let letters = sqlx::query!("delete from webhook_waiting where state = 'set_aside' and failed_at < $1", before);
    pruned.letters = letters.execute(pool).await?.rows_affected();
    let orders =
        sqlx::query!("delete from webhook_replay where state in ('done', 'cancelled') and ended_at < $1", before);
    pruned.orders = orders.execute(pool).await?.rows_affected();
    Ok(pruned)
}
