//! What an append asks for and what it gets.

use serde_json::value::RawValue;

use crate::{LogError, Metadata, NewEvent, Query};

/// Nothing that matches `query` may have been added after position `after`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Condition {
    /// What must not have been added.
    pub query: Query,
    /// The last position that the caller has seen.
    pub after: i64,
}

/// Events to append together, or not at all.
#[derive(Debug, Clone)]
pub struct Append {
    /// The events, in order; at least one.
    pub events: Vec<NewEvent>,
    /// Where they come from; `command_id` makes the append idempotent.
    pub metadata: Metadata,
    /// All must hold.
    pub conditions: Vec<Condition>,
    /// What the command's caller is told; kept, and handed out when the command comes again.
    pub answer: Option<Box<RawValue>>,
}

/// An append that is in the log.
#[derive(Debug, Clone)]
pub struct Appended {
    /// Position of its first event.
    pub first: i64,
    /// Position of its last event.
    pub last: i64,
    /// Whether the command had been appended before; nothing was added now.
    pub repeated: bool,
    /// The answer kept with the command, by its first append.
    pub answer: Option<Box<RawValue>>,
    /// Name of the command, by its first append.
    pub command: String,
}

/// Why nothing was appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// A condition does not hold.
    #[error("the event at position {position} matches condition {condition}")]
    Conflict {
        /// Index of the condition in [`Append::conditions`].
        condition: usize,
        /// Position of an event that matches it.
        position: i64,
    },
    /// An append without events, or with more than [`Append::MAX_EVENTS`].
    #[error("an append has 1 to {max} events, not {found}", max = Append::MAX_EVENTS)]
    Size {
        /// How many it had.
        found: usize,
    },
    /// A type or tag that cannot be stored: empty, or with a control character; or a site with one.
    #[error("{what} {text:?} cannot be stored: it is empty or has a control character")]
    Text {
        /// What it is.
        what: &'static str,
        /// As given.
        text: String,
    },
    /// The data of an event cannot be stored.
    #[error("the data of event {event} of the append cannot be stored: {reason}")]
    Data {
        /// Index of the event in [`Append::events`].
        event: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The log could not be reached; nothing is known of the append's outcome. Send it again with the same command id.
    #[error("the log could not take the append")]
    Log(#[from] LogError),
}

/// Whether a type, site or tag can be stored.
pub(crate) fn is_storable(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

impl Append {
    /// The most events in one append.
    pub const MAX_EVENTS: usize = 10_000;

    /// Lists are joined by a control character on their way to the database, so none may be inside.
    pub(crate) fn check(&self) -> Result<(), AppendError> {
        let found = self.events.len();
        if !(1..=Self::MAX_EVENTS).contains(&found) {
            return Err(AppendError::Size { found });
        }
        let texts = self.events.iter().flat_map(|event| {
            let tags = event.tags.iter().map(|tag| ("tag", tag));
            // What happened at no site has none.
            let site = Some(("site", &event.site)).filter(|(_, site)| !site.is_empty());
            [("event type", &event.kind)].into_iter().chain(site).chain(tags)
        });
        for (what, text) in texts {
            if !is_storable(text) {
                return Err(AppendError::Text { what, text: text.clone() });
            }
        }
        Ok(())
    }
}
