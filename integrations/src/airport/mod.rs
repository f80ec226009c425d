//! What airports tell.

pub mod hkia;
