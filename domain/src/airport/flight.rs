//! A flight as the facts tell it.

use chrono::{DateTime, Utc};

use super::stay::{ALLOCATION_FACTS, Stay};
use super::{
    Aircraft, AirportEvent, Clock, Details, FlightId, NoStandFound, Placement, Progress, TurnaroundLinked,
    airport_event, names,
};
use crate::kernel::{Fact, Query, View};

/// The source of what operators say of flights.
pub const OPERATOR: &str = "operator";

const FLIGHT_FACTS: &[&str] = &[
    names::FLIGHT_REGISTERED,
    names::FLIGHT_RESCHEDULED,
    names::FLIGHT_ESTIMATED,
    names::FLIGHT_LANDED,
    names::FLIGHT_ARRIVED,
    names::FLIGHT_DEPARTED,
    names::FLIGHT_PHASE_REPORTED,
    names::FLIGHT_CANCELLED,
    names::FLIGHT_REINSTATED,
    names::FLIGHT_REVERTED,
    names::FLIGHT_PLACED,
    names::DETAILS_CORRECTED,
    names::AIRCRAFT_ASSIGNED,
    names::TURNAROUND_LINKED,
    names::NO_STAND_FOUND,
];

/// What is known of a flight. Before its first report, `scheduled_at` is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flight {
    /// Scheduled in-block or off-block time.
    pub scheduled_at: Option<DateTime<Utc>>,
    /// Operator, codeshares, route.
    pub details: Details,
    /// How far it has come.
    pub progress: Progress,
    /// Gate and ways through the terminal.
    pub placement: Placement,
    /// Its aircraft.
    pub aircraft: Option<Aircraft>,
    /// Since when it is said to be this one, by the source's clock.
    pub aircraft_since: Option<DateTime<Utc>>,
    /// The newest report that changed something, by the source's clock.
    pub reported_at: Option<DateTime<Utc>>,
    /// The turnaround that it is part of.
    pub turnaround: Option<TurnaroundLinked>,
    /// Its last allocation, as far as that names this flight.
    pub stay: Option<Stay>,
    /// The fact that no stand was left, until it has one or is cancelled.
    pub no_stand: Option<NoStandFound>,
}

impl Flight {
    /// Whether a report of it has been recorded.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.scheduled_at.is_some()
    }

    /// Whether it does not take place.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.progress == Progress::Cancelled
    }

    /// When it comes or goes, by the best that is known: actual, else estimated, else scheduled.
    #[must_use]
    pub fn best_known(&self) -> Option<DateTime<Utc>> {
        match self.progress {
            Progress::Estimated(at) | Progress::Landed(at) | Progress::Arrived(at) | Progress::Departed(at) => Some(at),
            Progress::Scheduled | Progress::Phase(_) | Progress::Cancelled => self.scheduled_at,
        }
    }

    /// Its active allocation, if it holds one.
    #[must_use]
    pub fn holds(&self) -> Option<&Stay> {
        self.stay.as_ref().filter(|stay| stay.is_active())
    }

    /// The leg that it turns around with; `this` is the flight itself.
    #[must_use]
    pub fn other_leg(&self, this: &FlightId) -> Option<&FlightId> {
        let link = self.turnaround.as_ref()?;
        Some(if link.arrival == *this { &link.departure } else { &link.arrival })
    }

    fn reported(&mut self, clock: &Clock) {
        self.reported_at = self.reported_at.max(Some(clock.observed_at));
    }

    fn progressed(&mut self, progress: Progress, clock: &Clock) {
        self.progress = progress;
        self.reported(clock);
    }
}

impl View for Flight {
    type Key = FlightId;

    fn boundary(flight: &FlightId) -> Query {
        Query::of(FLIGHT_FACTS, [flight.tag()]).or(Query::of(ALLOCATION_FACTS, [flight.tag()]))
    }

    fn evolve(&mut self, fact: &Fact) {
        let Some(event) = airport_event(fact) else { return };
        match event {
            AirportEvent::FlightRegistered(e) => {
                self.scheduled_at = Some(e.scheduled_at);
                self.details = e.details.clone();
                self.reported(&e.clock);
            }
            AirportEvent::FlightRescheduled(e) => {
                self.scheduled_at = Some(e.to);
                self.reported(&e.clock);
            }
            AirportEvent::FlightEstimated(e) => self.progressed(Progress::Estimated(e.at), &e.clock),
            AirportEvent::FlightLanded(e) => self.progressed(Progress::Landed(e.at), &e.clock),
            AirportEvent::FlightArrived(e) => self.progressed(Progress::Arrived(e.at), &e.clock),
            AirportEvent::FlightDeparted(e) => self.progressed(Progress::Departed(e.at), &e.clock),
            AirportEvent::FlightPhaseReported(e) => self.progressed(Progress::Phase(e.phase), &e.clock),
            AirportEvent::FlightCancelled(e) => {
                self.progressed(Progress::Cancelled, &e.clock);
                self.no_stand = None;
            }
            AirportEvent::FlightReinstated(e) => self.progressed(Progress::Scheduled, &e.clock),
            AirportEvent::FlightReverted(e) => self.progressed(Progress::Scheduled, &e.clock),
            AirportEvent::FlightPlaced(e) => {
                self.placement = e.to.clone();
                self.reported(&e.clock);
            }
            AirportEvent::DetailsCorrected(e) => {
                self.details = e.to.clone();
                self.reported(&e.clock);
            }
            AirportEvent::AircraftAssigned(e) => {
                self.aircraft = Some(e.aircraft.clone());
                self.aircraft_since = Some(e.clock.observed_at);
                // An operator who names the aircraft says nothing of the rest: reports from before stay welcome.
                if e.clock.source != OPERATOR {
                    self.reported(&e.clock);
                }
            }
            AirportEvent::TurnaroundLinked(e) => self.turnaround = Some(e.clone()),
            AirportEvent::NoStandFound(e) => self.no_stand = Some(e.clone()),
            AirportEvent::StandAllocated(_) => {
                self.stay = Stay::after(event);
                self.no_stand = None;
            }
            AirportEvent::AllocationMoved(_) | AirportEvent::StandFreed(_) | AirportEvent::AllocationCancelled(_) => {
                self.stay = Stay::after(event);
            }
            AirportEvent::StandDefined(_)
            | AirportEvent::AllocationRulesSet(_)
            | AirportEvent::TurnaroundRuleSet(_)
            | AirportEvent::StandClosed(_)
            | AirportEvent::StandReopened(_) => {}
        }
    }
}
