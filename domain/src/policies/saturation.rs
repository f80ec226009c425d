//! A flight without a stand raises an alert, which is resolved once the flight has one or does not need it any more.

use super::{Policy, Reaction, note, stay};
use crate::Event;
use crate::airport::{AirportEvent, FlightId, NoStandFound, names};
use crate::alerts::{About, AlertKind, RaiseAlert, ResolveAlertsAbout, Severity, Subject};
use crate::kernel::Fact;

/// One alert per time that a flight found no stand. Raising and resolving are one policy, so that they stay in order.
pub(super) struct Saturation;

impl Policy for Saturation {
    fn name(&self) -> &'static str {
        "alerts.saturation"
    }
    fn kinds(&self) -> &'static [&'static str] {
        &[names::NO_STAND_FOUND, names::STAND_ALLOCATED, names::FLIGHT_CANCELLED]
    }
    fn react(&self, fact: &Fact) -> Vec<Reaction> {
        let Event::Airport(event) = &fact.event else { return vec![] };
        match event {
            AirportEvent::NoStandFound(found) => vec![raise(fact, found)],
            // Either leg of the turnaround may have asked before.
            AirportEvent::StandAllocated(allocated) => {
                let reason = format!("{} was allocated", allocated.stand);
                let legs = std::iter::once(&allocated.flight).chain(&allocated.turnaround);
                legs.map(|flight| resolve(flight, &reason)).collect()
            }
            AirportEvent::FlightCancelled(cancelled) => vec![resolve(&cancelled.flight, "the flight was cancelled")],
            AirportEvent::StandDefined(_)
            | AirportEvent::AllocationRulesSet(_)
            | AirportEvent::TurnaroundRuleSet(_)
            | AirportEvent::StandClosed(_)
            | AirportEvent::StandReopened(_)
            | AirportEvent::AllocationMoved(_)
            | AirportEvent::StandFreed(_)
            | AirportEvent::AllocationCancelled(_)
            | AirportEvent::FlightRegistered(_)
            | AirportEvent::FlightRescheduled(_)
            | AirportEvent::FlightEstimated(_)
            | AirportEvent::FlightLanded(_)
            | AirportEvent::FlightArrived(_)
            | AirportEvent::FlightDeparted(_)
            | AirportEvent::FlightPhaseReported(_)
            | AirportEvent::FlightReinstated(_)
            | AirportEvent::FlightReverted(_)
            | AirportEvent::FlightPlaced(_)
            | AirportEvent::DetailsCorrected(_)
            | AirportEvent::AircraftAssigned(_)
            | AirportEvent::TurnaroundLinked(_) => vec![],
        }
    }
}

fn raise(fact: &Fact, found: &NoStandFound) -> Reaction {
    let NoStandFound { flight, site, interval, code, .. } = found;
    Reaction::RaiseAlert(RaiseAlert {
        site: site.clone(),
        kind: AlertKind::Saturation,
        severity: Severity::Warning,
        subject: Subject::Flight { flight: flight.clone() },
        message: format!("No stand of code {code} or larger is left for flight {flight} {}", stay(*interval)),
        cause: fact.stamp.id,
        cause_key: fact.stamp.id.to_string(),
    })
}

fn resolve(flight: &FlightId, reason: &str) -> Reaction {
    let (kind, about) = (AlertKind::Saturation, About::Flight(flight.clone()));
    Reaction::ResolveAlertsAbout(ResolveAlertsAbout { kind, about, reason: note(reason) })
}

#[cfg(test)]
mod tests;
