//! What a site has laid down for its allocations.

use std::collections::BTreeMap;

use super::{AircraftType, AirportEvent, AllocationRulesSet, Turnaround, Weights, airport_event, names};
use crate::kernel::{Fact, Query, View};
use crate::support::SiteId;

/// The buffer between two stays where a site has set none, in minutes.
pub const DEFAULT_BUFFER_MINUTES: u32 = 15;

/// The rules of a site; the built-in ones where it has set none.
#[derive(Debug, Clone, Default)]
pub struct SiteRules {
    /// The rules as last set.
    pub set: Option<AllocationRulesSet>,
    /// The turnaround of each type that has a rule of its own.
    pub turnarounds: BTreeMap<AircraftType, Turnaround>,
}

impl SiteRules {
    /// 1, 2, 3, …; 0 for the built-in rules.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.set.as_ref().map_or(0, |set| set.version)
    }

    /// Minutes that stay free between two stays.
    #[must_use]
    pub fn buffer_minutes(&self) -> u32 {
        self.set.as_ref().map_or(DEFAULT_BUFFER_MINUTES, |set| set.buffer_minutes)
    }

    /// What the choice of a stand weighs.
    #[must_use]
    pub fn weights(&self) -> Weights {
        self.set.as_ref().map_or_else(Weights::default, |set| set.weights)
    }

    /// The turnaround of a type: its own rule, else the site's default, else the built-in one.
    #[must_use]
    pub fn turnaround(&self, aircraft_type: &AircraftType) -> Turnaround {
        let default = || self.set.as_ref().map_or_else(Turnaround::default, |set| set.default_turnaround);
        self.turnarounds.get(aircraft_type).copied().unwrap_or_else(default)
    }
}

impl View for SiteRules {
    type Key = SiteId;
    fn boundary(site: &SiteId) -> Query {
        Query::of(&[names::ALLOCATION_RULES_SET, names::TURNAROUND_RULE_SET], [site.tag()])
    }
    fn evolve(&mut self, fact: &Fact) {
        if let Some(AirportEvent::AllocationRulesSet(set)) = airport_event(fact) {
            self.set = Some(set.clone());
        }
        if let Some(AirportEvent::TurnaroundRuleSet(rule)) = airport_event(fact) {
            self.turnarounds.insert(rule.aircraft_type.clone(), rule.turnaround);
        }
    }
}
