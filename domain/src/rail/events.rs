//! Facts about train passes.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Level, Limit, PassId, Quality, Reading, Value};
use crate::alerts::AlertId;
use crate::kernel::{
    Note, Tag,
    events::{Describe, events},
};
use crate::support::SiteId;

events! {
    /// What happened to train passes.
    RailEvent, names;
    /// The limits of a site were set.
    LIMITS_SET = "rail.limits_set" => LimitsSet v 1,
    /// A pass is known.
    PASS_REGISTERED = "rail.pass_registered" => PassRegistered v 1,
    /// A car was measured.
    CAR_MEASURED = "rail.car_measured" => CarMeasured v 1,
    /// A spring was outside its limits.
    SPRING_OUT_OF_LIMITS = "rail.spring_out_of_limits" => SpringOutOfLimits v 1,
    /// The camera system said how many cars there are.
    COMPLETENESS_DECLARED = "rail.completeness_declared" => CompletenessDeclared v 1,
    /// Every declared car has been measured.
    PASS_COMPLETED = "rail.pass_completed" => PassCompleted v 1,
    /// A person has confirmed the pass.
    PASS_CONFIRMED = "rail.pass_confirmed" => PassConfirmed v 1,
    /// An alert came after the confirmation.
    PASS_REOPENED = "rail.pass_reopened" => PassReopened v 1,
}

/// The limits by which a site judges springs, as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LimitsSet {
    /// The site.
    pub site: SiteId,
    /// Counts the site's limits: 1, 2, 3, …
    pub version: u32,
    /// Passes from this time on are judged by them.
    pub valid_from: DateTime<Utc>,
    /// One per quantity.
    pub limits: Vec<Limit>,
}

/// A pass is known: the first part of it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PassRegistered {
    /// The pass.
    pub pass: PassId,
    /// Where.
    pub site: SiteId,
    /// On which track.
    pub track: String,
    /// When the train passed.
    pub passed_at: DateTime<Utc>,
    /// The train's number, if known.
    pub train: Option<String>,
}

/// A car of a pass was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CarMeasured {
    /// The pass.
    pub pass: PassId,
    /// Where.
    pub site: SiteId,
    /// Place of the car in the train, from 1.
    pub car: u16,
    /// The vehicle's number, if it was read.
    pub vehicle: Option<String>,
    /// The camera.
    pub camera: String,
    /// All readings of the car's springs.
    pub readings: Vec<Reading>,
    /// Version of the limits that the readings were judged by; none were in force without one.
    pub limits_version: Option<u32>,
}

/// A reading was outside its limits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpringOutOfLimits {
    /// The pass.
    pub pass: PassId,
    /// Where.
    pub site: SiteId,
    /// Place of the car in the train, from 1.
    pub car: u16,
    /// Place of the spring in the car.
    pub spring: String,
    /// What was measured.
    pub quantity: String,
    /// Its unit.
    pub unit: String,
    /// How much.
    pub value: Value,
    /// How far it can be trusted.
    pub quality: Quality,
    /// How far out.
    pub level: Level,
    /// The bound that was passed.
    pub bound: Value,
    /// Version of the limits.
    pub limits_version: u32,
}

/// The camera system said that it has sent all, and how many cars that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CompletenessDeclared {
    /// The pass.
    pub pass: PassId,
    /// Where.
    pub site: SiteId,
    /// Number of cars in the train.
    pub cars: u16,
}

/// Every declared car has been measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PassCompleted {
    /// The pass.
    pub pass: PassId,
    /// Where.
    pub site: SiteId,
    /// Number of cars.
    pub cars: u16,
    /// Number of springs that were measured.
    pub springs: u32,
}

/// A person has confirmed the pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PassConfirmed {
    /// The pass.
    pub pass: PassId,
    /// Where.
    pub site: SiteId,
    /// What the person wrote.
    pub note: Note,
    /// The alerts of the pass, all acknowledged or resolved.
    pub alerts: Vec<AlertId>,
}

/// An alert came after the confirmation; the pass waits for a person again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PassReopened {
    /// The pass.
    pub pass: PassId,
    /// Where.
    pub site: SiteId,
    /// The alert that came late.
    pub alert: AlertId,
}

impl Describe for LimitsSet {
    fn site(&self) -> Option<&SiteId> {
        Some(&self.site)
    }
    fn tags(&self) -> Vec<Tag> {
        vec![self.site.tag()]
    }
}

impl Describe for PassReopened {
    fn site(&self) -> Option<&SiteId> {
        Some(&self.site)
    }
    fn tags(&self) -> Vec<Tag> {
        vec![self.pass.tag(), self.alert.tag()]
    }
}

macro_rules! describe {
    ($($event:ident),*) => {$(
        impl Describe for $event {
            fn site(&self) -> Option<&SiteId> { Some(&self.site) }
            fn tags(&self) -> Vec<Tag> { vec![self.pass.tag()] }
        }
    )*};
}
describe!(PassRegistered, CarMeasured, SpringOutOfLimits, CompletenessDeclared, PassCompleted, PassConfirmed);
