//! A dead letter, and why nothing can be done with it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;
use vigie_domain::kernel::{Refused, plain};

/// Who could not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Source {
    /// A policy, or one of its timers.
    Policy,
    /// An import.
    Import,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// Nothing yet.
    Open,
    /// It was done later.
    Done,
    /// Somebody has decided that it is not to be done.
    Discarded,
}

impl Source {
    /// As it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Import => "import",
        }
    }
}

impl State {
    /// As it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Discarded => "discarded",
        }
    }
}

/// Which letters are asked for; all of them when nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of policies, or of imports.
    pub source: Option<Source>,
    /// Of this policy or feed.
    pub name: Option<String>,
    /// In this state.
    pub state: Option<State>,
}

/// What could not be done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeadLetter {
    /// Counts letters, with gaps.
    pub id: i64,
    /// Who could not do it.
    pub source: Source,
    /// The policy, or the feed that is imported.
    pub name: String,
    /// The command of the first attempt, or what stands for a row.
    pub command_id: Option<Uuid>,
    /// A policy's `reaction` with `event`, `correlation_id` and `traceparent`; a `row` with `file`, `place`, `pointer`.
    pub payload: Json<Value>,
    /// Why the last attempt failed, in words.
    pub reason: String,
    /// The rule that has refused it, if one has.
    pub code: Option<String>,
    /// How often it was tried.
    pub attempts: i32,
    /// When it was tried first.
    pub first_at: DateTime<Utc>,
    /// When it was tried last.
    pub last_at: DateTime<Utc>,
    /// What became of it.
    pub state: State,
    /// Who has closed it.
    pub closed_by: Option<String>,
    /// When.
    pub closed_at: Option<DateTime<Utc>>,
    /// Why.
    pub closed_reason: Option<String>,
}

/// The rule that forbids to retry or discard a letter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "rule", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeadLetterRefusal {
    /// There is no such letter, or it was one of the oldest of too many.
    #[error("there is no dead letter {letter}")]
    DeadLetterUnknown {
        /// Its id as given.
        letter: String,
    },
    /// It was done or discarded before.
    #[error("dead letter {letter} is closed")]
    DeadLetterClosed {
        /// Its id.
        letter: String,
        /// What became of it.
        state: State,
        /// Who has closed it.
        by: Option<String>,
    },
    /// A row is taken by importing its file, which says more than the row: when it was captured, and what is beside it.
    #[error("a row is retried by importing its file again: {how}")]
    RetryByImport {
        /// The letter's id.
        letter: String,
        /// The command that does it.
        how: String,
    },
    /// Nobody has said why.
    #[error("a reason is asked for")]
    ReasonMissing,
}

impl Refused for DeadLetterRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::DeadLetterUnknown { .. } => "DEAD_LETTER_UNKNOWN",
            Self::DeadLetterClosed { .. } => "DEAD_LETTER_CLOSED",
            Self::RetryByImport { .. } => "RETRY_BY_IMPORT",
            Self::ReasonMissing => "REASON_MISSING",
        }
    }
    fn details(&self) -> Value {
        plain(self)
    }
}

/// Why nothing was done with a letter.
#[derive(Debug, thiserror::Error)]
pub enum DeadLetterError {
    /// A rule forbids it.
    #[error(transparent)]
    Refused(#[from] DeadLetterRefusal),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] vigie_eventlog::LogError),
    /// The database failed.
    #[error("the dead letters cannot be read or written")]
    Database(#[from] sqlx::Error),
}
