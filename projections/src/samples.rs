//! Events to build specifications from.

use chrono::{Duration, NaiveDate};
use uuid::Uuid;
use vigie_domain::Event;
use vigie_domain::airport::*;
use vigie_domain::alerts::*;
use vigie_domain::kernel::{Interval, Note, derived_uuid};
use vigie_domain::rail::*;
use vigie_domain::support::{SiteDefined, SiteId, SiteKind, Zone};

use crate::spec::noon;

pub(crate) fn note(text: &str) -> Note {
    Note::new(text).unwrap()
}

pub(crate) fn lome() -> SiteId {
    SiteId::new("LFW").unwrap()
}

pub(crate) fn sangatte() -> SiteId {
    SiteId::new("SANGATTE").unwrap()
}

pub(crate) fn site(name: &str) -> Event {
    let zone = Zone::new("Africa/Lome").unwrap();
    SiteDefined { site: lome(), name: name.into(), kind: SiteKind::Airport, zone, icao: Some("DXXX".into()) }.into()
}

pub(crate) fn stand_id(name: &str) -> StandId {
    StandId::at(&lome(), name).unwrap()
}

pub(crate) fn stand(name: &str, distance_m: u32) -> Event {
    let (kind, code) = (StandKind::Civil, CodeLetter::C);
    StandDefined { stand: stand_id(name), site: lome(), kind, code, jetway: true, distance_m }.into()
}

/// From so many hours after noon for so long.
pub(crate) fn hours(from: i64, length: i64) -> Interval {
    let from = noon() + Duration::hours(from);
    Interval::new(from, from + Duration::hours(length)).unwrap()
}

pub(crate) fn flight_id(number: u32, direction: Direction) -> FlightId {
    let (carrier, airport) = (Carrier::new("AF").unwrap(), AirportCode::new("CDG").unwrap());
    let date = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
    Leg { site: lome(), carrier, number: number.to_string(), date, direction, airport, ordinal: 1 }.id().unwrap()
}

pub(crate) fn arrival(number: u32) -> FlightId {
    flight_id(number, Direction::Arrival)
}

pub(crate) fn clock(minutes: i64) -> Clock {
    Clock { source: "feed".into(), observed_at: noon() + Duration::minutes(minutes) }
}

pub(crate) fn flight(flight: &FlightId) -> Event {
    let scheduled_at = noon() + Duration::hours(1);
    FlightRegistered {
        flight: flight.clone(),
        site: lome(),
        scheduled_at,
        details: Details::default(),
        clock: clock(0),
    }
    .into()
}

pub(crate) fn estimated(flight: &FlightId, minutes: i64) -> Event {
    let at = noon() + Duration::minutes(minutes);
    let was = Progress::Scheduled;
    FlightEstimated { flight: flight.clone(), site: lome(), at, was, clock: clock(minutes) }.into()
}

pub(crate) fn allocation_id(number: u32) -> AllocationId {
    AllocationId(derived_uuid("allocation", &number.to_string()))
}

pub(crate) fn allocated(number: u32, stand: &str, flight: &FlightId, turnaround: Option<&FlightId>) -> Event {
    let chosen = Candidate { stand: stand_id(stand), points: Some(120), rejected: None };
    StandAllocated {
        allocation: allocation_id(number),
        site: lome(),
        stand: stand_id(stand),
        flight: flight.clone(),
        turnaround: turnaround.cloned(),
        interval: hours(1, 2),
        buffer_minutes: 15,
        aircraft_type: AircraftType::new("B738").unwrap(),
        code: CodeLetter::C,
        rules_version: 0,
        requested: false,
        overflow: None,
        candidates: vec![chosen],
        note: note("first of the day"),
    }
    .into()
}

pub(crate) fn moved(number: u32, from: &str, to: &str, flight: &FlightId) -> Event {
    AllocationMoved {
        allocation: allocation_id(number),
        site: lome(),
        flight: flight.clone(),
        turnaround: None,
        from: stand_id(from),
        to: stand_id(to),
        interval: hours(1, 2),
        buffer_minutes: 15,
        overflow: None,
        note: note("tow"),
    }
    .into()
}

