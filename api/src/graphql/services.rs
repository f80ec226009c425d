//! What resolvers work with.

use sqlx::PgPool;
use vigie_commands::Executor;
use vigie_eventlog::Log;
use vigie_projections::Projections;

/// The open parts of the program. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    /// Connections for the read side.
    pub pool: PgPool,
    /// The log.
    pub log: Log,
    /// The write side.
    pub executor: Executor,
    /// The read side.
    pub projections: Projections,
}
