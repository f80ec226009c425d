//! What is answered when a wish was already true.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Note, Stamp};

/// Who did the wished thing before, when and with which note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// The position of the fact.
    pub position: i64,
    /// When the log recorded it.
    pub at: DateTime<Utc>,
    /// Who or what did it.
    pub by: String,
    /// What was written beside it.
    pub note: Note,
}

impl Earlier {
    /// The fact of this stamp, done with `note`.
    #[must_use]
    pub fn of(stamp: &Stamp, note: &Note) -> Self {
        Self { position: stamp.position, at: stamp.recorded_at, by: stamp.actor.clone(), note: note.clone() }
    }
}
