//! The limits of a site through time, and the judgement of readings by them.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{CarMeasured, LimitsSet, PassId, Quality, RailEvent, Reading, SpringOutOfLimits, names};
use crate::Event;
use crate::kernel::{Fact, Query, View};
use crate::support::SiteId;

/// Every set of limits of a site, in the order in which they were set.
#[derive(Debug, Clone, Default)]
pub struct SiteLimits(pub(super) Vec<LimitsSet>);

impl View for SiteLimits {
    type Key = SiteId;
    fn boundary(site: &SiteId) -> Query {
        Query::of(&[names::LIMITS_SET], [site.tag()])
    }
    fn evolve(&mut self, fact: &Fact) {
        if let Event::Rail(RailEvent::LimitsSet(set)) = &fact.event {
            self.0.push(set.clone());
        }
    }
}

impl SiteLimits {
    /// The limits in force at a moment: those with the latest `valid_from` that is not after it; of two with the same
    /// `valid_from`, the one that was set later.
    #[must_use]
    pub fn at(&self, moment: DateTime<Utc>) -> Option<&LimitsSet> {
        self.0.iter().filter(|set| set.valid_from <= moment).max_by_key(|set| (set.valid_from, set.version))
    }

    /// The limits that were set last for exactly this `valid_from`.
    #[must_use]
    pub(super) fn set_for(&self, valid_from: DateTime<Utc>) -> Option<&LimitsSet> {
        self.0.iter().rfind(|set| set.valid_from == valid_from)
    }

    /// The version of the next limits.
    #[must_use]
    pub(super) fn next_version(&self) -> u32 {
        self.0.last().map_or(1, |set| set.version + 1)
    }
}

/// A reading in another unit than its limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("spring {spring}: {quantity} comes in {found:?}, and its limits are in {expected:?}")]
pub struct UnitError {
    /// The spring.
    pub spring: String,
    /// What was measured.
    pub quantity: String,
    /// The unit of the limits in force.
    pub expected: String,
    /// The unit of the reading.
    pub found: String,
}

impl LimitsSet {
    /// The readings of a car that are out of these limits. Bad readings are not judged, nor are quantities without a
    /// limit.
    ///
    /// # Errors
    /// A reading, of whatever quality, in another unit than its limit.
    pub fn judge(&self, car: &CarMeasured) -> Result<Vec<SpringOutOfLimits>, UnitError> {
        let judged = car.readings.iter().map(|reading| self.judge_reading(&car.pass, car.car, reading));
        judged.filter_map(Result::transpose).collect()
    }

    fn judge_reading(
        &self,
        pass: &PassId,
        car: u16,
        reading: &Reading,
    ) -> Result<Option<SpringOutOfLimits>, UnitError> {
        let Some(limit) = self.limits.iter().find(|limit| limit.quantity == reading.quantity) else {
            return Ok(None);
        };
        if limit.unit != reading.unit {
            return Err(UnitError {
                spring: reading.spring.clone(),
                quantity: reading.quantity.clone(),
                expected: limit.unit.clone(),
                found: reading.unit.clone(),
            });
        }
        let breach = match reading.quality {
            Quality::Good | Quality::Suspect => limit.breached_by(reading.value),
            Quality::Bad => None,
        };
        Ok(breach.map(|(level, bound)| SpringOutOfLimits {
            pass: pass.clone(),
            site: self.site.clone(),
            car,
            spring: reading.spring.clone(),
            quantity: reading.quantity.clone(),
            unit: reading.unit.clone(),
            value: reading.value,
            quality: reading.quality,
            level,
            bound,
            limits_version: self.version,
        }))
    }
}
