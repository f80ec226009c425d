//! From the log into files, and back.
//!
//! A range stays in the log until its file is on the disk and has been read again and found whole; then it leaves the
//! log in one transaction, which also notes the file's digest; events of some types stay there besides. Coming back, it is filled, compared with that digest and
//! attached in one transaction. Wherever this is interrupted, nothing is lost, and it can be done again.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Acquire, PgConnection, PgPool};

use super::file::{Header, Part, Problem, read};
use crate::read::page;
use crate::transfer::Line;
use crate::{LogError, Query, Read};

/// How often readers in the way are waited for, a second each time.
const ATTEMPTS: u32 = 120;
const PAUSE: Duration = Duration::from_secs(1);

/// Why a range cannot be archived or restored. The log is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The database failed, or readers stood in the way for too long.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A file cannot be written or read.
    #[error("{} cannot be read or written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file is not whole, or not what it says.
    #[error("{} cannot be used: {problem}", path.display())]
    Unsound {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// No range ends that early.
    #[error("no range ends at or before position {until}{}", next(.first_end))]
    Nothing {
        /// As asked.
        until: i64,
        /// The end of the first range that could be archived.
        first_end: Option<i64>,
    },
    /// The file is not the one that its range was archived into.
    #[error(
        "{} is of range {number}, but its digest {found} is not the one noted when the range was archived ({noted})",
        path.display()
    )]
    Different {
        /// The file.
        path: PathBuf,
        /// The range that it says it is.
        number: i32,
        /// Its digest.
        found: String,
        /// The digest in the database.
        noted: String,
    },
    /// The range is in the log, or there has never been such a one.
    #[error("{} is of range {number} with the positions {first} to {last}, and no such range is archived", path.display())]
    NotArchived {
        /// The file.
        path: PathBuf,
        /// The range that it says it is.
        number: i32,
        /// Its first position.
        first: i64,
        /// Its last position.
        last: i64,
    },
}

fn next(end: &Option<i64>) -> String {
    match end {
        Some(end) => format!(": the first one that can be archived ends at {end}"),
        None => ": none is full and behind the head".to_owned(),
    }
}

/// A range that was archived or restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Its number.
    pub number: i32,
    /// Its first position.
    pub first: i64,
    /// Its last position.
    pub last: i64,
    /// Its file.
    pub path: PathBuf,
    /// The SHA-256 of the file up to its last line.
    pub sha256: String,
}

/// The ranges that [`archive`] would take: whole, behind the head, and ending at or before `until`.
///
/// # Errors
/// There is none, or the database failed.
pub async fn whole_until(pool: &PgPool, until: i64) -> Result<Vec<(i32, i64, i64)>, ArchiveError> {
    let ranges = sqlx::query!(
        "select r.number, r.first_position, r.last_position from log_range r, log_head h
         where r.state = 'attached' and r.last_position < h.position order by r.number"
    );
    let ranges = ranges.fetch_all(pool).await.map_err(failed("look for full ranges"))?;
    let first_end = ranges.first().map(|range| range.last_position);
    let ranges = ranges.into_iter().map(|range| (range.number, range.first_position, range.last_position));
    let whole: Vec<_> = ranges.take_while(|(_, _, last)| *last <= until).collect();
    if whole.is_empty() { Err(ArchiveError::Nothing { until, first_end }) } else { Ok(whole) }
}

/// Archives the whole ranges up to `until` into files of `folder`, the oldest first, as the owner of the log. Events of the
/// types of `keep` go into the files too, and stay. What was archived before a failure stays so. `progress` is told
/// positions.
///
/// # Errors
/// No such range, a file that cannot be written, a log that is not whole, or a failing database.
pub async fn archive(
    owner: &PgConnectOptions,
    until: i64,
    folder: &Path,
    keep: &[&str],
    progress: &(dyn Fn(i64) + Send + Sync),
) -> Result<Vec<Moved>, ArchiveError> {
    let pool = owner_pool(owner).await?;
    let keep: Vec<String> = keep.iter().copied().map(str::to_owned).collect();
    let mut moved = Vec::new();
    for (number, first, last) in whole_until(&pool, until).await? {
        let header = Header::new(number, first, last);
        let (path, sha256) = write(&pool, &header, folder, progress).await?;
        verify(&path, &header, &sha256).await?;
        detach(&pool, number, &sha256, &keep).await?;
        moved.push(Moved { number, first, last, path, sha256 });
    }
    pool.close().await;
    Ok(moved)
}

