//! The read side: read models and the audit trail.
//!
//! A read model is a pure fold of the log into rows of a few tables of the schema `read`, and has no SQL of its own.
//! The engine loads the rows that a batch of events touches, folds in memory, writes the rows that changed and moves
//! the checkpoint, all in one transaction. What must stay true:
//! - The rows of a read model are exactly the fold of the log up to its checkpoint.
//! - The checkpoint moves by compare-and-set: a second or revived owner is fenced off by the database.
//! - One bad event stops its read model alone, which says which event and why. What people skip is in the log.
//! - A rebuild never takes reads away.

#[macro_use]
pub mod airport;
pub mod alerts;
pub mod audit;
mod contract;
pub mod control;
pub mod diff;
mod engine;
pub mod identity;
pub mod rail;
mod replay;
mod running;
#[cfg(feature = "sabotage")]
mod sabotage;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod spec;
mod status;
pub mod support;
#[cfg(test)]
mod tests;
pub mod webhooks;

pub use contract::{Behind, Difference, PausedBy, Progress, ProjectionError, State, Status, StoppedBy, Verified};
pub use engine::{Entry, FoldError, Model, ReadModel, Row, RowSet, Rows, epochs, rebuild, verify, verify_sample};
pub use replay::{ReplayError, Replayed, Wanted, complete, replay};
pub use running::Projections;
pub(crate) use running::owner;
pub use status::status;

/// Every read model: one line registers it.
pub const MODELS: &[Model] = &[
    Model::of::<support::Sites>(),
    Model::of::<airport::TurnaroundRules>(),
    Model::of::<airport::Stands>(),
    Model::of::<airport::Flights>(),
    Model::of::<airport::Allocations>(),
    Model::of::<rail::SpringLimits>(),
    Model::of::<rail::Passes>(),
    Model::of::<alerts::Alerts>(),
    Model::of::<identity::Accounts>(),
    Model::of::<webhooks::Endpoints>(),
    Model::of::<audit::Audit>(),
];

/// The read model of this name.
/// Whether there is a read model of this name.
///
/// # Errors
/// There is none; the error lists those that there are.
pub fn known(name: &str) -> Result<(), ProjectionError> {
    model(name).map(drop)
}

pub(crate) fn model(name: &str) -> Result<Model, ProjectionError> {
    MODELS.iter().find(|model| model.name == name).copied().ok_or_else(|| ProjectionError::Unknown {
        name: name.to_owned(),
        known: MODELS.iter().map(|model| model.name).collect::<Vec<_>>().join(", "),
    })
}
