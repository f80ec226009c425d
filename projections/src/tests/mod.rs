//! The engine as a whole, on a real Postgres.

mod consumers;
mod control;
mod history;
mod read_models;
mod rebuilding;
mod replay;
mod resuming;
mod trail;
mod versions;
