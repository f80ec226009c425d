//! Deliveries from the log to a receiver, on a real Postgres and over real HTTP.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod kills;
mod lanes;
mod orders;
mod owners;
mod receivers;
mod world;
