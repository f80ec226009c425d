//! What facts about stands and their allocation say.

use serde_json::Value;
use vigie_domain::airport::{
    AirportEvent, AllocationCancelled, AllocationHit, AllocationId, AllocationMoved, AllocationRulesSet, CancelCause,
    FlightId, NoStandFound, StandAllocated, StandClosed, StandDefined, StandFreed, StandReopened, TurnaroundRuleSet,
};

use super::flights::Tell;
use super::told::{After, Told, is};

const NOTHING: After = After::Is(Value::Null);

pub(super) fn describe(event: &AirportEvent) -> Told {
    match event {
        AirportEvent::StandDefined(e) => stand_defined(e),
        AirportEvent::AllocationRulesSet(e) => rules_set(e),
        AirportEvent::TurnaroundRuleSet(e) => turnaround_set(e),
        AirportEvent::StandClosed(e) => closed(e),
        AirportEvent::StandReopened(e) => reopened(e),
        AirportEvent::StandAllocated(e) => allocated(e),
        AirportEvent::AllocationMoved(e) => moved(e),
        AirportEvent::StandFreed(e) => freed(e),
        AirportEvent::AllocationCancelled(e) => cancelled(e),
        AirportEvent::NoStandFound(e) => no_stand(e),
        AirportEvent::FlightRegistered(e) => e.tell(),
        AirportEvent::FlightRescheduled(e) => e.tell(),
        AirportEvent::FlightEstimated(e) => e.tell(),
        AirportEvent::FlightLanded(e) => e.tell(),
        AirportEvent::FlightArrived(e) => e.tell(),
        AirportEvent::FlightDeparted(e) => e.tell(),
        AirportEvent::FlightPhaseReported(e) => e.tell(),
        AirportEvent::FlightCancelled(e) => e.tell(),
        AirportEvent::FlightReinstated(e) => e.tell(),
        AirportEvent::FlightReverted(e) => e.tell(),
        AirportEvent::FlightPlaced(e) => e.tell(),
        AirportEvent::DetailsCorrected(e) => e.tell(),
        AirportEvent::AircraftAssigned(e) => e.tell(),
        AirportEvent::TurnaroundLinked(e) => e.tell(),
    }
}

fn stand_defined(e: &StandDefined) -> Told {
    let fields =
        [("kind", is(e.kind)), ("code", is(e.code)), ("jetway", is(e.jetway)), ("distance_m", is(e.distance_m))];
    Told::new(format!("set up stand {}", e.stand)).set(e.stand.tag(), fields)
}

fn rules_set(e: &AllocationRulesSet) -> Told {
    let fields = [
        ("rules_version", is(e.version)),
        ("buffer_minutes", is(e.buffer_minutes)),
        ("default_turnaround", is(e.default_turnaround)),
        ("weights", is(e.weights)),
    ];
    Told::new(format!("set the allocation rules of {}, version {}", e.site, e.version)).set(e.site.tag(), fields)
}

fn turnaround_set(e: &TurnaroundRuleSet) -> Told {
    let field = format!("turnaround {}", e.aircraft_type);
    Told::new(format!("set the turnaround minutes of {} at {}", e.aircraft_type, e.site))
        .set(e.site.tag(), [(&field, is(e.turnaround))])
}

fn closed(e: &StandClosed) -> Told {
    let told = Told::new(format!("closed stand {}", e.stand))
        .note(e.reason.as_str())
        .set(e.stand.tag(), [("closed", After::With(e.interval))]);
    hits(told, &e.hits, &is(e.reason.as_str()))
}

fn reopened(e: &StandReopened) -> Told {
    let told = Told::new(format!("reopened stand {}", e.stand))
        .note(e.note.as_str())
        .set(e.stand.tag(), [("closed", After::Without(e.interval))]);
    hits(told, &e.relieved, &NOTHING)
}

fn hits(told: Told, hits: &[AllocationHit], conflict: &After) -> Told {
    hits.iter().fold(told, |told, hit| told.set(hit.allocation.tag(), [("conflict", conflict.clone())]))
}

fn allocated(e: &StandAllocated) -> Told {
    let fields = [
        ("status", is("active")),
        ("stand", is(&e.stand)),
        ("from", is(e.interval.from())),
        ("to", is(e.interval.to())),
        ("overflow", is(&e.overflow)),
    ];
    let told = Told::new(format!("allocated stand {} to {}", e.stand, e.flight))
        .note(e.note.as_str())
        .set(e.allocation.tag(), fields);
    let on = || (Some(e.allocation), is(&e.stand));
    legs(told, &e.flight, e.turnaround.as_ref(), on)
}

fn moved(e: &AllocationMoved) -> Told {
    let fields = [("stand", is(&e.to)), ("overflow", is(&e.overflow)), ("conflict", NOTHING)];
    let told = Told::new(format!("moved {} from stand {} to {}", e.flight, e.from, e.to))
        .note(e.note.as_str())
        .set(e.allocation.tag(), fields);
    legs(told, &e.flight, e.turnaround.as_ref(), || (Some(e.allocation), is(&e.to)))
}

fn freed(e: &StandFreed) -> Told {
    let fields = [("status", is("freed")), ("to", is(e.off_block_at)), ("conflict", NOTHING)];
    let told = Told::new(format!("freed stand {} of {}", e.stand, e.flight)).set(e.allocation.tag(), fields);
    legs(told, &e.flight, e.turnaround.as_ref(), || (None, NOTHING))
}

fn cancelled(e: &AllocationCancelled) -> Told {
    let note = match &e.cause {
        CancelCause::Operator { note } => note.as_str().to_owned(),
        CancelCause::FlightCancelled { flight } => format!("{flight} was cancelled"),
    };
    let told = Told::new(format!("cancelled the allocation of stand {} to {}", e.stand, e.flight))
        .note(note)
        .set(e.allocation.tag(), [("status", is("cancelled")), ("conflict", NOTHING)]);
    legs(told, &e.flight, e.turnaround.as_ref(), || (None, NOTHING))
}

fn no_stand(e: &NoStandFound) -> Told {
    let fields = [("no_stand", is(true)), ("code", is(e.code)), ("asked_for", is(e.interval))];
    Told::new(format!("found no stand for {}", e.flight)).set(e.flight.tag(), fields)
}

/// Both legs of a stay have the same stand.
fn legs(
    mut told: Told,
    flight: &FlightId,
    turnaround: Option<&FlightId>,
    stay: impl Fn() -> (Option<AllocationId>, After),
) -> Told {
    for leg in [Some(flight), turnaround].into_iter().flatten() {
        let (allocation, stand) = stay();
        told = match allocation {
            Some(id) => told.set(leg.tag(), [("allocation", is(id)), ("stand", stand), ("no_stand", NOTHING)]),
            None => told.set(leg.tag(), [("allocation", NOTHING), ("stand", stand)]),
        };
    }
    told
}
