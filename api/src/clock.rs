//! The one place of this program that reads the clock; everything else is told the time.

use chrono::{DateTime, Utc};

/// Now, in UTC.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "somebody has to read the clock: this is the place")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}
