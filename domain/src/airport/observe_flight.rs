//! Takes in what a source reports of a flight.
//!
//! A report says everything that the source knows at a time by its own clock, and the newest report holds, in whatever
//! order reports come:
//! - A report older than the newest known one changes nothing. The newest known one is the later of the newest that is
//!   recorded and the newest that only confirmed what was recorded; the latter leaves no fact, so that whoever reads
//!   the source keeps its time and hands it in as `confirmed_at`.
//! - Two reports of the same time that differ: the one whose content is greater, as stored text, holds. That has no
//!   meaning, but it is the same whichever comes first.
//! - A source that knows the aircraft type says so in every report from then on. A late report may still tell the type
//!   of a flight that has none; a type that somebody named later than the report was made stays.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::cancel_flight::stay_ended_by;
use super::checks::{airport, plausible};
use super::flight::Flight;
use super::refusal::Decides;
use super::{
    Aircraft, AircraftAssigned, AircraftType, AirportRefusal, Clock, Details, DetailsCorrected, FlightArrived,
    FlightCancelled, FlightDeparted, FlightEstimated, FlightId, FlightLanded, FlightPhaseReported, FlightPlaced,
    FlightRegistered, FlightReinstated, FlightRescheduled, FlightReverted, Leg, Placement, Progress,
};
use crate::Event;
use crate::kernel::{Context, Decided, Decision, Note, Tag, World};
use crate::support::SiteId;

/// One report of one flight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObserveFlight {
    /// Which flight.
    pub leg: Leg,
    /// Scheduled in-block or off-block time.
    pub scheduled_at: DateTime<Utc>,
    /// Operator, codeshares, route.
    pub details: Details,
    /// How far it has come.
    pub progress: Progress,
    /// Gate and ways through the terminal.
    pub placement: Placement,
    /// Its aircraft type, if the source gives it.
    pub aircraft_type: Option<AircraftType>,
    /// The source and its time.
    pub clock: Clock,
    /// The newest time, by the source's clock, of an earlier report of this flight, whether it changed anything or not.
    pub confirmed_at: Option<DateTime<Utc>>,
}

/// What a report came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum ObserveAnswer {
    /// The first report of the flight.
    Registered,
    /// Something is different now.
    Changed {
        /// The types of the facts, such as `airport.flight_estimated`.
        facts: Vec<String>,
    },
    /// It says what is known already.
    Unchanged,
    /// A newer report is known.
    Stale,
}

impl Decision for ObserveFlight {
    const NAME: &'static str = "airport.observe_flight";
    type Answer = ObserveAnswer;
    type Refusal = AirportRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.leg.id().map_or_else(|_| self.leg.site.tag(), |flight| flight.tag())]
    }

    fn decide(&self, world: &World, _context: &Context) -> Decides<ObserveAnswer> {
        let id = self.leg.id().map_err(AirportRefusal::from)?;
        airport(world, &self.leg.site)?;
        self.check_times()?;
        let flight = world.guard::<Flight>(&id)?;
        let mut events = self.differences(&id, flight);
        if self.is_outdated(flight, events.is_empty()) {
            events = self.missing_aircraft(&id, flight).into_iter().collect();
            if events.is_empty() {
                return Ok(Decided::nothing(ObserveAnswer::Stale));
            }
        }
        if events.is_empty() {
            return Ok(Decided::nothing(ObserveAnswer::Unchanged));
        }
        if events.iter().any(|event| event.name() == super::names::FLIGHT_CANCELLED) {
            events.extend(stay_ended_by(world, &id, flight)?.map(Event::from));
        }
        let answer = if flight.is_known() {
            ObserveAnswer::Changed { facts: events.iter().map(|event| event.name().to_owned()).collect() }
        } else {
            ObserveAnswer::Registered
        };
        Ok(Decided::events_at(self.clock.observed_at, events, answer))
    }
}

impl ObserveFlight {
    fn check_times(&self) -> Result<(), AirportRefusal> {
        plausible(self.scheduled_at)?;
        plausible(self.clock.observed_at)?;
        match self.progress {
            Progress::Estimated(at) | Progress::Landed(at) | Progress::Arrived(at) | Progress::Departed(at) => {
                plausible(at).map(drop)
            }
            Progress::Scheduled | Progress::Phase(_) | Progress::Cancelled => Ok(()),
        }
    }

    /// Whether a newer report is known, or one of the same time that holds against this one.
    fn is_outdated(&self, flight: &Flight, says_the_same: bool) -> bool {
        let Some(newest) = flight.reported_at.max(self.confirmed_at) else { return false };
        match self.clock.observed_at.cmp(&newest) {
            Ordering::Less => true,
            Ordering::Greater => false,
            Ordering::Equal => flight.is_known() && !says_the_same && self.rank(flight) < rank_of(flight),
        }
    }

