//! The rules of Vigie.
//!
//! Everything here is pure: no I/O, no clock, no randomness, no async. A command decides with what
//! it reads from the log ([`kernel::Decision`]); accepted commands become events ([`Event`]).
//! One folder per context; contexts import each other's ids and public events only.

pub mod airport;
pub mod alerts;
pub mod identity;
pub mod kernel;
pub mod policies;
pub mod rail;
pub mod support;
pub mod webhooks;

mod event;

pub use event::{CONTEXTS, DecodeError, Event, TAG_KINDS, TypeInfo};
