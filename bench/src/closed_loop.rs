//! A closed loop: each caller sends its next request when the last one is answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::Outcome;

/// How long to warm up and to measure, and how often.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Timing {
    /// Seconds before anything is counted.
    #[arg(long, default_value_t = 2.0)]
    pub(crate) warm_up: f64,
    /// Seconds that are counted.
    #[arg(long, default_value_t = 5.0)]
    pub(crate) seconds: f64,
    /// How often everything is measured, in turns; the figures are medians over these.
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: usize,
}

/// What one loop came to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// Events (or rows) per second.
    pub(crate) per_second: f64,
    /// Latency of a request in microseconds.
    pub(crate) p50: u64,
    /// The same, 95 of 100.
    pub(crate) p95: u64,
    /// The same, 99 of 100.
    pub(crate) p99: u64,
    /// The longest.
    pub(crate) max: u64,
}

impl Measured {
    /// At this rate, with these latencies.
    pub(crate) fn of(per_second: f64, latencies: &Histogram<u64>) -> Self {
        let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|quantile| latencies.value_at_quantile(quantile));
        Self { per_second, p50, p95, p99, max: latencies.max() }
    }
}

impl Measured {
    /// Two that were measured at the same time: rates add up; of the latencies the worse one is kept.
    pub(crate) fn beside(&self, other: &Self) -> Self {
        Self {
            per_second: self.per_second + other.per_second,
            p50: self.p50.max(other.p50),
            p95: self.p95.max(other.p95),
            p99: self.p99.max(other.p99),
            max: self.max.max(other.max),
        }
    }
}

/// Something that asks again and again.
pub(crate) trait Caller: Send + 'static {
    /// Makes one request and waits for its answer; how many events it carried.
    fn ask(&mut self) -> impl Future<Output = Outcome<u64>> + Send;
}

/// Lets all callers ask at once, for as long as `timing` says.
pub(crate) async fn run<C: Caller>(callers: Vec<C>, timing: Timing) -> Outcome<Measured> {
    let counting = Arc::new(AtomicBool::new(false));
    let over = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> =
        callers.into_iter().map(|caller| tokio::spawn(one(caller, Arc::clone(&counting), Arc::clone(&over)))).collect();
    tokio::time::sleep(Duration::from_secs_f64(timing.warm_up)).await;
    let since = Instant::now();
    counting.store(true, Ordering::Release);
    tokio::time::sleep(Duration::from_secs_f64(timing.seconds)).await;
    counting.store(false, Ordering::Release);
    let seconds = since.elapsed().as_secs_f64();
    over.store(true, Ordering::Release);
    let (mut events, mut latencies) = (0, histogram());
    for task in tasks {
        let (count, of_one) = task.await??;
        events += count;
        latencies.add(of_one)?;
    }
    Ok(Measured::of(events as f64 / seconds, &latencies))
}

async fn one<C: Caller>(
    mut caller: C,
    counting: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
) -> Outcome<(u64, Histogram<u64>)> {
    let (mut events, mut latencies) = (0, histogram());
    while !over.load(Ordering::Acquire) {
        let since = Instant::now();
        let count = caller.ask().await?;
        if counting.load(Ordering::Acquire) {
            events += count;
            latencies.saturating_record(u64::try_from(since.elapsed().as_micros())?);
        }
    }
    Ok((events, latencies))
}

/// Microseconds up to a minute, to three digits.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("the bounds are constants that fit")
}
