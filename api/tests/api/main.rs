//! The API against a real Postgres: each endpoint, its answer and its refusals.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod allocations;
mod audit;
mod break_in;
mod days;
mod dead_letters;
mod diff;
mod documents;
mod edge;
mod harness;
mod health;
mod http;
mod limits;
mod lists;
mod live;
mod passes;
mod past;
mod policies;
mod projections;
mod provenance;
mod slow;
mod socket;
mod stopping;
mod stream;
mod subscriptions;
mod versions;
mod webhooks;
