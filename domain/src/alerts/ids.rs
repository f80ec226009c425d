//! The id of an alert follows from its cause.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::AlertKind;
use crate::kernel::{IdError, Tag, derived_uuid};

/// An alert. The same kind and cause give the same id, so that no cause raises two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlertId(Uuid);

impl AlertId {
    /// The alert of this kind that `cause` raises.
    #[must_use]
    pub fn of(kind: AlertKind, cause: &str) -> Self {
        Self(derived_uuid(kind.as_str(), cause))
    }

    /// Reads an id.
    ///
    /// # Errors
    /// Not a UUID.
    pub fn new(text: &str) -> Result<Self, IdError> {
        Uuid::try_parse(text).map(Self).map_err(|_| IdError::new("alert id", text, "a UUID"))
    }

    /// The id as a UUID.
    #[must_use]
    pub fn uuid(self) -> Uuid {
        self.0
    }

    /// The tag of facts about this alert.
    #[must_use]
    pub fn tag(self) -> Tag {
        Tag::new("alert", self)
    }
}

impl std::fmt::Display for AlertId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
