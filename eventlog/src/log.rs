//! The open log.

use std::sync::Arc;

use sqlx::PgPool;
use sqlx::migrate::Migrator;
use uuid::Uuid;

use crate::{Append, AppendError, Appended, Follower, Query, Read, Recorded};

/// Every migration of Vigie, in order.
pub static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// The database failed, or what it holds cannot be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogError {
    /// A statement failed.
    #[error("{attempt}")]
    Database {
        /// What was attempted.
        attempt: &'static str,
        /// What Postgres or the connection said.
        source: Arc<sqlx::Error>,
    },
    /// The log is shutting down.
    #[error("the log is closed")]
    Closed,
}

/// The event log of a database. Cheap to clone; all clones share one sequencer and one tail.
#[derive(Clone)]
pub struct Log {
    _pool: PgPool,
}

impl Log {
    /// Opens the log of a migrated database and starts its sequencer and tail.
    ///
    /// # Errors
    /// The database cannot be reached or is not migrated.
    pub async fn open(pool: PgPool) -> Result<Self, LogError> {
        Ok(Self { _pool: pool })
    }

    /// Appends events; returns when they are flushed.
    ///
    /// # Errors
    /// A condition does not hold, or the database failed.
    pub async fn append(&self, _append: Append) -> Result<Appended, AppendError> {
        todo!()
    }

    /// The append of this command, if it is in the log.
    ///
    /// # Errors
    /// The database failed.
    pub async fn appended(&self, _command_id: Uuid) -> Result<Option<Appended>, LogError> {
        todo!()
    }

    /// The last position; 0 when empty.
    ///
    /// # Errors
    /// The database failed.
    pub async fn head(&self) -> Result<i64, LogError> {
        todo!()
    }

    /// One page of matching events, in the order and bounds of `read`. Ask again from the last position for more.
    ///
    /// # Errors
    /// The database failed.
    pub async fn read(&self, _query: &Query, _read: Read) -> Result<Vec<Recorded>, LogError> {
        todo!()
    }

    /// Matching events after `after`: first those there are, then those to come, each once, in order.
    #[must_use]
    pub fn follow(&self, _query: Query, _after: i64) -> Follower {
        todo!()
    }

    /// Stops the sequencer, once what waits is appended, and the tail.
    pub async fn close(&self) {}
}
