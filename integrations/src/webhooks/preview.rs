//! What a filter would send, or would have sent.

use vigie_eventlog::{Log, LogError, Recorded};

use super::endpoint::Endpoint;

/// What is in a range of the log for an endpoint.
#[derive(Debug, Clone)]
pub struct Preview {
    /// How many events, up to the one that was looked at last.
    pub events: u64,
    /// The first of them.
    pub first: Vec<Recorded>,
    /// Everything up to here was looked at: the end of the range, unless that is too far away.
    pub looked: i64,
}

/// The most matching events that a preview counts.
const MOST: u64 = 100_000;

/// Looks at what an endpoint would be sent of the events in `(after, until]`; the first `show` of them as they are.
///
/// # Errors
/// The database failed, or the range is archived in part.
pub async fn preview(endpoint: &Endpoint, after: i64, until: i64, show: usize, log: &Log) -> Result<Preview, LogError> {
    let mut history = log.history(endpoint.filter.query(), after, until);
    let mut preview = Preview { events: 0, first: Vec::new(), looked: until };
    while let Some(piece) = history.next().await? {
        for event in piece.into_iter().filter(|event| endpoint.wants(event)) {
            preview.events += 1;
            let position = event.position;
            if preview.first.len() < show {
                preview.first.push(event);
            }
            if preview.events == MOST {
                preview.looked = position;
                return Ok(preview);
            }
        }
    }
    Ok(preview)
}
