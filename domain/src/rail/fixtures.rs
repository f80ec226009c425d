//! A site, limits and a pass for specifications.

use chrono::{DateTime, Duration, Utc};

use super::{
    CarMeasured, CompletenessDeclared, Level, Limit, LimitsSet, PassCompleted, PassId, PassRegistered, Quality,
    Reading, SpringOutOfLimits, Value,
};
use crate::Event;
use crate::kernel::spec;
use crate::support::{SiteDefined, SiteId, SiteKind, Zone};

pub(crate) fn noon_plus(minutes: i64) -> DateTime<Utc> {
    spec::noon() + Duration::minutes(minutes)
}

pub(crate) fn site() -> SiteId {
    SiteId::new("SANGATTE").unwrap()
}

pub(crate) fn pass() -> PassId {
    PassId::at(&site(), "20260101-0412").unwrap()
}

pub(crate) fn rail_site() -> Event {
    let zone = Zone::new("Europe/Paris").unwrap();
    SiteDefined { site: site(), name: "Sangatte".into(), kind: SiteKind::Rail, zone, icao: None }.into()
}

pub(crate) fn value(number: f64) -> Value {
    Value::new(number).unwrap()
}

/// 180 to 250 mm, warnings from 190 and 240 on.
pub(crate) fn height() -> Limit {
    Limit {
        quantity: "height".into(),
        unit: "mm".into(),
        alarm_low: Some(value(180.0)),
        warning_low: Some(value(190.0)),
        warning_high: Some(value(240.0)),
        alarm_high: Some(value(250.0)),
    }
}

pub(crate) fn limits() -> LimitsSet {
    LimitsSet { site: site(), version: 1, valid_from: noon_plus(-600), limits: vec![height()] }
}

/// The height of a spring in millimetres.
pub(crate) fn reading(spring: &str, millimetres: f64) -> Reading {
    Reading {
        spring: spring.into(),
        quantity: "height".into(),
        unit: "mm".into(),
        value: value(millimetres),
        quality: Quality::Good,
    }
}

pub(crate) fn registered() -> PassRegistered {
    PassRegistered {
        pass: pass(),
        site: site(),
        track: "1".into(),
        passed_at: noon_plus(-5),
        train: Some("9012".into()),
    }
}

pub(crate) fn measured(car: u16, readings: Vec<Reading>) -> CarMeasured {
    CarMeasured {
        pass: pass(),
        site: site(),
        car,
        vehicle: Some(format!("33 87 {car:04}")),
        camera: "cam-1".into(),
        readings,
        limits_version: Some(1),
    }
}

/// An alarm: 170 mm are below 180 mm.
pub(crate) fn breach(car: u16, spring: &str) -> SpringOutOfLimits {
    SpringOutOfLimits {
        pass: pass(),
        site: site(),
        car,
        spring: spring.into(),
        quantity: "height".into(),
        unit: "mm".into(),
        value: value(170.0),
        quality: Quality::Good,
        level: Level::Alarm,
        bound: value(180.0),
        limits_version: 1,
    }
}

pub(crate) fn declared(cars: u16) -> CompletenessDeclared {
    CompletenessDeclared { pass: pass(), site: site(), cars }
}

pub(crate) fn completed(cars: u16, springs: u32) -> PassCompleted {
    PassCompleted { pass: pass(), site: site(), cars, springs }
}

/// A pass of one car within limits.
pub(crate) fn complete_pass() -> Vec<Event> {
    vec![
        rail_site(),
        limits().into(),
        registered().into(),
        measured(1, vec![reading("L1", 200.0)]).into(),
        declared(1).into(),
        completed(1, 1).into(),
    ]
}
