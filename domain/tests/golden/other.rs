//! Sites, train passes and alerts.

use uuid::Uuid;
use vigie_domain::Event;
use vigie_domain::alerts::*;
use vigie_domain::kernel::Note;
use vigie_domain::rail::*;
use vigie_domain::support::{ConsumerKind, ConsumerName, EventSkipped, SiteDefined, SiteId, SiteKind, Zone};

use crate::airport::{allocation, at, comes, lfw, stand};

fn sangatte() -> SiteId {
    SiteId::new("SANGATTE").unwrap()
}

fn pass() -> PassId {
    PassId::at(&sangatte(), "20260115-0412").unwrap()
}

fn value(number: f64) -> Value {
    Value::new(number).unwrap()
}

fn sites() -> Vec<(&'static str, Event)> {
    let zone = |name| Zone::new(name).unwrap();
    let (kind, icao) = (SiteKind::Airport, Some("DXXX".to_owned()));
    let lome = SiteDefined { site: lfw(), name: "Lomé".into(), kind, zone: zone("Africa/Lome"), icao };
    let (kind, name) = (SiteKind::Rail, "Sangatte".to_owned());
    let rail = SiteDefined { site: sangatte(), name, kind, zone: zone("Europe/Paris"), icao: None };
    let skipped = EventSkipped {
        consumer: ConsumerName::new("flights").unwrap(),
        kind: ConsumerKind::ReadModel,
        position: 4711,
        event: Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0002),
        site: lfw(),
        reason: Note::new("the feed sent a flight that it had never announced").unwrap(),
    };
    let consumer = ConsumerName::new("alerts.spring_out_of_limits").unwrap();
    let by_policy = EventSkipped { consumer, kind: ConsumerKind::Policy, site: sangatte(), ..skipped.clone() };
    vec![("", lome.into()), ("rail", rail.into()), ("", skipped.into()), ("policy", by_policy.into())]
}

fn measurements() -> Vec<(&'static str, Event)> {
    let (quantity, unit) = ("height".to_owned(), "mm".to_owned());
    let limit = Limit {
        quantity: quantity.clone(),
        unit: unit.clone(),
        alarm_low: Some(value(180.0)),
        warning_low: Some(value(190.5)),
        warning_high: Some(value(240.0)),
        alarm_high: None,
    };
    let qualities = [("L1", Quality::Good), ("R1", Quality::Suspect), ("R2", Quality::Bad)];
    let reading = |(spring, quality): (&str, Quality)| Reading {
        spring: spring.into(),
        quantity: quantity.clone(),
        unit: unit.clone(),
        value: value(178.25),
        quality,
    };
    let measured = CarMeasured {
        pass: pass(),
        site: sangatte(),
        car: 7,
        vehicle: Some("33 87 4561 204-7".into()),
        camera: "cam-2".into(),
        readings: qualities.into_iter().map(reading).collect(),
        limits_version: Some(2),
    };
    let out = SpringOutOfLimits {
        pass: pass(),
        site: sangatte(),
        car: 7,
        spring: "L1".into(),
        quantity: quantity.clone(),
        unit: unit.clone(),
        value: value(178.25),
        quality: Quality::Good,
        level: Level::Alarm,
        bound: value(180.0),
        limits_version: 2,
    };
    let warning = SpringOutOfLimits { level: Level::Warning, bound: value(190.5), value: value(185.0), ..out.clone() };
    let limits = LimitsSet { site: sangatte(), version: 2, valid_from: at("00:00:00"), limits: vec![limit] };
    vec![("", limits.into()), ("", measured.into()), ("", out.into()), ("warning", warning.into())]
}

fn passes() -> Vec<(&'static str, Event)> {
    let (passed_at, train) = (at("04:12:09.5"), Some("9012".to_owned()));
    let registered = PassRegistered { pass: pass(), site: sangatte(), track: "1".into(), passed_at, train };
    let (note, alerts) = (Note::new("seen on site").unwrap(), vec![alert()]);
    vec![
        ("", registered.into()),
        ("", CompletenessDeclared { pass: pass(), site: sangatte(), cars: 8 }.into()),
        ("", PassCompleted { pass: pass(), site: sangatte(), cars: 8, springs: 64 }.into()),
        ("", PassConfirmed { pass: pass(), site: sangatte(), note, alerts }.into()),
        ("", PassReopened { pass: pass(), site: sangatte(), alert: alert() }.into()),
    ]
}

fn alert() -> AlertId {
    AlertId::of(AlertKind::SpringOutOfLimits, "golden")
}

fn alerts() -> Vec<(&'static str, Event)> {
    let spring = Subject::Spring { pass: pass(), car: 7, spring: "L1".into(), quantity: "height".into() };
    let stay = Subject::Allocation { stand: stand("C05"), flight: comes(), allocation: allocation() };
    let raised = AlertRaised {
        alert: alert(),
        site: sangatte(),
        kind: AlertKind::SpringOutOfLimits,
        severity: Severity::Critical,
        subject: spring.clone(),
        message: "height of spring L1 of car 7: 178.25 mm is below 180 mm".into(),
        cause: Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0001),
    };
    let (kind, severity) = (AlertKind::StandConflict, Severity::Warning);
    let conflict = AlertRaised { site: lfw(), kind, severity, subject: stay.clone(), ..raised.clone() };
    let (kind, severity, flight) = (AlertKind::Saturation, Severity::Info, comes());
    let saturation = AlertRaised { site: lfw(), kind, severity, subject: Subject::Flight { flight }, ..raised.clone() };
    let (kind, severity) = (AlertKind::OverdueStay, Severity::Warning);
    let overdue = AlertRaised { site: lfw(), kind, severity, subject: stay.clone(), ..raised.clone() };
    let endpoint = Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0201).into();
    let (kind, subject) = (AlertKind::EndpointDown, Subject::Endpoint { endpoint });
    let down = AlertRaised { site: lfw(), kind, severity, subject, ..raised.clone() };
    let AlertRaised { alert, site, kind, severity, subject, .. } = overdue.clone();
    let escalated = AlertEscalated { alert, site, kind, severity, subject, level: 1 };
    let note = Note::new("train stopped").unwrap();
    let acknowledged = AlertAcknowledged { alert, site: sangatte(), subject: spring, note };
    let reason = Note::new("LFW/C05 is open again").unwrap();
    let resolved = AlertResolved { alert, site: lfw(), subject: stay, reason };
    vec![
        ("", raised.into()),
        ("stand_conflict", conflict.into()),
        ("saturation", saturation.into()),
        ("overdue_stay", overdue.into()),
        ("endpoint_down", down.into()),
        ("", acknowledged.into()),
        ("", resolved.into()),
        ("", escalated.into()),
    ]
}

pub(crate) fn samples() -> Vec<(&'static str, Event)> {
    [sites(), measurements(), passes(), alerts()].into_iter().flatten().collect()
}
