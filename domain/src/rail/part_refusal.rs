//! Why a part of a pass cannot be recorded.

use serde::Serialize;

use super::PassId;
use super::bounds::{MAX_CARS, MAX_READINGS, TextError};
use super::pass_parts::CarDifference;
use super::rail_site::RailSiteError;
use super::site_limits::UnitError;
use crate::kernel::{Refused, plain};
use crate::support::SiteId;

/// Why a part of a pass cannot be recorded.
#[derive(Debug, Clone, PartialEq, thiserror::Error, Serialize)]
#[serde(tag = "rule", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PartRefusal {
    /// The site was never set up.
    #[error("site {site} is not set up")]
    SiteUnknown {
        /// The site.
        site: SiteId,
    },
    /// The site is an airport.
    #[error("site {site} is not a rail site")]
    SiteNotRail {
        /// The site.
        site: SiteId,
    },
    /// A text is empty, too long or has other characters.
    #[error(transparent)]
    Text(TextError),
    /// A car is numbered from 1 to [`MAX_CARS`].
    #[error("a car's number is 1 to {max}, not {car}", max = MAX_CARS)]
    CarNumber {
        /// The number.
        car: u16,
    },
    /// A train has 1 to [`MAX_CARS`] cars.
    #[error("a train has 1 to {max} cars, not {cars}", max = MAX_CARS)]
    CarCount {
        /// The number of cars.
        cars: u16,
    },
    /// A car has at most [`MAX_READINGS`] readings.
    #[error("a car has at most {max} readings; car {car} comes with {found}", max = MAX_READINGS)]
    TooManyReadings {
        /// The car.
        car: u16,
        /// How many there are.
        found: usize,
    },
    /// A part holds one quantity of one spring twice.
    #[error("car {car} comes with two readings of {quantity} for spring {spring}")]
    ReadingTwice {
        /// The car.
        car: u16,
        /// The spring.
        spring: String,
        /// The quantity.
        quantity: String,
    },
    /// A part's header is not that of the parts before.
    #[error("pass {pass}: {field} was {was:?} in the parts before, and is {now:?} in this one")]
    PartContradicts {
        /// The pass.
        pass: PassId,
        /// `track`, `passed_at` or `train`.
        field: &'static str,
        /// As the first part said; empty if it named no train.
        was: String,
        /// As this part says; empty if it names no train.
        now: String,
    },
    /// A reading is in another unit than the limit that it is judged by.
    #[error(transparent)]
    Unit(UnitError),
    /// The car was measured before, and differently. What is recorded stays.
    #[error("car {car} of pass {pass} was measured before, and differently: {difference}")]
    CarMeasuredDifferently {
        /// The pass.
        pass: PassId,
        /// The car.
        car: u16,
        /// The first difference.
        difference: CarDifference,
    },
    /// The car's number is beyond the declared number of cars.
    #[error("pass {pass} has {declared} cars, so there is no car {car}")]
    CarBeyondDeclared {
        /// The pass.
        pass: PassId,
        /// The car.
        car: u16,
        /// The declared number of cars.
        declared: u16,
    },
    /// Another number of cars was declared before.
    #[error("pass {pass} was declared complete with {was} cars before, and is now with {now}")]
    CompletenessContradicts {
        /// The pass.
        pass: PassId,
        /// Before.
        was: u16,
        /// Now.
        now: u16,
    },
    /// Cars with higher numbers than the declared one have been measured.
    #[error("pass {pass} is declared complete with {declared} cars, but car {} was measured", list(seen))]
    CarsBeyondMark {
        /// The pass.
        pass: PassId,
        /// The declared number of cars.
        declared: u16,
        /// The cars beyond it.
        seen: Vec<u16>,
    },
}

fn list(numbers: &[u16]) -> String {
    numbers.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

impl Refused for PartRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::SiteUnknown { .. } => "SITE_UNKNOWN",
            Self::SiteNotRail { .. } => "SITE_NOT_RAIL",
            Self::Text(_) => "TEXT",
            Self::CarNumber { .. } => "CAR_NUMBER",
            Self::CarCount { .. } => "CAR_COUNT",
            Self::TooManyReadings { .. } => "TOO_MANY_READINGS",
            Self::ReadingTwice { .. } => "READING_TWICE",
            Self::PartContradicts { .. } => "PART_CONTRADICTS",
            Self::Unit(_) => "UNIT",
            Self::CarMeasuredDifferently { .. } => "CAR_MEASURED_DIFFERENTLY",
            Self::CarBeyondDeclared { .. } => "CAR_BEYOND_DECLARED",
            Self::CompletenessContradicts { .. } => "COMPLETENESS_CONTRADICTS",
            Self::CarsBeyondMark { .. } => "CARS_BEYOND_MARK",
        }
    }
    fn details(&self) -> serde_json::Value {
        plain(self)
    }
}

impl From<RailSiteError> for PartRefusal {
    fn from(error: RailSiteError) -> Self {
        match error {
            RailSiteError::Unknown { site } => Self::SiteUnknown { site },
            RailSiteError::NotRail { site } => Self::SiteNotRail { site },
        }
    }
}

impl From<TextError> for PartRefusal {
    fn from(error: TextError) -> Self {
        Self::Text(error)
    }
}
