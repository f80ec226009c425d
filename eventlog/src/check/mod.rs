//! Whether the log is what it promises to be.
//!
//! Looked at, up to the head at the start:
//! - positions are 1, 2, 3, … without gaps, and the head is the last of them;
//! - the log's times do not go back;
//! - the tags and types of events are those of the tag table, and the other way round;
//! - each command of an event is known once, by its name and from its first to its last event, and has events;
//! - event ids are unique;
//! - every event can be read, which its caller judges.
//!
//! The log may grow meanwhile. It is read in stretches, each in one snapshot; what a stretch finds stays true, since
//! events never change. Memory stays flat. Archived ranges are left out.

mod commands;
mod events;
mod tables;

use std::fmt;

use sqlx::{PgConnection, PgPool};

use crate::{LogError, Recorded};
use commands::Runs;
use events::Walk;

/// How many positions are looked at in one snapshot: few enough for tables to be compared in memory, or nearly.
pub const STRETCH: i64 = 500_000;

/// Positions above the first and up to the second.
type Part = (i64, i64);

/// Judges an event: why it cannot be read.
pub type Readable<'a> = &'a (dyn Fn(&Recorded) -> Result<(), String> + Send + Sync);

/// How far a check has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Events up to this position are looked at.
    Events(i64),
    /// Whole tables are compared.
    Tables(&'static str),
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// Where, if it has a place.
    pub position: Option<i64>,
    /// What.
    pub problem: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some(position) => write!(f, "position {position}: {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

/// What a check has come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Checked {
    /// The head at the start: what comes after it was not looked at.
    pub head: i64,
    /// Positions of archived events, which were not looked at.
    pub archived: i64,
    /// Events that were looked at.
    pub events: i64,
    /// The first findings, at most [`Checked::SHOWN`].
    pub findings: Vec<Finding>,
    /// Number of findings.
    pub found: u64,
}

impl Checked {
    /// The most findings that are listed.
    pub const SHOWN: usize = 100;

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.found == 0
    }

    fn find(&mut self, position: impl Into<Option<i64>>, problem: impl Into<String>) {
        self.found += 1;
        if self.findings.len() < Self::SHOWN {
            self.findings.push(Finding { position: position.into(), problem: problem.into() });
        }
    }
}

/// Looks at the whole log, `stretch` positions in each snapshot; [`STRETCH`] is a good number.
///
/// # Errors
/// The database failed. What is wrong with the log is no error but a finding.
pub async fn check(
    pool: &PgPool,
    stretch: i64,
    readable: Readable<'_>,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Checked, LogError> {
    walk(pool, stretch, readable, progress).await.map_err(|error| LogError::database("check the log", error))
}

async fn walk(
    pool: &PgPool,
    stretch: i64,
    readable: Readable<'_>,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Checked, sqlx::Error> {
    let mut checked = Checked::default();
    let mut state = snapshot(pool).await?;
    tables::head(&mut state, &mut checked).await?;
    tables::protection(&mut state, &mut checked).await?;
    let parts = tables::parts(&mut state, &mut checked).await?;
    state.rollback().await?;
    let (mut walk, mut runs) = (Walk::new(), Runs::default());
    for part in parts {
        walk.enter(part);
        runs.enter(part);
        let (mut after, end) = part;
        while after < end {
            let until = end.min(after + stretch);
            let mut state = snapshot(pool).await?;
            walk.stretch(&mut state, (after, until), &mut checked, readable, &mut runs, progress).await?;
            tables::tags(&mut state, (after, until), &mut checked).await?;
            state.rollback().await?;
            after = until;
        }
        walk.leave(part, &mut checked);
    }
    let mut state = snapshot(pool).await?;
    runs.finish(&mut state, &mut checked).await?;
    progress(Progress::Tables("commands"));
    tables::commands(&mut state, runs.count(), &mut checked).await?;
    progress(Progress::Tables("event ids"));
    tables::ids(&mut state, &mut checked).await?;
    state.rollback().await?;
    checked.findings.sort_by_key(|finding| finding.position);
    Ok(checked)
}

/// One state of the log, read only.
async fn snapshot(pool: &PgPool) -> Result<sqlx::PgTransaction<'static>, sqlx::Error> {
    let mut transaction = pool.begin_with("begin isolation level repeatable read read only").await?;
    // The tables are compared as a whole: sorting and hashing a stretch in small pieces takes several times as long.
    sqlx::query!("set local work_mem = '64MB'").execute(&mut *transaction as &mut PgConnection).await?;
    Ok(transaction)
}
