//! Sets the rules by which a site allocates stands.

use serde::{Deserialize, Serialize};

use super::checks::airport;
use super::refusal::Decides;
use super::site_rules::SiteRules;
use super::{AirportRefusal, AllocationRulesSet, Turnaround, Weights};
use crate::kernel::{Context, Decided, Decision, Tag, World};
use crate::support::SiteId;

/// Sets the rules of a site as a whole. Stays keep the buffer that they were given under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAllocationRules {
    /// The site.
    pub site: SiteId,
    /// Minutes that a stand stays free between two stays.
    pub buffer_minutes: u32,
    /// For aircraft types without a rule of their own.
    pub default_turnaround: Turnaround,
    /// What the choice of a stand weighs.
    pub weights: Weights,
}

impl SetAllocationRules {
    /// The longest buffer, in minutes.
    pub const MAX_BUFFER: u32 = 240;
}

/// The version of the rules in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulesVersion {
    /// 1, 2, 3, …
    pub version: u32,
}

impl Decision for SetAllocationRules {
    const NAME: &'static str = "airport.set_allocation_rules";
    type Answer = RulesVersion;
    type Refusal = AirportRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.site.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Decides<RulesVersion> {
        airport(world, &self.site)?;
        let (minutes, max) = (self.buffer_minutes, Self::MAX_BUFFER);
        if minutes > max {
            return Err(AirportRefusal::BufferTooLong { minutes, max }.into());
        }
        let rules = world.guard::<SiteRules>(&self.site)?;
        let set = |version| AllocationRulesSet {
            site: self.site.clone(),
            version,
            buffer_minutes: self.buffer_minutes,
            default_turnaround: self.default_turnaround,
            weights: self.weights,
        };
        let version = rules.version();
        if rules.set == Some(set(version)) {
            return Ok(Decided::nothing(RulesVersion { version }));
        }
        let version = version + 1;
        Ok(Decided::events([set(version).into()], RulesVersion { version }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{lfw, lome};
    use super::*;
    use crate::kernel::spec;

    fn rules(buffer_minutes: u32) -> SetAllocationRules {
        let (default_turnaround, weights) = (Turnaround::minutes(30, 50, 90).unwrap(), Weights::default());
        SetAllocationRules { site: lfw(), buffer_minutes, default_turnaround, weights }
    }

    #[test]
    fn each_set_of_rules_has_the_next_version() {
        let first = spec::given([lome()]).when(rules(15));
        assert_eq!(first.answer().version, 1);
        let second = first.recorded().when(rules(20));
        assert_eq!(second.answer().version, 2);
        let (default_turnaround, weights) = (rules(20).default_turnaround, Weights::default());
        let set = AllocationRulesSet { site: lfw(), version: 2, buffer_minutes: 20, default_turnaround, weights };
        second.then([set.into()]);
    }

    #[test]
    fn the_same_rules_again_are_no_event() {
        let again = spec::given([lome()]).when(rules(15)).recorded().when(rules(15));
        assert_eq!(again.answer().version, 1);
        again.then_nothing();
    }

    #[test]
    fn a_buffer_has_a_limit() {
        assert_eq!(spec::given([lome()]).when(rules(240)).events().len(), 1);
        spec::given([lome()]).when(rules(241)).then_refused("BUFFER_TOO_LONG");
        spec::given([]).when(rules(15)).then_refused("SITE_UNKNOWN");
    }
}