pub(crate) fn freed(number: u32, stand: &str, flight: &FlightId) -> Event {
    StandFreed {
        allocation: allocation_id(number),
        site: lome(),
        stand: stand_id(stand),
        flight: flight.clone(),
        turnaround: None,
        planned: hours(1, 2),
        off_block_at: noon() + Duration::minutes(150),
        buffer_minutes: 15,
    }
    .into()
}

pub(crate) fn cancelled(number: u32, stand: &str, flight: &FlightId) -> Event {
    AllocationCancelled {
        allocation: allocation_id(number),
        site: lome(),
        stand: stand_id(stand),
        flight: flight.clone(),
        turnaround: None,
        planned: hours(1, 2),
        buffer_minutes: 15,
        cause: CancelCause::Operator { note: note("not coming") },
    }
    .into()
}

pub(crate) fn closed(stand: &str, interval: Interval, hits: Vec<AllocationHit>) -> Event {
    StandClosed { stand: stand_id(stand), site: lome(), interval, reason: note("oil spill"), hits }.into()
}

pub(crate) fn reopened(stand: &str, interval: Interval, relieved: Vec<AllocationHit>) -> Event {
    StandReopened { stand: stand_id(stand), site: lome(), interval, note: note("clean"), relieved }.into()
}

pub(crate) fn pass_id(id: &str) -> PassId {
    PassId::at(&sangatte(), id).unwrap()
}

pub(crate) fn pass(id: &str) -> Event {
    let train = Some("9012".into());
    PassRegistered { pass: pass_id(id), site: sangatte(), track: "V1".into(), passed_at: noon(), train }.into()
}

pub(crate) fn car(id: &str, car: u16, heights: &[f64]) -> Event {
    let reading = |(place, height): (usize, &f64)| Reading {
        spring: format!("L{}", place + 1),
        quantity: "height".into(),
        unit: "mm".into(),
        value: Value::new(*height).unwrap(),
        quality: Quality::Good,
    };
    CarMeasured {
        pass: pass_id(id),
        site: sangatte(),
        car,
        vehicle: None,
        camera: "cam1".into(),
        readings: heights.iter().enumerate().map(reading).collect(),
        limits_version: Some(1),
    }
    .into()
}

pub(crate) fn out_of_limits(id: &str, car: u16, value: f64) -> Event {
    SpringOutOfLimits {
        pass: pass_id(id),
        site: sangatte(),
        car,
        spring: "L1".into(),
        quantity: "height".into(),
        unit: "mm".into(),
        value: Value::new(value).unwrap(),
        quality: Quality::Good,
        level: Level::Alarm,
        bound: Value::new(210.5).unwrap(),
        limits_version: 1,
    }
    .into()
}

pub(crate) fn completed(id: &str, cars: u16) -> [Event; 2] {
    [
        CompletenessDeclared { pass: pass_id(id), site: sangatte(), cars }.into(),
        PassCompleted { pass: pass_id(id), site: sangatte(), cars, springs: 2 }.into(),
    ]
}

pub(crate) fn confirmed(id: &str, alerts: Vec<AlertId>) -> Event {
    PassConfirmed { pass: pass_id(id), site: sangatte(), note: note("looked at it"), alerts }.into()
}

pub(crate) fn alert_id(cause: u32) -> AlertId {
    AlertId::of(AlertKind::SpringOutOfLimits, &cause.to_string())
}

pub(crate) fn spring(id: &str) -> Subject {
    Subject::Spring { pass: pass_id(id), car: 1, spring: "L1".into(), quantity: "height".into() }
}

pub(crate) fn raised(cause: u32, subject: Subject) -> Event {
    AlertRaised {
        alert: alert_id(cause),
        site: sangatte(),
        kind: AlertKind::SpringOutOfLimits,
        severity: Severity::Critical,
        subject,
        message: "Spring L1 of car 1 is too low".into(),
        cause: Uuid::from_u128(cause.into()),
    }
    .into()
}

pub(crate) fn acknowledged(cause: u32, subject: Subject) -> Event {
    AlertAcknowledged { alert: alert_id(cause), site: sangatte(), subject, note: note("seen") }.into()
}

pub(crate) fn resolved(cause: u32, subject: Subject) -> Event {
    AlertResolved { alert: alert_id(cause), site: sangatte(), subject, reason: note("measured again") }.into()
}
