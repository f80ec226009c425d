//! The one place of this program that reads the clock; everything else is told the time.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use vigie_commands::time::{Time, Timekeeper, Waiting};

/// Sleeps are cut into stretches of this length, so that a clock that was set, or a machine that slept, is noticed.
const STRETCH: Duration = Duration::from_secs(30);

/// Now, in UTC.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "somebody has to read the clock: this is the place")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// The machine's clock, to wait on.
#[must_use]
pub fn time() -> Time {
    Arc::new(Machine)
}

struct Machine;

impl Timekeeper for Machine {
    fn now(&self) -> DateTime<Utc> {
        now()
    }

    fn sleep_until(&self, due: DateTime<Utc>) -> Waiting<'_> {
        Box::pin(async move {
            // What has passed already is no duration.
            while let Ok(left) = (due - now()).to_std() {
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.min(STRETCH)).await;
            }
        })
    }
}
