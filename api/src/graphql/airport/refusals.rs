//! Which family a refusal of the airport belongs to.

use vigie_domain::airport::AirportRefusal;

use crate::graphql::command::told;
use crate::graphql::refusal::Told;

/// A refusal with its family.
#[expect(clippy::enum_variant_names, reason = "named after the types that they become")]
pub(super) enum Refused {
    SiteRefusal(Told),
    ValueRefusal(Told),
    StandRefusal(Told),
    FlightRefusal(Told),
    AllocationRefusal(Told),
    TurnaroundRefusal(Told),
}

impl From<AirportRefusal> for Refused {
    fn from(refusal: AirportRefusal) -> Self {
        use AirportRefusal as R;
        let told = told(&refusal);
        match refusal {
            R::SiteUnknown { .. } | R::SiteNotAirport { .. } => Self::SiteRefusal(told),
            R::TimeOutOfRange { .. }
            | R::IntervalInvalid { .. }
            | R::BufferTooLong { .. }
            | R::FlightIdInvalid { .. }
            | R::RegistrationInvalid { .. }
            | R::StayTooLong { .. } => Self::ValueRefusal(told),
            R::StandUnknown { .. }
            | R::StandOfOtherSite { .. }
            | R::StandTooSmall { .. }
            | R::StandClosed { .. }
            | R::StandOccupied { .. } => Self::StandRefusal(told),
            R::FlightUnknown { .. }
            | R::FlightCancelled { .. }
            | R::FlightDeparted { .. }
            | R::FlightFlown { .. }
            | R::FlightAlreadyAllocated { .. }
            | R::AircraftTypeUnknown { .. }
            | R::AircraftTooLarge { .. }
            | R::FlightWithoutStand { .. } => Self::FlightRefusal(told),
            R::AllocationUnknown { .. }
            | R::AllocationFreed { .. }
            | R::AllocationCancelled { .. }
            | R::OffBlockTime { .. }
            | R::NoOtherStand { .. } => Self::AllocationRefusal(told),
            R::TurnaroundSites { .. }
            | R::TurnaroundDirection { .. }
            | R::TurnaroundOrder { .. }
            | R::FlightAlreadyLinked { .. }
            | R::TurnaroundTwoStands { .. } => Self::TurnaroundRefusal(told),
        }
    }
}
