//! The railway site of the demo: trains that cameras measure on the way into the tunnel.
//!
//! Twelve trains a day. Parts of a pass come out of order, some twice, and the mark of completeness before the last
//! cars. Some springs are out of limits: part of their alerts are looked at and part are left for whoever tries the
//! demo. The limits are invented.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use vigie_domain::alerts::{AcknowledgeAlert, AlertId, AlertKind};
use vigie_domain::kernel::Note;
use vigie_domain::rail::{
    CarPart, ConfirmPass, Limit, PassHeader, PassId, PassPart, Quality, Reading, RecordPassPart, SetLimits, Value,
};
use vigie_domain::support::{DefineSite, SiteDefined, SiteId, SiteKind, Zone};

use super::random::Random;
use super::{Command, Day, FEED, OPERATOR, RAIL, Step};

/// What becomes of a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Story {
    /// Nothing is out of limits, and somebody confirms it.
    Confirmed,
    /// Nothing is out of limits, and nobody has confirmed it.
    Waiting,
    /// The last car comes two hours late.
    LateCar,
    /// Alerts that somebody looks at, and confirms the pass.
    Resolved,
    /// Alerts that somebody looks at, and nobody confirms.
    Acknowledged,
    /// Two alerts, one of them looked at.
    Half,
    /// Alerts that nobody looks at.
    Open,
}

/// Minute of the day, and what becomes of the train that passes then.
const PASSES: [(i64, Story); 12] = [
    (40, Story::Confirmed),
    (2 * 60 + 35, Story::Resolved),
    (4 * 60 + 30, Story::Open),
    (6 * 60 + 20, Story::Waiting),
    (8 * 60 + 10, Story::Acknowledged),
    (10 * 60 + 5, Story::Confirmed),
    (12 * 60, Story::LateCar),
    (13 * 60 + 50, Story::Half),
    (15 * 60 + 45, Story::Confirmed),
    (17 * 60 + 40, Story::Resolved),
    (19 * 60 + 35, Story::Waiting),
    (21 * 60 + 30, Story::Open),
];

const SPRINGS: [&str; 4] = ["L1", "L2", "R1", "R2"];
const HEIGHT: &str = "height";
const TILT: &str = "tilt";

fn site() -> SiteId {
    SiteId::new(RAIL).expect("a site id")
}

fn value(tenths: i64) -> Value {
    let tenths = i32::try_from(tenths).expect("a small measure");
    Value::new(f64::from(tenths) / 10.0).expect("a finite number")
}

fn note(text: &str) -> Note {
    Note::new(text).expect("a short text")
}

/// What sets the railway site up: the site and its limits.
#[must_use]
pub fn set_up_rail() -> Vec<Step> {
    let zone = Zone::new(Tz::Europe__Paris.name()).expect("a zone of the database");
    let defined =
        SiteDefined { site: site(), name: "Sangatte, tunnel portal".into(), kind: SiteKind::Rail, zone, icao: None };
    let limit = |quantity: &str, unit: &str, bounds: [i64; 4]| {
        let [alarm_low, warning_low, warning_high, alarm_high] = bounds.map(|tenths| Some(value(tenths)));
        Limit { quantity: quantity.into(), unit: unit.into(), alarm_low, warning_low, warning_high, alarm_high }
    };
    let limits = vec![limit(HEIGHT, "mm", [1_800, 1_900, 2_400, 2_500]), limit(TILT, "deg", [-60, -40, 40, 60])];
    let limits = SetLimits { site: site(), valid_from: DateTime::UNIX_EPOCH, limits };
    let set_up = |command: Command, says: &str| Step {
        at: DateTime::UNIX_EPOCH,
        actor: OPERATOR,
        command,
        says: says.to_owned(),
    };
    vec![
        set_up(DefineSite(defined).into(), "site SANGATTE, tunnel portal"),
        set_up(limits.into(), "spring limits: height 190 to 240 mm, tilt -4 to 4 degrees"),
    ]
}

pub(super) fn steps(day: &Day) -> Vec<Step> {
    (1..).zip(PASSES).flat_map(|(number, (minute, story))| Pass::plan(day, number, minute, story).steps()).collect()
}

