//! What callers learn about read models.

use chrono::{DateTime, Utc};
use vigie_eventlog::LogError;

use crate::Model;
use crate::control::{Rebuild, Refusal};

/// Whether a read model goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// It follows the log.
    Running,
    /// An event stopped it; it is tried again at the next start, or when somebody says so.
    Stopped,
    /// Somebody holds it up.
    Paused,
}

/// How far a read model has come.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Status {
    /// Its name.
    pub name: String,
    /// The version of its fold.
    pub version: i32,
    /// Every event up to here is in its rows.
    pub position: i64,
    /// Events of the log that it has not looked at.
    pub lag_events: i64,
    /// Age of the oldest of them, in seconds; 0 when there is none.
    pub lag_seconds: f64,
    /// Events per second while there was something to do.
    pub rate: f64,
    /// Whether it goes on.
    pub state: State,
    /// What its last error was, until it has gone past the event.
    pub error: Option<String>,
    /// The event that stopped it, or had stopped it before it tried again.
    pub error_position: Option<i64>,
    /// How often that event was tried.
    pub attempts: i32,
    /// Who holds it up, when it is paused.
    pub paused: Option<PausedBy>,
    /// The rebuild under way, or the last one.
    pub rebuild: Option<Rebuild>,
    /// Whether a running process has it in hand: without one it waits for a server, whatever its state.
    pub owned: bool,
    /// That process, such as `host:4711`, once it has moved it.
    pub owner: Option<String>,
    /// When it moved last.
    pub updated_at: DateTime<Utc>,
}

/// A read model had not caught up in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the read model {name} is at position {position} and has not reached {wanted}{}{}", stopped_by(.stopped), paused_by(.paused))]
pub struct Behind {
    /// The one that is furthest behind.
    pub name: String,
    /// Where it is.
    pub position: i64,
    /// Where it should be.
    pub wanted: i64,
    /// Set when an event has stopped it, so that waiting is no use.
    pub stopped: Option<StoppedBy>,
    /// Set when somebody holds it up, so that waiting is no use.
    pub paused: Option<PausedBy>,
}

/// Who holds a read model up.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PausedBy {
    /// Such as `operator:local`.
    pub by: String,
    /// Since when.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: String,
}

fn paused_by(paused: &Option<PausedBy>) -> String {
    let told = |PausedBy { by, reason, .. }: &PausedBy| format!(": {by} has paused it: {reason}");
    paused.as_ref().map(told).unwrap_or_default()
}

/// The event that stopped a read model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoppedBy {
    /// Where it is.
    pub position: i64,
    /// What is wrong with it, and what to do.
    pub reason: String,
}

fn stopped_by(stopped: &Option<StoppedBy>) -> String {
    let told =
        |StoppedBy { position, reason }: &StoppedBy| format!(": the event at position {position} stopped it: {reason}");
    stopped.as_ref().map(told).unwrap_or_default()
}

/// How far a rebuild or a verification has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Everything up to here is folded.
    pub position: i64,
    /// The end of the log when this was told.
    pub head: i64,
}

/// A field of a row that is not what the log says.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Difference {
    /// The table.
    pub table: String,
    /// The row's key.
    pub key: serde_json::Value,
    /// The column; without one, the whole row is missing or should not be there.
    pub field: Option<String>,
    /// What the table holds.
    pub stored: serde_json::Value,
    /// What the log says.
    pub expected: serde_json::Value,
}

/// The outcome of a verification.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Verified {
    /// The read model.
    pub name: String,
    /// The position at which it was compared.
    pub position: i64,
    /// Rows that were compared.
    pub rows: i64,
    /// The first differences, at most [`Verified::SHOWN`] rows per table.
    pub differences: Vec<Difference>,
    /// Rows that differ.
    pub differing_rows: i64,
    /// Whether the read model goes on: what comes after `position` is in none of these rows.
    pub state: State,
    /// The event that has stopped it, or had before it tried again.
    pub error_position: Option<i64>,
}

/// Where a read model is compared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Compared {
    pub(crate) position: i64,
    pub(crate) state: State,
    pub(crate) error_position: Option<i64>,
}

impl Verified {
    /// The most rows per table whose differences are listed.
    pub const SHOWN: i64 = 100;

    /// Before anything was compared.
    pub(crate) fn new(model: &Model, at: Compared) -> Self {
        let Compared { position, state, error_position } = at;
        let name = model.name.to_owned();
        Self { name, position, rows: 0, differences: Vec::new(), differing_rows: 0, state, error_position }
    }
}

/// Why something about read models failed.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// A statement failed.
    #[error("{attempt}")]
    Database {
        /// What was attempted.
        attempt: &'static str,
        /// What Postgres or the connection said.
        source: sqlx::Error,
    },
    /// The log failed.
    #[error("the log could not be read")]
    Log(#[from] LogError),
    /// There is no such read model.
    #[error("there is no read model {name:?}; there are {known}")]
    Unknown {
        /// The name as given.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// The rows were made by another version of the fold, so that they need not be what this one makes.
    #[error("the rows of {name} are of version {stored}, and this program's is {known}: they are made anew first")]
    OtherVersion {
        /// The read model.
        name: String,
        /// The version of its rows.
        stored: i32,
        /// The version that this build makes.
        known: i32,
    },
    /// An event cannot be folded.
    #[error("the event at position {position} cannot be folded: {reason}")]
    BadEvent {
        /// Where it is.
        position: i64,
        /// What is wrong with it.
        reason: String,
    },
    /// A rule forbids what was asked for.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It was cancelled; nothing has changed.
    #[error("cancelled")]
    Cancelled,
    /// Another process works on the same read model.
    #[error("another process rebuilds or verifies {name} right now")]
    Busy {
        /// The read model.
        name: String,
    },
}
