//! Why webhook endpoints cannot be changed.

use serde::Serialize;

use super::{EndpointId, TagKind, TypePattern};
use crate::TAG_KINDS;
use crate::kernel::{Refused, Stop, Verdict, World, plain};
use crate::support::{Site, SiteId};

/// Why a command about webhook endpoints is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "code", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WebhookRefusal {
    /// There is no such endpoint.
    #[error("there is no endpoint {endpoint}")]
    EndpointUnknown {
        /// The endpoint.
        endpoint: EndpointId,
    },
    /// The endpoint was removed, for good.
    #[error("endpoint {endpoint} was removed")]
    EndpointRemoved {
        /// The endpoint.
        endpoint: EndpointId,
    },
    /// The site was never set up.
    #[error("site {site} is not set up")]
    SiteUnknown {
        /// The site.
        site: SiteId,
    },
    /// No event is of such a type.
    #[error("no event type fits {pattern}")]
    TypeUnknown {
        /// The pattern.
        pattern: TypePattern,
    },
    /// No event carries tags of such a kind.
    #[error("no event has a tag of the kind {kind}: there are {}", TAG_KINDS.join(", "))]
    TagKindUnknown {
        /// The kind.
        kind: TagKind,
    },
    /// The filter, or the list of headers, is too long or names something twice.
    #[error("a list has at most {most} entries, each once")]
    ListTooLong {
        /// The most.
        most: usize,
    },
    /// Deliveries would not be signed, or twice in the same way.
    #[error("deliveries are signed with one secret of each kind, at least of one kind")]
    SecretKinds,
    /// Old secrets would sign for too long.
    #[error("replaced secrets go on for at most {minutes} minutes")]
    OverlapTooLong {
        /// The most, in minutes.
        minutes: u32,
    },
    /// So many secrets were replaced lately that the signatures become too long.
    #[error("{most} secrets sign at present: wait until a replaced one has ended, or replace without overlap")]
    TooManySecrets {
        /// The most.
        most: usize,
    },
}

impl Refused for WebhookRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::EndpointUnknown { .. } => "ENDPOINT_UNKNOWN",
            Self::EndpointRemoved { .. } => "ENDPOINT_REMOVED",
            Self::SiteUnknown { .. } => "SITE_UNKNOWN",
            Self::TypeUnknown { .. } => "TYPE_UNKNOWN",
            Self::TagKindUnknown { .. } => "TAG_KIND_UNKNOWN",
            Self::ListTooLong { .. } => "LIST_TOO_LONG",
            Self::SecretKinds => "SECRET_KINDS",
            Self::OverlapTooLong { .. } => "OVERLAP_TOO_LONG",
            Self::TooManySecrets { .. } => "TOO_MANY_SECRETS",
        }
    }
    fn details(&self) -> serde_json::Value {
        plain(self)
    }
}

/// What a decision about endpoints comes to.
pub(super) type Decides = Verdict<EndpointId, WebhookRefusal>;

/// Checks that there is such a site. Not guarded: a site that is set up stays set up.
pub(super) fn check_site(world: &World, site: Option<&SiteId>) -> Result<(), Stop<WebhookRefusal>> {
    match site {
        Some(site) if world.consult::<Site>(site)?.defined.is_none() => {
            Err(WebhookRefusal::SiteUnknown { site: site.clone() }.into())
        }
        _ => Ok(()),
    }
}
