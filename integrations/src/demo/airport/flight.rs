//! One rotation as the day brings it: when it really comes and goes, and everything that is said of it meanwhile.

use chrono::{DateTime, TimeDelta, Utc};
use vigie_domain::airport::{
    AirportCode, Carrier, Clock, Details, Direction, FlightId, FreeStand, Leg, LinkTurnaround, ObserveFlight, Phase,
    Placement, Progress, StandId, StayOf,
};

use super::super::random::Random;
use super::super::timetable::Rotation;
use super::super::{Day, FEED, OPERATOR, Step};
use super::{aircraft, allocate, at, site};

/// The source of what is said of flights.
const SOURCE: &str = "demo";
/// When the timetable of the day is told, in minutes after midnight.
const PUBLISHED: i64 = 2;

/// One leg, with what is said of it from beginning to end.
struct Side {
    leg: Leg,
    id: FlightId,
    name: String,
    scheduled: DateTime<Utc>,
    actual: DateTime<Utc>,
    details: Details,
    placement: Placement,
}

/// A rotation on the day.
pub(super) struct Turn {
    published: DateTime<Utc>,
    rotation: &'static Rotation,
    arrival: Side,
    departure: Side,
    /// The arrival is expected at another time first, as it turns out.
    first_guess: Option<DateTime<Utc>>,
    taxi: TimeDelta,
}

fn minutes(minutes: i64) -> TimeDelta {
    TimeDelta::minutes(minutes)
}

impl Turn {
    /// When the rotation comes and goes.
    pub(super) fn plan(day: &Day, rotation: &'static Rotation, random: &mut Random) -> Self {
        // Most flights are nearly on time; a few are late, and a late arrival makes a late departure.
        let late = if random.chance(15) { random.between(20, 55) } else { random.between(-8, 12) };
        let [sibt, sobt] = rotation.scheduled;
        let aibt = sibt + late;
        let ground = (sobt - sibt).min(45);
        let aobt = (sobt + random.between(-2, 6)).max(aibt + ground);
        let first_guess = random.chance(40).then(|| at(day, sibt + late / 2));
        let belt = random.between(1, 3).to_string();
        let gate = random.between(1, 8).to_string();
        let arrival = Placement { belt, hall: "A".into(), ..Placement::default() };
        let aisle = if rotation.carrier == "KP" { "1" } else { "2" };
        let departure = Placement { gate, aisle: aisle.into(), terminal: "T1".into(), ..Placement::default() };
        Self {
            published: at(day, PUBLISHED),
            rotation,
            arrival: Side::plan(day, rotation, Direction::Arrival, aibt, arrival),
            departure: Side::plan(day, rotation, Direction::Departure, aobt, departure),
            first_guess,
            taxi: minutes(random.between(5, 9)),
        }
    }

    /// A rotation that takes place.
    pub(super) fn steps(&self) -> Vec<Step> {
        let mut steps = self.timetable();
        steps.extend(self.arriving());
        steps.extend(self.departing());
        steps
    }

    /// A rotation that is cancelled when it has its stand.
    pub(super) fn cancelled_steps(&self) -> Vec<Step> {
        let mut steps = self.timetable();
        let when = self.arrival.scheduled - minutes(50);
        for (side, delay) in [(&self.arrival, 0), (&self.departure, 1)] {
            steps.push(self.report(side, when + minutes(delay), Progress::Cancelled, "is cancelled"));
        }
        steps
    }

    /// The rotation gets the best stand: wide-bodies first, as few stands take them.
    pub(super) fn allocation(&self) -> Step {
        let wide = ["A333", "A343", "B788"].contains(&self.rotation.aircraft);
        let ahead = minutes(if wide { 150 } else { 75 });
        self.allocation_at(self.arrival.scheduled - ahead, "asks for a stand")
    }

    /// The rotation gets the best stand.
    pub(super) fn allocation_at(&self, when: DateTime<Utc>, what: &str) -> Step {
        Step::new(when, OPERATOR, allocate(&self.arrival.id, None, ""), format!("{} {what}", self.arrival.name))
    }

    /// The rotation gets this stand, early in the day.
    pub(super) fn allocation_on(&self, stand: StandId) -> Step {
        let says = format!("{} is given {stand}", self.arrival.name);
        let command = allocate(&self.arrival.id, Some(stand), "usual stand");
        Step::new(self.published + minutes(28), OPERATOR, command, says)
    }

