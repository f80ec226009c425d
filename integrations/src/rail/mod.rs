//! What railways tell.

pub mod passes;
