//! What facts about alerts say.

use vigie_domain::alerts::AlertEvent;

use super::told::{Told, is};

pub(super) fn describe(event: &AlertEvent) -> Told {
    match event {
        AlertEvent::AlertRaised(e) => Told::new(format!("raised an alert: {}", e.message)).set(
            e.alert.tag(),
            [("status", is("raised")), ("kind", is(e.kind)), ("severity", is(e.severity)), ("message", is(&e.message))],
        ),
        AlertEvent::AlertAcknowledged(e) => Told::new(format!("acknowledged alert {}", e.alert))
            .note(e.note.as_str())
            .set(e.alert.tag(), [("status", is("acknowledged"))]),
        AlertEvent::AlertResolved(e) => Told::new(format!("resolved alert {}", e.alert))
            .note(e.reason.as_str())
            .set(e.alert.tag(), [("status", is("resolved"))]),
        AlertEvent::AlertEscalated(e) => {
            Told::new(format!("escalated alert {}, which nobody has acknowledged, to level {}", e.alert, e.level))
                .set(e.alert.tag(), [("level", is(e.level))])
        }
    }
}
