//! Load, decide, append, bounded retry.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use vigie_domain::kernel::Decision;
use vigie_eventlog::Log;

use crate::{Done, Failure, Order};

/// Tells the time of a command.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Carries decisions out. Cheap to clone; clones share the folded views.
#[derive(Clone)]
pub struct Executor {
    _log: Log,
    _clock: Clock,
}

impl Executor {
    /// An executor on this log. Commands happen at the time that `clock` tells.
    #[must_use]
    pub fn new(log: Log, clock: Clock) -> Self {
        Self { _log: log, _clock: clock }
    }

    /// Carries a command out.
    ///
    /// # Errors
    /// Refused by its rule, contended beyond the bound, or the log failed.
    pub async fn execute<D: Decision>(
        &self,
        _command: &D,
        _order: Order,
    ) -> Result<Done<D::Answer>, Failure<D::Refusal>> {
        todo!()
    }
}
