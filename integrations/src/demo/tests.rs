use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use vigie_domain::airport::StandKind;

use super::*;

fn day(seed: u64) -> Day {
    Day { seed, date: NaiveDate::from_ymd_opt(2026, 1, 15).unwrap() }
}

/// FNV-1a over the steps as JSON.
fn digest(steps: &[Step]) -> String {
    let text = serde_json::to_string(steps).unwrap();
    let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", text.bytes().fold(0xcbf2_9ce4_8422_2325, hash))
}

#[test]
fn the_same_seed_and_date_give_the_same_day() {
    assert_eq!(day(1).steps(), day(1).steps());
    // Whoever changes the demo day on purpose writes the new digest here: logs that hold the old one then see another day.
    assert_eq!(digest(&day(1).steps()), "e831598e18b7feb1");
}

#[test]
fn another_seed_gives_another_day() {
    assert_ne!(digest(&day(1).steps()), digest(&day(2).steps()));
}

#[test]
fn steps_are_in_order_and_within_the_day() {
    for seed in 1..20 {
        let steps = day(seed).steps();
        assert!((400..2_000).contains(&steps.len()), "{}", steps.len());
        assert!(steps.is_sorted_by_key(|step| step.at));
        let (first, last) = (steps.first().unwrap().at, steps.last().unwrap().at);
        let midnight = day(seed).at(Tz::Africa__Lome, 0);
        assert!(first >= midnight - TimeDelta::hours(2) && last < midnight + TimeDelta::hours(24), "{first} {last}");
    }
}

#[test]
fn the_airport_has_thirteen_civil_and_four_military_stands() {
    let mut kinds: HashMap<_, u32> = HashMap::new();
    let mut stands = HashSet::new();
    for step in set_up() {
        if let Command::DefineStand(stand) = step.command {
            *kinds.entry(stand.0.kind).or_default() += 1;
            stands.insert(stand.0.stand);
        }
    }
    assert_eq!((kinds[&StandKind::Civil], kinds[&StandKind::Military], stands.len()), (13, 4, 17));
}

#[test]
fn a_report_of_a_flight_is_never_older_than_the_one_before() {
    for seed in 1..20 {
        let mut newest = HashMap::new();
        for step in day(seed).steps() {
            if let Command::ObserveFlight(report) = step.command {
                let before = newest.insert(report.leg.id().unwrap(), report.clock.observed_at);
                assert!(before.is_none_or(|before| before < report.clock.observed_at), "seed {seed}: {}", step.says);
            }
        }
    }
}

#[test]
fn a_flight_lands_before_it_is_on_block_and_leaves_after_it() {
    use vigie_domain::airport::Progress;
    for seed in 1..20 {
        for step in day(seed).steps() {
            if let Command::ObserveFlight(report) = &step.command {
                match report.progress {
                    Progress::Landed(at) | Progress::Arrived(at) | Progress::Departed(at) => assert!(at < step.at),
                    Progress::Estimated(at) => assert!(at > step.at, "seed {seed}: {}", step.says),
                    Progress::Scheduled | Progress::Phase(_) | Progress::Cancelled => {}
                }
            }
        }
    }
}

/// `airline, from, to, codeshare` with its equipment codes, as OpenFlights lists them.
fn routes() -> Option<HashMap<(String, String, String, bool), String>> {
    let root = std::env::var_os("VIGIE_SHARED_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let file = root.join("airport/lfw_routes.csv");
    let Ok(text) = std::fs::read_to_string(&file) else {
        eprintln!("skipped: real data not found ({})", file.display());
        return None;
    };
    let route = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let key = (fields[0].to_owned(), fields[2].to_owned(), fields[4].to_owned(), fields[6] == "Y");
        (key, fields[8].to_owned())
    };
    Some(text.lines().skip(1).map(route).collect())
}

#[test]
fn every_rotation_flies_a_listed_route_with_a_listed_type() {
    let Some(routes) = routes() else { return };
    for rotation in timetable::ROTATIONS {
        let (airline, codeshare) = if rotation.carrier == "KP" { ("ET", true) } else { (rotation.carrier, false) };
        let [(_, from), (_, to)] = rotation.legs;
        let codes: &[&str] = match rotation.aircraft {
            "A319" => &["319"],
            "A333" => &["333"],
            "A343" => &["343"],
            "B737" => &["73W", "73G"],
            "B738" => &["738"],
            "B788" => &["788"],
            "CRJ2" => &["CRJ"],
            "DH8D" => &["DH8"],
            "E170" => &["E70"],
            "MD87" => &["M87"],
            other => panic!("{other} is in no list"),
        };
        for (from, to) in [(from, AIRPORT), (AIRPORT, to)] {
            let listed = routes.get(&(airline.into(), from.into(), to.into(), codeshare));
            let flies = listed.is_some_and(|list| list.split(' ').any(|code| codes.contains(&code)));
            assert!(flies, "{} {} {from}-{to} {listed:?}", rotation.carrier, rotation.aircraft);
        }
    }
}
