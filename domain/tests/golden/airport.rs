//! Stands and allocations.

use chrono::{DateTime, Utc};
use vigie_domain::Event;
use vigie_domain::airport::*;
use vigie_domain::kernel::{Interval, Note};
use vigie_domain::support::SiteId;

pub(crate) fn at(time: &str) -> DateTime<Utc> {
    format!("2026-01-15T{time}Z").parse().unwrap()
}

pub(crate) fn lfw() -> SiteId {
    SiteId::new("LFW").unwrap()
}

pub(crate) fn stand(name: &str) -> StandId {
    StandId::at(&lfw(), name).unwrap()
}

pub(crate) fn comes() -> FlightId {
    FlightId::new("LFW/AF860/2026-01-15/A/CDG").unwrap()
}

pub(crate) fn goes() -> FlightId {
    FlightId::new("LFW/AF861/2026-01-15/D/CDG/2").unwrap()
}

pub(crate) fn allocation() -> AllocationId {
    AllocationId::new("5f3c9a52-7d56-5d3e-9a0b-6f4b8c1d2e3f").unwrap()
}

fn note(text: &str) -> Note {
    Note::new(text).unwrap()
}

fn a333() -> AircraftType {
    AircraftType::new("A333").unwrap()
}

fn stay() -> Interval {
    Interval::new(at("12:00:00"), at("13:30:00.5")).unwrap()
}

fn turnaround() -> Turnaround {
    Turnaround::minutes(45, 60, 120).unwrap()
}

fn hit() -> AllocationHit {
    AllocationHit { allocation: allocation(), flight: comes(), interval: stay() }
}

/// A stand that lost for every reason, and one that won.
fn candidates() -> Vec<Candidate> {
    let closed = Interval::starting(at("11:00:00"));
    let reasons = [
        (None, Some(Rejection::TooSmall { code: CodeLetter::C })),
        (None, Some(Rejection::Closed { interval: closed })),
        (None, Some(Rejection::Occupied { flight: goes(), interval: stay() })),
        (Some(40), Some(Rejection::CivilFirst)),
        (Some(10_120), Some(Rejection::MorePoints)),
        (Some(80), None),
    ];
    let names = ["C01", "C02", "C03", "M01", "C04", "C05"].map(stand);
    let all = names.into_iter().zip(reasons);
    all.map(|(stand, (points, rejected))| Candidate { stand, points, rejected }).collect()
}

fn stand_samples() -> Vec<(&'static str, Event)> {
    let (interval, reason) = (Interval::starting(at("10:00:00")), note("Réfection\ndu marquage"));
    let weights = Weights { spare_letter: 100_000, no_jetway: 10_000, metre: 1 };
    let defined = StandDefined {
        stand: stand("C05"),
        site: lfw(),
        kind: StandKind::Civil,
        code: CodeLetter::E,
        jetway: true,
        distance_m: 80,
    };
    let military = StandDefined { stand: stand("M01"), kind: StandKind::Military, jetway: false, ..defined.clone() };
    let default_turnaround = turnaround();
    let rules = AllocationRulesSet { site: lfw(), version: 3, buffer_minutes: 15, default_turnaround, weights };
    let (closed, relieved) = (stand("C05"), vec![hit()]);
    let reopened = StandReopened { stand: closed.clone(), site: lfw(), interval: stay(), note: note("dry"), relieved };
    let rule = TurnaroundRuleSet { site: lfw(), aircraft_type: a333(), turnaround: turnaround() };
    vec![
        ("", defined.into()),
        ("military", military.into()),
        ("", rules.into()),
        ("", rule.into()),
        ("", StandClosed { stand: closed, site: lfw(), interval, reason, hits: vec![hit()] }.into()),
        ("", reopened.into()),
    ]
}

fn allocation_samples() -> Vec<(&'static str, Event)> {
    let allocated = StandAllocated {
        allocation: allocation(),
        site: lfw(),
        stand: stand("C05"),
        flight: comes(),
        turnaround: Some(goes()),
        interval: stay(),
        buffer_minutes: 15,
        aircraft_type: a333(),
        code: CodeLetter::E,
        rules_version: 3,
        requested: false,
        overflow: None,
        candidates: candidates(),
        note: note("VIP"),
    };
    let moved = AllocationMoved {
        allocation: allocation(),
        site: lfw(),
        flight: comes(),
        turnaround: None,
        from: stand("C05"),
        to: stand("M01"),
        interval: stay(),
        buffer_minutes: 20,
        overflow: Some("the military stand was requested".into()),
        note: Note::default(),
    };
    let freed = StandFreed {
        allocation: allocation(),
        site: lfw(),
        stand: stand("M01"),
        flight: comes(),
        turnaround: Some(goes()),
        planned: stay(),
        off_block_at: at("13:41:00"),
        buffer_minutes: 20,
    };
    let cancelled = AllocationCancelled {
        allocation: allocation(),
        site: lfw(),
        stand: stand("C05"),
        flight: comes(),
        turnaround: None,
        planned: stay(),
        buffer_minutes: 15,
        cause: CancelCause::FlightCancelled { flight: comes() },
    };
    let by_operator =
        AllocationCancelled { cause: CancelCause::Operator { note: note("diverted") }, ..cancelled.clone() };
    let (flight, site, interval, code) = (comes(), lfw(), stay(), CodeLetter::E);
    let none = NoStandFound { flight, site, interval, code, candidates: candidates().drain(..3).collect() };
    vec![
        ("", allocated.into()),
        ("", moved.into()),
        ("", freed.into()),
        ("", cancelled.into()),
        ("operator", by_operator.into()),
        ("", none.into()),
    ]
}

pub(crate) fn samples() -> Vec<(&'static str, Event)> {
    stand_samples().into_iter().chain(allocation_samples()).collect()
}
