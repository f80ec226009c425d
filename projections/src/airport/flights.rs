//! The flights: schedule, progress, aircraft, place and stand.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use vigie_domain::Event;
use vigie_domain::airport::{
    AircraftType, AirportCode, AirportEvent, AllocationId, Carrier, Clock, CodeLetter, Details, Direction, FlightId,
    FlightRegistered, Phase, Placement, Progress, StandId, names, wingspan,
};
use vigie_domain::support::SiteId;

use crate::engine::row;
use crate::{Entry, FoldError, ReadModel, Rows};

/// A flight leg.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the columns are described in the migration")]
pub struct FlightRow {
    pub flight: FlightId,
    pub site: SiteId,
    pub carrier: Carrier,
    pub number: String,
    pub date: NaiveDate,
    pub direction: Direction,
    pub airport: AirportCode,
    pub scheduled_at: DateTime<Utc>,
    pub progress: String,
    pub progress_at: Option<DateTime<Utc>>,
    pub phase: Option<Phase>,
    pub best_at: DateTime<Utc>,
    pub cancelled: bool,
    #[serde(flatten)]
    pub placement: Placement,
    #[serde(flatten)]
    pub details: Details,
    pub aircraft_type: Option<AircraftType>,
    pub registration: Option<String>,
    pub code: Option<CodeLetter>,
    pub turnaround: Option<FlightId>,
    pub allocation: Option<AllocationId>,
    pub stand: Option<StandId>,
    pub no_stand: bool,
    pub source: String,
    pub position: i64,
    pub created_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
}
row!(FlightRow in "flights" by flight: FlightId);

/// Flights with their stands.
pub struct Flights;

impl ReadModel for Flights {
    const NAME: &'static str = "flights";
    const VERSION: i32 = 2;
    const EVENTS: &'static [&'static str] = &[
        names::STAND_ALLOCATED,
        names::ALLOCATION_MOVED,
        names::STAND_FREED,
        names::ALLOCATION_CANCELLED,
        names::NO_STAND_FOUND,
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
    ];
    type Rows = (FlightRow,);

    fn keys(entry: &Entry, rows: &mut Rows) {
        let Event::Airport(event) = entry.event() else { return };
        for flight in flights(event).into_iter().flatten() {
            rows.want::<FlightRow>((flight.clone(),));
        }
    }

    fn fold(entry: &Entry, rows: &mut Rows) -> Result<(), FoldError> {
        let Event::Airport(event) = entry.event() else { return Ok(()) };
        if let AirportEvent::FlightRegistered(registered) = event {
            let key = (registered.flight.clone(),);
            return rows.put(&key, entry, |row| row.cloned().unwrap_or_else(|| FlightRow::new(registered, entry)));
        }
        for flight in flights(event).into_iter().flatten() {
            rows.change(&(flight.clone(),), entry, |row: &mut FlightRow| row.evolve(event))?;
        }
        Ok(())
    }
}

/// The flights that an event changes.
fn flights(event: &AirportEvent) -> [Option<&FlightId>; 2] {
    match event {
        AirportEvent::StandAllocated(e) => [Some(&e.flight), e.turnaround.as_ref()],
        AirportEvent::AllocationMoved(e) => [Some(&e.flight), e.turnaround.as_ref()],
        AirportEvent::StandFreed(e) => [Some(&e.flight), e.turnaround.as_ref()],
        AirportEvent::AllocationCancelled(e) => [Some(&e.flight), e.turnaround.as_ref()],
        AirportEvent::TurnaroundLinked(e) => [Some(&e.arrival), Some(&e.departure)],
        AirportEvent::NoStandFound(e) => [Some(&e.flight), None],
        AirportEvent::FlightRegistered(e) => [Some(&e.flight), None],
        AirportEvent::FlightRescheduled(e) => [Some(&e.flight), None],
        AirportEvent::FlightEstimated(e) => [Some(&e.flight), None],
        AirportEvent::FlightLanded(e) => [Some(&e.flight), None],
        AirportEvent::FlightArrived(e) => [Some(&e.flight), None],
        AirportEvent::FlightDeparted(e) => [Some(&e.flight), None],
        AirportEvent::FlightPhaseReported(e) => [Some(&e.flight), None],
        AirportEvent::FlightCancelled(e) => [Some(&e.flight), None],
        AirportEvent::FlightReinstated(e) => [Some(&e.flight), None],
        AirportEvent::FlightReverted(e) => [Some(&e.flight), None],
        AirportEvent::FlightPlaced(e) => [Some(&e.flight), None],
        AirportEvent::DetailsCorrected(e) => [Some(&e.flight), None],
        AirportEvent::AircraftAssigned(e) => [Some(&e.flight), None],
        about_rules!() | about_stands!() => [None, None],
    }
}

