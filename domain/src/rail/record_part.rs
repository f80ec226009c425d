//! Records a part of a pass as the camera system sends it: in any order, and perhaps more than once.
//!
//! Every part carries the whole header, so whichever comes first registers the pass. A car is judged by the limits in
//! force when the train passed, and what is out of them is recorded in the same append. The part that leaves no car
//! missing completes the pass.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::bounds::{MAX_CARS, MAX_READINGS, TextField};
use super::part_refusal::PartRefusal;
use super::pass_parts::{Again, PassParts, again, springs};
use super::rail_site::check_site;
use super::site_limits::SiteLimits;
use super::{CarMeasured, CompletenessDeclared, PassCompleted, PassId, PassRegistered, Reading};
use crate::Event;
use crate::kernel::{Context, Decided, Decision, Tag, Verdict, World};

/// What every part says of its pass; the same in all parts of a pass, the train's number included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassHeader {
    /// The pass, and with it the site.
    pub pass: PassId,
    /// On which track.
    pub track: String,
    /// When the train passed.
    pub passed_at: DateTime<Utc>,
    /// The train's number, if known.
    pub train: Option<String>,
}

/// A car as a camera measured it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CarPart {
    /// Place of the car in the train, from 1.
    pub car: u16,
    /// The vehicle's number, if it was read.
    pub vehicle: Option<String>,
    /// The camera.
    pub camera: String,
    /// All readings of the car's springs, in any order.
    pub readings: Vec<Reading>,
}

/// What a part brings besides the header.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PassPart {
    /// Nothing: the train is passing.
    Header,
    /// A car.
    Car(CarPart),
    /// The mark that all cars were sent.
    Complete {
        /// Number of cars in the train.
        cars: u16,
    },
}

/// Records a part of a pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordPassPart {
    /// Which pass.
    pub header: PassHeader,
    /// What is new of it.
    pub part: PassPart,
}

/// What came of a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRecorded {
    /// The pass.
    pub pass: PassId,
    /// Whether all of it was known before, so that nothing was recorded.
    pub known: bool,
    /// Number of readings of this part that are out of limits; 0 if the part was known.
    pub out_of_limits: u32,
    /// Whether this part completed the pass.
    pub completed: bool,
}

impl PassHeader {
    fn check(&self) -> Result<(), PartRefusal> {
        TextField::Track.check(&self.track)?;
        Ok(self.train.iter().try_for_each(|train| TextField::Train.check(train))?)
    }

    fn agrees_with(&self, known: &PassRegistered) -> Result<(), PartRefusal> {
        let contradicts = |field, was: &str, now: &str| {
            let (pass, was, now) = (self.pass.clone(), was.to_owned(), now.to_owned());
            Err(PartRefusal::PartContradicts { pass, field, was, now })
        };
        if self.track != known.track {
            return contradicts("track", &known.track, &self.track);
        }
        if self.passed_at != known.passed_at {
            return contradicts("passed_at", &known.passed_at.to_rfc3339(), &self.passed_at.to_rfc3339());
        }
        if self.train != known.train {
            let text = |train: &Option<String>| train.clone().unwrap_or_default();
            return contradicts("train", &text(&known.train), &text(&self.train));
        }
        Ok(())
    }
}

impl CarPart {
    fn check(&self) -> Result<(), PartRefusal> {
        if !(1..=MAX_CARS).contains(&self.car) {
            return Err(PartRefusal::CarNumber { car: self.car });
        }
        if self.readings.len() > MAX_READINGS {
            return Err(PartRefusal::TooManyReadings { car: self.car, found: self.readings.len() });
        }
        TextField::Camera.check(&self.camera)?;
        self.vehicle.iter().try_for_each(|vehicle| TextField::Vehicle.check(vehicle))?;
        let mut seen = BTreeSet::new();
        for Reading { spring, quantity, unit, .. } in &self.readings {
            TextField::Spring.check(spring)?;
            TextField::Quantity.check(quantity)?;
            TextField::Unit.check(unit)?;
            if !seen.insert((spring, quantity)) {
                let (spring, quantity) = (spring.clone(), quantity.clone());
                return Err(PartRefusal::ReadingTwice { car: self.car, spring, quantity });
            }
        }
        Ok(())
    }
}

/// A decision on a part whose pass and limits are known.
type PartVerdict = Verdict<PartRecorded, PartRefusal>;

impl RecordPassPart {
    fn check(&self) -> Result<(), PartRefusal> {
        self.header.check()?;
        match &self.part {
            PassPart::Header => Ok(()),
            PassPart::Car(car) => car.check(),
            PassPart::Complete { cars } if (1..=MAX_CARS).contains(cars) => Ok(()),
            PassPart::Complete { cars } => Err(PartRefusal::CarCount { cars: *cars }),
        }
    }

