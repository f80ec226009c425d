//! An event of the log, read.

use std::sync::Arc;

use vigie_domain::kernel::{Fact, Stamp};
use vigie_domain::{DecodeError, Event};
use vigie_eventlog::Recorded;

/// An event of the log in today's shape, with everything that the log says of it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What happened, and its stamp.
    pub fact: Fact,
    /// As the log has it.
    pub recorded: Arc<Recorded>,
}

impl Entry {
    /// Reads a recorded event.
    ///
    /// # Errors
    /// This build cannot read it.
    pub fn read(recorded: &Arc<Recorded>) -> Result<Self, DecodeError> {
        let event = Event::decode(&recorded.kind, recorded.version, recorded.data.get())?;
        let stamp = Stamp {
            position: recorded.position,
            id: recorded.id,
            occurred_at: recorded.occurred_at,
            recorded_at: recorded.recorded_at,
            actor: recorded.metadata.actor.clone(),
        };
        Ok(Self { fact: Fact { event, stamp }, recorded: Arc::clone(recorded) })
    }

    /// What happened.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.fact.event
    }

    /// Where, when, by whom.
    #[must_use]
    pub fn stamp(&self) -> &Stamp {
        &self.fact.stamp
    }
}
