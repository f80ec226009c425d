//! A dead letter, as it is answered.

use async_graphql::{Enum, ID, Json, Object};
use chrono::{DateTime, Utc};
use uuid::Uuid;
use vigie_commands::dead_letters::{DeadLetter as Letter, Source, State};

/// Who could not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Source")]
pub(crate) enum DeadLetterSource {
    /// A policy, or one of its timers.
    Policy,
    /// An import.
    Import,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub(crate) enum DeadLetterState {
    /// Nothing yet.
    Open,
    /// It was done later.
    Done,
    /// Somebody has decided that it is not to be done.
    Discarded,
}

/// What could not be done: a policy's command that was refused, or a row that an import has set aside.
pub(crate) struct DeadLetter(pub(super) Letter);

#[Object]
impl DeadLetter {
    /// Counts letters, with gaps.
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// Who could not do it.
    async fn source(&self) -> DeadLetterSource {
        self.0.source.into()
    }
    /// The policy, or the feed that is imported.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// The command of the first attempt, or what stands for a row.
    async fn command_id(&self) -> Option<Uuid> {
        self.0.command_id
    }
    /// A policy's `reaction` with the `event` that it reacts to, or a `row` with its `file`, `place` and `pointer`.
    async fn payload(&self) -> Json<serde_json::Value> {
        Json(self.0.payload.0.clone())
    }
    /// Why the last attempt failed, in words.
    async fn reason(&self) -> &str {
        &self.0.reason
    }
    /// The rule that has refused it, if one has.
    async fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }
    /// How often it was tried.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }
    /// When it was tried first.
    async fn first_at(&self) -> DateTime<Utc> {
        self.0.first_at
    }
    /// When it was tried last.
    async fn last_at(&self) -> DateTime<Utc> {
        self.0.last_at
    }
    /// What became of it.
    async fn state(&self) -> DeadLetterState {
        self.0.state.into()
    }
    /// Who has closed it.
    async fn closed_by(&self) -> Option<&str> {
        self.0.closed_by.as_deref()
    }
    /// When.
    async fn closed_at(&self) -> Option<DateTime<Utc>> {
        self.0.closed_at
    }
    /// Why.
    async fn closed_reason(&self) -> Option<&str> {
        self.0.closed_reason.as_deref()
    }
}
