//! Freezing full ranges.
//!
//! Nothing in a full range changes any more. Frozen once as a whole it never needs a vacuum again, not even against
//! the wraparound of transaction ids, which would otherwise come for all of the log at a time of its own choosing.

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};

use super::partition;
use crate::LogError;

/// Freezes the full ranges that are not yet, as their owner; how many. One process at a time does so, gently: others,
/// and logins that do not own the log, do nothing.
///
/// # Errors
/// The database failed.
pub async fn freeze(owner: &PgConnectOptions) -> Result<u32, LogError> {
    let failed = |error| LogError::database("freeze full ranges", error);
    let mut connection = owner.connect().await.map_err(failed)?;
    let frozen = freeze_all(&mut connection).await.map_err(failed);
    // Its lock goes with it.
    connection.close().await.map_err(failed)?;
    frozen
}

async fn freeze_all(connection: &mut PgConnection) -> Result<u32, sqlx::Error> {
    let mine = sqlx::query_scalar!(
        r#"select pg_has_role(c.relowner, 'usage')
                  and pg_try_advisory_lock(hashtextextended('vigie log freezes', 0)) as "mine!"
           from pg_class c where c.oid = to_regclass('event')"#
    );
    if mine.fetch_optional(&mut *connection).await? != Some(true) {
        return Ok(0);
    }
    let full = sqlx::query!(
        "select r.number, r.last_position from log_range r, log_head h
         where r.state = 'attached' and r.frozen_at is null and r.last_position <= h.position order by r.number"
    );
    let full = full.fetch_all(&mut *connection).await?;
    // It has all the time in the world: 2 ms of rest after each portion.
    connection.execute("set vacuum_cost_delay = '2ms'").await?;
    let mut frozen = 0;
    for range in full {
        let tables = ["event", "event_tag"].map(|parent| partition(parent, range.number));
        let vacuum = format!("vacuum (freeze, analyze) {}", tables.join(", "));
        connection.execute(AssertSqlSafe(vacuum)).await?;
        if !is_frozen(&tables, range.last_position, connection).await? {
            // A transaction that is older than the range's last event still runs: next time.
            break;
        }
        sqlx::query!("update log_range set frozen_at = clock_timestamp() where number = $1", range.number)
            .execute(&mut *connection)
            .await?;
        tracing::info!(range.number, "a full range of the log is frozen");
        frozen += 1;
    }
    Ok(frozen)
}

/// Whether the transaction that wrote the last event is older than every transaction id left in the tables.
async fn is_frozen(tables: &[String; 2], last: i64, connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select bool_and(age(c.relfrozenxid) < age(e.xmin)) as "frozen!"
           from pg_class c, event e where c.relname = any ($1) and e.position = $2"#,
        tables.as_slice(),
        last
    )
    .fetch_one(connection)
    .await
}