    fn rank(&self, flight: &Flight) -> (String, Option<AircraftType>) {
        let known = || flight.aircraft.as_ref().map(|aircraft| aircraft.aircraft_type.clone());
        let aircraft = self.aircraft_type.clone().or_else(known);
        (text(Some(self.scheduled_at), &self.details, self.progress, &self.placement), aircraft)
    }

    /// What differs from what is known, as facts.
    fn differences(&self, id: &FlightId, flight: &Flight) -> Vec<Event> {
        let mut events = match flight.scheduled_at {
            None => vec![self.registered(id)],
            Some(from) => self.corrections(id, flight, from),
        };
        events.extend(self.progress_events(id, flight.progress));
        if flight.placement != self.placement {
            let (flight_id, site, clock) = self.about(id);
            let (from, to) = (flight.placement.clone(), self.placement.clone());
            events.push(FlightPlaced { flight: flight_id, site, from, to, clock }.into());
        }
        if flight.aircraft_since.is_none_or(|since| since <= self.clock.observed_at) {
            events.extend(self.aircraft_event(id, flight));
        }
        events
    }

    /// Flight, site and source of every fact that follows from the report.
    fn about(&self, id: &FlightId) -> (FlightId, SiteId, Clock) {
        (id.clone(), self.leg.site.clone(), self.clock.clone())
    }

    fn registered(&self, id: &FlightId) -> Event {
        let (flight, site, clock) = self.about(id);
        let (scheduled_at, details) = (self.scheduled_at, self.details.clone());
        FlightRegistered { flight, site, scheduled_at, details, clock }.into()
    }

    fn corrections(&self, id: &FlightId, known: &Flight, from: DateTime<Utc>) -> Vec<Event> {
        let mut events = Vec::new();
        let to = self.scheduled_at;
        if from != to {
            let (flight, site, clock) = self.about(id);
            events.push(FlightRescheduled { flight, site, from, to, clock }.into());
        }
        if known.details != self.details {
            let (flight, site, clock) = self.about(id);
            let (from, to) = (known.details.clone(), self.details.clone());
            events.push(DetailsCorrected { flight, site, from, to, clock }.into());
        }
        events
    }

    fn progress_events(&self, id: &FlightId, before: Progress) -> Vec<Event> {
        let mut events: Vec<Event> = Vec::new();
        if before == self.progress {
            return events;
        }
        let (flight, site, clock) = self.about(id);
        let mut was = before;
        if before == Progress::Cancelled {
            let (flight, site, clock) = self.about(id);
            events.push(FlightReinstated { flight, site, note: Note::default(), clock }.into());
            was = Progress::Scheduled;
        }
        events.extend(match self.progress {
            Progress::Scheduled if was == Progress::Scheduled => None,
            Progress::Scheduled => Some(FlightReverted { flight, site, was, clock }.into()),
            Progress::Estimated(at) => Some(FlightEstimated { flight, site, at, was, clock }.into()),
            Progress::Landed(at) => Some(FlightLanded { flight, site, at, was, clock }.into()),
            Progress::Arrived(at) => Some(FlightArrived { flight, site, at, was, clock }.into()),
            Progress::Departed(at) => Some(FlightDeparted { flight, site, at, was, clock }.into()),
            Progress::Phase(phase) => Some(FlightPhaseReported { flight, site, phase, was, clock }.into()),
            Progress::Cancelled => Some(FlightCancelled { flight, site, was, note: Note::default(), clock }.into()),
        });
        events
    }

    fn aircraft_event(&self, id: &FlightId, flight: &Flight) -> Option<Event> {
        let was = flight.aircraft.clone();
        let differs = |given: &AircraftType| was.as_ref().is_none_or(|known| known.aircraft_type != *given);
        let aircraft_type = self.aircraft_type.clone().filter(differs)?;
        let aircraft = Aircraft { aircraft_type, registration: None };
        let (flight, site, clock) = self.about(id);
        Some(AircraftAssigned { flight, site, aircraft, was, clock }.into())
    }

    /// The aircraft type that a late report tells of a flight that has none.
    fn missing_aircraft(&self, id: &FlightId, flight: &Flight) -> Option<Event> {
        if flight.is_known() && flight.aircraft.is_none() { self.aircraft_event(id, flight) } else { None }
    }
}

fn rank_of(flight: &Flight) -> (String, Option<AircraftType>) {
    let aircraft = flight.aircraft.as_ref().map(|known| known.aircraft_type.clone());
    (text(flight.scheduled_at, &flight.details, flight.progress, &flight.placement), aircraft)
}

/// The content of a report as stored text: the order of reports that say different things at the same time.
fn text(at: Option<DateTime<Utc>>, details: &Details, progress: Progress, placement: &Placement) -> String {
    serde_json::to_string(&(at, details, progress, placement)).expect("a report is plain data and always serialises")
}

#[cfg(test)]
mod tests;
