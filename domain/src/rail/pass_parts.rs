//! What has come of a pass so far, and how two measurements of a car differ.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use super::record_part::CarPart;
use super::{CarMeasured, PassId, PassRegistered, RailEvent, Reading, names};
use crate::Event;
use crate::kernel::{Fact, Query, View};

/// The parts of a pass that have come.
#[derive(Debug, Clone, Default)]
pub struct PassParts {
    /// The header, from the first part.
    pub registered: Option<PassRegistered>,
    /// The cars by their number: each in one part or several, which have no spring in common.
    pub cars: BTreeMap<u16, Vec<Arc<CarMeasured>>>,
    /// The number of cars, from the completeness mark.
    pub declared: Option<u16>,
}

impl PassParts {
    /// The number of cars, once it is declared and all of them are there.
    pub(super) fn complete(&self) -> Option<u16> {
        self.declared.filter(|cars| usize::from(*cars) == self.cars.len())
    }
}

impl View for PassParts {
    type Key = PassId;
    fn boundary(pass: &PassId) -> Query {
        Query::of(&[names::PASS_REGISTERED, names::CAR_MEASURED, names::COMPLETENESS_DECLARED], [pass.tag()])
    }
    fn evolve(&mut self, fact: &Fact) {
        let Event::Rail(event) = &fact.event else { return };
        match event {
            RailEvent::PassRegistered(registered) => self.registered = Some(registered.clone()),
            RailEvent::CarMeasured(car) => {
                self.cars.entry(car.car).or_default().push(Arc::new(car.clone()));
            }
            RailEvent::CompletenessDeclared(mark) => self.declared = Some(mark.cars),
            RailEvent::LimitsSet(_)
            | RailEvent::SpringOutOfLimits(_)
            | RailEvent::PassCompleted(_)
            | RailEvent::PassConfirmed(_)
            | RailEvent::PassReopened(_) => {}
        }
    }
}

/// Number of springs among the readings of a car.
pub(super) fn springs(readings: &[Reading]) -> u32 {
    let distinct: BTreeSet<&str> = readings.iter().map(|reading| reading.spring.as_str()).collect();
    u32::try_from(distinct.len()).expect("a car has at most 64 readings")
}

/// What a part says of a car of which parts are known.
pub(super) enum Again {
    /// One of them, word for word.
    Known,
    /// Springs that none of them has: another camera's, or late ones.
    More,
    /// Something else of what one of them has.
    Different(Box<CarDifference>),
}

/// Compares a part of a car with the parts that are known of it.
pub(super) fn again(known: &[Arc<CarMeasured>], now: &CarPart) -> Again {
    let has = |part: &CarMeasured, spring: &str| part.readings.iter().any(|reading| reading.spring == spring);
    let shared = |part: &&Arc<CarMeasured>| {
        now.readings.is_empty() || now.readings.iter().any(|reading| has(part, &reading.spring))
    };
    if let Some(part) = known.iter().find(shared) {
        return difference(part, now).map_or(Again::Known, |difference| Again::Different(Box::new(difference)));
    }
    let vehicle = known.iter().find_map(|part| part.vehicle.clone());
    if vehicle.is_some() && now.vehicle.is_some() && vehicle != now.vehicle {
        return Again::Different(Box::new(CarDifference::Vehicle { was: vehicle, now: now.vehicle.clone() }));
    }
    Again::More
}

/// How two measurements of one car differ: the first difference.
#[derive(Debug, Clone, PartialEq, thiserror::Error, Serialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum CarDifference {
    /// Another vehicle.
    #[error("vehicle {} before, {} now", named(was), named(now))]
    Vehicle {
        /// Before.
        was: Option<String>,
        /// Now.
        now: Option<String>,
    },
    /// Another camera.
    #[error("camera {was} before, {now} now")]
    Camera {
        /// Before.
        was: String,
        /// Now.
        now: String,
    },
    /// Another reading of a spring.
    #[error("{quantity} of spring {spring} {} before, {} now", read(was), read(now))]
    Reading {
        /// The spring.
        spring: String,
        /// What was measured.
        quantity: String,
        /// Before, if it was read.
        was: Option<Reading>,
        /// Now, if it is read.
        now: Option<Reading>,
    },
}

fn named(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or("unknown")
}

fn read(reading: &Option<Reading>) -> String {
    reading.as_ref().map_or_else(|| "missing".to_owned(), |r| format!("{} {}", r.value.get(), r.unit))
}

/// The first difference between a car as it was recorded and as it comes again; the order of readings is none.
pub(super) fn difference(was: &CarMeasured, now: &CarPart) -> Option<CarDifference> {
    if was.vehicle != now.vehicle {
        return Some(CarDifference::Vehicle { was: was.vehicle.clone(), now: now.vehicle.clone() });
    }
    if was.camera != now.camera {
        return Some(CarDifference::Camera { was: was.camera.clone(), now: now.camera.clone() });
    }
    let (was, now) = (by_spring(&was.readings), by_spring(&now.readings));
    let (spring, quantity) = *was.keys().chain(now.keys()).find(|key| was.get(*key) != now.get(*key))?;
    Some(CarDifference::Reading {
        spring: spring.to_owned(),
        quantity: quantity.to_owned(),
        was: was.get(&(spring, quantity)).map(|reading| (*reading).clone()),
        now: now.get(&(spring, quantity)).map(|reading| (*reading).clone()),
    })
}

fn by_spring(readings: &[Reading]) -> BTreeMap<(&str, &str), &Reading> {
    readings.iter().map(|reading| ((reading.spring.as_str(), reading.quantity.as_str()), reading)).collect()
}
