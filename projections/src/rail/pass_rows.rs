//! The rows of a pass: the pass itself, its cars, the readings of their springs.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use vigie_domain::alerts::AlertId;
use vigie_domain::rail::{CarMeasured, Level, PassId, PassRegistered, Quality, Reading, SpringOutOfLimits, Value};
use vigie_domain::support::SiteId;

use crate::Entry;
use crate::engine::row;

/// How far a pass has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassStatus {
    /// Parts of it are still to come.
    Receiving,
    /// Every declared car is measured.
    Complete,
    /// A person has confirmed it.
    Confirmed,
    /// An alert came after the confirmation.
    Reopened,
}

/// A pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the columns are described in the migration")]
pub struct PassRow {
    pub pass: PassId,
    pub site: SiteId,
    pub track: String,
    pub passed_at: DateTime<Utc>,
    pub train: Option<String>,
    pub status: PassStatus,
    pub declared_cars: Option<u16>,
    pub measured_cars: u32,
    pub springs: u32,
    pub out_of_limits: u32,
    pub worst_level: Option<Level>,
    pub alerts: Vec<AlertId>,
    pub open_alerts: Vec<AlertId>,
    pub ready_to_confirm: bool,
    pub completed_at: Option<DateTime<Utc>>,
    pub confirmed_at: Option<DateTime<Utc>>,
    pub confirmed_by: Option<String>,
    pub confirmed_note: Option<String>,
    pub reopened_by: Option<AlertId>,
    pub position: i64,
    pub created_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
}
row!(PassRow in "passes" by pass: PassId);

/// A car of a pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the columns are described in the migration")]
pub struct CarRow {
    pub pass: PassId,
    pub car: u16,
    pub site: SiteId,
    pub vehicle: Option<String>,
    pub camera: String,
    pub limits_version: Option<u32>,
    pub springs: u32,
    pub out_of_limits: u32,
    pub worst_level: Option<Level>,
    pub position: i64,
    pub changed_at: DateTime<Utc>,
}
row!(CarRow in "cars" by pass: PassId, car: u16);

/// One quantity of one spring.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the columns are described in the migration")]
pub struct SpringRow {
    pub pass: PassId,
    pub car: u16,
    pub spring: String,
    pub quantity: String,
    pub site: SiteId,
    pub unit: String,
    pub value: Value,
    pub quality: Quality,
    pub level: Option<Level>,
    pub bound: Option<Value>,
    pub limits_version: Option<u32>,
    pub position: i64,
    pub changed_at: DateTime<Utc>,
}
row!(SpringRow in "springs" by pass: PassId, car: u16, spring: String, quantity: String);

impl PassRow {
    pub(super) fn new(registered: &PassRegistered, entry: &Entry) -> Self {
        let recorded_at = entry.stamp().recorded_at;
        Self {
            pass: registered.pass.clone(),
            site: registered.site.clone(),
            track: registered.track.clone(),
            passed_at: registered.passed_at,
            train: registered.train.clone(),
            status: PassStatus::Receiving,
            declared_cars: None,
            measured_cars: 0,
            springs: 0,
            out_of_limits: 0,
            worst_level: None,
            alerts: Vec::new(),
            open_alerts: Vec::new(),
            ready_to_confirm: false,
            completed_at: None,
            confirmed_at: None,
            confirmed_by: None,
            confirmed_note: None,
            reopened_by: None,
            position: 0,
            created_at: recorded_at,
            changed_at: recorded_at,
        }
    }

    /// Whether a person may confirm it now.
    pub(super) fn judge(&mut self) {
        self.ready_to_confirm = match self.status {
            PassStatus::Complete | PassStatus::Reopened => self.open_alerts.is_empty(),
            PassStatus::Receiving | PassStatus::Confirmed => false,
        };
    }
}

impl CarRow {
    pub(super) fn new(measured: &CarMeasured, entry: &Entry) -> Self {
        Self {
            pass: measured.pass.clone(),
            car: measured.car,
            site: measured.site.clone(),
            vehicle: measured.vehicle.clone(),
            camera: measured.camera.clone(),
            limits_version: measured.limits_version,
            springs: springs(&measured.readings),
            out_of_limits: 0,
            worst_level: None,
            position: 0,
            changed_at: entry.stamp().recorded_at,
        }
    }

    /// The car with another part of it; the cameras of all parts are named.
    pub(super) fn with(&self, part: Self) -> Self {
        let seen = self.camera.split(", ").any(|camera| camera == part.camera);
        let camera = if seen { self.camera.clone() } else { format!("{}, {}", self.camera, part.camera) };
        Self {
            vehicle: self.vehicle.clone().or_else(|| part.vehicle.clone()),
            camera,
            springs: self.springs + part.springs,
            out_of_limits: self.out_of_limits,
            worst_level: self.worst_level,
            ..part
        }
    }
}

/// Springs, however many quantities of each were measured.
fn springs(readings: &[Reading]) -> u32 {
    let springs: std::collections::BTreeSet<_> = readings.iter().map(|reading| reading.spring.as_str()).collect();
    u32::try_from(springs.len()).unwrap_or(u32::MAX)
}

impl SpringRow {
    pub(super) fn read(measured: &CarMeasured, reading: &Reading, entry: &Entry) -> Self {
        Self {
            pass: measured.pass.clone(),
            car: measured.car,
            spring: reading.spring.clone(),
            quantity: reading.quantity.clone(),
            site: measured.site.clone(),
            unit: reading.unit.clone(),
            value: reading.value,
            quality: reading.quality,
            level: None,
            bound: None,
            limits_version: measured.limits_version,
            position: 0,
            changed_at: entry.stamp().recorded_at,
        }
    }

    pub(super) fn out(found: &SpringOutOfLimits, entry: &Entry) -> Self {
        Self {
            pass: found.pass.clone(),
            car: found.car,
            spring: found.spring.clone(),
            quantity: found.quantity.clone(),
            site: found.site.clone(),
            unit: found.unit.clone(),
            value: found.value,
            quality: found.quality,
            level: Some(found.level),
            bound: Some(found.bound),
            limits_version: Some(found.limits_version),
            position: 0,
            changed_at: entry.stamp().recorded_at,
        }
    }
}
