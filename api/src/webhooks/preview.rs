//! What would be sent.

use vigie_eventlog::{Log, LogError, Read, Recorded};
use vigie_integrations::webhooks::Endpoint;
use vigie_integrations::webhooks::Filter;

use crate::rights::Scope;

/// Events of the log that are looked at for one preview, at most.
const LOOKED_AT: usize = 100_000;
const PAGE: u32 = 1_000;

/// What would be sent.
#[derive(Debug)]
pub(crate) struct Preview {
    /// How many events.
    pub(crate) count: i64,
    /// The first of them.
    pub(crate) events: Vec<Recorded>,
    /// Up to where was looked.
    pub(crate) until: i64,
    /// Whether everything that was asked for was looked at.
    pub(crate) complete: bool,
}

/// Counts what fits a filter after one position up to another, of what `scope` shows, and shows the first. What is about
/// `endpoint` itself is never sent to it.
pub(crate) async fn preview(
    log: &Log,
    (filter, endpoint): (&Filter, Option<uuid::Uuid>),
    scope: &Scope,
    (after, until): (i64, i64),
    first: usize,
) -> Result<Preview, LogError> {
    let (query, own) = (filter.query(), endpoint.map(Endpoint::tag));
    let mut found = Preview { count: 0, events: Vec::new(), until: after, complete: false };
    let (mut at, mut looked) = (after, 0);
    while looked < LOOKED_AT {
        let page = log.read(&query, Read::after(at).until(until).limit(PAGE)).await?;
        looked += page.len();
        let whole = page.len() < PAGE as usize;
        at = page.last().map_or(until, |last| last.position);
        let kept = page.into_iter().filter(|event| {
            let mine = own.as_ref().is_some_and(|own| event.tags.contains(own));
            filter.takes(event) && !mine && scope.admits(&event.kind, &event.site)
        });
        for event in kept {
            found.count += 1;
            if found.events.len() < first {
                found.events.push(event);
            }
        }
        if whole {
            return Ok(Preview { until, complete: true, ..found });
        }
    }
    Ok(Preview { until: at, ..found })
}
