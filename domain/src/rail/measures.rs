//! What is measured of a spring, and the limits that it is judged by.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A measured value: finite, in the unit that stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Beyond a warning bound.
    Warning,
    /// Beyond an alarm bound.
    Alarm,
}

/// The bounds of one quantity. A value on a bound is within it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
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

impl Limit {
    /// How far out the value is, and the bound that it passed; `None` within the limits.
    #[must_use]
    pub fn breached_by(&self, value: Value) -> Option<(Level, Value)> {
        let below = |bound: &Value| value < *bound;
        let above = |bound: &Value| value > *bound;
        let alarm = self.alarm_low.filter(below).or(self.alarm_high.filter(above));
        let warning = self.warning_low.filter(below).or(self.warning_high.filter(above));
        alarm.map(|bound| (Level::Alarm, bound)).or(warning.map(|bound| (Level::Warning, bound)))
    }

    /// The bounds that are set, from the lowest to the highest by their meaning, with their names.
    pub(super) fn bounds(&self) -> impl Iterator<Item = (&'static str, Value)> {
        let named = [
            ("alarm_low", self.alarm_low),
            ("warning_low", self.warning_low),
            ("warning_high", self.warning_high),
            ("alarm_high", self.alarm_high),
        ];
        named.into_iter().filter_map(|(name, bound)| bound.map(|bound| (name, bound)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value(number: f64) -> Value {
        Value::new(number).unwrap()
    }

    fn height() -> Limit {
        Limit {
            quantity: "height".into(),
            unit: "mm".into(),
            alarm_low: Some(value(180.0)),
            warning_low: Some(value(190.0)),
            warning_high: Some(value(240.0)),
            alarm_high: Some(value(250.0)),
        }
    }

    #[test]
    fn a_value_on_a_bound_is_within_it() {
        assert_eq!(height().breached_by(value(190.0)), None);
        assert_eq!(height().breached_by(value(180.0)), Some((Level::Warning, value(190.0))));
        assert_eq!(height().breached_by(value(179.9)), Some((Level::Alarm, value(180.0))));
        assert_eq!(height().breached_by(value(250.0)), Some((Level::Warning, value(240.0))));
        assert_eq!(height().breached_by(value(250.1)), Some((Level::Alarm, value(250.0))));
    }

    #[test]
    fn without_warning_bounds_only_alarms_are_left() {
        let limit = Limit { warning_low: None, warning_high: None, ..height() };
        assert_eq!(limit.breached_by(value(185.0)), None);
        assert_eq!(limit.breached_by(value(175.0)), Some((Level::Alarm, value(180.0))));
    }

    #[test]
    fn what_is_not_finite_is_not_a_value() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Value::new(number), Err(ValueError));
        }
    }

    proptest! {
        #[test]
        fn farther_out_is_never_a_lower_level(near in 240.0..1000.0_f64, more in 0.0..1000.0_f64) {
            let level = |number| height().breached_by(value(number)).map(|(level, _)| level);
            prop_assert!(level(near + more) >= level(near));
        }
    }
}
