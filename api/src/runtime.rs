//! What every subcommand that touches the log opens first.

use sqlx::PgPool;
use vigie_commands::Executor;
use vigie_eventlog::Log;

use crate::settings::Settings;

/// The open database, log and write side. Closes the private Postgres with it, if this process started that.
pub struct Runtime {
    /// Connections for the read side.
    pub pool: PgPool,
    /// The log.
    pub log: Log,
    /// The write side.
    pub executor: Executor,
}

impl Runtime {
    /// Finds or starts Postgres, migrates it and opens the log.
    ///
    /// # Errors
    /// Postgres cannot be reached or started, or a migration fails.
    pub async fn open(_settings: &Settings) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        todo!()
    }

    /// Ends what waits, then stops what this process started.
    pub async fn close(self) {
        todo!()
    }
}
