//! Says that an arrival and a departure are flown by the same aircraft.

use serde::{Deserialize, Serialize};

use super::checks::known_flight;
use super::flight::Flight;
use super::refusal::Decides;
use super::{AirportRefusal, Direction, FlightId, TurnaroundLinked};
use crate::kernel::{Context, Decided, Decision, Tag, World};

/// Links an arrival and a departure. Each leg is linked at most once; from then on they hold one stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkTurnaround {
    /// The flight that comes.
    pub arrival: FlightId,
    /// The flight that goes.
    pub departure: FlightId,
}

impl Decision for LinkTurnaround {
    const NAME: &'static str = "airport.link_turnaround";
    type Answer = TurnaroundLinked;
    type Refusal = AirportRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.arrival.tag(), self.departure.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Decides<TurnaroundLinked> {
        let (arrival_id, departure_id) = (&self.arrival, &self.departure);
        let site = self.check_legs()?;
        let arrival = known_flight(world, arrival_id)?;
        let departure = known_flight(world, departure_id)?;
        let linked = TurnaroundLinked { site, arrival: arrival_id.clone(), departure: departure_id.clone() };
        if arrival.turnaround.as_ref() == Some(&linked) {
            return Ok(Decided::nothing(linked));
        }
        free_for_link(arrival_id, arrival)?;
        free_for_link(departure_id, departure)?;
        if let (Some(arrival_at), Some(departure_at)) = (arrival.scheduled_at, departure.scheduled_at)
            && departure_at <= arrival_at
        {
            return Err(AirportRefusal::TurnaroundOrder { arrival_at, departure_at }.into());
        }
        if let (Some(arrival), Some(departure)) = (arrival.holds(), departure.holds()) {
            let (arrival, departure) = (arrival.allocation, departure.allocation);
            return Err(AirportRefusal::TurnaroundTwoStands { arrival, departure }.into());
        }
        Ok(Decided::events([linked.clone().into()], linked))
    }
}

impl LinkTurnaround {
    fn check_legs(&self) -> Result<crate::support::SiteId, AirportRefusal> {
        for (flight, needed) in [(&self.arrival, Direction::Arrival), (&self.departure, Direction::Departure)] {
            if flight.leg().direction != needed {
                return Err(AirportRefusal::TurnaroundDirection { flight: flight.clone(), needed });
            }
        }
        let (arrival, departure) = (self.arrival.clone(), self.departure.clone());
        let site = arrival.leg().site;
        if site == departure.leg().site {
            Ok(site)
        } else {
            Err(AirportRefusal::TurnaroundSites { arrival, departure })
        }
    }
}

fn free_for_link(id: &FlightId, flight: &Flight) -> Result<(), AirportRefusal> {
    if flight.is_cancelled() {
        return Err(AirportRefusal::FlightCancelled { flight: id.clone() });
    }
    match flight.other_leg(id) {
        Some(with) => Err(AirportRefusal::FlightAlreadyLinked { flight: id.clone(), with: with.clone() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{allocated, arrival, departure, linked, lome, registered};
    use super::super::{AllocationId, StandAllocated};
    use super::*;
    use crate::kernel::{derived_uuid, spec};

    fn link(from: &str, to: &str) -> LinkTurnaround {
        LinkTurnaround { arrival: arrival(from), departure: departure(to) }
    }

    fn given() -> spec::Given {
        let flights = [(arrival("AF860"), "12:00"), (arrival("AF1"), "12:30"), (departure("AF861"), "14:00")];
        let early = registered(&departure("AF9"), "12:00");
        spec::given([lome(), early]).and(flights.iter().map(|(id, at)| registered(id, at)))
    }

    #[test]
    fn an_arrival_and_a_later_departure_are_linked_once() {
        let first = given().when(link("AF860", "AF861"));
        let given = first.then([linked(&arrival("AF860"), &departure("AF861"))]).recorded();
        given.clone().when(link("AF860", "AF861")).then_nothing();
        given.clone().when(link("AF1", "AF861")).then_refused("FLIGHT_ALREADY_LINKED");
        given.when(link("AF860", "AF9")).then_refused("FLIGHT_ALREADY_LINKED");
    }

    #[test]
    fn the_legs_must_fit() {
        given().when(link("AF860", "AF9")).then_refused("TURNAROUND_ORDER");
        given().when(link("AF860", "AF77")).then_refused("FLIGHT_UNKNOWN");
        let backwards = LinkTurnaround { arrival: departure("AF861"), departure: arrival("AF860") };
        given().when(backwards).then_refused("TURNAROUND_DIRECTION");
        let elsewhere = FlightId::new("HKG/AF861/2026-01-01/D/CDG").unwrap();
        let apart = LinkTurnaround { arrival: arrival("AF860"), departure: elsewhere };
        given().when(apart).then_refused("TURNAROUND_SITES");
    }

    #[test]
    fn two_legs_that_hold_a_stand_each_are_not_linked() {
        let of_departure = StandAllocated {
            flight: departure("AF861"),
            allocation: AllocationId(derived_uuid("allocation", "other")),
            ..allocated("C02", "AF861", "13:00", "14:00")
        };
        let given = given().and([allocated("C01", "AF860", "12:00", "13:00").into(), of_departure.into()]);
        given.when(link("AF860", "AF861")).then_refused("TURNAROUND_TWO_STANDS");
    }
}
