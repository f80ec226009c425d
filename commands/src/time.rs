//! Time as what works beside the requests sees it.

use std::sync::Arc;

pub use vigie_eventlog::time::{ManualTime, Time, Timekeeper, Waiting};

use crate::Clock;

/// The clock by which the commands of an executor happen, where that is the same as what is waited on.
#[must_use]
pub fn clock(time: &Time) -> Clock {
    let time = Arc::clone(time);
    Arc::new(move || time.now())
}
