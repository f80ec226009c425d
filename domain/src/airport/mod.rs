//! Stands, flights and who stands where.

mod aircraft;
mod events;
mod flight_events;
mod ids;
mod rules;
mod shards;
mod stand_events;

pub use aircraft::{AircraftType, CodeLetter, Wingspan};
pub use events::{AirportEvent, names};
pub use flight_events::{
    AircraftAssigned, Clock, Details, DetailsCorrected, FlightArrived, FlightCancelled, FlightDeparted,
    FlightEstimated, FlightLanded, FlightPhaseReported, FlightPlaced, FlightRegistered, FlightReinstated,
    FlightRescheduled, FlightReverted, Phase, Placement, Progress, TurnaroundLinked,
};
pub use ids::{AirportCode, AllocationId, Carrier, Direction, FlightId, Leg, StandId};
pub use rules::{StandKind, Turnaround, TurnaroundError, Weights};
pub use shards::{SHARD_LIMIT, site_day, stand_day};
pub use stand_events::{
    AllocationCancelled, AllocationHit, AllocationMoved, AllocationRulesSet, CancelCause, Candidate, NoStandFound,
    Rejection, StandAllocated, StandClosed, StandDefined, StandFreed, StandReopened, TurnaroundRuleSet,
};
