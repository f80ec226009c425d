//! No more than so many requests in a second.

use chrono::{DateTime, TimeDelta, Utc};

/// A bucket of turns that fills by the clock. It holds a tenth of a second's turns, so that a receiver meets no more than
/// that beyond its rate, in whatever second it counts.
#[derive(Debug)]
pub(super) struct Rate {
    per_turn: TimeDelta,
    burst: i32,
    /// When the bucket would be full if nothing more were taken.
    full_at: DateTime<Utc>,
}

impl Rate {
    pub(super) fn new(per_second: u32) -> Self {
        let per_second = i64::from(per_second.max(1));
        let burst = i32::try_from(per_second / 10).unwrap_or(i32::MAX).max(1);
        Self { per_turn: TimeDelta::nanoseconds(1_000_000_000 / per_second), burst, full_at: DateTime::UNIX_EPOCH }
    }

    /// When the next turn is there: `now` or earlier if there is one.
    pub(super) fn next(&self) -> DateTime<Utc> {
        self.full_at - self.per_turn * (self.burst - 1)
    }

    /// Takes a turn.
    pub(super) fn take(&mut self, now: DateTime<Utc>) {
        self.full_at = self.full_at.max(now) + self.per_turn;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_second_has_more_turns_than_the_rate_and_a_tenth() {
        for per_second in [1, 7, 50, 1_000] {
            let mut rate = Rate::new(per_second);
            let (start, mut now) =
                (DateTime::UNIX_EPOCH + TimeDelta::days(1), DateTime::UNIX_EPOCH + TimeDelta::days(1));
            let mut turns = 0;
            while now < start + TimeDelta::seconds(1) {
                if rate.next() <= now {
                    rate.take(now);
                    turns += 1;
                } else {
                    now = rate.next();
                }
            }
            let most = per_second + (per_second / 10).max(1);
            assert!((per_second..=most).contains(&turns), "{turns} turns at {per_second}/s");
        }
    }
}
