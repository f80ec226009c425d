//! An event, as it is answered.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, Json, Object, SimpleObject};
use chrono::{DateTime, Utc};
use uuid::Uuid;
use vigie_commands::reason;
use vigie_domain::{DecodeError, TypeInfo};
use vigie_eventlog::Recorded;

use crate::graphql::error::fault;
use crate::graphql::identity::name_of;
use crate::graphql::scalars::Position;

/// The data of an event as it is stored.
#[derive(SimpleObject)]
pub(crate) struct StoredData {
    /// Version of its shape.
    version: u16,
    /// What happened.
    data: Json<serde_json::Value>,
}

fn json(recorded: &Recorded, data: &str) -> Result<Json<serde_json::Value>, Error> {
    let data = serde_json::from_str(data);
    data.map(Json).map_err(|error| fault("INTERNAL", format!("the data of event {}: {error}", recorded.position)))
}

/// What this build knows of the event's type.
///
/// # Errors
/// The type is unknown, or the version is newer than this build.
pub(super) fn readable(recorded: &Recorded) -> Result<TypeInfo, Error> {
    vigie_domain::Event::known(&recorded.kind, recorded.version).map_err(|error| unreadable(recorded, &error))
}

fn unreadable(recorded: &Recorded, error: &DecodeError) -> Error {
    let position = recorded.position;
    tracing::error!(event.position = position, error = error as &dyn std::error::Error, "an event cannot be read");
    fault("UNREADABLE_EVENT", format!("the event at position {position} cannot be read: {}", reason(error)))
}

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
    /// Version of the shape of `data`: the one that this build writes.
    async fn version(&self) -> Result<u16, Error> {
        readable(&self.0).map(|info| info.version)
    }
    /// Where it happened; nothing for facts of the installation itself.
    async fn site(&self) -> Option<ID> {
        (!self.0.site.is_empty()).then(|| ID(self.0.site.clone()))
    }
    /// The things that it is about, such as `stand:LFW/C03`.
    async fn tags(&self) -> &[String] {
        &self.0.tags
    }
    /// What happened, in today's shape: what an older version stored is lifted.
    async fn data(&self) -> Result<Json<serde_json::Value>, Error> {
        if readable(&self.0)?.version == self.0.version {
            return json(&self.0, self.0.data.get());
        }
        let today = vigie_domain::Event::decode(&self.0.kind, self.0.version, self.0.data.get());
        json(&self.0, &today.map_err(|error| unreadable(&self.0, &error))?.encode().data)
    }
    /// Its data as it is stored, also when this build cannot read it.
    async fn stored(&self) -> Result<StoredData, Error> {
        Ok(StoredData { version: self.0.version, data: json(&self.0, self.0.data.get())? })
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
    /// Their name now, if it is a person or a key; null once a person was erased.
    async fn actor_name(&self, ctx: &Context<'_>) -> Result<Option<String>, Error> {
        name_of(ctx, &self.0.metadata.actor).await
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
