//! Sets how long aircraft of a type usually stay at a site.

use serde::{Deserialize, Serialize};

use super::checks::airport;
use super::refusal::Decides;
use super::site_rules::SiteRules;
use super::{AircraftType, AirportRefusal, Turnaround, TurnaroundRuleSet};
use crate::kernel::{Context, Decided, Decision, Tag, World};
use crate::support::SiteId;

/// Sets the turnaround minutes of an aircraft type at a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetTurnaroundRule {
    /// The site.
    pub site: SiteId,
    /// The type.
    pub aircraft_type: AircraftType,
    /// Its minutes.
    pub turnaround: Turnaround,
}

impl Decision for SetTurnaroundRule {
    const NAME: &'static str = "airport.set_turnaround_rule";
    type Answer = AircraftType;
    type Refusal = AirportRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.site.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Decides<AircraftType> {
        let Self { site, aircraft_type, turnaround } = self.clone();
        airport(world, &site)?;
        let rules = world.guard::<SiteRules>(&site)?;
        if rules.turnarounds.get(&aircraft_type) == Some(&turnaround) {
            return Ok(Decided::nothing(aircraft_type));
        }
        let answer = aircraft_type.clone();
        Ok(Decided::events([TurnaroundRuleSet { site, aircraft_type, turnaround }.into()], answer))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{lfw, lome};
    use super::*;
    use crate::kernel::spec;

    fn rule(aircraft_type: &str, typical: u32) -> SetTurnaroundRule {
        let turnaround = Turnaround::minutes(20, typical, 200).unwrap();
        SetTurnaroundRule { site: lfw(), aircraft_type: AircraftType::new(aircraft_type).unwrap(), turnaround }
    }

    #[test]
    fn a_rule_is_set_per_type_and_repeating_it_is_no_event() {
        let first = spec::given([lome()]).when(rule("A333", 90));
        assert_eq!(first.events().len(), 1);
        let given = first.recorded();
        given.clone().when(rule("A333", 90)).then_nothing();
        assert_eq!(given.clone().when(rule("A333", 80)).events().len(), 1);
        assert_eq!(given.when(rule("B738", 90)).events().len(), 1);
    }

    #[test]
    fn the_site_must_be_set_up() {
        spec::given([]).when(rule("A333", 90)).then_refused("SITE_UNKNOWN");
    }
}