pub(super) async fn owner_pool(owner: &PgConnectOptions) -> Result<PgPool, ArchiveError> {
    let pool = PgPoolOptions::new().max_connections(2).connect_with(owner.clone()).await;
    pool.map_err(failed("connect as the owner of the log"))
}

pub(super) fn failed(attempt: &'static str) -> impl Fn(sqlx::Error) -> ArchiveError {
    move |error| LogError::database(attempt, error).into()
}

async fn write(
    pool: &PgPool,
    header: &Header,
    folder: &Path,
    progress: &(dyn Fn(i64) + Send + Sync),
) -> Result<(PathBuf, String), ArchiveError> {
    let at = folder.join(header.name());
    let wrong = |problem: Problem| problem.of(&at);
    let (part, mut writer) = Part::create(folder, header).map_err(wrong)?;
    let mut position = header.first - 1;
    while position < header.last {
        let events = page(pool, &Query::all(), Read::after(position).until(header.last)).await?;
        if events.is_empty() {
            // The writer says which position is missing.
            break;
        }
        for event in events {
            position = event.position;
            writer.add(&Line::from(event)).map_err(wrong)?;
        }
        progress(position);
    }
    part.finish(writer).map_err(wrong)
}

/// Reads the file as it is now on the disk.
async fn verify(path: &Path, header: &Header, sha256: &str) -> Result<(), ArchiveError> {
    let (found, digest) = read_whole(path).await?;
    if &found == header && digest == sha256 {
        return Ok(());
    }
    let problem = format!("it was written with the digest {sha256} and reads with {digest}");
    Err(ArchiveError::Unsound { path: path.into(), problem })
}

/// Reads a file through, away from the tasks that must not wait for a disk; its header and digest.
pub(super) async fn read_whole(path: &Path) -> Result<(Header, String), ArchiveError> {
    let of = path.to_owned();
    let read = tokio::task::spawn_blocking(move || read(&of, |_| Ok(()))).await;
    let read = read.map_err(|error| ArchiveError::File { path: path.into(), source: io::Error::other(error) })?;
    read.map_err(|problem| problem.of(path))
}

async fn detach(pool: &PgPool, number: i32, sha256: &str, keep: &[String]) -> Result<(), ArchiveError> {
    let mut connection = pool.acquire().await.map_err(failed("take a range out of the log"))?;
    patiently(&mut connection, "take a range out of the log", async |connection| {
        sqlx::query!("select log_archive_range($1, $2, $3)", number, sha256, keep).execute(connection).await.map(drop)
    })
    .await
}

/// Tries again while readers hold what must be locked. Each attempt holds appends up for a fraction of a second at most.
pub(super) async fn patiently(
    connection: &mut PgConnection,
    attempt: &'static str,
    mut change: impl AsyncFnMut(&mut PgConnection) -> Result<(), sqlx::Error>,
) -> Result<(), ArchiveError> {
    for attempts in 1.. {
        // A savepoint within a transaction: what came before the attempt stays.
        let mut transaction = connection.begin().await.map_err(failed(attempt))?;
        match change(&mut transaction).await {
            Ok(()) => return transaction.commit().await.map_err(failed(attempt)),
            Err(error) if attempts < ATTEMPTS && is_in_the_way(&error) => {
                transaction.rollback().await.map_err(failed(attempt))?;
                tracing::info!(attempt, "readers are in the way; trying again");
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => return Err(failed(attempt)(error)),
        }
    }
    unreachable!("the last attempt returns")
}

/// A lock that was not to be had in time, or a deadlock.
fn is_in_the_way(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code == "55P03" || code == "40P01")
}
