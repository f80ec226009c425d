//! Stays: who holds which stand when, as the facts of allocation tell it.
//!
//! Every fact of allocation says the whole stay after it, so that a fold that starts in the middle of a stay (the
//! facts of a later day) still knows it. A stay keeps the buffer that it was given under, or the larger one in force
//! when it was moved; its day tags therefore never shrink, and every day that once saw the stay sees it change.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Duration, NaiveDate, Utc};

use super::{AirportEvent, AllocationHit, AllocationId, CodeLetter, FlightId, StandId, airport_event, names, site_day};
use crate::kernel::{Fact, Interval, Query, View};
use crate::support::SiteId;

/// The types of facts that begin, change or end a stay.
pub const ALLOCATION_FACTS: &[&str] =
    &[names::STAND_ALLOCATED, names::ALLOCATION_MOVED, names::STAND_FREED, names::ALLOCATION_CANCELLED];

/// Whether a stay is still held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is planned or under way.
    Active,
    /// The aircraft left at this time.
    Freed(DateTime<Utc>),
    /// It is not wanted any more.
    Cancelled,
}

/// One stay, after a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// The allocation.
    pub allocation: AllocationId,
    /// The stand.
    pub stand: StandId,
    /// The flight that asked for it.
    pub flight: FlightId,
    /// The other leg of its turnaround.
    pub turnaround: Option<FlightId>,
    /// As it was planned.
    pub planned: Interval,
    /// The buffer that it keeps, in minutes.
    pub buffer_minutes: u32,
    /// Whether it is still held.
    pub standing: Standing,
}

impl Stay {
    /// The stay after `event`, if that is a fact of allocation.
    #[must_use]
    pub fn after(event: &AirportEvent) -> Option<Self> {
        macro_rules! stay {
            ($e:ident, $stand:ident, $planned:ident, $standing:expr) => {
                Some(Self {
                    allocation: $e.allocation,
                    stand: $e.$stand.clone(),
                    flight: $e.flight.clone(),
                    turnaround: $e.turnaround.clone(),
                    planned: $e.$planned,
                    buffer_minutes: $e.buffer_minutes,
                    standing: $standing,
                })
            };
        }
        match event {
            AirportEvent::StandAllocated(e) => stay!(e, stand, interval, Standing::Active),
            AirportEvent::AllocationMoved(e) => stay!(e, to, interval, Standing::Active),
            AirportEvent::StandFreed(e) => stay!(e, stand, planned, Standing::Freed(e.off_block_at)),
            AirportEvent::AllocationCancelled(e) => stay!(e, stand, planned, Standing::Cancelled),
            AirportEvent::StandDefined(_)
            | AirportEvent::AllocationRulesSet(_)
            | AirportEvent::TurnaroundRuleSet(_)
            | AirportEvent::StandClosed(_)
            | AirportEvent::StandReopened(_)
            | AirportEvent::NoStandFound(_)
            | AirportEvent::FlightRegistered(_)
            | AirportEvent::FlightRescheduled(_)
            | AirportEvent::FlightEstimated(_)
            | AirportEvent::FlightLanded(_)
            | AirportEvent::FlightArrived(_)
            | AirportEvent::FlightDeparted(_)
            | AirportEvent::FlightPhaseReported(_)
            | AirportEvent::FlightCancelled(_)
            | AirportEvent::FlightReinstated(_)
            | AirportEvent::FlightReverted(_)
            | AirportEvent::FlightPlaced(_)
            | AirportEvent::DetailsCorrected(_)
            | AirportEvent::AircraftAssigned(_)
            | AirportEvent::TurnaroundLinked(_) => None,
        }
    }

    /// Whether it is planned or under way.
    #[must_use]
    pub fn is_active(&self) -> bool {
        match self.standing {
            Standing::Active => true,
            Standing::Freed(_) | Standing::Cancelled => false,
        }
    }

