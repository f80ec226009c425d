//! Alerts for specifications.

use uuid::Uuid;

use super::{
    AlertAcknowledged, AlertEscalated, AlertId, AlertKind, AlertRaised, AlertResolved, RaiseAlert, Severity, Subject,
};
use crate::airport::{AllocationId, FlightId, StandId};
use crate::kernel::Note;
use crate::rail::fixtures::{pass, site};

/// The id of the spring alert of a cause.
pub(crate) fn id(cause: &str) -> AlertId {
    AlertId::of(AlertKind::SpringOutOfLimits, cause)
}

pub(crate) fn subject() -> Subject {
    Subject::Spring { pass: pass(), car: 1, spring: "L1".into(), quantity: "height".into() }
}

pub(crate) fn raise(cause: &str) -> RaiseAlert {
    RaiseAlert {
        site: site(),
        kind: AlertKind::SpringOutOfLimits,
        severity: Severity::Critical,
        subject: subject(),
        message: "a spring is out of limits".into(),
        cause: Uuid::from_u128(7),
        cause_key: cause.into(),
    }
}

pub(crate) fn raised(cause: &str) -> AlertRaised {
    let RaiseAlert { site, kind, severity, subject, message, cause: event, .. } = raise(cause);
    AlertRaised { alert: id(cause), site, kind, severity, subject, message, cause: event }
}

pub(crate) fn acknowledged(cause: &str, note: &str) -> AlertAcknowledged {
    AlertAcknowledged { alert: id(cause), site: site(), subject: subject(), note: Note::new(note).unwrap() }
}

pub(crate) fn resolved(cause: &str) -> AlertResolved {
    AlertResolved { alert: id(cause), site: site(), subject: subject(), reason: Note::new("no longer so").unwrap() }
}

pub(crate) fn escalated(cause: &str, level: u8) -> AlertEscalated {
    let AlertRaised { alert, site, kind, severity, subject, .. } = raised(cause);
    AlertEscalated { alert, site, kind, severity, subject, level }
}

pub(crate) fn flight() -> FlightId {
    FlightId::new("LFW/AF860/2026-01-01/A/CDG").unwrap()
}

pub(crate) fn allocation(number: u128) -> AllocationId {
    AllocationId(Uuid::from_u128(number))
}

/// A conflict of an allocation of [`flight`].
pub(crate) fn conflict(cause: &str, number: u128) -> AlertRaised {
    let stand = StandId::new("LFW/C03").unwrap();
    AlertRaised {
        alert: AlertId::of(AlertKind::StandConflict, cause),
        kind: AlertKind::StandConflict,
        subject: Subject::Allocation { stand, flight: flight(), allocation: allocation(number) },
        ..raised(cause)
    }
}

/// No stand for [`flight`].
pub(crate) fn saturation(cause: &str) -> AlertRaised {
    AlertRaised {
        alert: AlertId::of(AlertKind::Saturation, cause),
        kind: AlertKind::Saturation,
        subject: Subject::Flight { flight: flight() },
        ..raised(cause)
    }
}
