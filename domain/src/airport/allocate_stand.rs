//! Gives a flight a stand.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::apron::{Apron, Choice, Wish};
use super::checks::{airport, known_flight};
use super::flight::Flight;
use super::refusal::Decides;
use super::site_rules::SiteRules;
use super::stay::Stay;
use super::wanted_stay::Legs;
use super::{
    AircraftType, AirportRefusal, AllocationId, Candidate, CodeLetter, FlightId, NoStandFound, Progress,
    StandAllocated, StandId, wingspan,
};
use crate::kernel::{Context, Decided, Decision, Interval, Note, Tag, World};
use crate::support::SiteId;

/// Gives a flight, with the other leg of its turnaround, the stand that is named, or else the best one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllocateStand {
    /// The flight.
    pub flight: FlightId,
    /// The stand; without one the best is chosen.
    pub stand: Option<StandId>,
    /// Start of the stay; without one the best known arrival.
    pub from: Option<DateTime<Utc>>,
    /// End of the stay; without one the best known departure, or the usual turnaround later.
    pub to: Option<DateTime<Utc>>,
    /// What the operator writes.
    pub note: Note,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum AllocateAnswer {
    /// The flight has a stand.
    Allocated {
        /// The allocation.
        allocation: AllocationId,
        /// The stand.
        stand: StandId,
        /// The stay.
        interval: Interval,
        /// Why it is a military stand, if it is.
        overflow: Option<String>,
    },
    /// It had one before, or the other leg of its turnaround had.
    Already {
        /// The allocation.
        allocation: AllocationId,
        /// The stand.
        stand: StandId,
        /// The stay.
        interval: Interval,
    },
    /// None is left.
    NoStand {
        /// Every stand and why it was not to be had, when that was found.
        candidates: Vec<Candidate>,
    },
}

/// What is known of the flight that asks.
struct Asking<'a> {
    site: SiteId,
    rules: &'a SiteRules,
    flight: &'a Flight,
    /// The other leg of its turnaround, if that takes place.
    other: Option<(&'a FlightId, &'a Flight)>,
    aircraft_type: AircraftType,
    code: CodeLetter,
    stay: Interval,
}

impl Decision for AllocateStand {
    const NAME: &'static str = "airport.allocate_stand";
    type Answer = AllocateAnswer;
    type Refusal = AirportRefusal;

    fn things(&self) -> Vec<Tag> {
        [Some(self.flight.tag()), self.stand.as_ref().map(StandId::tag)].into_iter().flatten().collect()
    }

    fn decide(&self, world: &World, context: &Context) -> Decides<AllocateAnswer> {
        let site = self.flight.leg().site;
        airport(world, &site)?;
        let rules = world.guard::<SiteRules>(&site)?;
        let flight = known_flight(world, &self.flight)?;
        let other = match flight.other_leg(&self.flight) {
            Some(id) => Some((id, world.guard::<Flight>(id)?)),
            None => None,
        };
        if flight.is_cancelled() {
            return Err(AirportRefusal::FlightCancelled { flight: self.flight.clone() }.into());
        }
        if let Some(stay) = flight.holds().or(other.and_then(|(_, other)| other.holds())) {
            return Ok(Decided::nothing(self.existing(stay)?));
        }
        let other = other.filter(|(_, other)| !other.is_cancelled());
        not_departed(&self.flight, flight)?;
        other.map_or(Ok(()), |(id, other)| not_departed(id, other))?;
        let (aircraft_type, code) = self.code_letter(flight, other.map(|(_, other)| other))?;
        let legs = Legs::of(&self.flight, flight, other.map(|(_, other)| other));
        let stay = legs.stay(self.from, self.to, rules.turnaround(&aircraft_type).typical())?;
        self.choose(world, context, &Asking { site, rules, flight, other, aircraft_type, code, stay })
    }
}

impl AllocateStand {
    fn choose(&self, world: &World, context: &Context, asking: &Asking<'_>) -> Decides<AllocateAnswer> {
        let apron = Apron::look(world, asking.wish())?;
        let (choice, candidates) = match &self.stand {
            Some(named) => {
                let choice = apron.named(named)??;
                let points = apron.points(named, asking.rules);
                (Some(choice), vec![Candidate { stand: named.clone(), points, rejected: None }])
            }
            None => apron.best(asking.rules)?,
        };
        match choice {
            Some(choice) => Ok(self.allocated(context, asking, choice, candidates)),
            None => Ok(self.nothing_left(asking, candidates)),
        }
    }

