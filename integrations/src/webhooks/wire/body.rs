//! The body: the fact in today's shape, and where it stands in the log.
//!
//! It is a function of the event alone. Every attempt and every replay sends the same bytes, whether the event came out of
//! memory or out of the database, which keeps other spaces and another order of keys. Who gave the command is left out:
//! the actor may be a person.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;
use vigie_domain::DecodeError;
use vigie_domain::Event;
use vigie_eventlog::Recorded;

/// Bytes of a body: what is larger is given by reference.
pub const LARGEST_BODY: usize = 20_000;
/// The type of what is sent to try an endpoint; it is in no log.
pub const TEST_TYPE: &str = "webhooks.test";

/// Why an event has no body.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// This build cannot read it.
    #[error("event {position} cannot be sent")]
    Unreadable {
        /// Its position.
        position: i64,
        /// Why.
        source: DecodeError,
    },
}

/// What is sent of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The JSON.
    pub text: Arc<str>,
    /// Whether the data stands elsewhere, since it is too large.
    pub by_reference: bool,
}

#[derive(Serialize)]
struct Shape<'a> {
    r#type: &'a str,
    timestamp: String,
    data: Option<&'a RawValue>,
    #[serde(rename = "dataUrl", skip_serializing_if = "Option::is_none")]
    data_url: Option<String>,
    position: Option<i64>,
    tags: &'a [String],
    metadata: Metadata<'a>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    id: Uuid,
    #[serde(skip_serializing_if = "str::is_empty")]
    site: &'a str,
    version: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded_at: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    command: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    command_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causation_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
}

impl Body {
    /// The body of an event.
    ///
    /// # Errors
    /// This build cannot read it.
    pub fn of(event: &Recorded) -> Result<Self, BodyError> {
        let today = Event::decode(&event.kind, event.version, event.data.get());
        let today = today.map_err(|source| BodyError::Unreadable { position: event.position, source })?.encode();
        let data = RawValue::from_string(today.data).expect("what was serialised is JSON");
        let mut shape = Shape {
            r#type: &event.kind,
            timestamp: time(event.occurred_at),
            data: Some(&data),
            data_url: None,
            position: Some(event.position),
            tags: &event.tags,
            metadata: Metadata {
                id: event.id,
                site: &event.site,
                version: today.version,
                recorded_at: Some(time(event.recorded_at)),
                command: &event.metadata.command,
                command_id: Some(event.metadata.command_id),
                correlation_id: Some(event.metadata.correlation_id),
                causation_id: event.metadata.causation_id,
                traceparent: event.metadata.traceparent.as_deref(),
            },
        };
        let text = shape.text();
        if text.len() < LARGEST_BODY {
            return Ok(Self { text: text.into(), by_reference: false });
        }
        shape.data = None;
        shape.data_url = Some(data_url(event.position));
        let mut text = shape.text();
        if text.len() >= LARGEST_BODY {
            // Then it is the tags; they stand beside the data.
            shape.tags = &[];
            text = shape.text();
        }
        Ok(Self { text: text.into(), by_reference: true })
    }

