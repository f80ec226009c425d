//! What facts about sites, and decisions about read models and policies, say.

use vigie_domain::support::{EventSkipped, SupportEvent};

use super::told::{Told, is};

pub(super) fn describe(event: &SupportEvent) -> Told {
    match event {
        SupportEvent::SiteDefined(e) => Told::new(format!("set up site {}", e.site)).set(
            e.site.tag(),
            [("name", is(&e.name)), ("kind", is(e.kind)), ("zone", is(&e.zone)), ("icao", is(&e.icao))],
        ),
        SupportEvent::EventSkipped(e) => skipped(e),
    }
}

fn skipped(e: &EventSkipped) -> Told {
    let field = format!("skips {}", e.position);
    Told::new(format!("made {} skip the event at position {}", e.consumer, e.position))
        .note(e.reason.as_str())
        .set(e.consumer.tag(), [(&field, is(true))])
}
