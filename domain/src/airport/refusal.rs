//! Why the airport refuses a command: the rule, in words, as a code, and with what is needed to act.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{AircraftType, AllocationId, Candidate, CodeLetter, Direction, FlightId, Progress, StandId};
use crate::kernel::{IdError, Interval, Refused, Verdict, plain};
use crate::support::SiteId;

/// A rule of the airport that a command would break. Serialised with its [`Refused::code`] as `code`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "code", rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the fields are named as in the messages, which say what they are")]
pub enum AirportRefusal {
    /// The site is not set up.
    #[error("site {site} is not set up: define it first")]
    SiteUnknown { site: SiteId },
    /// The site has no flights.
    #[error("site {site} is not an airport")]
    SiteNotAirport { site: SiteId },
    /// A time that no schedule has.
    #[error("{at} is not between the years 1970 and 9998")]
    TimeOutOfRange { at: DateTime<Utc> },
    /// An end that is not after its start.
    #[error("an interval ends after it starts: {from} is not before {to}")]
    IntervalInvalid { from: DateTime<Utc>, to: DateTime<Utc> },
    /// A buffer that would block the apron.
    #[error("the buffer between two stays is at most {max} minutes, not {minutes}")]
    BufferTooLong { minutes: u32, max: u32 },

    /// No such stand.
    #[error("stand {stand} is not set up at {site}")]
    StandUnknown { stand: StandId, site: SiteId },
    /// The stand's id names another site.
    #[error("stand {stand} does not belong to site {site}")]
    StandOfOtherSite { stand: StandId, site: SiteId },
    /// The aircraft does not fit.
    #[error("stand {stand} takes aircraft up to code letter {takes}; this one has {needs}")]
    StandTooSmall { stand: StandId, takes: CodeLetter, needs: CodeLetter },
    /// The stand is closed for part of the stay.
    #[error("stand {stand} is closed {}", span(interval))]
    StandClosed { stand: StandId, interval: Interval },
    /// Another aircraft stands there.
    #[error(
        "stand {stand} is held by {flight} {}; {buffer_minutes} minutes stay free between two stays",
        span(interval)
    )]
    StandOccupied {
        stand: StandId,
        flight: FlightId,
        interval: Interval,
        allocation: AllocationId,
        buffer_minutes: u32,
    },

    /// A leg whose parts make no id.
    #[error("the parts of the leg make no flight id: {text:?} is not {rule}")]
    FlightIdInvalid { text: String, rule: &'static str },
    /// No such flight.
    #[error("flight {flight} is not known")]
    FlightUnknown { flight: FlightId },
    /// The flight does not take place.
    #[error("flight {flight} is cancelled: reinstate it first")]
    FlightCancelled { flight: FlightId },
    /// The flight has gone.
    #[error("flight {flight} departed at {at}")]
    FlightDeparted { flight: FlightId, at: DateTime<Utc> },
    /// What has been flown cannot be cancelled.
    #[error("flight {flight} has been flown already and cannot be cancelled")]
    FlightFlown { flight: FlightId, progress: Progress },
    /// The flight has another stand already.
    #[error("flight {flight} holds stand {stand} {} (allocation {allocation}): move that allocation", span(interval))]
    FlightAlreadyAllocated { flight: FlightId, allocation: AllocationId, stand: StandId, interval: Interval },
    /// The code letter cannot be told.
    #[error("the wingspan of flight {flight} is not known ({}): assign it an aircraft of a known type",
        aircraft_type.as_ref().map_or("no aircraft type", |known| known.as_str()))]
    AircraftTypeUnknown { flight: FlightId, aircraft_type: Option<AircraftType> },
    /// Wider than code letter F.
    #[error("aircraft type {aircraft_type} spans {wingspan_cm} cm, and no stand takes 8000 cm or more")]
    AircraftTooLarge { aircraft_type: AircraftType, wingspan_cm: u32 },
    /// A registration with other characters.
    #[error("{registration:?} is not a registration: 2 to 10 capital letters, digits or hyphens")]
    RegistrationInvalid { registration: String },

    /// A stay beyond the limit.
    #[error("a stay lasts at most {max_days} days, not {}", span(interval))]
    StayTooLong { interval: Interval, max_days: i64 },
    /// No such allocation.
    #[error("allocation {allocation} is not known")]
    AllocationUnknown { allocation: AllocationId },
    /// The aircraft has left.
    #[error("allocation {allocation} has ended: the aircraft left at {off_block_at}")]
    AllocationFreed { allocation: AllocationId, off_block_at: DateTime<Utc> },
    /// It is not wanted any more.
    #[error("allocation {allocation} is cancelled")]
    AllocationCancelled { allocation: AllocationId },
    /// The flight holds no stand.
    #[error("flight {flight} holds no stand")]
    FlightWithoutStand { flight: FlightId },
    /// Off block before on block, or absurdly late.
    #[error("{off_block_at} cannot be the off-block time of a stay from {earliest}: it is at most at {latest}")]
    OffBlockTime { off_block_at: DateTime<Utc>, earliest: DateTime<Utc>, latest: DateTime<Utc> },
    /// Nowhere to move to.
    #[error("no other stand can take allocation {allocation}")]
    NoOtherStand { allocation: AllocationId, candidates: Vec<Candidate> },

    /// Two airports.
    #[error("a turnaround is at one site: {arrival} and {departure} are not")]
    TurnaroundSites { arrival: FlightId, departure: FlightId },
    /// An arrival where a departure belongs, or the other way round.
    #[error("flight {flight} does not have the direction that this end of a turnaround needs")]
    TurnaroundDirection { flight: FlightId, needed: Direction },
    /// It would leave before it comes.
    #[error("the departure is scheduled at {departure_at}, not after the arrival at {arrival_at}")]
    TurnaroundOrder { arrival_at: DateTime<Utc>, departure_at: DateTime<Utc> },
    /// Each leg has one other leg.
    #[error("flight {flight} already turns around with {with}")]
    FlightAlreadyLinked { flight: FlightId, with: FlightId },
    /// One aircraft would hold two stands.
    #[error("both legs hold a stand ({arrival} and {departure}): cancel one of the allocations first")]
    TurnaroundTwoStands { arrival: AllocationId, departure: AllocationId },
}

