//! A folder of golden files, and what may be wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};
use vigie_domain::Event;

use crate::{samples, types};

/// One line per file: SHA-256 in hex, two spaces, name; as `sha256sum` writes and checks it.
const CHECKSUMS: &str = "checksums.txt";

pub(crate) struct Folder(PathBuf);

/// A golden file as it is on disk.
struct File {
    name: String,
    kind: String,
    version: u16,
    content: String,
}

impl Folder {
    /// The one of the project.
    pub(crate) fn released() -> Self {
        Self(Path::new(env!("CARGO_MANIFEST_DIR")).join("golden"))
    }

    /// A copy of it to damage, gone with what is returned beside it.
    pub(crate) fn copy() -> (Self, tempfile::TempDir) {
        let place = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(Self::released().0).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), place.path().join(entry.file_name())).unwrap();
        }
        (Self(place.path().to_owned()), place)
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }

    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let content = fs::read_to_string(self.path(file)).unwrap();
        assert!(content.contains(from), "{file} has no {from}");
        fs::write(self.path(file), content.replace(from, to)).unwrap();
    }

    #[track_caller]
    pub(crate) fn assert_only_problem(&self, wanted: &str) {
        let problems = self.problems();
        assert!(problems.len() == 1 && problems[0].contains(wanted), "{problems:#?}");
    }

    /// Everything that is wrong.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems: Vec<String> = self.missing().iter().map(|file| told(file)).collect();
        let checksums = self.checksums();
        let files = self.files();
        for file in &files {
            problems.extend(unreadable(file));
            match checksums.get(&file.name) {
                Some(known) if *known == checksum(&file.content) => {}
                Some(_) => problems.push(format!(
                    "golden/{} was edited, and what was stored once never changes: restore it, and give the new shape a \
                     new version (docs/events.md)",
                    file.name
                )),
                None => problems.push(format!(
                    "golden/{} has no line in {CHECKSUMS}; add:\n{}  {}",
                    file.name,
                    checksum(&file.content),
                    file.name
                )),
            }
        }
        let (there, wanted): (BTreeSet<&str>, BTreeSet<String>) =
            (files.iter().map(|file| file.name.as_str()).collect(), wanted().into_keys().collect());
        let gone = checksums.keys().filter(|file| !there.contains(file.as_str()) && !wanted.contains(*file));
        problems.extend(gone.map(|file| format!("golden/{file} is gone: restore it")));
        problems
    }

    /// Writes samples and checksums that are missing; never replaces anything.
    pub(crate) fn write_what_is_missing(&self) {
        for file in self.missing() {
            if let Some(Some(sample)) = wanted().get(&file) {
                fs::write(self.path(&file), pretty(sample)).unwrap();
            }
        }
        let mut known = self.checksums();
        for file in self.files() {
            known.entry(file.name).or_insert_with(|| checksum(&file.content));
        }
        let lines: String = known.iter().map(|(file, checksum)| format!("{checksum}  {file}\n")).collect();
        fs::write(self.path(CHECKSUMS), lines).unwrap();
    }

    fn missing(&self) -> Vec<String> {
        wanted().into_keys().filter(|file| !self.path(file).exists()).collect()
    }

    fn checksums(&self) -> BTreeMap<String, String> {
        let text = fs::read_to_string(self.path(CHECKSUMS)).unwrap_or_default();
        let line = |line: &str| line.split_once("  ").map(|(checksum, file)| (file.to_owned(), checksum.to_owned()));
        text.lines().map(|text| line(text).unwrap_or_else(|| panic!("{CHECKSUMS}: {text}"))).collect()
    }

    fn files(&self) -> Vec<File> {
        let names = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut files: Vec<File> = names.filter(|name| name != CHECKSUMS).map(|name| self.file(name)).collect();
        files.sort_by(|a, b| a.name.cmp(&b.name));
        files
    }

    fn file(&self, name: String) -> File {
        let parse = || {
            let (kind, rest) = name.strip_suffix(".json")?.split_once(".v")?;
            let version = rest.split('.').next()?.parse::<u16>().ok()?;
            Some((kind.to_owned(), version))
        };
        let (kind, version) = parse().unwrap_or_else(|| panic!("golden/{name} is not <type>.v<version>.json"));
        let content = fs::read_to_string(self.path(&name)).unwrap();
        File { name, kind, version, content }
    }
}

/// Every file that there must be, with its sample when it is of today's shape.
fn wanted() -> BTreeMap<String, Option<Event>> {
    let versions = types().flat_map(|info| (1..=info.version).map(move |version| file_name(info.name, version, "")));
    let samples = samples().map(|(case, event)| (file_name(event.name(), event.encode().version, case), Some(event)));
    versions.map(|file| (file, None)).chain(samples).collect()
}

fn file_name(kind: &str, version: u16, case: &str) -> String {
    let case = if case.is_empty() { String::new() } else { format!(".{case}") };
    format!("{kind}.v{version}{case}.json")
}

fn pretty(event: &Event) -> String {
    let value: Value = serde_json::from_str(&event.encode().data).unwrap();
    serde_json::to_string_pretty(&value).unwrap() + "\n"
}

fn checksum(content: &str) -> String {
    Sha256::digest(content).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

fn told(missing: &str) -> String {
    match wanted().get(missing) {
        Some(Some(sample)) => format!("golden/{missing} is missing:\n{}", pretty(sample)),
        _ => format!(
            "golden/{missing} is missing: restore it if it is of an old version, else add a sample in tests/golden"
        ),
    }
}

/// Why the file cannot be read by this build, or would be written differently by it.
fn unreadable(file: &File) -> Option<String> {
    let File { name, kind, version, content } = file;
    let event = match Event::decode(kind, *version, content) {
        Ok(event) => event,
        Err(error) => return Some(format!("golden/{name}: {error} ({error:?})")),
    };
    if event.name() != kind || event.tags().is_empty() {
        return Some(format!("golden/{name} is read as a {} about {} things", event.name(), event.tags().len()));
    }
    let today = event.encode();
    let (stored, again): (Value, Value) =
        (serde_json::from_str(content).unwrap(), serde_json::from_str(&today.data).unwrap());
    (today.version == *version && stored != again)
        .then(|| format!("golden/{name} is written differently today: give the new shape a new version"))
}
