//! The airport of the demo: 17 stands, and a day with a wave at noon that overflows onto the military stands, a stand
//! that is closed under an allocation, an evening in which a wide-body finds no stand, and a cancelled rotation.

mod flight;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use vigie_domain::airport::{
    AircraftType, AllocateStand, CloseStand, CodeLetter, DefineStand, FlightId, ReopenStand, SetAllocationRules,
    SetTurnaroundRule, StandDefined, StandId, StandKind, Turnaround, Weights,
};
use vigie_domain::kernel::Note;
use vigie_domain::support::{DefineSite, SiteDefined, SiteId, SiteKind, Zone};

use super::random::Random;
use super::timetable::{self, ROTATIONS};
use super::{AIRPORT, Day, OPERATOR, Step};
use flight::Turn;

/// Name, kind, largest aircraft, jetway, metres to the terminal.
const STANDS: [(&str, StandKind, CodeLetter, bool, u32); 17] = {
    use CodeLetter::{B, C, D, E};
    use StandKind::{Civil, Military};
    [
        ("C01", Civil, E, true, 60),
        ("C02", Civil, E, true, 95),
        ("C03", Civil, E, true, 130),
        ("C04", Civil, C, true, 165),
        ("C05", Civil, C, true, 195),
        ("C06", Civil, C, false, 240),
        ("C07", Civil, C, false, 275),
        ("C08", Civil, C, false, 310),
        ("C09", Civil, C, false, 345),
        ("C10", Civil, C, false, 380),
        ("C11", Civil, C, false, 420),
        ("C12", Civil, D, false, 470),
        ("C13", Civil, B, false, 520),
        ("M01", Military, E, false, 900),
        ("M02", Military, D, false, 960),
        ("M03", Military, C, false, 1_020),
        ("M04", Military, C, false, 1_080),
    ]
};

/// Type, and its shortest, usual and longest turnaround in minutes.
const TURNAROUNDS: [(&str, u32, u32, u32); 9] = [
    ("A319", 35, 45, 90),
    ("A333", 60, 85, 180),
    ("A343", 70, 120, 240),
    ("B737", 40, 60, 120),
    ("B738", 40, 60, 120),
    ("B788", 60, 90, 180),
    ("CRJ2", 25, 40, 90),
    ("DH8D", 25, 40, 90),
    ("E170", 30, 45, 90),
];

/// The stand that is closed under the allocation of Air France, from and until when.
const BROKEN: (&str, [i64; 2]) = ("C02", [16 * 60 + 5, 23 * 60]);
/// The stand that the military wants back, from when, and when it gives it up again.
const WANTED: (&str, [i64; 2]) = ("M01", [15 * 60, 19 * 60]);

pub(super) fn site() -> SiteId {
    SiteId::new(AIRPORT).expect("a site id")
}

fn stand(name: &str) -> StandId {
    StandId::at(&site(), name).expect("a stand name")
}

fn note(text: &str) -> Note {
    Note::new(text).expect("a short text")
}

fn aircraft(designator: &str) -> AircraftType {
    AircraftType::new(designator).expect("an ICAO designator")
}

/// What sets the airport up: the site, its 17 stands, its rules.
#[must_use]
pub fn set_up_airport() -> Vec<Step> {
    let zone = Zone::new(Tz::Africa__Lome.name()).expect("a zone of the database");
    let defined = SiteDefined {
        site: site(),
        name: "Lomé–Tokoin".into(),
        kind: SiteKind::Airport,
        zone,
        icao: Some("DXXX".into()),
    };
    let set_up =
        |command: super::Command, says: String| Step { at: DateTime::UNIX_EPOCH, actor: OPERATOR, command, says };
    let mut steps = vec![set_up(DefineSite(defined).into(), "site LFW, Lomé–Tokoin".into())];
    for (name, kind, code, jetway, distance_m) in STANDS {
        let says = format!("stand {name}: code {code}, {distance_m} m to the terminal");
        let defined = StandDefined { stand: stand(name), site: site(), kind, code, jetway, distance_m };
        steps.push(set_up(DefineStand(defined).into(), says));
    }
    let minutes = |min, typical, max| Turnaround::minutes(min, typical, max).expect("minutes in order");
    let default_turnaround = minutes(30, 60, 180);
    let rules =
        SetAllocationRules { site: site(), buffer_minutes: 15, default_turnaround, weights: Weights::default() };
    steps.push(set_up(rules.into(), "allocation rules: 15 minutes between two stays".into()));
    for (designator, min, typical, max) in TURNAROUNDS {
        let turnaround = minutes(min, typical, max);
        let rule = SetTurnaroundRule { site: site(), aircraft_type: aircraft(designator), turnaround };
        steps.push(set_up(rule.into(), format!("turnaround of {designator}: {min}, {typical}, {max} minutes")));
    }
    steps
}

pub(super) fn steps(day: &Day) -> Vec<Step> {
    let mut random = Random::of(day.seed, &format!("airport/{}", day.date));
    let cancelled = timetable::cancelled(&mut random);
    let mut steps = Vec::new();
    for rotation in ROTATIONS {
        let mut random = Random::of(day.seed, &format!("{}/{}{}", day.date, rotation.carrier, rotation.legs[0].0));
        let turn = Turn::plan(day, rotation, &mut random);
        let is_cancelled = rotation.carrier == "KP" && rotation.legs[0].0 == cancelled;
        steps.extend(if is_cancelled { turn.cancelled_steps() } else { turn.steps() });
        match rotation.carrier {
            "AF" => steps.push(turn.allocation_on(stand(BROKEN.0))),
            "SN" => steps.extend(saturation(day, &turn)),
            _ => steps.push(turn.allocation()),
        }
    }
    steps.extend(closures(day));
    steps
}

/// SN 277 asks while every stand for its size is taken or closed, and again when the military has given one back.
fn saturation(day: &Day, turn: &Turn) -> [Step; 2] {
    let again = at(day, WANTED.1[1]) + TimeDelta::minutes(5);
    [turn.allocation(), turn.allocation_at(again, "asks again for a stand")]
}

fn closures(day: &Day) -> [Step; 3] {
    let (broken, [from, to]) = (stand(BROKEN.0), BROKEN.1.map(|minute| at(day, minute)));
    let (wanted, [begin, back]) = (stand(WANTED.0), WANTED.1.map(|minute| at(day, minute)));
    let close = |stand: &StandId, from, to, reason| CloseStand { stand: stand.clone(), from, to, reason: note(reason) };
    let end = at(day, 24 * 60 - 1);
    let hit = close(&broken, from, Some(to), "jetway out of order");
    let exercise = close(&wanted, begin, Some(end), "needed for a military transport");
    let free = ReopenStand { stand: wanted.clone(), from: back, to: Some(end), note: note("the transport has left") };
    [
        Step::new(from, OPERATOR, hit, format!("{broken} is closed: jetway out of order")),
        Step::new(begin, OPERATOR, exercise, format!("{wanted} is closed: needed for a military transport")),
        Step::new(back, OPERATOR, free, format!("{wanted} is open again: the transport has left")),
    ]
}

fn at(day: &Day, minute: i64) -> DateTime<Utc> {
    day.at(Tz::Africa__Lome, minute)
}

fn allocate(flight: &FlightId, stand: Option<StandId>, why: &str) -> AllocateStand {
    AllocateStand { flight: flight.clone(), stand, from: None, to: None, note: note(why) }
}
