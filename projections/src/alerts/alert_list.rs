//! The alerts, open and done with.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use vigie_domain::Event;
use vigie_domain::airport::{AllocationId, FlightId, StandId};
use vigie_domain::alerts::{AlertEvent, AlertId, AlertKind, AlertRaised, Severity, Subject, names};
use vigie_domain::rail::PassId;
use vigie_domain::support::SiteId;
use vigie_domain::webhooks::EndpointId;

use crate::engine::row;
use crate::{Entry, FoldError, ReadModel, Rows};

/// How far an alert has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertStatus {
    /// Nobody has taken note of it.
    Raised,
    /// A person has.
    Acknowledged,
    /// Its reason is gone.
    Resolved,
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the columns are described in the migration")]
pub struct AlertRow {
    pub alert: AlertId,
    pub site: SiteId,
    pub kind: AlertKind,
    pub severity: Severity,
    pub status: AlertStatus,
    pub message: String,
    pub cause: Uuid,
    pub pass: Option<PassId>,
    pub car: Option<u16>,
    pub spring: Option<String>,
    pub quantity: Option<String>,
    pub stand: Option<StandId>,
    pub flight: Option<FlightId>,
    pub allocation: Option<AllocationId>,
    pub endpoint: Option<EndpointId>,
    pub raised_at: DateTime<Utc>,
    pub raised_by: String,
    pub acknowledged_at: Option<DateTime<Utc>>,
    pub acknowledged_by: Option<String>,
    pub acknowledged_note: Option<String>,
    pub resolved_at: Option<DateTime<Utc>>,
    pub resolved_by: Option<String>,
    pub resolved_reason: Option<String>,
    pub level: Option<u8>,
    pub escalated_at: Option<DateTime<Utc>>,
    pub position: i64,
    pub created_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
}
row!(AlertRow in "alerts" by alert: AlertId);

/// Alerts with what became of them.
pub struct Alerts;

impl ReadModel for Alerts {
    const NAME: &'static str = "alerts";
    const VERSION: i32 = 3;
    const EVENTS: &'static [&'static str] =
        &[names::ALERT_RAISED, names::ALERT_ACKNOWLEDGED, names::ALERT_RESOLVED, names::ALERT_ESCALATED];
    type Rows = (AlertRow,);

    fn keys(entry: &Entry, rows: &mut Rows) {
        let Event::Alerts(event) = entry.event() else { return };
        let alert = match event {
            AlertEvent::AlertRaised(raised) => raised.alert,
            AlertEvent::AlertAcknowledged(acknowledged) => acknowledged.alert,
            AlertEvent::AlertResolved(resolved) => resolved.alert,
            AlertEvent::AlertEscalated(escalated) => escalated.alert,
        };
        rows.want::<AlertRow>((alert,));
    }

    fn fold(entry: &Entry, rows: &mut Rows) -> Result<(), FoldError> {
        let Event::Alerts(event) = entry.event() else { return Ok(()) };
        let (at, by) = (entry.stamp().occurred_at, &entry.stamp().actor);
        match event {
            AlertEvent::AlertRaised(raised) => {
                let new = |row: Option<&AlertRow>| row.cloned().unwrap_or_else(|| AlertRow::new(raised, entry));
                rows.put(&(raised.alert,), entry, new)
            }
            AlertEvent::AlertAcknowledged(event) => rows.change(&(event.alert,), entry, |row: &mut AlertRow| {
                row.status = AlertStatus::Acknowledged;
                row.acknowledged_at = Some(at);
                row.acknowledged_by = Some(by.clone());
                row.acknowledged_note = Some(event.note.as_str().to_owned());
            }),
            AlertEvent::AlertResolved(event) => rows.change(&(event.alert,), entry, |row: &mut AlertRow| {
                row.status = AlertStatus::Resolved;
                row.resolved_at = Some(at);
                row.resolved_by = Some(by.clone());
                row.resolved_reason = Some(event.reason.as_str().to_owned());
            }),
            AlertEvent::AlertEscalated(event) => rows.change(&(event.alert,), entry, |row: &mut AlertRow| {
                row.level = Some(event.level);
                row.escalated_at = Some(at);
            }),
        }
    }
}

impl AlertRow {
    fn new(raised: &AlertRaised, entry: &Entry) -> Self {
        let stamp = entry.stamp();
        let mut row = Self {
            alert: raised.alert,
            site: raised.site.clone(),
            kind: raised.kind,
            severity: raised.severity,
            status: AlertStatus::Raised,
            message: raised.message.clone(),
            cause: raised.cause,
            pass: None,
            car: None,
            spring: None,
            quantity: None,
            stand: None,
            flight: None,
            allocation: None,
            endpoint: None,
            raised_at: stamp.occurred_at,
            raised_by: stamp.actor.clone(),
            acknowledged_at: None,
            acknowledged_by: None,
            acknowledged_note: None,
            resolved_at: None,
            resolved_by: None,
            resolved_reason: None,
            level: None,
            escalated_at: None,
            position: 0,
            created_at: stamp.recorded_at,
            changed_at: stamp.recorded_at,
        };
        row.about(&raised.subject);
        row
    }

    fn about(&mut self, subject: &Subject) {
        match subject {
            Subject::Spring { pass, car, spring, quantity } => {
                self.pass = Some(pass.clone());
                self.car = Some(*car);
                self.spring = Some(spring.clone());
                self.quantity = Some(quantity.clone());
            }
            Subject::Allocation { stand, flight, allocation } => {
                self.stand = Some(stand.clone());
                self.flight = Some(flight.clone());
                self.allocation = Some(*allocation);
            }
            Subject::Flight { flight } => self.flight = Some(flight.clone()),
            Subject::Endpoint { endpoint } => self.endpoint = Some(*endpoint),
        }
    }
}
