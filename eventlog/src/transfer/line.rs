//! An event of the log as a line of a file.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{Metadata, Recorded};

/// An event of the log as one line of JSON, with everything that the log holds of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Its place.
    pub position: i64,
    /// Its id.
    pub id: Uuid,
    /// Stable type name.
    #[serde(rename = "type")]
    pub kind: String,
    /// Version of the data's shape.
    pub version: u16,
    /// Where it happened.
    pub site: String,
    /// The things that it is about.
    pub tags: Vec<String>,
    /// Where it comes from.
    pub metadata: Metadata,
    /// When it happened, by the source's clock.
    pub occurred_at: DateTime<Utc>,
    /// When the log recorded it.
    pub recorded_at: DateTime<Utc>,
    /// The data, as the log tells it.
    pub data: Box<RawValue>,
    /// The answer of the command, beside its first event; absent if it has none.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub answer: Option<Box<RawValue>>,
}

/// An answer of `null` is an answer.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(deserializer).map(Some)
}

impl From<Recorded> for Line {
    fn from(event: Recorded) -> Self {
        let Recorded { position, id, kind, version, site, tags, data, metadata, occurred_at, recorded_at } = event;
        let data = on_one_line(data);
        Self { position, id, kind, version, site, tags, metadata, occurred_at, recorded_at, data, answer: None }
    }
}

impl From<Line> for Recorded {
    fn from(line: Line) -> Self {
        let Line { position, id, kind, version, site, tags, metadata, occurred_at, recorded_at, data, answer: _ } =
            line;
        Self { position, id, kind, version, site, tags, data, metadata, occurred_at, recorded_at }
    }
}

/// A line break in JSON is white space between values: inside of texts it is written as an escape.
pub(super) fn on_one_line(json: Box<RawValue>) -> Box<RawValue> {
    if !json.get().contains(['\n', '\r']) {
        return json;
    }
    RawValue::from_string(json.get().replace(['\n', '\r'], " ")).unwrap_or(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"position":1,"id":"00000000-0000-0000-0000-000000000001","type":"a.b","version":1,"site":"LFW","tags":[],"metadata":{"command_id":"00000000-0000-0000-0000-000000000002","command":"a.c","correlation_id":"00000000-0000-0000-0000-000000000002","actor":"x"},"occurred_at":"2026-01-15T09:41:07.250001Z","recorded_at":"2026-01-15T09:41:08Z","data":{"n": 1.50}"#;

    #[test]
    fn a_line_is_written_as_it_was_read_with_or_without_an_answer() {
        for end in ["}", r#","answer":null}"#, r#","answer":{"a": 1}}"#] {
            let text = format!("{LINE}{end}");
            let line: Line = serde_json::from_str(&text).unwrap();
            assert_eq!(serde_json::to_string(&line).unwrap(), text);
        }
    }

    #[test]
    fn data_on_several_lines_comes_on_one() {
        let json = RawValue::from_string("{\n \"text\":\r\n \"a\\nb\"}".to_owned()).unwrap();
        assert_eq!(on_one_line(json).get(), "{  \"text\":   \"a\\nb\"}");
    }
}
