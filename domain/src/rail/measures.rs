//! What is measured of a spring, and the limits that it is judged by.

use serde::{Deserialize, Serialize};

/// A measured value: finite, in the unit that stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Value(f64);

/// A value that is not a number, or infinite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a measured value is a finite number")]
pub struct ValueError;

impl Value {
    /// Checks `value`.
    ///
    /// # Errors
    /// NaN or infinite.
    pub fn new(value: f64) -> Result<Self, ValueError> {
        if value.is_finite() { Ok(Self(value)) } else { Err(ValueError) }
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Value {
    type Error = ValueError;
    fn try_from(value: f64) -> Result<Self, ValueError> {
        Self::new(value)
    }
}

impl From<Value> for f64 {
    fn from(value: Value) -> Self {
        value.0
    }
}

/// How far a measurement can be trusted, as the camera system says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// As it should be.
    Good,
    /// Judged, with doubt.
    Suspect,
    /// Not judged.
    Bad,
}

/// One quantity of one spring.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Place of the spring in the car, such as `L1`.
    pub spring: String,
    /// What was measured, such as `height`.
    pub quantity: String,
    /// Its unit, such as `mm`.
    pub unit: String,
    /// How much.
    pub value: Value,
    /// How far it can be trusted.
    pub quality: Quality,
}

/// How far out of limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Beyond a warning bound.
    Warning,
    /// Beyond an alarm bound.
    Alarm,
}

/// The bounds of one quantity. A value on a bound is within it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// What is measured.
    pub quantity: String,
    /// The unit of the bounds; readings must come in it.
    pub unit: String,
    /// Below this is an alarm.
    pub alarm_low: Option<Value>,
    /// Below this is a warning.
    pub warning_low: Option<Value>,
    /// Above this is a warning.
    pub warning_high: Option<Value>,
    /// Above this is an alarm.
    pub alarm_high: Option<Value>,
}