    /// When the stand is taken: as planned, until the aircraft left; `None` if it never is.
    #[must_use]
    pub fn occupied(&self) -> Option<Interval> {
        match self.standing {
            Standing::Active => Some(self.planned),
            Standing::Freed(off_block_at) => Interval::new(self.planned.from(), off_block_at).ok(),
            Standing::Cancelled => None,
        }
    }

    /// Whether `wanted`, with a buffer of its own, comes too near: the larger of both buffers has to stay free.
    #[must_use]
    pub fn clashes(&self, wanted: Interval, buffer_minutes: u32) -> bool {
        let gap = Duration::minutes(buffer_minutes.max(self.buffer_minutes).into());
        self.occupied().is_some_and(|taken| wanted.padded(gap).overlaps(&taken))
    }

    /// The leg of the turnaround that is not `flight`.
    #[must_use]
    pub fn other_leg(&self, flight: &FlightId) -> Option<&FlightId> {
        if self.flight == *flight { self.turnaround.as_ref() } else { Some(&self.flight) }
    }

    pub(super) fn hit(&self) -> AllocationHit {
        AllocationHit { allocation: self.allocation, flight: self.flight.clone(), interval: self.planned }
    }
}

fn stay_of(fact: &Fact) -> Option<Stay> {
    airport_event(fact).and_then(Stay::after)
}

/// A site on a UTC day, such as `LFW/2026-01-15`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteDay {
    /// The site.
    pub site: SiteId,
    /// The day.
    pub day: NaiveDate,
}

impl fmt::Display for SiteDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.site, self.day)
    }
}

/// Every stay at a site that touches a day and takes ground.
#[derive(Debug, Clone, Default)]
pub struct StaysOfDay(BTreeMap<AllocationId, Stay>);

impl StaysOfDay {
    /// The stays, by allocation.
    pub fn iter(&self) -> impl Iterator<Item = &Stay> {
        self.0.values()
    }
}

impl View for StaysOfDay {
    type Key = SiteDay;
    fn boundary(key: &SiteDay) -> Query {
        Query::of(ALLOCATION_FACTS, [site_day(&key.site, key.day)])
    }
    fn evolve(&mut self, fact: &Fact) {
        let Some(stay) = stay_of(fact) else { return };
        if stay.occupied().is_some() {
            self.0.insert(stay.allocation, stay);
        } else {
            self.0.remove(&stay.allocation);
        }
    }
}

/// The active stays of one stand.
#[derive(Debug, Clone, Default)]
pub struct StaysOfStand(BTreeMap<AllocationId, Stay>);

impl StaysOfStand {
    /// The active stays, by allocation.
    pub fn iter(&self) -> impl Iterator<Item = &Stay> {
        self.0.values()
    }
}

impl View for StaysOfStand {
    type Key = StandId;
    fn boundary(stand: &StandId) -> Query {
        Query::of(ALLOCATION_FACTS, [stand.tag()])
    }
    fn evolve(&mut self, fact: &Fact) {
        let Some(stay) = stay_of(fact) else { return };
        // A stay that is here and changes stands leaves; one that is not here comes.
        let leaves = self.0.get(&stay.allocation).is_some_and(|here| here.stand != stay.stand);
        if stay.is_active() && !leaves {
            self.0.insert(stay.allocation, stay);
        } else {
            self.0.remove(&stay.allocation);
        }
    }
}

/// One allocation from its beginning to its end.
#[derive(Debug, Clone, Default)]
pub struct Allocation {
    /// Its stay as it is now, once it exists.
    pub stay: Option<Stay>,
    /// The code letter that it needs.
    pub code: Option<CodeLetter>,
}

impl View for Allocation {
    type Key = AllocationId;
    fn boundary(allocation: &AllocationId) -> Query {
        Query::of(ALLOCATION_FACTS, [allocation.tag()])
    }
    fn evolve(&mut self, fact: &Fact) {
        if let Some(AirportEvent::StandAllocated(allocated)) = airport_event(fact) {
            self.code = Some(allocated.code);
        }
        if let Some(stay) = stay_of(fact) {
            self.stay = Some(stay);
        }
    }
}
