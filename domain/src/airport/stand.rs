//! Stands as the facts tell them: description and closures.

use std::collections::BTreeMap;

use super::{AirportEvent, StandClosed, StandDefined, StandId, StandReopened, airport_event, names};
use crate::kernel::{Fact, IntervalSet, Query, View};
use crate::support::SiteId;

/// The types of facts about a stand itself.
pub(super) const STAND_FACTS: &[&str] = &[names::STAND_DEFINED, names::STAND_CLOSED, names::STAND_REOPENED];

impl AirportEvent {
    /// The stand, if the fact is about a stand itself.
    fn stand_described(&self) -> Option<&StandId> {
        if let Self::StandDefined(StandDefined { stand, .. })
        | Self::StandClosed(StandClosed { stand, .. })
        | Self::StandReopened(StandReopened { stand, .. }) = self
        {
            Some(stand)
        } else {
            None
        }
    }
}

/// One stand.
#[derive(Debug, Clone, Default)]
pub struct Stand {
    /// Its description, once it is set up.
    pub defined: Option<StandDefined>,
    /// When it is closed.
    pub closed: IntervalSet,
}

impl View for Stand {
    type Key = StandId;
    fn boundary(stand: &StandId) -> Query {
        Query::of(STAND_FACTS, [stand.tag()])
    }
    fn evolve(&mut self, fact: &Fact) {
        if let Some(AirportEvent::StandDefined(defined)) = airport_event(fact) {
            self.defined = Some(defined.clone());
        }
        if let Some(AirportEvent::StandClosed(closed)) = airport_event(fact) {
            self.closed.add(closed.interval);
        }
        if let Some(AirportEvent::StandReopened(reopened)) = airport_event(fact) {
            self.closed.subtract(reopened.interval);
        }
    }
}

/// Every stand of a site.
#[derive(Debug, Clone, Default)]
pub struct Stands(BTreeMap<StandId, Stand>);

impl Stands {
    /// The stand, if it is set up.
    #[must_use]
    pub fn get(&self, stand: &StandId) -> Option<(&StandDefined, &IntervalSet)> {
        self.0.get(stand).and_then(|stand| Some((stand.defined.as_ref()?, &stand.closed)))
    }

    /// The stands that are set up, in the order of their ids, with their closures.
    pub fn iter(&self) -> impl Iterator<Item = (&StandDefined, &IntervalSet)> {
        self.0.values().filter_map(|stand| Some((stand.defined.as_ref()?, &stand.closed)))
    }
}

impl View for Stands {
    type Key = SiteId;
    fn boundary(site: &SiteId) -> Query {
        Query::of(STAND_FACTS, [site.tag()])
    }
    fn evolve(&mut self, fact: &Fact) {
        if let Some(stand) = airport_event(fact).and_then(AirportEvent::stand_described) {
            self.0.entry(stand.clone()).or_default().evolve(fact);
        }
    }
}
