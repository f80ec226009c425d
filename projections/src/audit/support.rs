//! What facts about sites say.

use vigie_domain::support::SupportEvent;

use super::told::{Told, is};

pub(super) fn describe(event: &SupportEvent) -> Told {
    match event {
        SupportEvent::SiteDefined(e) => Told::new(format!("set up site {}", e.site)).set(
            e.site.tag(),
            [("name", is(&e.name)), ("kind", is(e.kind)), ("zone", is(&e.zone)), ("icao", is(&e.icao))],
        ),
    }
}
