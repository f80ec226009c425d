//! Time as what works beside the requests sees it: told, and waited for, by one clock that tests move by hand.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

/// Ends when a time has come.
pub type Waiting<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Tells the time and waits for it.
pub trait Timekeeper: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> DateTime<Utc>;

    /// Ends once [`Timekeeper::now`] is `due` or later; at once when it is already.
    fn sleep_until(&self, due: DateTime<Utc>) -> Waiting<'_>;
}

/// The clock of a process, shared.
pub type Time = Arc<dyn Timekeeper>;

/// A clock that stands still until it is moved, for tests. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct ManualTime {
    now: watch::Sender<DateTime<Utc>>,
}

impl ManualTime {
    /// Stands at `now`.
    #[must_use]
    pub fn at(now: DateTime<Utc>) -> Self {
        Self { now: watch::Sender::new(now) }
    }

    /// Moves it on (or back) to `now`; whoever waits for that time or an earlier one wakes.
    pub fn set(&self, now: DateTime<Utc>) {
        self.now.send_replace(now);
    }

    /// Moves it on by so much.
    pub fn advance(&self, by: TimeDelta) {
        self.now.send_modify(|now| *now += by);
    }

    /// As everybody else sees it.
    #[must_use]
    pub fn time(&self) -> Time {
        Arc::new(self.clone())
    }
}

impl Timekeeper for ManualTime {
    fn now(&self) -> DateTime<Utc> {
        *self.now.borrow()
    }

    fn sleep_until(&self, due: DateTime<Utc>) -> Waiting<'_> {
        let mut moved = self.now.subscribe();
        Box::pin(async move {
            // The sender is held by the clock that is borrowed here: it cannot go away.
            let _ = moved.wait_for(|now| *now >= due).await;
        })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn noon() -> DateTime<Utc> {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    #[tokio::test]
    async fn who_waits_wakes_when_the_clock_is_moved_there_and_not_before() {
        let clock = ManualTime::at(noon());
        let time = clock.time();
        let mut waiting = time.sleep_until(noon() + TimeDelta::minutes(10));

        clock.advance(TimeDelta::minutes(9));
        assert!((&mut waiting).now_or_never().is_none());
        clock.advance(TimeDelta::minutes(1));
        waiting.await;

        assert_eq!(time.now(), noon() + TimeDelta::minutes(10));
        time.sleep_until(noon()).await;
    }
}