    fn timetable(&self) -> Vec<Step> {
        let mut steps: Vec<_> = [&self.arrival, &self.departure]
            .map(|side| self.report(side, self.published, Progress::Scheduled, "is in the timetable"))
            .into();
        let link = LinkTurnaround { arrival: self.arrival.id.clone(), departure: self.departure.id.clone() };
        let says = format!("{} turns around as {}", self.arrival.name, self.departure.name);
        steps.push(Step::new(self.published + minutes(1), FEED, link, says));
        steps
    }

    fn arriving(&self) -> Vec<Step> {
        let Side { scheduled, actual, .. } = self.arrival;
        let landed = actual - self.taxi;
        let mut steps = Vec::new();
        let mut estimate = |when, at: DateTime<Utc>| {
            let what = format!("is expected at {}", at.format("%H:%M"));
            steps.push(self.report(&self.arrival, when, Progress::Estimated(at), &what));
        };
        if let Some(guess) = self.first_guess {
            estimate(scheduled - minutes(95), guess);
        }
        estimate(scheduled - minutes(60), actual);
        steps.push(self.report(&self.arrival, landed + minutes(1), Progress::Landed(landed), "has landed"));
        steps.push(self.report(&self.arrival, actual + minutes(1), Progress::Arrived(actual), "is on block"));
        steps
    }

    fn departing(&self) -> Vec<Step> {
        let side = &self.departure;
        let Side { scheduled, actual, .. } = *side;
        let mut steps = Vec::new();
        if actual - scheduled >= minutes(15) {
            let what = format!("is late, expected at {}", actual.format("%H:%M"));
            steps.push(self.report(side, scheduled - minutes(55), Progress::Phase(Phase::Delayed), "is late"));
            steps.push(self.report(side, scheduled - minutes(45), Progress::Estimated(actual), &what));
        }
        let phases = [
            (30, Phase::Boarding, "boards"),
            (12, Phase::FinalCall, "calls for the last time"),
            (6, Phase::GateClosed, "has closed its gate"),
        ];
        for (ahead, phase, what) in phases {
            steps.push(self.report(side, actual - minutes(ahead), Progress::Phase(phase), what));
        }
        steps.push(self.report(side, actual + minutes(1), Progress::Departed(actual), "has left"));
        let free = FreeStand { stay: StayOf::Flight(side.id.clone()), off_block_at: Some(actual) };
        steps.push(Step::new(actual + minutes(1), OPERATOR, free, format!("{} is off block", side.name)));
        steps
    }

    fn report(&self, side: &Side, when: DateTime<Utc>, progress: Progress, what: &str) -> Step {
        // Gates and belts are named an hour ahead.
        let placed = when >= side.scheduled - minutes(60);
        let report = ObserveFlight {
            leg: side.leg.clone(),
            scheduled_at: side.scheduled,
            details: side.details.clone(),
            progress,
            placement: if placed { side.placement.clone() } else { Placement::default() },
            aircraft_type: Some(aircraft(self.rotation.aircraft)),
            clock: Clock { source: SOURCE.to_owned(), observed_at: when },
            confirmed_at: None,
        };
        Step::new(when, FEED, report, format!("{} {what}", side.name))
    }
}

impl Side {
    fn plan(day: &Day, rotation: &Rotation, direction: Direction, actual: i64, placement: Placement) -> Self {
        let place = match direction {
            Direction::Arrival => 0,
            Direction::Departure => 1,
        };
        let (number, airport) = rotation.legs[place];
        let carrier = |text: &str| Carrier::new(text).expect("an airline");
        let leg = Leg {
            site: site(),
            carrier: carrier(rotation.carrier),
            number: number.to_owned(),
            date: day.date,
            direction,
            airport: AirportCode::new(airport).expect("an airport"),
            ordinal: 1,
        };
        let way = match direction {
            Direction::Arrival => "from",
            Direction::Departure => "to",
        };
        Self {
            id: leg.id().expect("a leg of the timetable"),
            name: format!("{} {number} {way} {airport}", rotation.carrier),
            scheduled: at(day, rotation.scheduled[place]),
            actual: at(day, actual),
            details: Details {
                operator: Some(carrier(rotation.operator)),
                codeshares: rotation.sold_by.iter().map(|sold| sold.replace(' ', "")).collect(),
                via: Vec::new(),
                cargo: false,
            },
            placement,
            leg,
        }
    }
}
