//! What the specifications of the airport start from: Lomé on 2026-01-01.

use chrono::{DateTime, Utc};

use super::*;
use crate::Event;
use crate::kernel::{Interval, Note, derived_uuid};
use crate::support::{SiteDefined, SiteId, SiteKind, Zone};

pub(super) fn lfw() -> SiteId {
    SiteId::new("LFW").unwrap()
}

fn site(id: &str, kind: SiteKind, zone: &str) -> Event {
    let site = SiteId::new(id).unwrap();
    SiteDefined { site, name: id.to_owned(), kind, zone: Zone::new(zone).unwrap(), icao: None }.into()
}

/// The airport.
pub(super) fn lome() -> Event {
    site("LFW", SiteKind::Airport, "Africa/Lome")
}

/// A site without flights.
pub(super) fn sangatte() -> Event {
    site("SANGATTE", SiteKind::Rail, "Europe/Paris")
}

/// A time on 2026-01-01, or of the day given in front: `12:00`, `02T12:00`.
pub(super) fn at(time: &str) -> DateTime<Utc> {
    let (day, time) = time.split_once('T').unwrap_or(("01", time));
    format!("2026-01-{day}T{time}:00Z").parse().unwrap()
}

pub(super) fn stand(name: &str) -> StandId {
    StandId::at(&lfw(), name).unwrap()
}

/// A civil stand with jetway, for code letter E, 100 m away.
pub(super) fn civil(name: &str) -> StandDefined {
    let (kind, code) = (StandKind::Civil, CodeLetter::E);
    StandDefined { stand: stand(name), site: lfw(), kind, code, jetway: true, distance_m: 100 }
}

/// The same, military.
pub(super) fn military(name: &str) -> StandDefined {
    StandDefined { kind: StandKind::Military, ..civil(name) }
}

/// An arrival from Paris on 2026-01-01.
pub(super) fn arrival(number: &str) -> FlightId {
    FlightId::new(&format!("LFW/{number}/2026-01-01/A/CDG")).unwrap()
}

/// A departure to Paris on 2026-01-01.
pub(super) fn departure(number: &str) -> FlightId {
    FlightId::new(&format!("LFW/{number}/2026-01-01/D/CDG")).unwrap()
}

/// What a source says at a time.
pub(super) fn clock(time: &str) -> Clock {
    Clock { source: "hkia".to_owned(), observed_at: at(time) }
}

/// The flight is known, scheduled at a time; reported at 06:00.
pub(super) fn registered(flight: &FlightId, time: &str) -> Event {
    let (flight, site, details) = (flight.clone(), lfw(), Details::default());
    FlightRegistered { flight, site, scheduled_at: at(time), details, clock: clock("06:00") }.into()
}

/// The aircraft of a flight; reported at 06:00.
pub(super) fn flown_by(flight: &FlightId, aircraft_type: &str) -> Event {
    let aircraft = Aircraft { aircraft_type: AircraftType::new(aircraft_type).unwrap(), registration: None };
    AircraftAssigned { flight: flight.clone(), site: lfw(), aircraft, was: None, clock: clock("06:00") }.into()
}

/// The two are one turnaround.
pub(super) fn linked(arrival: &FlightId, departure: &FlightId) -> Event {
    TurnaroundLinked { site: lfw(), arrival: arrival.clone(), departure: departure.clone() }.into()
}

/// An arrival has a stand, with a buffer of 15 minutes.
pub(super) fn allocated(name: &str, number: &str, from: &str, to: &str) -> StandAllocated {
    StandAllocated {
        allocation: AllocationId(derived_uuid("allocation", number)),
        site: lfw(),
        stand: stand(name),
        flight: arrival(number),
        turnaround: None,
        interval: Interval::new(at(from), at(to)).unwrap(),
        buffer_minutes: 15,
        aircraft_type: AircraftType::new("A333").unwrap(),
        code: CodeLetter::E,
        rules_version: 0,
        requested: false,
        overflow: None,
        candidates: vec![],
        note: Note::default(),
    }
}
