//! Alerts: raised by policies once per cause, acknowledged by people, resolved when their reason is gone, and escalated
//! when nobody acknowledges them in time.

mod acknowledge_alert;
mod alert;
mod escalate_alert;
mod events;
#[cfg(test)]
pub(crate) mod fixtures;
mod ids;
mod raise_alert;
mod raise_endpoint_down;
mod raise_overdue_stay;
mod resolve_alert;
mod resolve_alerts_about;

pub use acknowledge_alert::{AcknowledgeAlert, AcknowledgeRefusal, Acknowledged};
pub use alert::Alert;
pub use escalate_alert::{EscalateAlert, EscalateRefusal, Escalated, MAX_LEVEL, patience};
pub use events::{
    AlertAcknowledged, AlertEscalated, AlertEvent, AlertKind, AlertRaised, AlertResolved, Severity, Subject, names,
};
pub use ids::AlertId;
pub use raise_alert::{MAX_MESSAGE, RaiseAlert, RaiseRefusal, Raised};
pub use raise_endpoint_down::{EndpointDown, RaiseEndpointDown};
pub use raise_overdue_stay::{Overdue, RaiseOverdueStay};
pub use resolve_alert::{ResolveAlert, ResolveRefusal, Resolved};
pub use resolve_alerts_about::{About, OpenAlerts, ResolveAlertsAbout};
