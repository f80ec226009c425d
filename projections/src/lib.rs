//! The read side: read models and the audit trail.
//!
//! A read model is a pure fold of the log into rows of a few tables of the schema `read`, and has no SQL of its own.
//! The engine loads the rows that a batch of events touches, folds in memory, writes the rows that changed and moves
//! the checkpoint, all in one transaction. What must stay true:
//! - The rows of a read model are exactly the fold of the log up to its checkpoint.
//! - The checkpoint moves by compare-and-set: a second or revived owner is fenced off by the database.
//! - One bad event stops its read model alone, which says which event and why.
//! - A rebuild never takes reads away.

mod api;

pub use api::{Behind, Difference, Progress, ProjectionError, Projections, State, Status, Verified};