/// A spring that is out of limits, by car and place.
type Breach = (u16, &'static str);

struct Pass {
    header: PassHeader,
    name: String,
    story: Story,
    cars: Vec<CarPart>,
    breaches: Vec<Breach>,
    random: Random,
}

impl Pass {
    fn plan(day: &Day, number: u32, minute: i64, story: Story) -> Self {
        let mut random = Random::of(day.seed, &format!("{}/pass/{number}", day.date));
        let passed_at =
            day.at(Tz::Europe__Paris, minute + random.between(-6, 6)) + TimeDelta::seconds(random.between(0, 59));
        let name = format!("D{}-{}-{number:02}", day.seed, day.date.format("%Y%m%d"));
        let header = PassHeader {
            pass: PassId::at(&site(), &name).expect("a pass id"),
            track: if number.is_multiple_of(2) { "2" } else { "1" }.into(),
            passed_at,
            train: Some(format!("{}", 6_400 + random.between(0, 399))),
        };
        let count = u16::try_from(random.between(8, 14)).expect("a short train");
        let breaches = breaches(story, count, &mut random);
        let cars = (1..=count).map(|car| measured(car, &breaches, &mut random)).collect();
        Self { header, name, story, cars, breaches, random }
    }

    fn steps(mut self) -> Vec<Step> {
        let mut steps = self.parts();
        steps.extend(self.looked_at());
        steps
    }

    fn part(&self, seconds: i64, part: PassPart, what: String) -> Step {
        let at = self.header.passed_at + TimeDelta::seconds(seconds);
        Step::new(at, FEED, RecordPassPart { header: self.header.clone(), part }, format!("pass {}: {what}", self.name))
    }

    /// The parts as the camera system sends them: half a minute to five minutes after the train.
    fn parts(&mut self) -> Vec<Step> {
        let mut cars = self.cars.clone();
        let late = if self.story == Story::LateCar { cars.pop() } else { None };
        self.random.shuffle(&mut cars);
        let count = u16::try_from(self.cars.len()).expect("a short train");
        let mut steps = Vec::new();
        if self.random.chance(50) {
            steps.push(self.part(5, PassPart::Header, "the train passes".into()));
        }
        let mut seconds = 30;
        let mark_after = cars.len() - usize::try_from(self.random.between(0, 2)).expect("0 to 2");
        for (sent, car) in (1..).zip(&cars) {
            seconds += self.random.between(8, 20);
            steps.push(self.part(seconds, PassPart::Car(car.clone()), format!("car {} was measured", car.car)));
            if sent == mark_after {
                let says = format!("{count} cars were sent");
                steps.push(self.part(seconds + 1, PassPart::Complete { cars: count }, says));
            }
        }
        // What is sent twice is known the second time.
        if let Some(again) = cars.first() {
            let says = format!("car {} is sent again", again.car);
            steps.push(self.part(seconds + 15, PassPart::Car(again.clone()), says));
        }
        if let Some(late) = late {
            let says = format!("car {} was measured, and comes late", late.car);
            steps.push(self.part(2 * 60 * 60, PassPart::Car(late), says));
        }
        steps
    }

    /// What people do about it.
    fn looked_at(&mut self) -> Vec<Step> {
        let acknowledged = match self.story {
            Story::Confirmed | Story::Waiting | Story::LateCar | Story::Open => 0,
            Story::Half => 1,
            Story::Resolved | Story::Acknowledged => self.breaches.len(),
        };
        let minutes = |at: DateTime<Utc>, minutes: i64| at + TimeDelta::minutes(minutes);
        let mut at = minutes(self.header.passed_at, self.random.between(9, 14));
        let mut steps = Vec::new();
        for (car, spring) in self.breaches.iter().take(acknowledged) {
            let cause = format!("{}/{car}/{spring}/{HEIGHT}", self.header.pass);
            let alert = AlertId::of(AlertKind::SpringOutOfLimits, &cause);
            let says = format!("pass {}: somebody looks at spring {spring} of car {car}", self.name);
            let command = AcknowledgeAlert { alert, note: note("seen, to be checked at the next stop") };
            steps.push(Step::new(at, OPERATOR, command, says));
            at = minutes(at, 2);
        }
        match self.story {
            Story::Confirmed | Story::Resolved => {
                let command = ConfirmPass { pass: self.header.pass.clone(), note: note("") };
                steps.push(Step::new(minutes(at, 3), OPERATOR, command, format!("pass {} is confirmed", self.name)));
            }
            Story::Waiting | Story::LateCar | Story::Acknowledged | Story::Half | Story::Open => {}
        }
        steps
    }
}

/// The springs of a train that are out of limits: two different ones, or none.
fn breaches(story: Story, cars: u16, random: &mut Random) -> Vec<Breach> {
    match story {
        Story::Confirmed | Story::Waiting | Story::LateCar => Vec::new(),
        Story::Resolved | Story::Acknowledged | Story::Half | Story::Open => {
            let half = i64::from(cars / 2);
            let mut one = |from: i64, to: i64| {
                let car = u16::try_from(random.between(from, to)).expect("a short train");
                let spring = SPRINGS[usize::try_from(random.between(0, 3)).expect("0 to 3")];
                (car, spring)
            };
            vec![one(1, half), one(half + 1, i64::from(cars))]
        }
    }
}

fn measured(car: u16, breaches: &[Breach], random: &mut Random) -> CarPart {
    let mut readings = Vec::new();
    for spring in SPRINGS {
        let out = breaches.contains(&(car, spring));
        let height = if !out {
            random.between(2_010, 2_290)
        } else if random.chance(50) {
            random.between(2_520, 2_600)
        } else {
            random.between(1_820, 1_880)
        };
        // A reading that cannot be trusted is not judged, so one that is to be out of limits can be trusted.
        let quality = match random.between(1, 100) {
            1 if !out => Quality::Bad,
            2..=4 => Quality::Suspect,
            _ => Quality::Good,
        };
        readings.push(reading(spring, HEIGHT, "mm", value(height), quality));
        readings.push(reading(spring, TILT, "deg", value(random.between(-25, 25)), Quality::Good));
    }
    let vehicle = random
        .chance(92)
        .then(|| format!("87 70 {:04} {:03}-{}", 9_000 + i64::from(car), random.between(1, 999), car % 10));
    CarPart { car, vehicle, camera: if car.is_multiple_of(2) { "CAM-B" } else { "CAM-A" }.into(), readings }
}

fn reading(spring: &str, quantity: &str, unit: &str, value: Value, quality: Quality) -> Reading {
    Reading { spring: spring.into(), quantity: quantity.into(), unit: unit.into(), value, quality }
}
