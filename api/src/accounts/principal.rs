//! Who asks.

use chrono::{DateTime, Utc};
use vigie_domain::identity::{Holder, KeyId, SessionId, UserId};

use crate::actor::Actor;

/// Who asks, as far as it is proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Principal {
    /// Their name in the log.
    pub(crate) actor: Actor,
    /// Who they are.
    pub(crate) subject: Subject,
    /// When what they showed stops working; never on an open server.
    pub(crate) ends_at: Option<DateTime<Utc>>,
}

/// Who somebody is, by what they showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// Anybody: the server is open, and nobody is asked.
    Open,
    /// A person in a session.
    User {
        /// The person.
        user: UserId,
        /// The session.
        session: SessionId,
    },
    /// A program with its key.
    Key(KeyId),
}

impl Subject {
    /// Who can hold roles; nobody on an open server.
    pub(crate) fn holder(self) -> Option<Holder> {
        match self {
            Self::Open => None,
            Self::User { user, .. } => Some(Holder::User(user)),
            Self::Key(key) => Some(Holder::Key(key)),
        }
    }
}

impl Principal {
    /// A person in a session.
    pub(crate) fn user(user: UserId, session: SessionId, ends_at: DateTime<Utc>) -> Self {
        Self { actor: named(Holder::User(user)), subject: Subject::User { user, session }, ends_at: Some(ends_at) }
    }

    /// A program with its key.
    pub(crate) fn key(key: KeyId, ends_at: DateTime<Utc>) -> Self {
        Self { actor: named(Holder::Key(key)), subject: Subject::Key(key), ends_at: Some(ends_at) }
    }
}

/// The name in the log of whoever can hold roles.
pub(crate) fn named(holder: Holder) -> Actor {
    Actor::new(&holder.to_string()).expect("a kind, a colon and a UUID are an actor's name")
}

/// Why it is not known who asks.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unauthenticated {
    /// Nothing was shown.
    #[error("sign in first: this needs a session, an access token or an API key")]
    Nothing,
    /// What was shown is wrong, revoked or expired; which of these is not said.
    #[error("this session, access token or API key is not valid, or not any more")]
    Invalid,
    /// A browser sent its cookie for a page of another server.
    #[error(
        "a request with a cookie that changes something comes from a page of this server: Origin is missing or another"
    )]
    Origin,
    /// It cannot be told now.
    #[error("who asks cannot be told at present")]
    Failed(#[from] sqlx::Error),
}