    fn existing(&self, stay: &Stay) -> Result<AllocateAnswer, AirportRefusal> {
        let (allocation, stand, interval) = (stay.allocation, stay.stand.clone(), stay.planned);
        if self.stand.as_ref().is_some_and(|named| *named != stand) {
            let flight = self.flight.clone();
            return Err(AirportRefusal::FlightAlreadyAllocated { flight, allocation, stand, interval });
        }
        Ok(AllocateAnswer::Already { allocation, stand, interval })
    }

    fn code_letter(
        &self,
        flight: &Flight,
        other: Option<&Flight>,
    ) -> Result<(AircraftType, CodeLetter), AirportRefusal> {
        let aircraft = flight.aircraft.as_ref().or(other.and_then(|other| other.aircraft.as_ref()));
        let aircraft_type = aircraft.map(|aircraft| aircraft.aircraft_type.clone());
        let known = aircraft_type.as_ref().and_then(wingspan);
        let (Some(aircraft_type), Some(wingspan)) = (aircraft_type.clone(), known) else {
            return Err(AirportRefusal::AircraftTypeUnknown { flight: self.flight.clone(), aircraft_type });
        };
        match CodeLetter::of(wingspan) {
            Some(code) => Ok((aircraft_type, code)),
            None => Err(AirportRefusal::AircraftTooLarge { aircraft_type, wingspan_cm: wingspan.0 }),
        }
    }

    fn allocated(
        &self,
        context: &Context,
        asking: &Asking<'_>,
        choice: Choice,
        candidates: Vec<Candidate>,
    ) -> Decided<AllocateAnswer> {
        let allocation = AllocationId(context.new_id("allocation"));
        let Choice { stand, overflow } = choice;
        let interval = asking.stay;
        let event = StandAllocated {
            allocation,
            site: asking.site.clone(),
            stand: stand.clone(),
            flight: self.flight.clone(),
            turnaround: asking.other.map(|(id, _)| id.clone()),
            interval,
            buffer_minutes: asking.rules.buffer_minutes(),
            aircraft_type: asking.aircraft_type.clone(),
            code: asking.code,
            rules_version: asking.rules.version(),
            requested: self.stand.is_some(),
            overflow: overflow.clone(),
            candidates,
            note: self.note.clone(),
        };
        Decided::events([event.into()], AllocateAnswer::Allocated { allocation, stand, interval, overflow })
    }

    fn nothing_left(&self, asking: &Asking<'_>, candidates: Vec<Candidate>) -> Decided<AllocateAnswer> {
        let found_before = asking.flight.no_stand.as_ref();
        if let Some(found) = found_before.or(asking.other.and_then(|(_, other)| other.no_stand.as_ref())) {
            return Decided::nothing(AllocateAnswer::NoStand { candidates: found.candidates.clone() });
        }
        let (flight, site) = (self.flight.clone(), asking.site.clone());
        let answer = AllocateAnswer::NoStand { candidates: candidates.clone() };
        let (interval, code) = (asking.stay, asking.code);
        Decided::events([NoStandFound { flight, site, interval, code, candidates }.into()], answer)
    }
}

impl Asking<'_> {
    fn wish(&self) -> Wish {
        Wish {
            site: self.site.clone(),
            stay: self.stay,
            buffer_minutes: self.rules.buffer_minutes(),
            code: self.code,
            except: None,
        }
    }
}

fn not_departed(id: &FlightId, flight: &Flight) -> Result<(), AirportRefusal> {
    match flight.progress {
        Progress::Departed(at) => Err(AirportRefusal::FlightDeparted { flight: id.clone(), at }),
        Progress::Scheduled
        | Progress::Estimated(_)
        | Progress::Landed(_)
        | Progress::Arrived(_)
        | Progress::Phase(_)
        | Progress::Cancelled => Ok(()),
    }
}

#[cfg(test)]
mod tests;
