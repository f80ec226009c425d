//! The engine as a whole, on a real Postgres.

mod consumers;
mod control;
mod diff;
mod history;
mod read_models;
mod rebuilding;
mod replay;
mod resuming;
mod sampling;
mod skipping;
mod trail;
mod versions;
