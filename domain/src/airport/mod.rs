//! Stands, flights and who stands where.
//!
//! What must stay true: two stays on a stand are apart by at least the larger of their buffers, a stay is on a stand
//! that was open and large enough when it was given, and neither a flight nor a turnaround holds two stands.

mod aircraft;
mod allocate_stand;
mod apron;
mod assign_aircraft;
mod cancel_allocation;
mod cancel_flight;
mod checks;
mod close_stand;
mod define_stand;
mod events;
mod flight;
mod flight_events;
mod free_stand;
mod ids;
#[cfg(test)]
mod invariants;
mod link_turnaround;
mod move_allocation;
mod observe_flight;
mod refusal;
mod reinstate_flight;
mod reopen_stand;
mod rules;
mod set_allocation_rules;
mod set_turnaround_rule;
mod shards;
mod site_rules;
mod stand;
mod stand_events;
mod stand_tags;
mod stay;
#[cfg(test)]
mod testing;
mod upcasts;
mod wanted_stay;
mod wingspans;

pub use aircraft::{Aircraft, AircraftType, CodeLetter, Wingspan};
pub use allocate_stand::{AllocateAnswer, AllocateStand};
pub use assign_aircraft::AssignAircraft;
pub use cancel_allocation::{CancelAllocation, CancelledAllocation};
pub use cancel_flight::{CancelFlight, FlightCancellation};
pub use close_stand::{CloseStand, Closure};
pub use define_stand::DefineStand;
pub use events::{AirportEvent, names};
pub use flight::{Flight, OPERATOR};
pub use flight_events::{
    AircraftAssigned, Clock, Details, DetailsCorrected, FlightArrived, FlightCancelled, FlightDeparted,
    FlightEstimated, FlightLanded, FlightPhaseReported, FlightPlaced, FlightRegistered, FlightReinstated,
    FlightRescheduled, FlightReverted, Phase, Placement, Progress, TurnaroundLinked,
};
pub use free_stand::{FreeStand, FreedStand, StayOf};
pub use ids::{AirportCode, AllocationId, Carrier, Direction, FlightId, Leg, StandId};
pub use link_turnaround::LinkTurnaround;
pub use move_allocation::{MoveAllocation, MovedAllocation};
pub use observe_flight::{ObserveAnswer, ObserveFlight};
pub use refusal::AirportRefusal;
pub use reinstate_flight::ReinstateFlight;
pub use reopen_stand::{ReopenStand, Reopening};
pub use rules::{StandKind, Turnaround, TurnaroundError, Weights};
pub use set_allocation_rules::{RulesVersion, SetAllocationRules};
pub use set_turnaround_rule::SetTurnaroundRule;
pub use shards::{SHARD_LIMIT, site_day, stand_day};
pub use site_rules::{DEFAULT_BUFFER_MINUTES, SiteRules};
pub use stand::{Stand, Stands};
pub use stand_events::{
    AllocationCancelled, AllocationHit, AllocationMoved, AllocationRulesSet, CancelCause, Candidate, NoStandFound,
    Rejection, StandAllocated, StandClosed, StandDefined, StandFreed, StandReopened, TurnaroundRuleSet,
};
pub use stay::{ALLOCATION_FACTS, Allocation, SiteDay, Standing, Stay, StaysOfDay, StaysOfStand};
pub use wingspans::wingspan;

/// The airport's event in a fact.
fn airport_event(fact: &crate::kernel::Fact) -> Option<&AirportEvent> {
    if let crate::Event::Airport(event) = &fact.event { Some(event) } else { None }
}
