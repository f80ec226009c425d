//! Makes the tables of a read model anew while the old ones serve.

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use tokio_util::sync::CancellationToken;
use vigie_eventlog::Log;

use super::shadow::{Shadow, failed, table_names};
use super::{Checkpoint, Model, checkpoint, compare, table};
use crate::control::{Asked, By, rebuild_as};
use crate::{Progress, ProjectionError};

const SCHEMA: &str = "read_rebuild";
/// How many events may be left for the short transaction that swaps.
const CLOSE: i64 = 1_000;
/// How long a swap waits for readers, and new readers for it; then it stands back, so that they get their turn.
const WAIT: &str = "set local lock_timeout = '200ms'";
/// How long it stands back.
const BACK: Duration = Duration::from_millis(300);
/// How often it is tried: ten minutes.
const SWAPS: u32 = 1_200;

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
/// broken off stays and is gone on with, until somebody calls [`discard`].
pub(crate) async fn make(
    pool: &PgPool,
    log: &Log,
    model: &Model,
    until: Option<Until<'_>>,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<i64, ProjectionError> {
    Checkpoint::ensure(model, pool).await.map_err(failed("the checkpoint could not be made"))?;
    let end = until.map_or(i64::MAX, |until| until.position);
    let mut shadow = Shadow::open(SCHEMA, model, pool, log, end).await?;
    catch_up(&mut shadow, until, progress, cancel).await?;
    shadow.finish(cancel).await?;
    // Indexes take a while: what came meanwhile is folded before anybody has to wait for it.
    catch_up(&mut shadow, until, progress, cancel).await?;
    if until.is_none() {
        compare_with_live(&mut shadow).await?;
        catch_up(&mut shadow, until, progress, cancel).await?;
    }
    swap_in(&mut shadow, until, progress, cancel).await
}

/// Drops what a rebuild that was broken off has left.
pub(crate) async fn discard(model: &Model, pool: &PgPool) -> Result<(), ProjectionError> {
    Shadow::drop_tables(SCHEMA, model, pool).await
}

async fn catch_up(
    shadow: &mut Shadow<'_>,
    until: Option<Until<'_>>,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<(), ProjectionError> {
    loop {
        let head = match until {
            Some(until) => until.position,
            None => shadow.log.head().await?,
        };
        let rest = head - shadow.position;
        shadow.fill(head, progress, cancel).await?;
        if rest <= CLOSE {
            return Ok(());
        }
    }
}

/// What is swapped in should be what was there: a difference says that somebody has changed rows by hand, or the fold
/// without its version. The new rows are right in both cases; people should know.
async fn compare_with_live(shadow: &mut Shadow<'_>) -> Result<(), ProjectionError> {
    let name = shadow.model.name;
    match compare::differing_tables(shadow).await? {
        Some(tables) if tables.is_empty() => {
            tracing::info!(projection.name = name, "the new rows are those that were there, by digest");
        }
        Some(tables) => {
            let tables = tables.join(", ");
            tracing::warn!(projection.name = name, tables, "the new rows differ from those that were there, by digest");
        }
        None => tracing::info!(projection.name = name, "the new rows are of another version or position: not compared"),
    }
    Ok(())
}

/// Swaps, as soon as readers let it.
async fn swap_in(
    shadow: &mut Shadow<'_>,
    until: Option<Until<'_>>,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<i64, ProjectionError> {
    for _ in 1..SWAPS {
        match swap(shadow, until).await {
            Err(ProjectionError::Database { source, .. }) if is_lock_timeout(&source) => {
                tokio::select! {
                    () = cancel.cancelled() => return Err(ProjectionError::Cancelled),
                    () = tokio::time::sleep(BACK) => {}
                }
                // What was drained into the shadow was rolled back with the swap.
                catch_up(shadow, until, progress, cancel).await?;
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
    sqlx::query(WAIT).execute(&mut *transaction).await.map_err(&swapping)?;
    let live = Checkpoint::lock(shadow.model.name, &mut transaction).await.map_err(&swapping)?;
    // Whoever else may have taken the fill over has moved its checkpoint, and this waits and fails.
    let (from, name) = (shadow.position, shadow.model.name);
    if !checkpoint::advance_shadow(SCHEMA, shadow.model, from, from, &mut transaction).await.map_err(&swapping)? {
        return Err(ProjectionError::Busy { name: name.to_owned() });
    }
    if until.is_none() {
        shadow.drain(live, &mut transaction).await?;
    }
    exchange(shadow.model, &mut transaction).await.map_err(&swapping)?;
    checkpoint::end_shadow(SCHEMA, name, &mut transaction).await.map_err(&swapping)?;
    Checkpoint::rebuilt(shadow.model, shadow.position, until, &mut transaction).await.map_err(&swapping)?;
    // The fill did not wait for the disk; with this commit all of it is there.
    sqlx::query!("set local synchronous_commit = on").execute(&mut *transaction).await.map_err(&swapping)?;
    transaction.commit().await.map_err(&swapping)?;
    Ok(shadow.position)
}

/// The new tables for the old ones. Readers of several tables hold the gate, so that none meets a table that is younger
/// than his snapshot and would look empty to him.
async fn exchange(model: &Model, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let live = table::LIVE;
    sqlx::query!("lock table read.swap_gate in access exclusive mode").execute(&mut *connection).await?;
    for name in table_names(model) {
        for sql in [format!("drop table {live}.{name}"), format!("alter table {SCHEMA}.{name} set schema {live}")] {
            sqlx::query(AssertSqlSafe(sql)).execute(&mut *connection).await?;
        }
    }
    Ok(())
}

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "55P03")
}
