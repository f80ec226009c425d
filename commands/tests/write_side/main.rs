//! The write side on a real log: the executor, its policies, and many callers at once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod allocation;
mod common;
mod dead_letters;
mod executor;
mod passes;
mod policies;
mod refusals;
mod staleness;
mod timers;
mod versions;
