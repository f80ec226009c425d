//! Says which aircraft flies a flight.

use serde::{Deserialize, Serialize};

use super::checks::known_flight;
use super::flight::OPERATOR;
use super::refusal::Decides;
use super::{Aircraft, AircraftAssigned, AircraftType, AirportRefusal, Clock, FlightId};
use crate::kernel::{Context, Decided, Decision, Tag, World};

/// Assigns an aircraft to a flight. A stand that the flight holds already stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignAircraft {
    /// The flight.
    pub flight: FlightId,
    /// The type.
    pub aircraft_type: AircraftType,
    /// The registration, if known; without one, a known one of the same type stays.
    pub registration: Option<String>,
}

impl Decision for AssignAircraft {
    const NAME: &'static str = "airport.assign_aircraft";
    type Answer = AircraftType;
    type Refusal = AirportRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.flight.tag()]
    }

    fn decide(&self, world: &World, context: &Context) -> Decides<AircraftType> {
        let Self { flight: id, aircraft_type, registration } = self.clone();
        if let Some(registration) = registration.as_ref().filter(|text| !is_registration(text)) {
            return Err(AirportRefusal::RegistrationInvalid { registration: registration.clone() }.into());
        }
        let known = known_flight(world, &id)?.aircraft.as_ref();
        let same = known.is_some_and(|known| {
            known.aircraft_type == aircraft_type && (registration.is_none() || known.registration == registration)
        });
        if same {
            return Ok(Decided::nothing(aircraft_type));
        }
        let was = known.cloned();
        let clock = Clock { source: OPERATOR.to_owned(), observed_at: context.now };
        let (site, answer) = (id.leg().site, aircraft_type.clone());
        let aircraft = Aircraft { aircraft_type, registration };
        let assigned = AircraftAssigned { flight: id, site, aircraft, was, clock };
        Ok(Decided::events([assigned.into()], answer))
    }
}

fn is_registration(text: &str) -> bool {
    (2..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::super::testing::{arrival, flown_by, lome, registered};
    use super::*;
    use crate::kernel::spec;

    fn assign(aircraft_type: &str, registration: Option<&str>) -> AssignAircraft {
        let aircraft_type = AircraftType::new(aircraft_type).unwrap();
        AssignAircraft { flight: arrival("AF860"), aircraft_type, registration: registration.map(str::to_owned) }
    }

    fn given() -> spec::Given {
        spec::given([lome(), registered(&arrival("AF860"), "12:00")])
    }

    fn aircraft(aircraft_type: &str, registration: Option<&str>) -> Aircraft {
        let aircraft_type = AircraftType::new(aircraft_type).unwrap();
        Aircraft { aircraft_type, registration: registration.map(str::to_owned) }
    }

    fn assigned(now: Aircraft, was: Aircraft) -> crate::Event {
        let (flight, site) = (arrival("AF860"), arrival("AF860").leg().site);
        let clock = Clock { source: OPERATOR.into(), observed_at: spec::noon() };
        AircraftAssigned { flight, site, aircraft: now, was: Some(was), clock }.into()
    }

    #[test]
    fn an_aircraft_is_assigned_and_exchanged() {
        let first = given().when(assign("A333", None));
        assert_eq!(first.events().len(), 1);
        let second = first.recorded().when(assign("B738", Some("F-GZHA")));
        second.then([assigned(aircraft("B738", Some("F-GZHA")), aircraft("A333", None))]);
    }

    #[test]
    fn an_exchange_for_another_of_the_same_type_says_which_one_it_was() {
        let first = given().when(assign("A333", Some("F-GZCA")));
        let second = first.recorded().when(assign("A333", Some("F-GZCB")));
        second.then([assigned(aircraft("A333", Some("F-GZCB")), aircraft("A333", Some("F-GZCA")))]);
    }

    #[test]
    fn the_same_aircraft_again_is_no_event() {
        let given = given().and([flown_by(&arrival("AF860"), "A333")]);
        given.clone().when(assign("A333", None)).then_nothing();
        let named = given.when(assign("A333", Some("F-GZHA")));
        assert_eq!(named.events().len(), 1, "a registration is news");
        named.recorded().when(assign("A333", None)).then_nothing();
    }

    #[test]
    fn the_flight_and_the_registration_must_be_right() {
        spec::given([lome()]).when(assign("A333", None)).then_refused("FLIGHT_UNKNOWN");
        given().when(assign("A333", Some("f gzha"))).then_refused("REGISTRATION_INVALID");
    }
}