    /// The body of a test: of no event, and at no position.
    #[must_use]
    pub fn test(id: Uuid, at: DateTime<Utc>) -> Self {
        let data = RawValue::from_string(r#"{"test":true}"#.to_owned()).expect("this is JSON");
        let metadata = Metadata { id, version: 1, ..Metadata::default() };
        let shape = Shape {
            r#type: TEST_TYPE,
            timestamp: time(at),
            data: Some(&data),
            data_url: None,
            position: None,
            tags: &[],
            metadata,
        };
        Self { text: shape.text().into(), by_reference: false }
    }
}

impl Shape<'_> {
    fn text(&self) -> String {
        serde_json::to_string(self).expect("a body is plain data")
    }
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// The GraphQL document that [`data_url`] names: one for all events, so that a list of allowed documents can hold it.
pub const DATA_DOCUMENT: &str = "query($position:Position!){event(position:$position){type tags data}}";

/// Where the API has the event: a path on this server, for whoever may read it.
#[must_use]
pub fn data_url(position: i64) -> String {
    let query = utf8_percent_encode(DATA_DOCUMENT, NON_ALPHANUMERIC);
    format!("/graphql?query={query}&variables=%7B%22position%22:{position}%7D")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use vigie_eventlog::Metadata;

    use super::*;

    const CLOSED: &str = include_str!("../../../../domain/golden/airport.stand_closed.v1.json");

    fn recorded(kind: &str, data: &str) -> Recorded {
        Recorded {
            position: 7,
            id: Uuid::from_u128(1),
            kind: kind.to_owned(),
            version: 1,
            site: "LFW".to_owned(),
            tags: vec!["stand:LFW/C03".to_owned()],
            data: RawValue::from_string(data.to_owned()).unwrap(),
            metadata: Metadata {
                command_id: Uuid::from_u128(2),
                command: "airport.close_stand".to_owned(),
                correlation_id: Uuid::from_u128(3),
                causation_id: None,
                actor: "operator:of-this-site".to_owned(),
                traceparent: None,
            },
            occurred_at: "2026-01-01T10:00:00Z".parse().unwrap(),
            recorded_at: "2026-01-01T10:00:01.5Z".parse().unwrap(),
        }
    }

    fn json(body: &Body) -> Value {
        serde_json::from_str(&body.text).unwrap()
    }

    #[test]
    fn a_body_says_what_happened_and_where_it_stands_but_not_who_did_it() {
        let body = Body::of(&recorded("airport.stand_closed", CLOSED)).unwrap();
        let told = json(&body);
        assert_eq!(told["data"], serde_json::from_str::<Value>(CLOSED).unwrap());
        let mut rest = told;
        rest["data"] = Value::Null;
        let expected = json!({
            "type": "airport.stand_closed",
            "timestamp": "2026-01-01T10:00:00.000000Z",
            "data": null,
            "position": 7,
            "tags": ["stand:LFW/C03"],
            "metadata": {
                "id": "00000000-0000-0000-0000-000000000001",
                "site": "LFW",
                "version": 1,
                "recordedAt": "2026-01-01T10:00:01.500000Z",
                "command": "airport.close_stand",
                "commandId": "00000000-0000-0000-0000-000000000002",
                "correlationId": "00000000-0000-0000-0000-000000000003",
            },
        });
        assert_eq!(rest, expected);
        assert!(!body.text.contains("of-this-site") && !body.by_reference);
    }

    #[test]
    fn the_bytes_are_the_same_whichever_way_the_database_writes_the_data() {
        // Keys in another order, and spaces, as they come out of a jsonb column.
        let sorted: Value = serde_json::from_str(CLOSED).unwrap();
        let spaced = serde_json::to_string_pretty(&sorted).unwrap();
        let [one, other] = [CLOSED, &spaced].map(|data| Body::of(&recorded("airport.stand_closed", data)).unwrap());
        assert_eq!(one, other);
    }

    #[test]
    fn data_of_an_older_version_is_sent_in_todays_shape() {
        let old = include_str!("../../../../domain/golden/airport.aircraft_assigned.v1.json");
        let told = json(&Body::of(&recorded("airport.aircraft_assigned", old)).unwrap());
        assert_eq!(told["metadata"]["version"], 2);
        assert!(told["data"]["aircraft"].is_object(), "{told}");
    }

    #[test]
    fn what_is_too_large_is_given_by_reference() {
        let mut large: Value = serde_json::from_str(CLOSED).unwrap();
        // Within the bounds of a reason, so that it can be read, and too large together with the tags.
        let mut event = recorded("airport.stand_closed", CLOSED);
        event.tags = (0..1_500).map(|n| format!("flight:{n:05}")).collect();
        let body = Body::of(&event).unwrap();
        assert!(body.by_reference && body.text.len() < LARGEST_BODY);
        let told = json(&body);
        assert_eq!((&told["data"], &told["tags"]), (&Value::Null, &json!([])));
        assert_eq!(told["dataUrl"], data_url(7));

        large["reason"] = "r".repeat(500).into();
        event.data = RawValue::from_string(large.to_string()).unwrap();
        let alone = Body::of(&Recorded { tags: vec![], ..event.clone() }).unwrap().text.len();
        // As many tags as leave room for all but the data.
        event.tags = vec!["flight:1".to_owned(); (LARGEST_BODY - alone + 200) / 11];
        let body = Body::of(&event).unwrap();
        assert!(body.by_reference && body.text.len() < LARGEST_BODY);
        assert_eq!(json(&body)["tags"].as_array().map(Vec::len), Some(event.tags.len()));
    }

    #[test]
    fn what_this_build_cannot_read_has_no_body() {
        let error = Body::of(&recorded("airport.unheard_of", "{}")).unwrap_err();
        assert_eq!(error.to_string(), "event 7 cannot be sent");
    }

    #[test]
    fn a_test_is_of_no_event() {
        let body = json(&Body::test(Uuid::from_u128(1), DateTime::UNIX_EPOCH));
        assert_eq!((&body["type"], &body["position"]), (&json!("webhooks.test"), &Value::Null));
        assert_eq!(body["data"], json!({"test": true}));
    }
}
