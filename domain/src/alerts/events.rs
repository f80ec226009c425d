//! Facts about alerts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::AlertId;
use crate::airport::{AllocationId, FlightId, StandId};
use crate::kernel::{
    Note, Tag,
    events::{Describe, events},
};
use crate::rail::PassId;
use crate::support::SiteId;
use crate::webhooks::EndpointId;

events! {
    /// What happened to alerts.
    AlertEvent, names;
    /// Something needs a person's attention.
    ALERT_RAISED = "alerts.alert_raised" => AlertRaised v 1,
    /// A person has taken note of it.
    ALERT_ACKNOWLEDGED = "alerts.alert_acknowledged" => AlertAcknowledged v 1,
    /// Its reason is gone.
    ALERT_RESOLVED = "alerts.alert_resolved" => AlertResolved v 1,
    /// Nobody has acknowledged it in time.
    ALERT_ESCALATED = "alerts.alert_escalated" => AlertEscalated v 1,
}

/// What an alert is about, in kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// A spring measured outside its limits.
    SpringOutOfLimits,
    /// An allocation that its stand cannot keep.
    StandConflict,
    /// A flight for which no stand is left.
    Saturation,
    /// An aircraft that is still on its stand when its stay should have ended.
    OverdueStay,
    /// A receiver of webhooks to which nothing is delivered any more.
    EndpointDown,
}

impl AlertKind {
    /// The stored name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SpringOutOfLimits => "spring_out_of_limits",
            Self::StandConflict => "stand_conflict",
            Self::Saturation => "saturation",
            Self::OverdueStay => "overdue_stay",
            Self::EndpointDown => "endpoint_down",
        }
    }
}

/// How much an alert matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Look at it soon.
    Warning,
    /// Look at it now.
    Critical,
}

/// The things that an alert is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Subject {
    /// A spring of a car in a pass.
    Spring {
        /// The pass.
        pass: PassId,
        /// Place of the car in the train, from 1.
        car: u16,
        /// Place of the spring in the car, as the camera system names it.
        spring: String,
        /// What was measured.
        quantity: String,
    },
    /// An allocation and its stand.
    Allocation {
        /// The stand.
        stand: StandId,
        /// The flight.
        flight: FlightId,
        /// The allocation.
        allocation: AllocationId,
    },
    /// A flight.
    Flight {
        /// The flight.
        flight: FlightId,
    },
    /// A webhook endpoint.
    Endpoint {
        /// The endpoint.
        endpoint: EndpointId,
    },
}

impl Subject {
    /// The tags of the things.
    #[must_use]
    pub fn tags(&self) -> Vec<Tag> {
        match self {
            Self::Spring { pass, .. } => vec![pass.tag()],
            Self::Allocation { stand, flight, allocation } => vec![stand.tag(), flight.tag(), allocation.tag()],
            Self::Flight { flight } => vec![flight.tag()],
            Self::Endpoint { endpoint } => vec![endpoint.tag()],
        }
    }
}

/// Something needs a person's attention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertRaised {
    /// The alert.
    pub alert: AlertId,
    /// Where.
    pub site: SiteId,
    /// What kind.
    pub kind: AlertKind,
    /// How much it matters.
    pub severity: Severity,
    /// What it is about.
    pub subject: Subject,
    /// One sentence for the operator.
    pub message: String,
    /// The event that caused it.
    pub cause: Uuid,
}

/// A person has taken note of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertAcknowledged {
    /// The alert.
    pub alert: AlertId,
    /// Where.
    pub site: SiteId,
    /// What it is about.
    pub subject: Subject,
    /// What the person wrote.
    pub note: Note,
}

/// The reason of an alert is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertResolved {
    /// The alert.
    pub alert: AlertId,
    /// Where.
    pub site: SiteId,
    /// What it is about.
    pub subject: Subject,
    /// Why, in one sentence.
    pub reason: Note,
}

/// Nobody has acknowledged an alert in time: it concerns more people now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertEscalated {
    /// The alert.
    pub alert: AlertId,
    /// Where.
    pub site: SiteId,
    /// What kind.
    pub kind: AlertKind,
    /// How much it matters.
    pub severity: Severity,
    /// What it is about.
    pub subject: Subject,
    /// How often it has been escalated, this time included: from 1.
    pub level: u8,
}

macro_rules! describe {
    ($($event:ident),*) => {$(
        impl Describe for $event {
            fn site(&self) -> Option<&SiteId> { Some(&self.site) }
            fn tags(&self) -> Vec<Tag> {
                std::iter::once(self.alert.tag()).chain(self.subject.tags()).collect()
            }
        }
    )*};
}
describe!(AlertRaised, AlertAcknowledged, AlertResolved, AlertEscalated);
