//! Takes the cancellation of a flight back.

use serde::{Deserialize, Serialize};

use super::checks::known_flight;
use super::flight::OPERATOR;
use super::refusal::Decides;
use super::{AirportRefusal, Clock, FlightId, FlightReinstated};
use crate::kernel::{Context, Decided, Decision, Note, Tag, World};

/// Lets a cancelled flight take place after all. It gets no stand by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReinstateFlight {
    /// The flight.
    pub flight: FlightId,
    /// Why.
    pub note: Note,
}

impl Decision for ReinstateFlight {
    const NAME: &'static str = "airport.reinstate_flight";
    type Answer = FlightId;
    type Refusal = AirportRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.flight.tag()]
    }

    fn decide(&self, world: &World, context: &Context) -> Decides<FlightId> {
        let flight = self.flight.clone();
        if !known_flight(world, &flight)?.is_cancelled() {
            return Ok(Decided::nothing(flight));
        }
        let clock = Clock { source: OPERATOR.to_owned(), observed_at: context.now };
        let (site, note, answer) = (flight.leg().site, self.note.clone(), flight.clone());
        Ok(Decided::events([FlightReinstated { flight, site, note, clock }.into()], answer))
    }
}
