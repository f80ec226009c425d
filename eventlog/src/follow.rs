//! Following the log: history, then what comes, without a seam.

use std::sync::Arc;

use crate::{LogError, Recorded};

/// Follows matching events. Slow followers read from the database and hold nobody up.
pub struct Follower {
    _private: (),
}

/// What a follower sees next.
#[derive(Debug, Clone)]
pub struct Step {
    /// Matching events in order; empty when the log has moved on without a match.
    pub events: Vec<Arc<Recorded>>,
    /// Everything up to this position has been looked at.
    pub position: i64,
}

impl Follower {
    /// Waits until the log has moved past what this follower has seen. Safe to cancel: nothing is lost.
    ///
    /// # Errors
    /// [`LogError::Closed`] when the log shuts down. A failing database is waited for.
    pub async fn next(&mut self) -> Result<Step, LogError> {
        todo!()
    }

    /// The position up to which this follower has looked at everything.
    #[must_use]
    pub fn position(&self) -> i64 {
        todo!()
    }
}
