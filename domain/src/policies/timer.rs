//! Timers: what a policy wants to follow when something has *not* happened by a certain time.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Reaction;
use crate::kernel::derived_uuid;

/// A reaction that waits for a time. It outlives its process; what it gives when it is due is decided by rules of its
/// own, so that a timer that nobody has cancelled in time does no harm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// What it is about, such as `alert:…`; a policy has one timer of each key, and the last one set counts.
    pub key: String,
    /// From when on it may fire. It fires later if nobody is there, and once.
    pub due: DateTime<Utc>,
    /// The command that it gives.
    pub reaction: Reaction,
}

/// What a fact does to the timers of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerChange {
    /// Sets a timer, in place of another one of its key.
    Set(Timer),
    /// Forgets the timer of this key, if there is one.
    Cancel(String),
}

/// The id of the command that a timer gives which `policy` has set at `index` of its changes in answer to `event`.
#[must_use]
pub fn timer_command_id(policy: &str, event: Uuid, index: usize) -> Uuid {
    derived_uuid("policy-timer", &format!("{policy}/{event}/{index}"))
}
