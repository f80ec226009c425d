//! Something to deliver.

use chrono::{DateTime, Utc};
use uuid::Uuid;
use vigie_eventlog::{Append, Log, Metadata, NewEvent};

/// Appends events about these things together; the last position.
///
/// # Panics
/// The log fails.
pub async fn append(log: &Log, events: &[&[&str]]) -> i64 {
    let event = |tags: &&[&str]| NewEvent {
        kind: "support.site_defined".to_owned(),
        version: 1,
        site: "LFW".to_owned(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        data: r#"{"icao":"DXXX","kind":"airport","name":"Lomé","site":"LFW","zone":"Africa/Lome"}"#.to_owned(),
        occurred_at: noon(),
    };
    let command_id = Uuid::now_v7();
    let metadata = Metadata {
        command_id,
        command: "support.define_site".to_owned(),
        correlation_id: command_id,
        causation_id: None,
        actor: "operator:test".to_owned(),
        traceparent: None,
    };
    let events = events.iter().map(event).collect();
    let appended = log.append(Append { events, metadata, conditions: Vec::new(), answer: None }).await;
    appended.expect("the log takes events").last
}

/// When everything happens.
///
/// # Panics
/// Never.
#[must_use]
pub fn noon() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().expect("this is a time")
}
