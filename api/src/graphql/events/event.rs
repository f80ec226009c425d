//! An event, as it is answered.

use std::sync::Arc;

use async_graphql::{Error, ID, Json, Object};
use chrono::{DateTime, Utc};
use uuid::Uuid;
use vigie_eventlog::Recorded;

use crate::graphql::error::fault;
use crate::graphql::scalars::Position;

/// A fact of the log.
pub(crate) struct Event(pub(in crate::graphql) Arc<Recorded>);

#[Object]
impl Event {
    /// Its place: 1, 2, 3, …
    async fn position(&self) -> Position {
        Position(self.0.position)
    }
    /// Its id.
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// Stable name of its type, such as `airport.stand_allocated`.
    #[graphql(name = "type")]
    async fn kind(&self) -> &str {
        &self.0.kind
    }
    /// Version of the shape of its data.
    async fn version(&self) -> u16 {
        self.0.version
    }
    /// Where it happened.
    async fn site(&self) -> ID {
        ID(self.0.site.clone())
    }
    /// The things that it is about, such as `stand:LFW/C03`.
    async fn tags(&self) -> &[String] {
        &self.0.tags
    }
    /// What happened, as it is stored.
    async fn data(&self) -> Result<Json<serde_json::Value>, Error> {
        let data = serde_json::from_str(self.0.data.get());
        data.map(Json).map_err(|error| fault("INTERNAL", format!("the data of event {}: {error}", self.0.position)))
    }
    /// When it happened, by the source's clock.
    async fn occurred_at(&self) -> DateTime<Utc> {
        self.0.occurred_at
    }
    /// When the log recorded it.
    async fn recorded_at(&self) -> DateTime<Utc> {
        self.0.recorded_at
    }
    /// Who or what gave the command that it was accepted from.
    async fn actor(&self) -> &str {
        &self.0.metadata.actor
    }
    /// Name of that command.
    async fn command(&self) -> &str {
        &self.0.metadata.command
    }
    /// Id of that command.
    async fn command_id(&self) -> Uuid {
        self.0.metadata.command_id
    }
    /// The first command of the chain.
    async fn correlation_id(&self) -> Uuid {
        self.0.metadata.correlation_id
    }
    /// The event that the command reacted to.
    async fn causation_id(&self) -> Option<Uuid> {
        self.0.metadata.causation_id
    }
    /// W3C trace context of the request that it came from.
    async fn traceparent(&self) -> Option<&str> {
        self.0.metadata.traceparent.as_deref()
    }
}
