//! Events that come by the clock, and how soon they arrive.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::events;
use super::sending::Sending;
use crate::Outcome;
use crate::closed_loop::{Measured, histogram};

pub(super) struct Latencies;

impl Latencies {
    /// Appends `rate` events a second, each an append of its own, to `endpoints` in turns; from the append's answer, when it
    /// is flushed, to the first byte at the receiver.
    pub(super) async fn by_the_clock(
        sending: &Sending,
        rate: u32,
        warm_up: u64,
        seconds: u64,
        endpoints: usize,
    ) -> Outcome<Measured> {
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
        let total = usize::try_from(u64::from(rate) * (warm_up + seconds))?;
        let (since, mut committed) = (Instant::now(), Vec::new());
        for n in 0..total {
            ticks.tick().await;
            let position = events::append(&sending.log, vec![events::event(n, endpoints)]).await?;
            let counted = n >= usize::try_from(u64::from(rate) * warm_up)? && n % endpoints >= sending.hang;
            committed.push((position, Instant::now(), counted));
        }
        let rate = total as f64 / since.elapsed().as_secs_f64();
        let mut seen = histogram();
        for (position, at, _) in committed.into_iter().filter(|(_, _, counted)| *counted) {
            seen.saturating_record(u64::try_from(
                arrived(sending, position).await?.saturating_duration_since(at).as_micros(),
            )?);
        }
        Ok(Measured::of(rate, &seen))
    }
}

async fn arrived(sending: &Sending, position: i64) -> Outcome<Instant> {
    for _ in 0..12_000 {
        let arrived = sending.arrivals.lock().unwrap_or_else(PoisonError::into_inner).get(&position).copied();
        if let Some(arrived) = arrived {
            return Ok(arrived);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Err(format!("the event at position {position} was not delivered within a minute").into())
}
