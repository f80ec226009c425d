//! What a filter would send, or would have sent.

use vigie_eventlog::{Log, LogError, Recorded};

use super::endpoint::Filter;

/// Events that are looked at for one preview, at the least.
const LOOKED_AT: usize = 100_000;

/// What is in a range of the log for a filter.
#[derive(Debug, Clone)]
pub struct Preview {
    /// How many events, up to the one that was looked at last.
    pub count: i64,
    /// The first of them.
    pub events: Vec<Recorded>,
    /// Everything up to here was looked at.
    pub until: i64,
    /// Whether that is the end of the range.
    pub complete: bool,
}

/// Counts what a filter takes of the events in `(after, until]`, of those that `admits` lets pass, and shows the first.
///
/// # Errors
/// The database failed, or the range is archived in part.
pub async fn preview(
    log: &Log,
    filter: &Filter,
    admits: impl Fn(&Recorded) -> bool,
    (after, until): (i64, i64),
    show: usize,
) -> Result<Preview, LogError> {
    let mut history = log.history(filter.query(), after, until);
    let mut preview = Preview { count: 0, events: Vec::new(), until, complete: true };
    let mut looked = 0;
    while let Some(piece) = history.next().await? {
        looked += piece.len();
        let last = piece.last().map_or(until, |last| last.position);
        for event in piece.into_iter().filter(|event| filter.takes(event) && admits(event)) {
            preview.count += 1;
            if preview.events.len() < show {
                preview.events.push(event);
            }
        }
        if looked >= LOOKED_AT && last < until {
            return Ok(Preview { until: last, complete: false, ..preview });
        }
    }
    Ok(preview)
}
