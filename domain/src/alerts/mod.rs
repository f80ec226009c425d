//! Alerts: raised by policies once per cause, acknowledged by people, resolved when their reason is gone.

mod acknowledge_alert;
mod alert;
mod events;
#[cfg(test)]
pub(crate) mod fixtures;
mod ids;
mod raise_alert;
mod resolve_alert;
mod resolve_alerts_about;

pub use acknowledge_alert::{AcknowledgeAlert, AcknowledgeRefusal, Acknowledged};
pub use alert::Alert;
pub use events::{AlertAcknowledged, AlertEvent, AlertKind, AlertRaised, AlertResolved, Severity, Subject, names};
pub use ids::AlertId;
pub use raise_alert::{MAX_MESSAGE, RaiseAlert, RaiseRefusal, Raised};
pub use resolve_alert::{ResolveAlert, ResolveRefusal, Resolved};
pub use resolve_alerts_about::{About, OpenAlerts, ResolveAlertsAbout};
