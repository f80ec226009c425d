//! A receiver that fails whatever it is sent is left alone, and tried with one delivery from time to time.

use chrono::{DateTime, TimeDelta, Utc};

/// So many lanes must fail, and none succeed in between: one key that fails again and again says nothing about the others.
const FAILURES: usize = 5;
/// How long an open breaker waits at first; twice as long each time.
const PAUSE: TimeDelta = TimeDelta::seconds(5);
/// The longest that it waits.
const LONGEST: TimeDelta = TimeDelta::minutes(5);

/// What lets deliveries through, or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Breaker {
    /// Everything goes through; these lanes have failed since the last success.
    Closed { failed: Vec<i64> },
    /// Nothing does before `until`; `opened` times it was opened since it was closed.
    Open { until: DateTime<Utc>, opened: i32 },
    /// One is on its way, and decides.
    HalfOpen { opened: i32 },
}

impl Breaker {
    pub(super) fn closed() -> Self {
        Self::Closed { failed: Vec::new() }
    }

    /// As it was stored. Whoever was let through a half-open one went with its process.
    pub(super) fn stored(state: &str, until: Option<DateTime<Utc>>, opened: i32) -> Self {
        match state {
            "closed" => Self::closed(),
            _ => Self::Open { until: until.unwrap_or(DateTime::UNIX_EPOCH), opened },
        }
    }

    /// Its name in the database and in metrics.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Closed { .. } => "closed",
            Self::Open { .. } => "open",
            Self::HalfOpen { .. } => "half_open",
        }
    }

    pub(super) fn until(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Open { until, .. } => Some(*until),
            Self::Closed { .. } | Self::HalfOpen { .. } => None,
        }
    }

    pub(super) fn opened(&self) -> i32 {
        match self {
            Self::Closed { .. } => 0,
            Self::Open { opened, .. } | Self::HalfOpen { opened } => *opened,
        }
    }

    /// Whether a delivery may go now, while `in_flight` are on their way.
    pub(super) fn admits(&self, in_flight: usize, now: DateTime<Utc>) -> bool {
        match self {
            Self::Closed { .. } => true,
            Self::Open { until, .. } => in_flight == 0 && *until <= now,
            Self::HalfOpen { .. } => false,
        }
    }

    /// A delivery goes.
    pub(super) fn started(&mut self) {
        if let Self::Open { opened, .. } = self {
            *self = Self::HalfOpen { opened: *opened };
        }
    }

    /// The receiver has answered as it should.
    pub(super) fn succeeded(&mut self) {
        if self != &Self::closed() {
            *self = Self::closed();
        }
    }

    /// It has not.
    pub(super) fn failed(&mut self, lane: i64, now: DateTime<Utc>) {
        match self {
            Self::Closed { failed } => {
                if !failed.contains(&lane) {
                    failed.push(lane);
                }
                if failed.len() >= FAILURES {
                    *self = Self::open(1, now);
                }
            }
            // What was on its way when it opened.
            Self::Open { .. } => {}
            Self::HalfOpen { opened } => *self = Self::open(opened.saturating_add(1), now),
        }
    }

    /// Somebody wants to know now whether the receiver is there again.
    pub(super) fn hurry(&mut self, now: DateTime<Utc>) {
        if let Self::Open { until, .. } = self {
            *until = (*until).min(now);
        }
    }

    /// The one that would have decided was not sent.
    pub(super) fn withheld(&mut self, now: DateTime<Utc>) {
        if let Self::HalfOpen { opened } = self {
            *self = Self::Open { until: now, opened: *opened };
        }
    }

    fn open(opened: i32, now: DateTime<Utc>) -> Self {
        let doublings = u32::try_from(opened - 1).unwrap_or(0).min(16);
        Self::Open { until: now + (PAUSE * 2_i32.pow(doublings)).min(LONGEST), opened }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> DateTime<Utc> {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::closed();
        (0..5).for_each(|lane| breaker.failed(lane, noon()));
        breaker
    }

    #[test]
    fn one_key_that_fails_again_and_again_leaves_it_closed() {
        let mut breaker = Breaker::closed();
        (0..100).for_each(|_| breaker.failed(7, noon()));
        assert!(breaker.admits(3, noon()));
    }

    #[test]
    fn five_keys_open_it_unless_something_succeeds_in_between() {
        let mut breaker = Breaker::closed();
        for lane in 0..8 {
            breaker.failed(lane, noon());
            if lane == 3 {
                breaker.succeeded();
            }
        }
        assert_eq!(breaker.name(), "closed");
        assert_eq!(opened(), Breaker::Open { until: noon() + TimeDelta::seconds(5), opened: 1 });
    }

    #[test]
    fn an_open_one_lets_one_through_after_its_pause_and_that_one_decides() {
        let mut breaker = opened();
        let later = noon() + TimeDelta::seconds(5);
        assert!(!breaker.admits(0, noon()) && !breaker.admits(1, later) && breaker.admits(0, later));
        breaker.started();
        assert!(!breaker.admits(1, later));
        breaker.failed(9, later);
        assert_eq!(breaker, Breaker::Open { until: later + TimeDelta::seconds(10), opened: 2 });
        breaker.started();
        breaker.succeeded();
        assert_eq!(breaker, Breaker::closed());
    }

    #[test]
    fn an_open_one_lets_one_through_at_once_when_somebody_wants_to_know() {
        let mut breaker = opened();
        breaker.hurry(noon());
        assert!(breaker.admits(0, noon()) && !breaker.admits(1, noon()));
        breaker.started();
        breaker.failed(9, noon());
        assert_eq!(breaker.until(), Some(noon() + TimeDelta::seconds(10)), "and is not forgiven");
    }

    #[test]
    fn its_pauses_have_an_end_and_outlive_the_process() {
        let mut breaker = opened();
        for _ in 0..40 {
            breaker.started();
            breaker.failed(1, noon());
        }
        assert_eq!(breaker.until(), Some(noon() + TimeDelta::minutes(5)));
        assert_eq!(Breaker::stored(breaker.name(), breaker.until(), breaker.opened()), breaker);
        assert!(Breaker::stored("half_open", None, 3).admits(0, noon()));
    }
}
