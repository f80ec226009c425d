//! An allocation whose stand is taken away raises an alert, which is resolved once the allocation has ground again.

use super::{Policy, Reaction, note, stay};
use crate::Event;
use crate::airport::{AirportEvent, AllocationHit, AllocationId, StandClosed, names};
use crate::alerts::{About, AlertKind, RaiseAlert, ResolveAlertsAbout, Severity, Subject};
use crate::kernel::Fact;

/// One alert per closure and allocation that it hits. Raising and resolving are one policy, so that they stay in order.
pub(super) struct StandConflicts;

impl Policy for StandConflicts {
    fn name(&self) -> &'static str {
        "alerts.stand_conflict"
    }
    fn kinds(&self) -> &'static [&'static str] {
        &[
            names::STAND_CLOSED,
            names::STAND_REOPENED,
            names::ALLOCATION_MOVED,
            names::STAND_FREED,
            names::ALLOCATION_CANCELLED,
        ]
    }
    fn react(&self, fact: &Fact) -> Vec<Reaction> {
        let Event::Airport(event) = &fact.event else { return vec![] };
        match event {
            AirportEvent::StandClosed(closed) => closed.hits.iter().map(|hit| raise(fact, closed, hit)).collect(),
            AirportEvent::StandReopened(reopened) => {
                let relieved = reopened.relieved.iter();
                relieved.map(|hit| resolve(hit.allocation, &format!("{} is open again", reopened.stand))).collect()
            }
            AirportEvent::AllocationMoved(moved) => {
                vec![resolve(moved.allocation, &format!("moved to {}", moved.to))]
            }
            AirportEvent::StandFreed(freed) => vec![resolve(freed.allocation, "the aircraft has left the stand")],
            AirportEvent::AllocationCancelled(cancelled) => {
                vec![resolve(cancelled.allocation, "the allocation was cancelled")]
            }
            AirportEvent::StandDefined(_)
            | AirportEvent::AllocationRulesSet(_)
            | AirportEvent::TurnaroundRuleSet(_)
            | AirportEvent::StandAllocated(_)
            | AirportEvent::NoStandFound(_)
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
            | AirportEvent::TurnaroundLinked(_) => vec![],
        }
    }
}

fn raise(fact: &Fact, closed: &StandClosed, hit: &AllocationHit) -> Reaction {
    let (stand, flight, allocation) = (closed.stand.clone(), hit.flight.clone(), hit.allocation);
    let (closure, planned) = (stay(closed.interval), stay(hit.interval));
    Reaction::RaiseAlert(RaiseAlert {
        site: closed.site.clone(),
        kind: AlertKind::StandConflict,
        severity: Severity::Critical,
        message: format!("Stand {stand} is closed {closure}; flight {flight} was to stay there {planned}"),
        subject: Subject::Allocation { stand, flight, allocation },
        cause: fact.stamp.id,
        cause_key: format!("{}/{allocation}", fact.stamp.id),
    })
}

fn resolve(allocation: AllocationId, reason: &str) -> Reaction {
    let (kind, about) = (AlertKind::StandConflict, About::Allocation(allocation));
    Reaction::ResolveAlertsAbout(ResolveAlertsAbout { kind, about, reason: note(reason) })
}

#[cfg(test)]
mod tests;
