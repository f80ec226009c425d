//! The apron by a fold that shares nothing with the views of the decisions.

use std::collections::BTreeMap;

use chrono::Duration;

use super::super::*;
use crate::Event;
use crate::kernel::{Interval, IntervalSet};

struct Held {
    stand: StandId,
    stay: Interval,
    buffer_minutes: u32,
    flights: Vec<FlightId>,
    code: CodeLetter,
}

/// Who stands where, what is closed, and what belongs together.
#[derive(Default)]
pub(super) struct Ground {
    active: BTreeMap<AllocationId, Held>,
    closed: BTreeMap<StandId, IntervalSet>,
    codes: BTreeMap<StandId, CodeLetter>,
    links: Vec<TurnaroundLinked>,
}

impl Ground {
    /// Takes a history in and checks every rule after every fact.
    pub(super) fn check(history: &[Event]) {
        let mut ground = Self::default();
        for event in history {
            if let Event::Airport(event) = event {
                ground.take(event);
                ground.nobody_is_too_near();
                ground.nobody_holds_two();
            }
        }
    }

    fn take(&mut self, event: &AirportEvent) {
        if let AirportEvent::StandDefined(e) = event {
            self.codes.insert(e.stand.clone(), e.code);
        }
        if let AirportEvent::TurnaroundLinked(e) = event {
            self.links.push(e.clone());
        }
        if let AirportEvent::StandClosed(e) = event {
            let hit = self.on(&e.stand, |stay| stay.overlaps(&e.interval));
            assert_eq!(ids(&e.hits), hit, "a closure names what it hits");
            self.closed.entry(e.stand.clone()).or_default().add(e.interval);
        }
        if let AirportEvent::StandReopened(e) = event {
            let before = self.closed.get(&e.stand).cloned().unwrap_or_default();
            let mut after = before.clone();
            after.subtract(e.interval);
            let in_part = |set: &IntervalSet, stay: Interval| set.overlapping(stay).next().is_some();
            let relieved = self.on(&e.stand, |stay| in_part(&before, stay) && !in_part(&after, stay));
            assert_eq!(ids(&e.relieved), relieved, "a reopening names what it relieves");
            self.closed.insert(e.stand.clone(), after);
        }
        self.take_stay(event);
    }

    fn take_stay(&mut self, event: &AirportEvent) {
        if let AirportEvent::StandAllocated(e) = event {
            let flights = std::iter::once(e.flight.clone()).chain(e.turnaround.clone()).collect();
            let (stand, stay, buffer_minutes) = (e.stand.clone(), e.interval, e.buffer_minutes);
            self.active.insert(e.allocation, Held { stand, stay, buffer_minutes, flights, code: e.code });
            self.suits(e.allocation);
        }
        if let AirportEvent::AllocationMoved(e) = event {
            let held = self.active.get_mut(&e.allocation).expect("only what is active moves");
            assert_eq!(held.stand, e.from, "it moves from where it is");
            (held.stand, held.buffer_minutes) = (e.to.clone(), e.buffer_minutes);
            self.suits(e.allocation);
        }
        if let AirportEvent::StandFreed(e) = event {
            assert!(self.active.remove(&e.allocation).is_some(), "only what is active is freed");
        }
        if let AirportEvent::AllocationCancelled(e) = event {
            assert!(self.active.remove(&e.allocation).is_some(), "only what is active is cancelled");
        }
    }

    fn on(&self, stand: &StandId, is: impl Fn(Interval) -> bool) -> Vec<AllocationId> {
        let here = self.active.iter().filter(|(_, held)| held.stand == *stand && is(held.stay));
        here.map(|(id, _)| *id).collect()
    }

    fn suits(&self, allocation: AllocationId) {
        let Held { stand, stay, code, .. } = &self.active[&allocation];
        let shut = self.closed.get(stand).is_some_and(|closed| closed.overlapping(*stay).next().is_some());
        assert!(!shut, "{stand} is closed during a stay that it was just given for");
        assert!(self.codes[stand] >= *code, "{stand} is too small");
    }

    fn pairs(&self) -> impl Iterator<Item = (&Held, &Held)> {
        let all = self.active.values().enumerate();
        all.flat_map(|(nth, one)| self.active.values().skip(nth + 1).map(move |other| (one, other)))
    }

    fn nobody_is_too_near(&self) {
        for (one, other) in self.pairs().filter(|(one, other)| one.stand == other.stand) {
            let gap = Duration::minutes(one.buffer_minutes.max(other.buffer_minutes).into());
            let apart = !one.stay.padded(gap).overlaps(&other.stay);
            assert!(apart, "{:?} and {:?} on {}, buffer {gap}", one.stay, other.stay, one.stand);
        }
    }

    fn nobody_holds_two(&self) {
        let linked =
            |a: &FlightId, b: &FlightId| self.links.iter().any(|link| (&link.arrival, &link.departure) == (a, b));
        for (one, other) in self.pairs() {
            let same = |a: &FlightId, b: &FlightId| a == b || linked(a, b) || linked(b, a);
            let shared = one.flights.iter().any(|a| other.flights.iter().any(|b| same(a, b)));
            assert!(!shared, "{:?} and {:?} hold two stands", one.flights, other.flights);
        }
    }
}

fn ids(hits: &[AllocationHit]) -> Vec<AllocationId> {
    hits.iter().map(|hit| hit.allocation).collect()
}
