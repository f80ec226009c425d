//! One token bucket.

use std::time::{Duration, Instant};

/// What is in a bucket, and when that was.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    level: f64,
    at: Instant,
}

impl Bucket {
    /// A bucket that holds `level`.
    pub(super) fn holding(level: u64, at: Instant) -> Self {
        Self { level: float(level), at }
    }

    /// Adds what has come since, up to `size` in a window.
    pub(super) fn fill(&mut self, size: u64, window: Duration, now: Instant) {
        let passed = now.saturating_duration_since(self.at);
        self.level = (self.level + float(size) * passed.as_secs_f64() / window.as_secs_f64()).min(float(size));
        self.at = now;
    }

    /// How long until it holds `asked`; none when it does.
    pub(super) fn wait(&self, asked: u64, size: u64, window: Duration) -> Option<Duration> {
        let missing = float(asked) - self.level;
        (missing > 0.0).then(|| window.mul_f64(missing / float(size)))
    }

    pub(super) fn take(&mut self, asked: u64) {
        self.level = (self.level - float(asked)).max(0.0);
    }

    /// What is in it, in whole tokens.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a level is from 0 to the bucket's size"
    )]
    pub(super) fn left(&self) -> u64 {
        self.level.floor() as u64
    }

    /// How long it takes for so many tokens to come.
    pub(super) fn time_for(tokens: u64, size: u64, window: Duration) -> Duration {
        if size == 0 { Duration::ZERO } else { window.mul_f64(float(tokens) / float(size)) }
    }
}

#[expect(clippy::cast_precision_loss, reason = "what is spent is far below 2^52")]
fn float(tokens: u64) -> f64 {
    tokens as f64
}
