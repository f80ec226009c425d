//! Stands, flights and who stands where.

/// Patterns of the events that a read model leaves aside, so that its match stays exhaustive: a new event must be
/// put into one of these groups, and every read model that matches then says what it makes of it.
macro_rules! about_rules {
    () => {
        AirportEvent::AllocationRulesSet(_) | AirportEvent::TurnaroundRuleSet(_)
    };
}
macro_rules! about_stands {
    () => {
        AirportEvent::StandDefined(_) | AirportEvent::StandClosed(_) | AirportEvent::StandReopened(_)
    };
}
macro_rules! about_stays {
    () => {
        AirportEvent::StandAllocated(_)
            | AirportEvent::AllocationMoved(_)
            | AirportEvent::StandFreed(_)
            | AirportEvent::AllocationCancelled(_)
    };
}
macro_rules! about_flights {
    () => {
        AirportEvent::NoStandFound(_)
            | AirportEvent::FlightRegistered(_)
            | AirportEvent::FlightRescheduled(_)
            | AirportEvent::FlightEstimated(_)
            | AirportEvent::FlightLanded(_)
            | AirportEvent::FlightArrived(_)
            | AirportEvent::FlightDeparted(_)
            | AirportEvent::FlightPhaseReported(_)
            | AirportEvent::FlightCancelled(_)
            | AirportEvent::FlightReinstated(_)
            | AirportEvent::FlightReverted(_)
            | AirportEvent::FlightPlaced(_)
            | AirportEvent::DetailsCorrected(_)
            | AirportEvent::AircraftAssigned(_)
            | AirportEvent::TurnaroundLinked(_)
    };
}

mod allocations;
mod flights;
mod stands;
mod turnaround_rules;

pub use allocations::{AllocationRow, AllocationStatus, Allocations, Move};
pub use flights::{FlightRow, Flights};
pub use stands::{Closure, StandRow, Stands};
pub use turnaround_rules::{TurnaroundRuleRow, TurnaroundRules};
