//! The audit trail: who did what to which thing, when, why, from which command, before and after.
//!
//! Every event says which fields of which things it sets ([`Told`]), each context in its own file. What a field was
//! before is what the trail last said of it, kept per thing; so "before" is known for every event, whether or not it
//! carries it.

mod airport;
mod alerts;
mod flights;
mod identity;
mod rail;
mod support;
mod told;
mod trail;
mod webhooks;

pub use told::{After, Told, describe};
pub use trail::{Audit, AuditRow, Change, FieldsRow, ThingRow};
