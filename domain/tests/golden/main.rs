//! Golden files: what was stored once stays readable for ever.
//!
//! `golden/<type>.v<version>.json` holds the data of an event as that version stored it; `<type>.v<version>.<case>.json`
//! holds further ones of the same version. `golden/checksums.txt` says that none was edited: a new shape gets a new
//! version, a new file and an upcaster. These tests write nothing, unless `VIGIE_WRITE_GOLDEN=1` asks for files and
//! checksums that are missing.

#![expect(clippy::unwrap_used, reason = "a sample that cannot be made is a broken test")]

mod airport;
mod flights;
mod folder;
mod identity;
mod other;
mod webhooks;

use std::collections::BTreeSet;
use std::fs;

use vigie_domain::airport::{Aircraft, AirportEvent};
use vigie_domain::{DecodeError, Event, TAG_KINDS, TypeInfo};

use folder::Folder;

fn types() -> impl Iterator<Item = TypeInfo> {
    Event::types()
}

/// An event of every type in today's shape, some of them in several cases.
fn samples() -> impl Iterator<Item = (&'static str, Event)> {
    let contexts = [airport::samples(), flights::samples(), identity::samples(), other::samples(), webhooks::samples()];
    contexts.into_iter().flatten()
}

#[test]
fn every_type_and_version_has_a_file_that_is_read_and_was_never_edited() {
    let folder = Folder::released();
    if std::env::var_os("VIGIE_WRITE_GOLDEN").is_some_and(|asked| asked == "1") {
        folder.write_what_is_missing();
    }
    let problems = folder.problems();
    assert!(problems.is_empty(), "{} problems with golden files.\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn the_kinds_of_tags_are_those_that_events_carry() {
    let tags = samples().flat_map(|(_, event)| event.tags());
    let kinds: BTreeSet<String> = tags.map(|tag| tag.as_str().split(':').next().unwrap().to_owned()).collect();
    assert_eq!(kinds.iter().collect::<Vec<_>>(), TAG_KINDS);
    let told = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/webhooks.md")).unwrap();
    let untold = TAG_KINDS.iter().find(|kind| !told.contains(&format!("`{kind}`")));
    assert_eq!(untold, None, "docs/webhooks.md lists them");
}

#[test]
fn a_missing_file_of_an_old_version_is_noticed() {
    let (folder, _kept) = Folder::copy();
    fs::remove_file(folder.path("airport.aircraft_assigned.v1.json")).unwrap();
    folder.assert_only_problem("golden/airport.aircraft_assigned.v1.json is missing");
}

#[test]
fn an_edited_file_of_an_old_version_is_noticed_also_when_it_can_still_be_read() {
    let (folder, _kept) = Folder::copy();
    folder.edit("airport.aircraft_assigned.v1.json", "A332", "A321");
    folder.assert_only_problem("golden/airport.aircraft_assigned.v1.json was edited");
}

#[test]
fn an_edited_file_of_todays_version_is_noticed() {
    let (folder, _kept) = Folder::copy();
    folder.edit("airport.flight_landed.v1.json", "12:10", "12:11");
    folder.assert_only_problem("golden/airport.flight_landed.v1.json was edited");
}

#[test]
fn a_shape_that_is_written_differently_today_is_noticed() {
    let (folder, _kept) = Folder::copy();
    folder.edit("airport.flight_landed.v1.json", "\"site\"", "\"note\": \"\",\n  \"site\"");
    assert!(folder.problems().iter().any(|problem| problem.contains("is written differently today")));
}

#[test]
fn a_file_of_a_version_that_no_upcaster_leads_from_or_to_is_noticed() {
    let (folder, _kept) = Folder::copy();
    fs::copy(folder.path("airport.flight_landed.v1.json"), folder.path("airport.flight_landed.v2.json")).unwrap();
    let problems = folder.problems();
    assert!(problems.iter().any(|problem| problem.contains("reads up to version 1")), "{problems:?}");
}

#[test]
fn version_1_of_an_aircraft_assigned_is_lifted_to_version_2() {
    let stored = fs::read_to_string(Folder::released().path("airport.aircraft_assigned.v1.json")).unwrap();
    let lifted = Event::decode("airport.aircraft_assigned", 1, &stored).unwrap();
    let Event::Airport(AirportEvent::AircraftAssigned(lifted)) = lifted else { panic!("{lifted:?}") };
    let was = Aircraft { registration: None, ..flights::aircraft("A332", "") };
    assert_eq!((lifted.aircraft, lifted.was), (flights::aircraft("A333", "F-GZCA"), Some(was)));
}

#[test]
fn what_this_build_does_not_know_is_refused_with_the_reason() {
    let unknown = Event::decode("airport.stand_painted", 1, "{}").unwrap_err();
    assert!(matches!(&unknown, DecodeError::UnknownType { name, version: 1 } if name == "airport.stand_painted"));
    assert!(unknown.to_string().contains("\"airport.stand_painted\" (version 1)"), "{unknown}");
    assert!(unknown.to_string().contains("upgrade vigie"), "{unknown}");
    for info in types() {
        let newer = Event::decode(info.name, info.version + 1, "{}").unwrap_err();
        assert!(
            matches!(newer, DecodeError::NewerVersion { found, known, .. } if (found, known) == (info.version + 1, info.version))
        );
        assert!(newer.to_string().contains("upgrade vigie"), "{newer}");
        let zero = Event::decode(info.name, 0, "{}").unwrap_err();
        assert!(matches!(zero, DecodeError::NoSuchVersion { .. }), "{zero:?}");
        for version in 1..=info.version {
            let shapeless = Event::decode(info.name, version, "[]").unwrap_err();
            assert!(matches!(shapeless, DecodeError::Shape { .. }), "{shapeless:?}");
        }
    }
}