impl FlightRow {
    fn new(registered: &FlightRegistered, entry: &Entry) -> Self {
        let leg = registered.flight.leg();
        let recorded_at = entry.stamp().recorded_at;
        Self {
            flight: registered.flight.clone(),
            site: registered.site.clone(),
            carrier: leg.carrier,
            number: leg.number,
            date: leg.date,
            direction: leg.direction,
            airport: leg.airport,
            scheduled_at: registered.scheduled_at,
            progress: "scheduled".to_owned(),
            progress_at: None,
            phase: None,
            best_at: registered.scheduled_at,
            cancelled: false,
            placement: Placement::default(),
            details: registered.details.clone(),
            aircraft_type: None,
            registration: None,
            code: None,
            turnaround: None,
            allocation: None,
            stand: None,
            no_stand: false,
            source: registered.clock.source.clone(),
            position: 0,
            created_at: recorded_at,
            changed_at: recorded_at,
        }
    }

    fn evolve(&mut self, event: &AirportEvent) {
        match event {
            AirportEvent::StandAllocated(e) => {
                self.stands(Some((e.allocation, e.stand.clone())));
                if e.flight == self.flight {
                    self.code = Some(e.code);
                }
            }
            AirportEvent::AllocationMoved(e) => self.stands(Some((e.allocation, e.to.clone()))),
            AirportEvent::StandFreed(_) | AirportEvent::AllocationCancelled(_) => self.stands(None),
            AirportEvent::NoStandFound(e) => (self.no_stand, self.code) = (true, Some(e.code)),
            AirportEvent::TurnaroundLinked(e) => {
                let other = if e.arrival == self.flight { &e.departure } else { &e.arrival };
                self.turnaround = Some(other.clone());
            }
            AirportEvent::FlightRegistered(e) => self.observed(&e.clock),
            AirportEvent::FlightRescheduled(e) => {
                self.observed(&e.clock);
                self.scheduled_at = e.to;
                self.best_at = self.progress_at.unwrap_or(e.to);
            }
            AirportEvent::FlightEstimated(e) => self.progress(Progress::Estimated(e.at), &e.clock),
            AirportEvent::FlightLanded(e) => self.progress(Progress::Landed(e.at), &e.clock),
            AirportEvent::FlightArrived(e) => self.progress(Progress::Arrived(e.at), &e.clock),
            AirportEvent::FlightDeparted(e) => self.progress(Progress::Departed(e.at), &e.clock),
            AirportEvent::FlightPhaseReported(e) => self.progress(Progress::Phase(e.phase), &e.clock),
            AirportEvent::FlightCancelled(e) => self.progress(Progress::Cancelled, &e.clock),
            AirportEvent::FlightReinstated(e) => self.progress(Progress::Scheduled, &e.clock),
            AirportEvent::FlightReverted(e) => self.progress(Progress::Scheduled, &e.clock),
            AirportEvent::FlightPlaced(e) => {
                self.observed(&e.clock);
                self.placement = e.to.clone();
            }
            AirportEvent::DetailsCorrected(e) => {
                self.observed(&e.clock);
                self.details = e.to.clone();
            }
            AirportEvent::AircraftAssigned(e) => {
                self.observed(&e.clock);
                self.code = wingspan(&e.aircraft.aircraft_type).and_then(CodeLetter::of);
                self.aircraft_type = Some(e.aircraft.aircraft_type.clone());
                self.registration.clone_from(&e.aircraft.registration);
            }
            about_rules!() | about_stands!() => {}
        }
    }

    fn observed(&mut self, clock: &Clock) {
        self.source.clone_from(&clock.source);
    }

    fn stands(&mut self, stay: Option<(AllocationId, StandId)>) {
        self.no_stand &= stay.is_none();
        (self.allocation, self.stand) = stay.unzip();
    }

    fn progress(&mut self, progress: Progress, clock: &Clock) {
        self.observed(clock);
        (self.progress_at, self.phase, self.cancelled) = (None, None, false);
        match progress {
            Progress::Scheduled => {}
            Progress::Estimated(at) | Progress::Landed(at) | Progress::Arrived(at) | Progress::Departed(at) => {
                self.progress_at = Some(at);
            }
            Progress::Phase(phase) => self.phase = Some(phase),
            Progress::Cancelled => (self.cancelled, self.no_stand) = (true, false),
        }
        // As the rules of allocation see it: a phase or a cancellation tells no time.
        self.best_at = self.progress_at.unwrap_or(self.scheduled_at);
        self.progress = match progress {
            Progress::Scheduled => "scheduled",
            Progress::Estimated(_) => "estimated",
            Progress::Landed(_) => "landed",
            Progress::Arrived(_) => "arrived",
            Progress::Departed(_) => "departed",
            Progress::Phase(_) => "phase",
            Progress::Cancelled => "cancelled",
        }
        .to_owned();
    }
}