impl Refused for AirportRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::SiteUnknown { .. } => "SITE_UNKNOWN",
            Self::SiteNotAirport { .. } => "SITE_NOT_AIRPORT",
            Self::TimeOutOfRange { .. } => "TIME_OUT_OF_RANGE",
            Self::IntervalInvalid { .. } => "INTERVAL_INVALID",
            Self::BufferTooLong { .. } => "BUFFER_TOO_LONG",
            Self::StandUnknown { .. } => "STAND_UNKNOWN",
            Self::StandOfOtherSite { .. } => "STAND_OF_OTHER_SITE",
            Self::StandTooSmall { .. } => "STAND_TOO_SMALL",
            Self::StandClosed { .. } => "STAND_CLOSED",
            Self::StandOccupied { .. } => "STAND_OCCUPIED",
            Self::FlightIdInvalid { .. } => "FLIGHT_ID_INVALID",
            Self::FlightUnknown { .. } => "FLIGHT_UNKNOWN",
            Self::FlightCancelled { .. } => "FLIGHT_CANCELLED",
            Self::FlightDeparted { .. } => "FLIGHT_DEPARTED",
            Self::FlightFlown { .. } => "FLIGHT_FLOWN",
            Self::FlightAlreadyAllocated { .. } => "FLIGHT_ALREADY_ALLOCATED",
            Self::AircraftTypeUnknown { .. } => "AIRCRAFT_TYPE_UNKNOWN",
            Self::AircraftTooLarge { .. } => "AIRCRAFT_TOO_LARGE",
            Self::RegistrationInvalid { .. } => "REGISTRATION_INVALID",
            Self::StayTooLong { .. } => "STAY_TOO_LONG",
            Self::AllocationUnknown { .. } => "ALLOCATION_UNKNOWN",
            Self::AllocationFreed { .. } => "ALLOCATION_FREED",
            Self::AllocationCancelled { .. } => "ALLOCATION_CANCELLED",
            Self::FlightWithoutStand { .. } => "FLIGHT_WITHOUT_STAND",
            Self::OffBlockTime { .. } => "OFF_BLOCK_TIME",
            Self::NoOtherStand { .. } => "NO_OTHER_STAND",
            Self::TurnaroundSites { .. } => "TURNAROUND_SITES",
            Self::TurnaroundDirection { .. } => "TURNAROUND_DIRECTION",
            Self::TurnaroundOrder { .. } => "TURNAROUND_ORDER",
            Self::FlightAlreadyLinked { .. } => "FLIGHT_ALREADY_LINKED",
            Self::TurnaroundTwoStands { .. } => "TURNAROUND_TWO_STANDS",
        }
    }
    fn details(&self) -> serde_json::Value {
        plain(self)
    }
}

impl From<IdError> for AirportRefusal {
    fn from(error: IdError) -> Self {
        Self::FlightIdInvalid { text: error.text, rule: error.rule }
    }
}

/// What a decision of the airport comes to.
pub(super) type Decides<A> = Verdict<A, AirportRefusal>;

fn span(interval: &Interval) -> String {
    let minute = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%MZ").to_string();
    match interval.to() {
        Some(to) => format!("from {} to {}", minute(interval.from()), minute(to)),
        None => format!("from {} on", minute(interval.from())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_serialised_code_is_the_code() {
        let stand = StandId::new("LFW/C01").unwrap();
        let refusals = [
            AirportRefusal::StandUnknown { site: stand.site(), stand: stand.clone() },
            AirportRefusal::StandTooSmall { stand, takes: CodeLetter::C, needs: CodeLetter::E },
            AirportRefusal::BufferTooLong { minutes: 300, max: 240 },
        ];
        for refusal in refusals {
            assert_eq!(serde_json::to_value(&refusal).unwrap()["code"], refusal.code());
        }
    }
}
