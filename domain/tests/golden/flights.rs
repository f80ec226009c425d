//! Flights, as a source reports them.

use vigie_domain::Event;
use vigie_domain::airport::*;
use vigie_domain::kernel::Note;

use crate::airport::{at, comes, goes, lfw};

fn clock() -> Clock {
    Clock { source: "hkia".into(), observed_at: at("09:41:07.25") }
}

fn details() -> Details {
    Details {
        operator: Some(Carrier::new("AFR").unwrap()),
        codeshares: vec!["KL2860".into(), "DL8600".into()],
        via: vec![AirportCode::new("NIM").unwrap()],
        cargo: false,
    }
}

pub(crate) fn aircraft(aircraft_type: &str, registration: &str) -> Aircraft {
    let aircraft_type = AircraftType::new(aircraft_type).unwrap();
    Aircraft { aircraft_type, registration: Some(registration.to_owned()) }
}

fn placement() -> Placement {
    let [gate, belt, terminal, aisle, hall] = ["4", "7", "T1", "C", "B"].map(str::to_owned);
    Placement { gate, belt, terminal, aisle, hall }
}

pub(crate) fn samples() -> Vec<(&'static str, Event)> {
    let (arrival, departure, site, at_) = (comes, goes, lfw, || at("12:10:00"));
    let registered =
        FlightRegistered { flight: arrival(), site: site(), scheduled_at: at_(), details: details(), clock: clock() };
    let rescheduled =
        FlightRescheduled { flight: arrival(), site: site(), from: at_(), to: at("12:25:00"), clock: clock() };
    let was = Progress::Scheduled;
    let estimated = FlightEstimated { flight: arrival(), site: site(), at: at_(), was, clock: clock() };
    let was = Progress::Estimated(at_());
    let landed = FlightLanded { flight: arrival(), site: site(), at: at_(), was, clock: clock() };
    let was = Progress::Landed(at_());
    let arrived = FlightArrived { flight: arrival(), site: site(), at: at_(), was, clock: clock() };
    let was = Progress::Phase(Phase::GateClosed);
    let departed = FlightDeparted { flight: departure(), site: site(), at: at_(), was, clock: clock() };
    let was = Progress::Arrived(at_());
    let reverted = FlightReverted { flight: arrival(), site: site(), was, clock: clock() };
    let was = Progress::Departed(at_());
    let cancelled =
        FlightCancelled { flight: departure(), site: site(), was, note: Note::new("fog").unwrap(), clock: clock() };
    let note = Note::default();
    let reinstated = FlightReinstated { flight: departure(), site: site(), note, clock: clock() };
    let (from, to) = (Placement::default(), placement());
    let placed = FlightPlaced { flight: arrival(), site: site(), from, to, clock: clock() };
    let (from, to) = (Details::default(), Details { cargo: true, ..details() });
    let corrected = DetailsCorrected { flight: arrival(), site: site(), from, to, clock: clock() };
    let assigned = AircraftAssigned {
        flight: arrival(),
        site: site(),
        aircraft: aircraft("A333", "F-GZCA"),
        was: Some(aircraft("A332", "F-GZCB")),
        clock: clock(),
    };
    let linked = TurnaroundLinked { site: site(), arrival: arrival(), departure: departure() };
    let plain: [Event; 13] = [
        registered.into(),
        rescheduled.into(),
        estimated.into(),
        landed.into(),
        arrived.into(),
        departed.into(),
        reverted.into(),
        cancelled.into(),
        reinstated.into(),
        placed.into(),
        corrected.into(),
        assigned.into(),
        linked.into(),
    ];
    plain.into_iter().map(|event| ("", event)).chain(phases()).collect()
}

/// Every step on the way to departure.
fn phases() -> Vec<(&'static str, Event)> {
    let reported = |phase, was| {
        let (flight, site, clock) = (goes(), lfw(), clock());
        FlightPhaseReported { flight, site, phase, was, clock }.into()
    };
    vec![
        ("", reported(Phase::Boarding, Progress::Phase(Phase::BoardingSoon))),
        ("delayed", reported(Phase::Delayed, Progress::Cancelled)),
        ("final_call", reported(Phase::FinalCall, Progress::Phase(Phase::Boarding))),
    ]
}
