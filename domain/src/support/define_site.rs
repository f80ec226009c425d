//! Sets a site up.

use serde::{Deserialize, Serialize};

use super::{SiteDefined, SiteId, SupportEvent, names};
use crate::Event;
use crate::kernel::{Context, Decided, Decision, Fact, Query, Refused, Tag, Verdict, View, World, plain};

/// What is known of a site.
#[derive(Debug, Clone, Default)]
pub struct Site {
    /// Its description, once it is set up.
    pub defined: Option<SiteDefined>,
}

impl View for Site {
    type Key = SiteId;
    fn boundary(site: &SiteId) -> Query {
        Query::of(&[names::SITE_DEFINED], [site.tag()])
    }
    fn evolve(&mut self, fact: &Fact) {
        if let Event::Support(SupportEvent::SiteDefined(defined)) = &fact.event {
            self.defined = Some(defined.clone());
        }
    }
}

/// Sets a site up or changes its description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefineSite(pub SiteDefined);

/// Why a site cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
pub enum SiteRefusal {
    /// The name is empty or longer than 80 characters.
    #[error("a site's name has 1 to 80 characters")]
    Name,
}

impl Refused for SiteRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::Name => "SITE_NAME",
        }
    }
    fn details(&self) -> serde_json::Value {
        plain(self)
    }
}

impl Decision for DefineSite {
    const NAME: &'static str = "support.define_site";
    type Answer = SiteId;
    type Refusal = SiteRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.0.site.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Verdict<SiteId, SiteRefusal> {
        let site = world.guard::<Site>(&self.0.site)?;
        let answer = self.0.site.clone();
        if !(1..=80).contains(&self.0.name.trim().chars().count()) {
            return Err(crate::kernel::Stop::Refused(SiteRefusal::Name));
        }
        if site.defined.as_ref() == Some(&self.0) {
            return Ok(Decided::nothing(answer));
        }
        Ok(Decided::events([self.0.clone().into()], answer))
    }
}

#[cfg(test)]
mod tests {
    use super::super::SiteKind;
    use super::*;
    use crate::kernel::spec;

    fn lome() -> SiteDefined {
        SiteDefined {
            site: SiteId::new("LFW").unwrap(),
            name: "Lomé".into(),
            kind: SiteKind::Airport,
            zone: super::super::Zone::new("Africa/Lome").unwrap(),
            icao: Some("DXXX".into()),
        }
    }

    #[test]
    fn a_new_site_is_set_up() {
        spec::given([]).when(DefineSite(lome())).then([lome().into()]);
    }

    #[test]
    fn the_same_site_again_is_no_event() {
        spec::given([lome().into()]).when(DefineSite(lome())).then_nothing();
    }

    #[test]
    fn a_site_needs_a_name() {
        let nameless = SiteDefined { name: " ".into(), ..lome() };
        spec::given([]).when(DefineSite(nameless)).then_refused("SITE_NAME");
    }
}
