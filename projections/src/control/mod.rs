//! Operating read models: pausing them, letting them go on, skipping what stops them, and rebuilds that outlive who
//! asks for them.
//!
//! What somebody does here changes no fact and, once a read model has gone on to the end of the log, nothing that
//! people see: it is kept in a bounded table (`operations`) and not in the log. A skip does change what people see,
//! so it is an event.

mod broadcast;
mod notice;
mod operations;
mod rebuilds;
mod refusal;
mod skips;
mod states;
mod take_up;

use crate::ProjectionError;

pub use operations::{Operation, OperationKind, OperationsBy, operations, operations_by};
pub use rebuilds::{Asked, Rebuild, RebuildState, ask_for_rebuild, cancel_rebuild, rebuild_as};
pub use refusal::Refusal;
pub use states::{Changed, Held, hold, pause, resume, retry};

pub(crate) use broadcast::Broadcast;
pub(crate) use notice::notice;
pub(crate) use rebuilds::{Ends, Work, all as all_rebuilds};
pub(crate) use skips::{Skips, skips_after};
pub(crate) use take_up::TakeUp;

/// Who does something, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// Such as `operator:local`.
    pub actor: String,
    /// In a person's words; may be empty where no reason is asked for.
    pub reason: String,
}

impl By {
    /// Somebody, with a reason.
    pub fn new(actor: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { actor: actor.into(), reason: reason.into() }
    }
}

fn failed(attempt: &'static str) -> impl Fn(sqlx::Error) -> ProjectionError {
    move |source| ProjectionError::Database { attempt, source }
}
