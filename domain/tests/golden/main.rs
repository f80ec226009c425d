//! Golden files: what was stored once stays readable for ever.
//!
//! `golden/<type>.v<version>.json` holds the data of an event as that version stored it; `<type>.v<version>.<case>.json`
//! holds further ones of the same version. A file is never edited once it is released: a new shape gets a new version,
//! a new file and an upcaster. These tests write nothing, unless `VIGIE_WRITE_GOLDEN=1` asks for files that are missing.

#![expect(clippy::unwrap_used, reason = "a sample that cannot be made is a broken test")]

mod airport;
mod flights;
mod other;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use vigie_domain::{DecodeError, Event, TypeInfo};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

fn types() -> impl Iterator<Item = TypeInfo> {
    Event::types()
}

/// An event of every type in today's shape, some of them in several cases, by file name.
fn samples() -> BTreeMap<String, Event> {
    let all = [airport::samples(), flights::samples(), other::samples()].into_iter().flatten();
    all.map(|(case, event)| (file_name(event.name(), event.encode().version, case), event)).collect()
}

fn file_name(name: &str, version: u16, case: &str) -> String {
    let case = if case.is_empty() { String::new() } else { format!(".{case}") };
    format!("{name}.v{version}{case}.json")
}

fn pretty(data: &str) -> String {
    let value: Value = serde_json::from_str(data).unwrap();
    serde_json::to_string_pretty(&value).unwrap() + "\n"
}

/// Type, version and content of every file, by file name.
fn files() -> BTreeMap<String, (String, u16, String)> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    entries
        .map(|file| {
            let parse = || {
                let (name, rest) = file.strip_suffix(".json")?.split_once(".v")?;
                let version = rest.split('.').next()?.parse::<u16>().ok()?;
                Some((name.to_owned(), version))
            };
            let (name, version) = parse().unwrap_or_else(|| panic!("golden/{file} is not <type>.v<version>.json"));
            let content = fs::read_to_string(folder().join(&file)).unwrap();
            (file, (name, version, content))
        })
        .collect()
}

#[test]
fn every_type_has_a_file_for_every_version() {
    let samples = samples();
    let versions = types().flat_map(|info| (1..=info.version).map(move |version| file_name(info.name, version, "")));
    let wanted: BTreeSet<String> = versions.chain(samples.keys().cloned()).collect();
    let absent = wanted.into_iter().filter(|file| !folder().join(file).exists());
    let missing: Vec<String> = absent.filter(|file| !write(file, samples.get(file))).collect();
    let told: Vec<String> = missing
        .iter()
        .map(|file| match samples.get(file) {
            Some(sample) => format!("golden/{file}:\n{}", pretty(&sample.encode().data)),
            None => {
                format!("golden/{file}: no sample; add one in tests/golden, or restore the file if it is an old one")
            }
        })
        .collect();
    assert!(missing.is_empty(), "{} golden files are missing.\n{}", missing.len(), told.join("\n"));
}

/// Writes a missing file if that is asked for; says whether it did.
fn write(file: &str, sample: Option<&Event>) -> bool {
    if std::env::var_os("VIGIE_WRITE_GOLDEN").is_none_or(|asked| asked != "1") {
        return false;
    }
    let Some(sample) = sample else { return false };
    let mut new = fs::OpenOptions::new();
    let mut opened = new.write(true).create_new(true).open(folder().join(file)).expect("a missing file can be made");
    std::io::Write::write_all(&mut opened, pretty(&sample.encode().data).as_bytes()).is_ok()
}

#[test]
fn every_file_is_read_and_todays_shape_is_written_back_as_it_was() {
    let known: BTreeMap<&str, u16> = types().map(|info| (info.name, info.version)).collect();
    let files = files();
    for (file, (name, version, content)) in &files {
        let newest = known.get(name.as_str()).unwrap_or_else(|| panic!("golden/{file} is of no known type"));
        let event = Event::decode(name, *version, content).unwrap_or_else(|error| panic!("golden/{file}: {error:?}"));
        assert_eq!(event.name(), name, "golden/{file}");
        assert!(!event.tags().is_empty(), "golden/{file} is about nothing");
        if version == newest {
            let (stored, again) = (serde_json::from_str(content), serde_json::from_str(&event.encode().data));
            let (stored, again): (Value, Value) = (stored.unwrap(), again.unwrap());
            assert_eq!(stored, again, "golden/{file} is written differently today: give the new shape a new version");
        }
    }
    assert!(files.len() >= known.len(), "{} files for {} types", files.len(), known.len());
}

#[test]
fn what_this_build_does_not_know_is_refused_with_the_reason() {
    let unknown = Event::decode("airport.stand_painted", 1, "{}").unwrap_err();
    assert!(matches!(&unknown, DecodeError::UnknownType { name } if name == "airport.stand_painted"));
    assert!(unknown.to_string().contains("airport.stand_painted"), "{unknown}");
    for info in types() {
        let newer = Event::decode(info.name, info.version + 1, "{}").unwrap_err();
        assert!(
            matches!(newer, DecodeError::NewerVersion { found, known, .. } if (found, known) == (info.version + 1, info.version))
        );
        assert!(newer.to_string().contains("upgrade"), "{newer}");
        let zero = Event::decode(info.name, 0, "{}").unwrap_err();
        assert!(matches!(zero, DecodeError::NoSuchVersion { .. }), "{zero:?}");
        let shapeless = Event::decode(info.name, info.version, "[]").unwrap_err();
        assert!(matches!(shapeless, DecodeError::Shape { .. }), "{shapeless:?}");
    }
}
