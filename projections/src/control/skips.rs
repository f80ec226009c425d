//! What a read model leaves out, as the log says.

use std::collections::HashSet;

use vigie_domain::Event;
use vigie_domain::support::{SupportEvent, names};
use vigie_eventlog::{Criterion, Log, Query, Read, Recorded};

use crate::ProjectionError;

/// The positions of events that a read model leaves out.
pub(crate) type Skips = HashSet<i64>;

/// What `name` leaves out of what comes after a position. An event is skipped after it has happened, so that looking
/// at the log from there on is enough.
pub(crate) async fn skips_after(log: &Log, name: &str, mut after: i64) -> Result<Skips, ProjectionError> {
    let kinds = vec![names::EVENT_SKIPPED.to_owned()];
    let query = Query { criteria: vec![Criterion { kinds, tags: vec![format!("projection:{name}")] }] };
    let mut skips = Skips::new();
    loop {
        let events = log.read(&query, Read::after(after)).await?;
        for event in &events {
            skips.extend(skipped(event)?);
        }
        match events.last() {
            Some(last) if events.len() == Read::PAGE as usize => after = last.position,
            _ => return Ok(skips),
        }
    }
}

fn skipped(event: &Recorded) -> Result<Option<i64>, ProjectionError> {
    match Event::decode(&event.kind, event.version, event.data.get()) {
        Ok(Event::Support(SupportEvent::EventSkipped(skipped))) => Ok(Some(skipped.position)),
        Ok(_) => Ok(None),
        Err(error) => Err(ProjectionError::BadEvent { position: event.position, reason: error.to_string() }),
    }
}
