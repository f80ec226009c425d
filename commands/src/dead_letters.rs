//! What could not be done, kept with its reason until somebody has retried or discarded it.
//!
//! A policy's or timer's command that was refused, or that can never be carried out as it is, and a row that an import
//! has set aside. Whoever could not do it goes on: a letter that cannot be written is logged and no more. What comes
//! again is the same letter, by its command id, and counts up. The table is bounded by [`KEPT`].

mod letter;
mod retry;
mod table;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

pub use letter::{DeadLetter, DeadLetterError, DeadLetterRefusal, Filter, Source, State};
pub use retry::{Retried, retry};
pub use table::{close_imported, discard, has_open, list, prune};

/// The most letters; beyond that the oldest closed ones go, and then the oldest open ones.
pub const KEPT: i64 = 100_000;

/// What could not be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Undone {
    /// Who could not do it.
    pub source: Source,
    /// The policy, or the feed that is imported.
    pub name: String,
    /// The command, or what stands for a row: the same again is the same letter.
    pub command_id: Uuid,
    /// What is needed to do it.
    pub payload: Value,
    /// Why it could not be done.
    pub reason: String,
    /// The rule that has refused it, if one has.
    pub code: Option<String>,
}

/// Keeps what could not be done. Says so in the log when that fails: nobody who does other work waits for it.
pub async fn record(pool: &PgPool, undone: &[Undone], at: DateTime<Utc>) {
    let written = match table::insert(pool, undone, at).await {
        Ok(()) => prune(pool, KEPT).await.map(drop),
        Err(error) => Err(error),
    };
    if let Err(error) = written {
        let error = &error as &dyn std::error::Error;
        tracing::error!(error, dead_letters = undone.len(), "what could not be done could not be kept");
    }
}
