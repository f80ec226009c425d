//! What resolvers work with.

use sqlx::PgPool;
use vigie_commands::Executor;
use vigie_eventlog::Log;
use vigie_projections::Projections;

use super::ReadSchema;

/// The open parts of the program. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    /// Connections for the read side.
    pub pool: PgPool,
    /// The log.
    pub log: Log,
    /// The write side.
    pub executor: Executor,
    /// Where the read models are.
    pub schema: ReadSchema,
    /// The read side.
    pub projections: Projections,
}
