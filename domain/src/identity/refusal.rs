//! Why people, keys and roles cannot be changed.

use serde::Serialize;

use super::{Holder, KeyId, SessionId, UserId};
use crate::kernel::{Refused, Verdict, plain};
use crate::support::SiteId;

/// Why a command about people, keys or roles is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "code", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum IdentityRefusal {
    /// There is no such person.
    #[error("there is no user {user}")]
    UserUnknown {
        /// The person.
        user: UserId,
    },
    /// The person was erased, for good.
    #[error("user {user} was erased")]
    UserErased {
        /// The person.
        user: UserId,
    },
    /// The person may do nothing at present.
    #[error("user {user} is deactivated")]
    UserDeactivated {
        /// The person.
        user: UserId,
    },
    /// Nobody could manage people afterwards.
    #[error("user {user} is the last active administrator of everything: make somebody else one first")]
    LastAdministrator {
        /// The person.
        user: UserId,
    },
    /// There is an administrator already.
    #[error("there is an administrator already, who can create users")]
    AlreadyBootstrapped,
    /// There is no such key.
    #[error("there is no key {key}")]
    KeyUnknown {
        /// The key.
        key: KeyId,
    },
    /// The key was revoked, for good.
    #[error("key {key} was revoked")]
    KeyRevoked {
        /// The key.
        key: KeyId,
    },
    /// The key would expire in the past, or later than keys may.
    #[error("a key expires within {days} days from now")]
    KeyExpiry {
        /// The longest that a key may work, in days.
        days: i64,
    },
    /// Nobody signed in with it.
    #[error("there is no session {session}")]
    SessionUnknown {
        /// The session.
        session: SessionId,
    },
    /// The site was never set up.
    #[error("site {site} is not set up")]
    SiteUnknown {
        /// The site.
        site: SiteId,
    },
}

impl IdentityRefusal {
    /// There is no such holder of roles.
    pub(super) fn unknown(holder: Holder) -> Self {
        match holder {
            Holder::User(user) => Self::UserUnknown { user },
            Holder::Key(key) => Self::KeyUnknown { key },
        }
    }
}

impl Refused for IdentityRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::UserUnknown { .. } => "USER_UNKNOWN",
            Self::UserErased { .. } => "USER_ERASED",
            Self::UserDeactivated { .. } => "USER_DEACTIVATED",
            Self::LastAdministrator { .. } => "LAST_ADMINISTRATOR",
            Self::AlreadyBootstrapped => "ALREADY_BOOTSTRAPPED",
            Self::KeyUnknown { .. } => "KEY_UNKNOWN",
            Self::KeyRevoked { .. } => "KEY_REVOKED",
            Self::KeyExpiry { .. } => "KEY_EXPIRY",
            Self::SessionUnknown { .. } => "SESSION_UNKNOWN",
            Self::SiteUnknown { .. } => "SITE_UNKNOWN",
        }
    }
    fn details(&self) -> serde_json::Value {
        plain(self)
    }
}

/// What a decision about people, keys and roles comes to.
pub(super) type Decides<A> = Verdict<A, IdentityRefusal>;
