//! What is appended: about 400 bytes of JSON, three tags, a boundary of two tags and three types.

use chrono::{DateTime, Utc};
use uuid::Uuid;
use vigie_eventlog::{Append, Condition, Criterion, Metadata, NewEvent, Query};

/// The three types of the boundary; events are of the first.
const KINDS: [&str; 3] = ["airport.stand_allocated", "airport.allocation_released", "airport.stand_closed"];
const SITE: &str = "LFW";

/// An event about a flight of its own, the caller's stand, and one of twenty airlines.
pub(crate) fn event(caller: usize, n: u64) -> NewEvent {
    let flight = Uuid::now_v7();
    NewEvent {
        kind: KINDS[0].into(),
        version: 1,
        site: SITE.into(),
        tags: vec![format!("flight:{flight}"), stand(caller), format!("airline:{}", n % 20)],
        data: data(caller, n, flight),
        occurred_at: moment(n),
    }
}

/// An append of this many events. Nothing may have been added about the caller's stand or its first flight since `after`.
pub(crate) fn append(caller: usize, n: u64, events: usize, after: i64) -> Append {
    let events: Vec<_> = (n..).take(events).map(|n| event(caller, n)).collect();
    let flight = events.first().and_then(|event| event.tags.first()).cloned().unwrap_or_default();
    let criteria = [flight, stand(caller)]
        .map(|tag| Criterion { kinds: KINDS.iter().map(ToString::to_string).collect(), tags: vec![tag] });
    let conditions = vec![Condition { query: Query { criteria: criteria.into() }, after }];
    let answer = serde_json::value::RawValue::from_string(r#"{"stand":"LFW/C03","score":12}"#.into()).ok();
    Append { events, metadata: metadata(), conditions, answer }
}

/// Where an event of the load comes from.
pub(crate) fn metadata() -> Metadata {
    let command_id = Uuid::now_v7();
    Metadata {
        command_id,
        command: "airport.allocate_stand".into(),
        correlation_id: command_id,
        causation_id: None,
        actor: "operator:bench".into(),
        traceparent: None,
    }
}

fn stand(caller: usize) -> String {
    format!("stand:LFW/C{caller:04}")
}

/// A minute later each time.
fn moment(n: u64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600 + i64::try_from(n * 60).unwrap_or(i64::MAX), 0).unwrap_or_default()
}

fn data(caller: usize, n: u64, flight: Uuid) -> String {
    let at = |minutes: u64| moment(n + minutes).format("%Y-%m-%dT%H:%M:%SZ");
    format!(
        r#"{{"flight":"{flight}","stand":"LFW/C{caller:04}","from":"{}","until":"{}","buffer_minutes":15,"score":{},"#,
        at(0),
        at(45),
        n % 100
    ) + CONSIDERED
}

/// The same for every event, as much of real data is.
const CONSIDERED: &str = r#""considered":[{"stand":"LFW/C01","lost_because":"occupied","until":"2026-01-01T06:30:00Z"},{"stand":"LFW/C02","lost_because":"too_small","code":"C"}],"note":"allocated from the board by the duty planner"}"#;
