//! The apron, by a fold that shares nothing with the decisions: no stand is given twice.

use std::collections::BTreeMap;

use chrono::Duration;
use vigie_domain::Event;
use vigie_domain::airport::{AirportEvent, AllocationId, FlightId, StandId};
use vigie_domain::kernel::Interval;
use vigie_eventlog::Recorded;

use super::{Checked, Violation};

const PROMISE: &str = "no stand is given twice, and no flight holds two";

#[derive(Clone)]
struct Held {
    flight: FlightId,
    stay: Interval,
    buffer: u32,
    at: i64,
}

/// Who stands where.
#[derive(Default)]
pub(super) struct Ground {
    stands: BTreeMap<StandId, BTreeMap<AllocationId, Held>>,
    where_is: BTreeMap<AllocationId, StandId>,
    flights: BTreeMap<FlightId, AllocationId>,
    /// How many were looked at.
    pub(super) stays: usize,
}

impl Ground {
    /// Takes the next event in.
    pub(super) fn take(&mut self, recorded: &Recorded, event: &Event, checked: &mut Checked) {
        let Event::Airport(event) = event else { return };
        let at = recorded.position;
        match event {
            AirportEvent::StandAllocated(e) => {
                let held = Held { flight: e.flight.clone(), stay: e.interval, buffer: e.buffer_minutes, at };
                if self.flights.insert(e.flight.clone(), e.allocation).is_some() {
                    let says = format!("{at} gives {} a second stand", e.flight);
                    checked.broken(Violation::new(PROMISE, at, says));
                }
                self.put(e.allocation, &e.stand, held, checked);
            }
            AirportEvent::AllocationMoved(e) => {
                let held = Held { flight: e.flight.clone(), stay: e.interval, buffer: e.buffer_minutes, at };
                self.end(e.allocation);
                self.flights.insert(e.flight.clone(), e.allocation);
                self.put(e.allocation, &e.to, held, checked);
            }
            AirportEvent::StandFreed(e) => self.end(e.allocation),
            AirportEvent::AllocationCancelled(e) => self.end(e.allocation),
            _ => {}
        }
    }

    fn put(&mut self, allocation: AllocationId, stand: &StandId, held: Held, checked: &mut Checked) {
        self.stays += 1;
        let here = self.stands.entry(stand.clone()).or_default();
        for other in here.values() {
            let buffer = Duration::minutes(held.buffer.max(other.buffer).into());
            if held.stay.padded(buffer).overlaps(&other.stay) {
                let says = format!("{stand} is given to {} and to {}", other.flight, held.flight);
                let lines = [other, &held].map(|held| format!("{} {} {:?}", held.at, held.flight, held.stay));
                checked.broken(Violation::new(PROMISE, held.at, says).with_all("event", lines));
            }
        }
        here.insert(allocation, held);
        self.where_is.insert(allocation, stand.clone());
    }

    fn end(&mut self, allocation: AllocationId) {
        let Some(stand) = self.where_is.remove(&allocation) else { return };
        let held = self.stands.get_mut(&stand).and_then(|here| here.remove(&allocation));
        if let Some(held) = held {
            self.flights.remove(&held.flight);
        }
    }
}
