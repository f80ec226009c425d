//! By the clock: each caller sends a request when it is due, however long the last one took.

use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::{Instant, sleep_until};

use crate::Outcome;
use crate::closed_loop::{Caller, Measured, Timing, histogram};

/// Lets each caller ask once every so often, evenly spread over that time, for as long as `timing` says. Latency counts
/// from when a request was due: one that waits for the last one's answer waits in its latency too.
pub(crate) async fn run<C: Caller>(callers: Vec<C>, every: Duration, timing: Timing) -> Outcome<Measured> {
    let count = u32::try_from(callers.len())?;
    let start = Instant::now();
    let counted = start + Duration::from_secs_f64(timing.warm_up);
    let over = counted + Duration::from_secs_f64(timing.seconds);
    let tasks: Vec<_> = (0..count)
        .zip(callers)
        .map(|(place, caller)| tokio::spawn(one(caller, start + every * place / count, every, counted..over)))
        .collect();
    let mut latencies = histogram();
    for task in tasks {
        latencies.add(task.await??)?;
    }
    // Who cannot keep up is still busy with what was due before the end.
    let seconds = counted.elapsed().as_secs_f64().max(timing.seconds);
    Ok(Measured::of(latencies.len() as f64 / seconds, &latencies))
}

async fn one<C: Caller>(
    mut caller: C,
    mut due: Instant,
    every: Duration,
    counted: std::ops::Range<Instant>,
) -> Outcome<Histogram<u64>> {
    let mut latencies = histogram();
    while due < counted.end {
        sleep_until(due).await;
        caller.ask().await?;
        if due >= counted.start {
            latencies.saturating_record(u64::try_from(due.elapsed().as_micros())?);
        }
        due += every;
    }
    Ok(latencies)
}
