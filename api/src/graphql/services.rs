//! What resolvers work with.

use std::time::Duration;

use async_graphql::Error;
use async_graphql::parser::types::OperationType;
use sqlx::PgPool;
use vigie_commands::Executor;
use vigie_eventlog::{Log, LogError};
use vigie_projections::{Behind, MODELS, Projections};

use super::ReadSchema;
use super::error::fault;
use crate::accounts::Accounts;
use crate::rights::Directory;
use crate::webhooks::Webhooks;

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
    /// Who people are.
    pub accounts: Accounts,
    /// Who may do what.
    pub directory: Directory,
    /// Who receives which events.
    pub webhooks: Webhooks,
}

impl Services {
    /// The last event that there is to see: the end of the log, or of what the schema was built from.
    pub(crate) async fn last(&self) -> Result<i64, LogError> {
        match self.schema.until() {
            Some(until) => Ok(until),
            None => self.log.head().await,
        }
    }

    /// Why an operation of this kind cannot run here, if it cannot.
    pub(crate) fn refuses(&self, kind: OperationType) -> Option<Error> {
        let until = self.schema.until()?;
        let what = match kind {
            OperationType::Query => return None,
            OperationType::Mutation => "nothing can be changed",
            OperationType::Subscription => "nothing will change",
        };
        let schema = self.schema.as_str();
        Some(fault("READ_ONLY", format!("this server shows the schema {schema}, built until position {until}: {what}")))
    }

    /// The same as far as this process knows, without asking the database.
    pub(super) fn known_last(&self) -> i64 {
        self.schema.until().unwrap_or_else(|| *self.log.seen().borrow())
    }

    /// Waits until every read model has everything up to `position`. Nothing comes to a schema that was built until a
    /// moment, so there nobody waits.
    pub(super) async fn reached(&self, position: i64, timeout: Duration) -> Result<(), Behind> {
        match self.schema.until() {
            Some(until) if position > until => Err(Behind {
                name: self.schema.as_str().to_owned(),
                position: until,
                wanted: position,
                stopped: None,
                paused: None,
            }),
            Some(_) => Ok(()),
            None => {
                let names: Vec<&str> = MODELS.iter().map(|model| model.name).collect();
                self.projections.wait_for(&names, position, timeout).await
            }
        }
    }
}
