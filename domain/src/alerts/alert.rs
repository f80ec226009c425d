//! What is known of one alert.

use super::{AlertAcknowledged, AlertEvent, AlertId, AlertRaised, AlertResolved, names};
use crate::Event;
use crate::kernel::{Earlier, Fact, Query, View};

/// An alert: raised, perhaps acknowledged, perhaps resolved.
#[derive(Debug, Clone, Default)]
pub struct Alert {
    /// How it was raised.
    pub raised: Option<AlertRaised>,
    /// Who acknowledged it first.
    pub acknowledged: Option<Earlier>,
    /// Who or what resolved it first.
    pub resolved: Option<Earlier>,
    /// How often it was escalated.
    pub level: u8,
}

impl View for Alert {
    type Key = AlertId;
    fn boundary(alert: &AlertId) -> Query {
        let facts = &[names::ALERT_RAISED, names::ALERT_ACKNOWLEDGED, names::ALERT_RESOLVED, names::ALERT_ESCALATED];
        Query::of(facts, [alert.tag()])
    }
    fn evolve(&mut self, fact: &Fact) {
        let Event::Alerts(event) = &fact.event else { return };
        match event {
            AlertEvent::AlertRaised(raised) => self.raised = Some(raised.clone()),
            AlertEvent::AlertAcknowledged(AlertAcknowledged { note, .. }) => {
                self.acknowledged.get_or_insert_with(|| Earlier::of(&fact.stamp, note));
            }
            AlertEvent::AlertResolved(AlertResolved { reason, .. }) => {
                self.resolved.get_or_insert_with(|| Earlier::of(&fact.stamp, reason));
            }
            AlertEvent::AlertEscalated(escalated) => self.level = self.level.max(escalated.level),
        }
    }
}
