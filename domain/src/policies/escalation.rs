//! An alert that nobody acknowledges in time is escalated.

use super::{Policy, Reaction, Timer, TimerChange};
use crate::Event;
use crate::alerts::{AlertEvent, AlertId, EscalateAlert, Severity, names, patience};
use crate::kernel::Fact;

/// One timer per open alert: for its next level, until somebody has looked at it.
pub(super) struct Escalation;

impl Policy for Escalation {
    fn name(&self) -> &'static str {
        "alerts.escalation"
    }
    fn kinds(&self) -> &'static [&'static str] {
        &[names::ALERT_RAISED, names::ALERT_ACKNOWLEDGED, names::ALERT_RESOLVED, names::ALERT_ESCALATED]
    }
    fn react(&self, _fact: &Fact) -> Vec<Reaction> {
        Vec::new()
    }
    fn timers(&self, fact: &Fact) -> Vec<TimerChange> {
        let Event::Alerts(event) = &fact.event else { return vec![] };
        vec![match event {
            AlertEvent::AlertRaised(raised) => wait(fact, raised.alert, raised.severity, 1),
            AlertEvent::AlertEscalated(at) => wait(fact, at.alert, at.severity, at.level.saturating_add(1)),
            AlertEvent::AlertAcknowledged(acknowledged) => TimerChange::Cancel(key(acknowledged.alert)),
            AlertEvent::AlertResolved(resolved) => TimerChange::Cancel(key(resolved.alert)),
        }]
    }
}

/// Waits for the level, or for nothing more.
fn wait(fact: &Fact, alert: AlertId, severity: Severity, level: u8) -> TimerChange {
    match patience(severity, level) {
        Some(patience) => TimerChange::Set(Timer {
            key: key(alert),
            due: fact.stamp.occurred_at + patience,
            reaction: Reaction::EscalateAlert(EscalateAlert { alert, level }),
        }),
        None => TimerChange::Cancel(key(alert)),
    }
}

fn key(alert: AlertId) -> String {
    alert.tag().into_string()
}

#[cfg(test)]
mod tests {
    use chrono::Duration;

    use super::*;
    use crate::alerts::AlertRaised;
    use crate::alerts::fixtures::{acknowledged, escalated, id, raised, resolved};
    use crate::kernel::spec;
    use crate::policies::fixtures::fact;

    fn timer(event: impl Into<Event>) -> TimerChange {
        let [change] = Escalation.timers(&fact(3, event)).try_into().expect("one change");
        change
    }

    fn set(minutes: i64, level: u8) -> TimerChange {
        let (key, due) = (key(id("a")), spec::noon() + Duration::minutes(minutes));
        TimerChange::Set(Timer { key, due, reaction: Reaction::EscalateAlert(EscalateAlert { alert: id("a"), level }) })
    }

    #[test]
    fn an_alert_waits_ten_minutes_and_a_critical_one_is_escalated_again() {
        assert_eq!(timer(raised("a")), set(10, 1));
        assert_eq!(timer(escalated("a", 1)), set(20, 2));
        assert_eq!(timer(escalated("a", 2)), TimerChange::Cancel(key(id("a"))));
    }

    #[test]
    fn a_lesser_alert_is_escalated_once_or_never() {
        let with = |severity| AlertRaised { severity, ..raised("a") };
        assert_eq!(timer(with(Severity::Warning)), set(10, 1));
        assert_eq!(timer(with(Severity::Info)), TimerChange::Cancel(key(id("a"))));
    }

    #[test]
    fn whoever_looks_at_it_stops_the_timer() {
        assert_eq!(timer(acknowledged("a", "")), TimerChange::Cancel(key(id("a"))));
        assert_eq!(timer(resolved("a")), TimerChange::Cancel(key(id("a"))));
    }
}
