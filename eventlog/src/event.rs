//! An event, before and after it is recorded.

use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::AppendError;

/// An event to append.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Stable type name, such as `airport.stand_allocated`.
    pub kind: String,
    /// Version of the data's shape, from 1.
    pub version: u16,
    /// Where it happened; empty for what happened at no site.
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
    /// Where it happened; empty for what happened at no site.
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

impl NewEvent {
    /// As it will be recorded, but for position and time; `n` is its place in the append.
    pub(crate) fn into_recorded(self, n: usize, metadata: &Metadata) -> Result<Recorded, AppendError> {
        let malformed = |reason: String| AppendError::Data { event: n, reason };
        let data = RawValue::from_string(self.data).map_err(|error| malformed(error.to_string()))?;
        if has_nul(data.get()) {
            return Err(malformed("Postgres cannot hold the character U+0000 in a text".to_owned()));
        }
        Ok(Recorded {
            position: 0,
            id: Uuid::now_v7(),
            kind: self.kind,
            version: self.version,
            site: self.site,
            tags: self.tags,
            data,
            metadata: metadata.clone(),
            occurred_at: self.occurred_at.trunc_subsecs(6),
            recorded_at: DateTime::UNIX_EPOCH,
        })
    }
}

/// Whether a string in the JSON holds an escaped U+0000: `json` would take it, whoever reads it as text would fail.
pub(crate) fn has_nul(json: &str) -> bool {
    json.match_indices("u0000").any(|(at, _)| {
        let escapes = json.as_bytes().iter().take(at).rev().take_while(|byte| **byte == b'\\').count();
        escapes % 2 == 1
    })
}

#[cfg(test)]
mod tests {
    use super::has_nul;

    #[test]
    fn only_an_escaped_nul_is_one() {
        for (json, expected) in [
            (r#""\u0000""#, true),
            (r#""a\\\u0000""#, true),
            (r#""\\u0000""#, false),
            (r#""u0000""#, false),
            (r#""\u00001""#, true),
            (r#""\u0001""#, false),
        ] {
            assert_eq!(has_nul(json), expected, "{json}");
        }
    }
}
