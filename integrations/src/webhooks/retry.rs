//! When a delivery that failed is tried again.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::endpoint::{Endpoint, Exhausted};

/// A receiver may ask for a longer wait than the schedule's, up to this.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Another attempt, at this time.
    At(DateTime<Utc>),
    /// None: it is a dead letter.
    SetAside,
}

/// What follows attempt number `attempt` (from 1), which failed at `now`.
pub(super) fn next(endpoint: &Endpoint, id: Uuid, attempt: u32, asked: Option<Duration>, now: DateTime<Utc>) -> Next {
    let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
    let wait = match (endpoint.retries.get(index), endpoint.exhausted) {
        (Some(wait), _) => *wait,
        (None, Exhausted::SetAside) => return Next::SetAside,
        (None, Exhausted::Hold) => endpoint.retries.last().copied().unwrap_or(Endpoint::RETRIES[0]),
    };
    let wait = jittered(wait, id, attempt).max(asked.unwrap_or_default().min(LONGEST_WAIT));
    Next::At(now + TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX))
}

/// Up to a fifth longer, so that what failed together does not come again together. It follows from the event's id.
fn jittered(wait: Duration, id: Uuid, attempt: u32) -> Duration {
    let mixed = (id.as_u128() as u64 ^ (id.as_u128() >> 64) as u64).wrapping_add(u64::from(attempt));
    let mixed = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    wait + wait.mul_f64(mixed as f64 / f64::from(1 << 24) / 5.0)
}

#[cfg(test)]
mod tests {
    use super::super::testing::endpoint;
    use super::*;

    fn noon() -> DateTime<Utc> {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn wait(endpoint: &Endpoint, attempt: u32, asked: Option<u64>) -> Option<f64> {
        let id = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001 + u128::from(attempt));
        match next(endpoint, id, attempt, asked.map(Duration::from_secs), noon()) {
            Next::At(at) => Some((at - noon()).as_seconds_f64()),
            Next::SetAside => None,
        }
    }

    #[test]
    fn waits_grow_as_the_standard_says_with_up_to_a_fifth_more() {
        let endpoint = endpoint("http://localhost/");
        for (attempt, seconds) in
            [5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0].iter().enumerate()
        {
            let wait = wait(&endpoint, u32::try_from(attempt).unwrap() + 1, None).unwrap();
            assert!((*seconds..=seconds * 1.2).contains(&wait), "{wait} after attempt {}", attempt + 1);
        }
    }

    #[test]
    fn what_failed_together_does_not_come_again_together() {
        let waits: Vec<_> =
            (0..100).map(|n| jittered(Duration::from_secs(100), Uuid::from_u128(n << 64 | 1), 1)).collect();
        let (least, most) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
        assert!(*least < Duration::from_secs(102) && *most > Duration::from_secs(118), "{least:?} to {most:?}");
    }

    #[test]
    fn used_up_retries_hold_the_key_or_set_the_delivery_aside() {
        let mut endpoint = endpoint("http://localhost/");
        endpoint.retries = vec![Duration::from_secs(1), Duration::from_secs(2)].into();
        assert!((2.0..=2.4).contains(&wait(&endpoint, 7, None).unwrap()));
        endpoint.exhausted = Exhausted::SetAside;
        assert!(wait(&endpoint, 2, None).is_some());
        assert_eq!(wait(&endpoint, 3, None), None);
    }

    #[test]
    fn a_receiver_may_ask_for_more_time_within_bounds() {
        let endpoint = endpoint("http://localhost/");
        assert_eq!(wait(&endpoint, 1, Some(60)), Some(60.0));
        assert!(wait(&endpoint, 2, Some(1)).unwrap() >= 300.0);
        assert_eq!(wait(&endpoint, 1, Some(1_000_000)), Some(86_400.0));
    }
}
