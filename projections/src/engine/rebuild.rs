//! Makes the tables of a read model anew while the old ones serve.

use sqlx::{AssertSqlSafe, PgPool};
use tokio_util::sync::CancellationToken;
use vigie_eventlog::Log;

use super::shadow::{Shadow, failed, table_names};
use super::{Checkpoint, Model, Remaking, table};
use crate::{Progress, ProjectionError};

const SCHEMA: &str = "read_rebuild";
/// How many events may be left for the short transaction that swaps.
const CLOSE: i64 = 1_000;
/// How often a swap is tried that long-running readers stand in the way of.
const SWAPS: u32 = 20;

/// Makes the tables of the read model `name` anew from the log and swaps them in; the position they are at then.
/// Until the swap the old tables serve, and a crash or cancellation leaves them as they are.
///
/// # Errors
/// An unknown name, a bad event, another rebuild, or a failing database.
pub async fn rebuild(
    pool: &PgPool,
    log: &Log,
    name: &str,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<i64, ProjectionError> {
    rebuild_model(pool, log, &crate::model(name)?, progress, cancel).await
}

pub(crate) async fn rebuild_model(
    pool: &PgPool,
    log: &Log,
    model: &Model,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<i64, ProjectionError> {
    let lock = Remaking::lock(model.name, pool).await.map_err(failed("the rebuild's lock could not be asked for"))?;
    let Some(lock) = lock else { return Err(ProjectionError::Busy { name: model.name.to_owned() }) };
    let made = make(pool, log, model, progress, cancel).await;
    lock.release().await.map_err(failed("the rebuild's lock could not be released"))?;
    made
}

async fn make(
    pool: &PgPool,
    log: &Log,
    model: &Model,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<i64, ProjectionError> {
    Checkpoint::ensure(model, pool).await.map_err(failed("the checkpoint could not be made"))?;
    let mut shadow = Shadow::create(SCHEMA, model, pool, log).await?;
    let made = fill_and_swap(&mut shadow, progress, cancel).await;
    if made.is_err() {
        shadow.drop().await?;
    }
    made
}

async fn fill_and_swap(
    shadow: &mut Shadow<'_>,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<i64, ProjectionError> {
    loop {
        let head = shadow.log.head().await?;
        let rest = head - shadow.position;
        shadow.fill(head, progress, cancel).await?;
        if rest <= CLOSE {
            break;
        }
    }
    for name in table_names(shadow.model) {
        let analyze = format!("analyze {SCHEMA}.{name}");
        sqlx::query(AssertSqlSafe(analyze))
            .execute(shadow.pool)
            .await
            .map_err(failed("tables could not be analysed"))?;
    }
    for _ in 1..SWAPS {
        match swap(shadow).await {
            Err(ProjectionError::Database { source, .. }) if is_lock_timeout(&source) => {
                // What was drained into the shadow was rolled back with the swap.
                let head = shadow.log.head().await?;
                shadow.fill(head, progress, cancel).await?;
            }
            outcome => return outcome,
        }
    }
    swap(shadow).await
}

/// Drains under the checkpoint's lock and swaps, in one transaction.
async fn swap(shadow: &mut Shadow<'_>) -> Result<i64, ProjectionError> {
    let filled = shadow.position;
    let swapped = try_swap(shadow).await;
    if swapped.is_err() {
        shadow.position = filled;
    }
    swapped
}

async fn try_swap(shadow: &mut Shadow<'_>) -> Result<i64, ProjectionError> {
    let swapping = failed("the new tables could not be swapped in");
    let mut transaction = shadow.pool.begin().await.map_err(&swapping)?;
    // A reader that holds the old table must not make everybody behind the swap wait for long.
    sqlx::query!("set local lock_timeout = '500ms'").execute(&mut *transaction).await.map_err(&swapping)?;
    let live = Checkpoint::lock(shadow.model.name, &mut transaction).await.map_err(&swapping)?;
    shadow.drain(live, &mut transaction).await?;
    for name in table_names(shadow.model) {
        let live = table::LIVE;
        for sql in [format!("drop table {live}.{name}"), format!("alter table {SCHEMA}.{name} set schema {live}")] {
            sqlx::query(AssertSqlSafe(sql)).execute(&mut *transaction).await.map_err(&swapping)?;
        }
    }
    Checkpoint::rebuilt(shadow.model, shadow.position, &mut transaction).await.map_err(&swapping)?;
    transaction.commit().await.map_err(&swapping)?;
    Ok(shadow.position)
}

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "55P03")
}
