//! What is delivered: a real event of 330 bytes, about a stand, a flight, an airline, and one endpoint.

use chrono::DateTime;
use vigie_eventlog::{Append, Log, NewEvent};

use crate::{Outcome, load};

/// Events in an append where many are put.
const TOGETHER: usize = 1_000;

/// Event number `n`, of the one of `endpoints` that is next.
pub(super) fn event(n: usize, endpoints: usize) -> NewEvent {
    let stand = n % 50;
    NewEvent {
        kind: "airport.stand_freed".to_owned(),
        version: 1,
        site: "LFW".to_owned(),
        tags: vec![
            format!("stand:LFW/M{stand:02}"),
            format!("flight:LFW/AF{n}/2026-01-15/A/CDG"),
            "airline:AF".to_owned(),
            for_endpoint(n % endpoints),
        ],
        data: format!(
            r#"{{"allocation":"5f3c9a52-7d56-5d3e-9a0b-6f4b8c1d2e3f","buffer_minutes":20,"flight":"LFW/AF860/2026-01-15/A/CDG","off_block_at":"2026-01-15T13:41:00Z","planned":{{"from":"2026-01-15T12:00:00Z","to":"2026-01-15T13:30:00.500Z"}},"site":"LFW","stand":"LFW/M{stand:02}","turnaround":"LFW/AF861/2026-01-15/D/CDG/2"}}"#
        ),
        occurred_at: DateTime::UNIX_EPOCH,
    }
}

/// The tag by which an endpoint asks for its events.
pub(super) fn for_endpoint(n: usize) -> String {
    format!("for:{n}")
}

/// Puts so many events into the log.
pub(super) async fn put(log: &Log, count: usize) -> Outcome<()> {
    for first in (0..count).step_by(TOGETHER) {
        let events = (first..count.min(first + TOGETHER)).map(|n| event(n, 1)).collect();
        append(log, events).await?;
    }
    Ok(())
}

/// Appends events together; the last position.
pub(super) async fn append(log: &Log, events: Vec<NewEvent>) -> Outcome<i64> {
    let append = Append { events, metadata: load::metadata(), conditions: Vec::new(), answer: None };
    Ok(log.append(append).await?.last)
}
