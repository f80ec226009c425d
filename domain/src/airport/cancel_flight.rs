//! Cancels a flight by an operator's word, and frees the stand of any flight that is cancelled.

use serde::{Deserialize, Serialize};

use super::checks::known_flight;
use super::flight::{Flight, OPERATOR};
use super::refusal::Decides;
use super::stay::Stay;
use super::{
    AirportRefusal, AllocationCancelled, AllocationId, CancelCause, Clock, Direction, FlightCancelled, FlightId,
    Progress,
};
use crate::Event;
use crate::kernel::{Context, Decided, Decision, Need, Note, Tag, World};

/// Cancels a flight that has not been flown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelFlight {
    /// The flight.
    pub flight: FlightId,
    /// Why.
    pub note: Note,
}

/// What a cancellation took with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlightCancellation {
    /// The flight.
    pub flight: FlightId,
    /// Its allocation, if it held a stand until now.
    pub freed: Option<AllocationId>,
}

impl Decision for CancelFlight {
    const NAME: &'static str = "airport.cancel_flight";
    type Answer = FlightCancellation;
    type Refusal = AirportRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.flight.tag()]
    }

    fn decide(&self, world: &World, context: &Context) -> Decides<FlightCancellation> {
        let id = self.flight.clone();
        let flight = known_flight(world, &id)?;
        let progress = flight.progress;
        match progress {
            Progress::Cancelled => return Ok(Decided::nothing(FlightCancellation { flight: id, freed: None })),
            Progress::Landed(_) | Progress::Arrived(_) | Progress::Departed(_) => {
                return Err(AirportRefusal::FlightFlown { flight: id, progress }.into());
            }
            Progress::Scheduled | Progress::Estimated(_) | Progress::Phase(_) => {}
        }
        let clock = Clock { source: OPERATOR.to_owned(), observed_at: context.now };
        let (site, note) = (id.leg().site, self.note.clone());
        let cancelled = FlightCancelled { flight: id.clone(), site, was: progress, note, clock };
        let ended = stay_ended_by(world, &id, flight)?;
        let answer = FlightCancellation { flight: id, freed: ended.as_ref().map(|ended| ended.allocation) };
        Ok(Decided::events([Some(Event::from(cancelled)), ended.map(Event::from)].into_iter().flatten(), answer))
    }
}

/// The end of the stay that the cancelled flight `id` holds, if its cancellation ends it.
///
/// A departure that is cancelled leaves the stand to the arrival of its turnaround, unless that is cancelled too: the
/// aircraft comes, or is there already.
pub(super) fn stay_ended_by(
    world: &World,
    id: &FlightId,
    flight: &Flight,
) -> Result<Option<AllocationCancelled>, Need> {
    let Some(stay) = flight.holds() else { return Ok(None) };
    if let Some(other) = stay.other_leg(id)
        && other.leg().direction == Direction::Arrival
        && !world.guard::<Flight>(other)?.is_cancelled()
    {
        return Ok(None);
    }
    Ok(Some(cancelled(stay, CancelCause::FlightCancelled { flight: id.clone() })))
}

/// The fact that a stay is no longer wanted.
pub(super) fn cancelled(stay: &Stay, cause: CancelCause) -> AllocationCancelled {
    AllocationCancelled {
        allocation: stay.allocation,
        site: stay.stand.site(),
        stand: stay.stand.clone(),
        flight: stay.flight.clone(),
        turnaround: stay.turnaround.clone(),
        planned: stay.planned,
        buffer_minutes: stay.buffer_minutes,
        cause,
    }
}
