//! Facts about webhook endpoints.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EndpointId, EndpointSettings, SecretId};
use crate::kernel::{
    Tag,
    events::{Describe, events},
};
use crate::support::SiteId;

events! {
    /// What happened to webhook endpoints.
    WebhookEvent, names;
    /// Events are delivered to somebody new.
    ENDPOINT_REGISTERED = "webhooks.endpoint_registered" => EndpointRegistered v 1,
    /// An endpoint is another one in some respect.
    ENDPOINT_CHANGED = "webhooks.endpoint_changed" => EndpointChanged v 1,
    /// Nothing is delivered to an endpoint until further notice.
    ENDPOINT_DISABLED = "webhooks.endpoint_disabled" => EndpointDisabled v 1,
    /// Events are delivered to an endpoint again.
    ENDPOINT_ENABLED = "webhooks.endpoint_enabled" => EndpointEnabled v 1,
    /// Deliveries to an endpoint are signed with a new secret.
    SECRET_ROTATED = "webhooks.secret_rotated" => SecretRotated v 1,
    /// Nothing is delivered to an endpoint any more.
    ENDPOINT_REMOVED = "webhooks.endpoint_removed" => EndpointRemoved v 1,
}

/// How deliveries are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretKind {
    /// `v1`: HMAC-SHA256, with a secret that both sides know.
    Hmac,
    /// `v1a`: Ed25519, with a secret that only this side knows.
    Ed25519,
}

impl SecretKind {
    /// The stored name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hmac => "hmac",
            Self::Ed25519 => "ed25519",
        }
    }
}

/// What signs deliveries. The secret itself is kept encrypted beside the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Secret {
    /// Which one.
    pub id: SecretId,
    /// How it signs.
    pub kind: SecretKind,
    /// What receivers of Ed25519 signatures check them with, as `whpk_…`; null for HMAC.
    pub public_key: Option<String>,
}

/// Why nothing is delivered to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DisableReason {
    /// Somebody wished so.
    Operator,
    /// The receiver answered that it is gone for good (410).
    Gone,
    /// Nothing went through for days.
    Failing,
}

impl DisableReason {
    /// The stored name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }
}

/// Facts about one endpoint: of its site if it is bound to one, else of the installation.
macro_rules! about_endpoint {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        pub struct $name {
            /// The endpoint.
            pub endpoint: EndpointId,
            /// The site whose events it receives; null is those of every site and of the installation.
            pub site: Option<SiteId>,
            $($(#[$fdoc])* pub $field: $type,)*
        }

        impl Describe for $name {
            fn site(&self) -> Option<&SiteId> { self.site.as_ref() }
            fn tags(&self) -> Vec<Tag> { vec![self.endpoint.tag()] }
        }
    )*};
}

about_endpoint! {
    /// Events are delivered to somebody new.
    EndpointRegistered {
        /// What it is like.
        settings: EndpointSettings,
        /// What signs its deliveries.
        secrets: Vec<Secret>,
        /// The position after which its events begin; null is that of this fact.
        after: Option<i64>,
    }
    /// An endpoint is another one in some respect.
    EndpointChanged {
        /// What it is like from now on.
        settings: EndpointSettings,
    }
    /// Nothing is delivered to an endpoint until it is enabled; it goes on where it stopped.
    EndpointDisabled {
        /// Why.
        reason: DisableReason,
    }
    /// Events are delivered to an endpoint again.
    EndpointEnabled {}
    /// Deliveries to an endpoint are signed with a new secret, and with those that it replaces for a while.
    SecretRotated {
        /// The new one.
        secret: Secret,
        /// Those that it replaces.
        retired: Vec<SecretId>,
        /// When those sign no more.
        until: DateTime<Utc>,
    }
    /// Nothing is delivered to an endpoint any more, for good; its secrets are deleted.
    EndpointRemoved {}
}
