//! Ids of people, keys and sessions: drawn by whoever makes them (UUIDv7), and all that the log says of somebody.

use std::fmt::{self, Display};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::{IdError, Tag, uuid_id};

uuid_id!(
    /// A person.
    UserId,
    "user id",
    "user"
);

uuid_id!(
    /// An API key, by which a program signs its requests.
    KeyId,
    "key id",
    "key"
);

uuid_id!(
    /// A session: from a sign-in to its end.
    SessionId,
    "session id",
    "session"
);

/// Who can hold a role; as text `user:<uuid>` or `key:<uuid>`, which is also its name as an actor in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// A person.
    User(UserId),
    /// A program's API key.
    Key(KeyId),
}

impl Holder {
    /// Reads `user:<uuid>` or `key:<uuid>`.
    ///
    /// # Errors
    /// The text is neither.
    pub fn new(text: &str) -> Result<Self, IdError> {
        match text.split_once(':') {
            Some(("user", id)) => UserId::new(id).map(Self::User),
            Some(("key", id)) => KeyId::new(id).map(Self::Key),
            _ => Err(IdError::new("holder of a role", text, "user: or key: and a UUID")),
        }
    }

    /// The tag of facts about them.
    #[must_use]
    pub fn tag(self) -> Tag {
        match self {
            Self::User(user) => user.tag(),
            Self::Key(key) => key.tag(),
        }
    }
}

impl Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tag().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_read_back_from_its_text() {
        let id = "01930000-0000-7000-8000-000000000001";
        for text in [format!("user:{id}"), format!("key:{id}")] {
            assert_eq!(Holder::new(&text).unwrap().to_string(), text);
        }
        for text in ["", "user:", id, "feed:hkia", "user:somebody"] {
            assert!(Holder::new(text).is_err(), "{text:?}");
        }
    }
}
