//! Kinds of stands, turnaround times, and what the choice of a stand weighs.

use chrono::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whose stand it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StandKind {
    /// For civil flights.
    Civil,
    /// Lent to civil flights when no civil stand is left.
    Military,
}

/// Minutes that an aircraft needs between arriving and leaving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Raw", into = "Raw")]
pub struct Turnaround {
    min: u32,
    typical: u32,
    max: u32,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Raw {
    min: u32,
    typical: u32,
    max: u32,
}

/// Minutes that are not in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("turnaround minutes are 1 ≤ min ≤ typical ≤ max ≤ 2,880: {min}, {typical}, {max} are not")]
pub struct TurnaroundError {
    min: u32,
    typical: u32,
    max: u32,
}

impl Turnaround {
    /// `1 ≤ min ≤ typical ≤ max ≤ 2,880` minutes.
    ///
    /// # Errors
    /// They are not in this order.
    pub fn minutes(min: u32, typical: u32, max: u32) -> Result<Self, TurnaroundError> {
        if 1 <= min && min <= typical && typical <= max && max <= 2_880 {
            Ok(Self { min, typical, max })
        } else {
            Err(TurnaroundError { min, typical, max })
        }
    }

    /// The shortest, in minutes.
    #[must_use]
    pub fn min(&self) -> u32 {
        self.min
    }

    /// The usual one.
    #[must_use]
    pub fn typical(&self) -> Duration {
        Duration::minutes(self.typical.into())
    }

    /// The usual one, in minutes.
    #[must_use]
    pub fn typical_minutes(&self) -> u32 {
        self.typical
    }

    /// The longest, in minutes.
    #[must_use]
    pub fn max(&self) -> u32 {
        self.max
    }
}

impl Default for Turnaround {
    /// Between 30 minutes and 3 hours, usually one hour: for sites that have set nothing.
    fn default() -> Self {
        Self { min: 30, typical: 60, max: 180 }
    }
}

impl TryFrom<Raw> for Turnaround {
    type Error = TurnaroundError;
    fn try_from(raw: Raw) -> Result<Self, TurnaroundError> {
        Self::minutes(raw.min, raw.typical, raw.max)
    }
}

impl From<Turnaround> for Raw {
    fn from(t: Turnaround) -> Self {
        Self { min: t.min, typical: t.typical, max: t.max }
    }
}

/// What the choice among suitable stands weighs: points of penalty, the fewest win. Civil goes before military whatever the points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Weights {
    /// For each code letter that the stand is larger than needed.
    pub spare_letter: u32,
    /// For a stand without jetway.
    pub no_jetway: u32,
    /// For each metre to the terminal.
    pub metre: u32,
}

impl Default for Weights {
    /// Smallest sufficient letter first, then jetway, then distance (up to 9,999 m).
    fn default() -> Self {
        Self { spare_letter: 100_000, no_jetway: 10_000, metre: 1 }
    }
}
