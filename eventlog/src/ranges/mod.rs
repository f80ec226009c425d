//! The log in ranges of positions, each a partition of its own (migration 0007).
//!
//! Ranges are made ahead of the head, beside the appends. Full ones are frozen once, and can be archived: what is
//! archived is missing, and whoever needs it is told so.

mod archive;
mod file;
mod freeze;
mod restore;

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgDatabaseError;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::read::Direction;
use crate::{LogError, Query, Read, Recorded};

pub use archive::{ArchiveError, Moved, archive, whole_until};
pub use freeze::freeze;
pub use restore::restore;

/// How many ranges lie ready behind the one that is being filled.
const AHEAD: i32 = 2;
/// The first pause after a failure; the longest is [`LONGEST`].
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(60);
/// What `log_require` fails with.
const ARCHIVED: &str = "VIG01";

/// The table of a range; `parent` is `event` or `event_tag`.
fn partition(parent: &str, number: i32) -> String {
    format!("{parent}_p{number:06}")
}

/// Sees to it that ranges lie ready before the log reaches them, until it closes. Several processes may do so at once.
///
/// What stands in the way, such as a backup that reads all tables, is waited for longer and longer: each attempt holds
/// appends up for as long as it waits for locks, which is a tenth of a second at most.
pub(crate) async fn keep_ahead(pool: PgPool, mut head: watch::Receiver<i64>, closed: CancellationToken) {
    let mut pause = PAUSE;
    loop {
        let wait = async {
            match extend(&pool).await {
                Ok(due) => {
                    pause = PAUSE;
                    // An error means that the log has been dropped, which cancels as well.
                    let _ = head.wait_for(|head| *head >= due).await;
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "no range could be made; trying again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST);
                }
            }
        };
        tokio::select! {
            () = wait => {}
            () = closed.cancelled() => return,
        }
    }
}

/// Makes what is missing; the head at which there will be something to do again.
async fn extend(pool: &PgPool) -> Result<i64, LogError> {
    let failed = |error| LogError::database("make ranges ahead of the head", error);
    while sqlx::query_scalar!(r#"select log_extend($1) as "more!""#, AHEAD).fetch_one(pool).await.map_err(failed)? {
        // Another process may be at it: not in its way.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    sqlx::query_scalar!(
        r#"select r.first_position - 1 as "due!" from log_range r order by r.number desc offset 1 limit 1"#
    )
    .fetch_one(pool)
    .await
    .map_err(failed)
}

/// The typed form of what `log_require` fails with.
pub(crate) fn as_archived(error: &sqlx::Error) -> Option<LogError> {
    let error = error.as_database_error()?.try_downcast_ref::<PgDatabaseError>()?;
    if error.code() != ARCHIVED {
        return None;
    }
    let (first, last) = error.detail()?.split_once(' ')?;
    Some(LogError::Archived { first: first.parse().ok()?, last: last.parse().ok()? })
}

/// Fails if a page had to leave out what is archived.
///
/// It is asked after the page was read: what is detached in between is named, never passed over. Reads by tag, and those
/// by type that go forwards, are not looked at here: `log_matching` asks itself.
pub(crate) async fn require_page(pool: &PgPool, query: &Query, read: Read, page: &[Recorded]) -> Result<(), LogError> {
    match looked_at(query, read, page) {
        Some((after, until)) => require(pool, after, until).await,
        None => Ok(()),
    }
}

/// Fails if any event in `(after, until]` is archived.
pub(crate) async fn require(pool: &PgPool, after: i64, until: i64) -> Result<(), LogError> {
    sqlx::query!("select log_require($1, $2)", after, until)
        .execute(pool)
        .await
        .map_err(|error| LogError::database("look for archived events", error))?;
    Ok(())
}

/// The positions `(after, until]` that a page was taken from and that may have been missing; none if it is whole.
fn looked_at(query: &Query, read: Read, page: &[Recorded]) -> Option<(i64, i64)> {
    let full = page.len() >= read.limit as usize;
    let (first, last) = (page.first().map(|event| event.position), page.last().map(|event| event.position));
    match (read.direction, query.is_all()) {
        (Direction::Forwards, false) => None,
        (Direction::Backwards, false) if query.criteria.iter().all(|criterion| !criterion.tags.is_empty()) => None,
        (Direction::Backwards, false) => {
            let after = if full { last.map_or(read.after, |last| last - 1) } else { read.after };
            Some((after, read.until))
        }
        // Positions have no gaps: a page without gaps lacks nothing up to its end, and the next one tells what follows.
        (Direction::Forwards, true) => match last {
            Some(last) => (last - read.after.max(0) != length(page)).then_some((read.after, last)),
            None => (read.until < i64::MAX).then_some((read.after, read.until)),
        },
        (Direction::Backwards, true) => {
            let after = if full { last.map_or(read.after, |last| last - 1) } else { read.after };
            let whole = first.is_some_and(|first| first - after.max(0) == length(page));
            let from_end = read.until == i64::MAX || first == Some(read.until);
            (!(whole && from_end)).then_some((after, read.until))
        }
    }
}

fn length(page: &[Recorded]) -> i64 {
    i64::try_from(page.len()).unwrap_or(i64::MAX)
}
