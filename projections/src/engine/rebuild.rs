//! Makes the tables of a read model anew while the old ones serve.

use sqlx::{AssertSqlSafe, PgPool};
use tokio_util::sync::CancellationToken;
use vigie_eventlog::Log;

use super::shadow::{Shadow, failed, table_names};
use super::{Checkpoint, Model, table};
use crate::control::{Asked, By, rebuild_as};
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
    let by = By::new(crate::owner(), "");
    rebuild_as(pool, log, name, &Asked { until: None, by }, progress, cancel).await
}

/// The position at which a rebuild ends, and the read model is left paused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Until<'a> {
    pub(crate) position: i64,
    /// Who wants that, and why.
    pub(crate) by: &'a By,
}

/// Makes the tables anew and swaps them in; whoever calls holds the lock [`super::Remaking`]. What is made before it is
/// broken off stays, until somebody begins anew or calls [`discard`].
pub(crate) async fn make(
    pool: &PgPool,
    log: &Log,
    model: &Model,
    until: Option<Until<'_>>,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<i64, ProjectionError> {
    Checkpoint::ensure(model, pool).await.map_err(failed("the checkpoint could not be made"))?;
    let mut shadow = Shadow::create(SCHEMA, model, pool, log).await?;
    fill_and_swap(&mut shadow, until, progress, cancel).await
}

/// Drops what a rebuild that was broken off has left.
pub(crate) async fn discard(model: &Model, pool: &PgPool) -> Result<(), ProjectionError> {
    Shadow::drop_tables(SCHEMA, model, pool).await
}

async fn fill_and_swap(
    shadow: &mut Shadow<'_>,
    until: Option<Until<'_>>,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<i64, ProjectionError> {
    loop {
        let head = match until {
            Some(until) => until.position,
            None => shadow.log.head().await?,
        };
        let rest = head - shadow.position;
        shadow.fill(head, progress, cancel).await?;
        if rest <= CLOSE || until.is_some() {
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
        match swap(shadow, until).await {
            Err(ProjectionError::Database { source, .. }) if is_lock_timeout(&source) => {
                if cancel.is_cancelled() {
                    return Err(ProjectionError::Cancelled);
                }
                if until.is_none() {
                    // What was drained into the shadow was rolled back with the swap.
                    let head = shadow.log.head().await?;
                    shadow.fill(head, progress, cancel).await?;
                }
            }
            outcome => return outcome,
        }
    }
    swap(shadow, until).await
}

/// Drains under the checkpoint's lock and swaps, in one transaction.
async fn swap(shadow: &mut Shadow<'_>, until: Option<Until<'_>>) -> Result<i64, ProjectionError> {
    let filled = shadow.position;
    let swapped = try_swap(shadow, until).await;
    if swapped.is_err() {
        shadow.position = filled;
    }
    swapped
}

async fn try_swap(shadow: &mut Shadow<'_>, until: Option<Until<'_>>) -> Result<i64, ProjectionError> {
    let swapping = failed("the new tables could not be swapped in");
    let mut transaction = shadow.pool.begin().await.map_err(&swapping)?;
    // A reader that holds the old table must not make everybody behind the swap wait for long.
    sqlx::query!("set local lock_timeout = '500ms'").execute(&mut *transaction).await.map_err(&swapping)?;
    let live = Checkpoint::lock(shadow.model.name, &mut transaction).await.map_err(&swapping)?;
    if until.is_none() {
        shadow.drain(live, &mut transaction).await?;
    }
    for name in table_names(shadow.model) {
        let live = table::LIVE;
        for sql in [format!("drop table {live}.{name}"), format!("alter table {SCHEMA}.{name} set schema {live}")] {
            sqlx::query(AssertSqlSafe(sql)).execute(&mut *transaction).await.map_err(&swapping)?;
        }
    }
    Checkpoint::rebuilt(shadow.model, shadow.position, until, &mut transaction).await.map_err(&swapping)?;
    transaction.commit().await.map_err(&swapping)?;
    Ok(shadow.position)
}

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "55P03")
}