    fn known(&self) -> Decided<PartRecorded> {
        Decided::nothing(PartRecorded { pass: self.pass(), known: true, out_of_limits: 0, completed: false })
    }

    fn pass(&self) -> PassId {
        self.header.pass.clone()
    }

    /// The events of this part, after the registration if it is the first one, and before the completion if no car is
    /// missing any more: `cars` of them are there with `springs` springs, `declared` are expected.
    fn facts(&self, parts: &PassParts, own: Vec<Event>, after: &PassParts) -> Decided<PartRecorded> {
        let site = self.header.pass.site();
        let PassHeader { track, passed_at, train, .. } = self.header.clone();
        let registered = parts
            .registered
            .is_none()
            .then(|| PassRegistered { pass: self.pass(), site: site.clone(), track, passed_at, train }.into());
        let completed = after.complete().filter(|_| parts.complete().is_none()).map(|cars| {
            let springs = after.cars.values().flatten().map(|part| springs(&part.readings)).sum();
            PassCompleted { pass: self.pass(), site, cars, springs }.into()
        });
        let out_of_limits = own.iter().filter(|event| event.name() == super::names::SPRING_OUT_OF_LIMITS).count();
        let answer = PartRecorded {
            pass: self.pass(),
            known: false,
            out_of_limits: u32::try_from(out_of_limits).expect("a car has at most 64 readings"),
            completed: completed.is_some(),
        };
        Decided::events_at(passed_at, registered.into_iter().chain(own).chain(completed), answer)
    }

    fn car(&self, world: &World, parts: &PassParts, car: &CarPart) -> PartVerdict {
        let known = parts.cars.get(&car.car).map(Vec::as_slice).unwrap_or_default();
        if !known.is_empty() {
            match again(known, car) {
                Again::Known => return Ok(self.known()),
                Again::Different(difference) => {
                    let (pass, car, difference) = (self.pass(), car.car, *difference);
                    return Err(PartRefusal::CarMeasuredDifferently { pass, car, difference }.into());
                }
                Again::More => {}
            }
            let found = car.readings.len() + known.iter().map(|part| part.readings.len()).sum::<usize>();
            if found > MAX_READINGS {
                return Err(PartRefusal::TooManyReadings { car: car.car, found }.into());
            }
        }
        if let Some(declared) = parts.declared.filter(|declared| car.car > *declared) {
            return Err(PartRefusal::CarBeyondDeclared { pass: self.pass(), car: car.car, declared }.into());
        }
        let site = self.header.pass.site();
        let limits = world.guard::<SiteLimits>(&site)?.at(self.header.passed_at);
        let CarPart { car, vehicle, camera, readings } = car.clone();
        let limits_version = limits.map(|limits| limits.version);
        let measured = CarMeasured { pass: self.pass(), site, car, vehicle, camera, readings, limits_version };
        let breaches = limits.map(|limits| limits.judge(&measured)).transpose().map_err(PartRefusal::Unit)?;
        let mut after = parts.clone();
        after.cars.entry(car).or_default().push(measured.clone().into());
        let breaches = breaches.into_iter().flatten().map(Event::from);
        Ok(self.facts(parts, std::iter::once(measured.into()).chain(breaches).collect(), &after))
    }

    fn complete(&self, parts: &PassParts, cars: u16) -> PartVerdict {
        match parts.declared {
            Some(declared) if declared == cars => return Ok(self.known()),
            Some(was) => {
                return Err(PartRefusal::CompletenessContradicts { pass: self.pass(), was, now: cars }.into());
            }
            None => {}
        }
        let seen: Vec<u16> = parts.cars.keys().copied().filter(|car| *car > cars).collect();
        if !seen.is_empty() {
            return Err(PartRefusal::CarsBeyondMark { pass: self.pass(), declared: cars, seen }.into());
        }
        let after = PassParts { declared: Some(cars), ..parts.clone() };
        let mark = CompletenessDeclared { pass: self.pass(), site: self.header.pass.site(), cars };
        Ok(self.facts(parts, vec![mark.into()], &after))
    }
}

impl Decision for RecordPassPart {
    const NAME: &'static str = "rail.record_pass_part";
    type Answer = PartRecorded;
    type Refusal = PartRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.header.pass.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> PartVerdict {
        self.check()?;
        check_site(world, &self.header.pass.site())?;
        let parts = world.guard::<PassParts>(&self.header.pass)?;
        if let Some(registered) = &parts.registered {
            self.header.agrees_with(registered)?;
        }
        match &self.part {
            PassPart::Header if parts.registered.is_some() => Ok(self.known()),
            PassPart::Header => Ok(self.facts(parts, vec![], parts)),
            PassPart::Car(car) => self.car(world, parts, car),
            PassPart::Complete { cars } => self.complete(parts, *cars),
        }
    }
}

#[cfg(test)]
mod tests;
