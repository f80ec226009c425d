//! An event, before and after it is recorded.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

/// An event to append.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Stable type name, such as `airport.stand_allocated`.
    pub kind: String,
    /// Version of the data's shape, from 1.
    pub version: u16,
    /// Where it happened.
    pub site: String,
    /// The things that it is about, each once.
    pub tags: Vec<String>,
    /// The data as JSON text.
    pub data: String,
    /// When it happened, by the source's clock; microseconds are kept.
    pub occurred_at: DateTime<Utc>,
}

/// Where an event comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The command that it was accepted from.
    pub command_id: Uuid,
    /// Name of the command, such as `airport.allocate_stand`.
    pub command: String,
    /// The first command of the chain.
    pub correlation_id: Uuid,
    /// The event that the command reacted to, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<Uuid>,
    /// Who or what gave the command, such as `operator:local` or `policy:alerts.raise_spring`.
    pub actor: String,
    /// W3C trace context of the request, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// An event of the log.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Its place: 1, 2, 3, …
    pub position: i64,
    /// Its id (UUIDv7).
    pub id: Uuid,
    /// Stable type name.
    pub kind: String,
    /// Version of the data's shape.
    pub version: u16,
    /// Where it happened.
    pub site: String,
    /// The things that it is about.
    pub tags: Vec<String>,
    /// The data as JSON text.
    pub data: Box<RawValue>,
    /// Where it comes from.
    pub metadata: Metadata,
    /// When it happened, by the source's clock.
    pub occurred_at: DateTime<Utc>,
    /// When the log recorded it.
    pub recorded_at: DateTime<Utc>,
}
