//! Facts about people, keys, roles and sessions.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grant, Holder, KeyId, Role, SessionId, UserId};
use crate::kernel::{
    Tag,
    events::{Describe, events},
};
use crate::support::SiteId;

events! {
    /// What happened to people, programs and their rights.
    IdentityEvent, names;
    /// A person can be given roles.
    USER_CREATED = "identity.user_created" => UserCreated v 1,
    /// A person can do nothing until further notice.
    USER_DEACTIVATED = "identity.user_deactivated" => UserDeactivated v 1,
    /// A person holds their roles again.
    USER_REACTIVATED = "identity.user_reactivated" => UserReactivated v 1,
    /// Who a person was is forgotten.
    USER_ERASED = "identity.user_erased" => UserErased v 1,
    /// A person or key holds a role.
    ROLE_GRANTED = "identity.role_granted" => RoleGranted v 1,
    /// A person or key holds a role no longer.
    ROLE_REVOKED = "identity.role_revoked" => RoleRevoked v 1,
    /// An API key was made.
    KEY_ISSUED = "identity.key_issued" => KeyIssued v 1,
    /// An API key is refused from now on.
    KEY_REVOKED = "identity.key_revoked" => KeyRevoked v 1,
    /// A person's password was set.
    PASSWORD_SET = "identity.password_set" => PasswordSet v 1,
    /// A link was made by which a person can sign in once.
    LINK_ISSUED = "identity.link_issued" => LinkIssued v 1,
    /// A person signed in.
    SIGNED_IN = "identity.signed_in" => SignedIn v 1,
    /// A person signed out.
    SIGNED_OUT = "identity.signed_out" => SignedOut v 1,
    /// A session was ended by something other than its person.
    SESSION_ENDED = "identity.session_ended" => SessionEnded v 1,
}

/// Facts of the installation itself about one person.
macro_rules! about_user {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        pub struct $name {
            /// The person.
            pub user: UserId,
            $($(#[$fdoc])* pub $field: $type,)*
        }

        impl Describe for $name {
            fn site(&self) -> Option<&SiteId> { None }
            fn tags(&self) -> Vec<Tag> { vec![self.user.tag()] }
        }
    )*};
}

about_user! {
    /// A person can be given roles. Who it is, is kept beside the log.
    UserCreated {}
    /// A person can do nothing until further notice; sessions end, roles rest.
    UserDeactivated {}
    /// A person holds their roles again.
    UserReactivated {}
    /// Who a person was is forgotten, for good; roles and sessions end.
    UserErased {}
    /// A person's password was set; what it is, is kept beside the log.
    PasswordSet {}
    /// A link was made by which a person can sign in once.
    LinkIssued {
        /// When it stops working.
        expires_at: DateTime<Utc>,
    }
}

/// Facts about who holds a role: of the site where it is held, or of the installation itself.
macro_rules! about_role {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        pub struct $name {
            /// Who.
            pub holder: Holder,
            /// The role.
            pub role: Role,
            /// Where; null is everywhere.
            pub site: Option<SiteId>,
        }

        impl $name {
            /// The role, and where.
            #[must_use]
            pub fn grant(&self) -> Grant {
                Grant { role: self.role, site: self.site.clone() }
            }

            /// The fact for a holder.
            #[must_use]
            pub fn of(holder: Holder, Grant { role, site }: Grant) -> Self {
                Self { holder, role, site }
            }
        }

        impl Describe for $name {
            fn site(&self) -> Option<&SiteId> { self.site.as_ref() }
            fn tags(&self) -> Vec<Tag> {
                let site = self.site.as_ref().map(SiteId::tag);
                [self.holder.tag(), self.role.tag()].into_iter().chain(site).collect()
            }
        }
    )*};
}

about_role! {
    /// A person or key holds a role.
    RoleGranted
    /// A person or key holds a role no longer.
    RoleRevoked
}

/// An API key was made. What it is, and what it is for, is kept beside the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyIssued {
    /// The key.
    pub key: KeyId,
    /// When it stops working.
    pub expires_at: DateTime<Utc>,
}

impl Describe for KeyIssued {
    fn site(&self) -> Option<&SiteId> {
        None
    }
    fn tags(&self) -> Vec<Tag> {
        vec![self.key.tag()]
    }
}

/// An API key is refused from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyRevoked {
    /// The key.
    pub key: KeyId,
}

impl Describe for KeyRevoked {
    fn site(&self) -> Option<&SiteId> {
        None
    }
    fn tags(&self) -> Vec<Tag> {
        vec![self.key.tag()]
    }
}

/// How somebody proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignInMethod {
    /// A password kept here.
    Password,
    /// A link that works once.
    Link,
    /// OpenID Connect: another system said so.
    Oidc,
}

/// Why a session ended that its person did not end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// A refresh token was used twice: one of the two who hold it stole it.
    Reuse,
    /// Somebody who manages people ended it.
    Administrator,
    /// The person's password was set.
    PasswordSet,
    /// The system that signed the person in said that it is over.
    Provider,
}

/// Facts of the installation itself about one session.
macro_rules! about_session {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        pub struct $name {
            /// The person.
            pub user: UserId,
            /// The session.
            pub session: SessionId,
            $($(#[$fdoc])* pub $field: $type,)*
        }

        impl Describe for $name {
            fn site(&self) -> Option<&SiteId> { None }
            fn tags(&self) -> Vec<Tag> { vec![self.user.tag(), self.session.tag()] }
        }
    )*};
}

about_session! {
    /// A person signed in.
    SignedIn {
        /// How.
        method: SignInMethod,
    }
    /// A person signed out.
    SignedOut {}
    /// A session was ended by something other than its person.
    SessionEnded {
        /// Why.
        reason: EndReason,
    }
}
