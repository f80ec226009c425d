//! Every type of fact of the airport.

use super::*;
use crate::kernel::events::events;

events! {
    /// What happened at an airport.
    AirportEvent, names;
    /// A stand was set up, or its description changed.
    STAND_DEFINED = "airport.stand_defined" => StandDefined v 1,
    /// The rules of allocation of a site were set.
    ALLOCATION_RULES_SET = "airport.allocation_rules_set" => AllocationRulesSet v 1,
    /// The turnaround minutes of an aircraft type were set.
    TURNAROUND_RULE_SET = "airport.turnaround_rule_set" => TurnaroundRuleSet v 1,
    /// A stand is closed for a time.
    STAND_CLOSED = "airport.stand_closed" => StandClosed v 1,
    /// A stand is open again for a time.
    STAND_REOPENED = "airport.stand_reopened" => StandReopened v 1,
    /// A flight has a stand.
    STAND_ALLOCATED = "airport.stand_allocated" => StandAllocated v 1,
    /// An allocation was moved to another stand.
    ALLOCATION_MOVED = "airport.allocation_moved" => AllocationMoved v 1,
    /// The aircraft has left its stand.
    STAND_FREED = "airport.stand_freed" => StandFreed v 1,
    /// An allocation is no longer wanted.
    ALLOCATION_CANCELLED = "airport.allocation_cancelled" => AllocationCancelled v 1,
    /// No stand was left for a flight.
    NO_STAND_FOUND = "airport.no_stand_found" => NoStandFound v 1,
    /// A flight is known.
    FLIGHT_REGISTERED = "airport.flight_registered" => FlightRegistered v 1,
    /// A flight was scheduled for another time of its day.
    FLIGHT_RESCHEDULED = "airport.flight_rescheduled" => FlightRescheduled v 1,
    /// A flight is expected at a time.
    FLIGHT_ESTIMATED = "airport.flight_estimated" => FlightEstimated v 1,
    /// A flight has landed.
    FLIGHT_LANDED = "airport.flight_landed" => FlightLanded v 1,
    /// A flight has come on block.
    FLIGHT_ARRIVED = "airport.flight_arrived" => FlightArrived v 1,
    /// A flight has left.
    FLIGHT_DEPARTED = "airport.flight_departed" => FlightDeparted v 1,
    /// A departure has come a step nearer, or is late without a time.
    FLIGHT_PHASE_REPORTED = "airport.flight_phase_reported" => FlightPhaseReported v 1,
    /// A flight is cancelled.
    FLIGHT_CANCELLED = "airport.flight_cancelled" => FlightCancelled v 1,
    /// A cancelled flight takes place after all.
    FLIGHT_REINSTATED = "airport.flight_reinstated" => FlightReinstated v 1,
    /// The source took back what it had said; only the schedule is left.
    FLIGHT_REVERTED = "airport.flight_reverted" => FlightReverted v 1,
    /// The source named gate, belt, hall or terminal.
    FLIGHT_PLACED = "airport.flight_placed" => FlightPlaced v 1,
    /// The source corrected codeshares, route or kind.
    DETAILS_CORRECTED = "airport.details_corrected" => DetailsCorrected v 1,
    /// The aircraft of a flight is known.
    AIRCRAFT_ASSIGNED = "airport.aircraft_assigned" => AircraftAssigned v 2 [upcasts::aircraft_assigned_to_2],
    /// An arrival and a departure are flown by the same aircraft.
    TURNAROUND_LINKED = "airport.turnaround_linked" => TurnaroundLinked v 1,
}
