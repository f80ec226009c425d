//! Alerts: raised by policies once per cause, acknowledged by people.

mod events;
mod ids;

pub use events::{AlertAcknowledged, AlertEvent, AlertKind, AlertRaised, AlertResolved, Severity, Subject, names};
pub use ids::AlertId;
