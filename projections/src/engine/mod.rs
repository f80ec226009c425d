//! The machine that every read model runs on.

mod apply;
mod checkpoint;
mod compare;
mod copy;
mod entry;
mod epoch;
mod fill;
mod lease;
mod lines;
mod model;
mod projector;
mod rebuild;
mod rows;
mod sample;
mod shadow;
mod shape;
mod table;

pub use compare::verify;
pub use entry::Entry;
pub use epoch::epochs;
pub use model::{FoldError, Model, ReadModel};
pub use rebuild::rebuild;
pub(crate) use rebuild::{Until, discard, make};
pub(crate) use rows::row;
pub use rows::{Row, RowSet, Rows};
pub use sample::verify_sample;

pub(crate) use apply::{ApplyError, apply};
pub(crate) use checkpoint::Checkpoint;
pub(crate) use lease::{FOLDING, Lease, Remaking};
pub(crate) use projector::Projector;
#[cfg(test)]
pub(crate) use sample::tag_of;
pub(crate) use shadow::{Shadow, failed};
