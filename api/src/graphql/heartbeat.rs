//! When a subscription that has nothing to tell says how far the log has moved on without it.

use std::time::Duration;

use tokio::time::Instant;

/// The shortest time from an item to a heartbeat, so that a busy log does not fill sockets with news of nothing.
const SOON: Duration = Duration::from_secs(1);
/// The longest: a client that resumes after so long is not far behind, and ten thousand of them cost little.
const LATE: Duration = Duration::from_secs(4);

/// The next heartbeat. While nothing else is told, each comes after twice the time of the one before.
pub(super) struct Heartbeat {
    due: Instant,
    pause: Duration,
}

impl Heartbeat {
    /// The first one as soon as the log moves.
    pub(super) fn at_once() -> Self {
        Self { due: Instant::now(), pause: SOON }
    }

    /// The first one after the usual time.
    pub(super) fn soon() -> Self {
        let mut heartbeat = Self::at_once();
        heartbeat.told();
        heartbeat
    }

    /// No heartbeat before.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    pub(super) fn is_due(&self) -> bool {
        Instant::now() >= self.due
    }

    /// Something was told.
    pub(super) fn told(&mut self) {
        self.pause = SOON;
        self.due = Instant::now() + SOON;
    }

    /// It was told that there is nothing to tell.
    pub(super) fn beaten(&mut self) {
        self.due = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(LATE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_there_is_nothing_to_tell_the_rarer_that_is_told() {
        let mut heartbeat = Heartbeat::at_once();
        assert!(heartbeat.is_due());
        let pause = |heartbeat: &Heartbeat| heartbeat.due() - Instant::now();
        for seconds in [1, 2, 4, 4] {
            heartbeat.beaten();
            let (least, most) = (Duration::from_secs(seconds - 1), Duration::from_secs(seconds));
            assert!(pause(&heartbeat) > least && pause(&heartbeat) <= most);
        }
        heartbeat.told();
        assert!(pause(&heartbeat) <= SOON);
    }
}
