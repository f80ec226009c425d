//! The arrows between the rooms, and what may stand in a file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::harness::root;

/// What each crate may stand on. domain and eventlog stand on the ground and do not know each other; commands and
/// projections never see each other; api stands on all.
const ARROWS: [(&str, &[&str]); 10] = [
    ("vigie-domain", &[]),
    ("vigie-eventlog", &[]),
    ("vigie-commands", &["vigie-domain", "vigie-eventlog"]),
    ("vigie-projections", &["vigie-domain", "vigie-eventlog"]),
    ("vigie-integrations", &["vigie-domain", "vigie-eventlog"]),
    ("vigie-api", &["vigie-commands", "vigie-domain", "vigie-eventlog", "vigie-integrations", "vigie-projections"]),
    ("vigie-tests", &["vigie-commands", "vigie-domain", "vigie-eventlog", "vigie-integrations", "vigie-projections"]),
    (
        "vigie-bench",
        &["vigie-api", "vigie-commands", "vigie-domain", "vigie-eventlog", "vigie-integrations", "vigie-projections"],
    ),
    ("vigie-example-watch", &[]),
    ("vigie-oracle", &["vigie-api", "vigie-commands", "vigie-domain", "vigie-eventlog", "vigie-projections"]),
];

/// What the domain must not need: it is pure.
const NOT_IN_DOMAIN: [&str; 8] = ["tokio", "sqlx", "axum", "redis", "rand", "async-graphql", "futures-util", "rustix"];

/// The longest file, in lines.
const LONGEST: usize = 400;

fn packages() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap().iter();
    // Every kind of dependency counts: tests and build scripts would carry the knowledge just as well.
    packages
        .map(|package| (name(package), package["dependencies"].as_array().unwrap().iter().map(name).collect()))
        .collect()
}

#[test]
fn the_rooms_stand_on_each_other_as_the_arrows_say() {
    let packages = packages();
    let known: BTreeSet<_> = ARROWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(packages.keys().cloned().collect::<BTreeSet<_>>(), known, "each crate has its arrows here");
    for (name, may) in ARROWS {
        // A crate may name itself, to switch on features for its own tests: that leads nowhere else.
        let others = packages[name].iter().filter(|dependency| dependency.as_str() != name);
        for dependency in others.filter(|dependency| dependency.starts_with("vigie-")) {
            assert!(may.contains(&dependency.as_str()), "{name} must not depend on {dependency}");
        }
    }
    for dependency in NOT_IN_DOMAIN {
        assert!(!packages["vigie-domain"].contains(dependency), "the domain is pure: it must not need {dependency}");
    }
}

/// The contexts of the domain. `support` serves them: they may use it whole, as they use the kernel.
fn contexts() -> Vec<String> {
    let folders = fs::read_dir(root().join("domain/src")).unwrap().map(Result::unwrap);
    let folders = folders.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name().into_string().unwrap());
    folders.filter(|name| !["kernel", "policies", "support"].contains(&name.as_str())).collect()
}

/// The names that a context shows to others: what its files of ids and events define, and its fixtures for tests.
fn shown(context: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::from(["fixtures".to_owned()]);
    for file in files_below(&root().join("domain/src").join(context)) {
        let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
        if stem != "ids" && stem != "events" && !stem.ends_with("_events") {
            continue;
        }
        for line in fs::read_to_string(&file).unwrap().lines() {
            // `AlertEvent, names;` and `FlightId,`: what the macros of events and ids make, names of event types among it.
            if line.trim().ends_with(", names;") {
                names.insert("names".to_owned());
            }
            let made = line.trim().strip_suffix(", names;").or_else(|| line.trim().strip_suffix(','));
            names.extend(made.filter(|made| made.chars().all(char::is_alphanumeric)).map(str::to_owned));
            let item = ["pub struct ", "pub enum ", "pub type ", "pub const ", "pub mod "];
            let Some(rest) = item.iter().find_map(|item| line.trim_start().strip_prefix(item)) else { continue };
            names.insert(rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_owned());
        }
    }
    names
}

/// The first names of the paths below `crate::<context>::` in a text.
fn used(text: &str, context: &str) -> Vec<String> {
    let start = format!("crate::{context}::");
    let first = |path: &str| path.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_owned();
    let mut names = Vec::new();
    for (at, _) in text.match_indices(&start) {
        let rest = &text[at + start.len()..];
        match rest.strip_prefix('{') {
            Some(list) => names.extend(list.split('}').next().unwrap().split(',').map(first)),
            None => names.push(first(rest)),
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn contexts_import_only_each_others_ids_and_events() {
    let contexts = contexts();
    assert!(contexts.len() >= 3, "{contexts:?}");
    for own in &contexts {
        for file in files_below(&root().join("domain/src").join(own)) {
            let text = fs::read_to_string(&file).unwrap();
            for other in contexts.iter().filter(|other| *other != own) {
                let shown = shown(other);
                for name in used(&text, other) {
                    assert!(shown.contains(&name), "{} uses {name} of {other}", file.display());
                }
            }
        }
    }
}

#[test]
fn what_a_file_uses_is_found_in_lists_and_alone() {
    let text =
        "use crate::rail::{PassId,\n    events::Seen};\nlet x = crate::rail::Rule::new(); use crate::railway::No;";
    assert_eq!(used(text, "rail"), ["PassId", "events", "Rule"]);
}

/// Every file that is ours, built and fetched things apart.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let kind = entry.file_type().unwrap();
        if kind.is_dir()
            && !["target", "node_modules", "dist", ".git", ".tools", ".venv", "data"].contains(&name.as_str())
        {
            files.extend(files_below(&path));
        } else if kind.is_file() && name != ".git" && name != ".env" {
            files.push(path);
        }
    }
    files
}

#[test]
fn no_file_is_too_long() {
    let written_by_hand = ["rs", "sql", "sh", "ts", "tsx", "mjs", "css"];
    for file in files_below(root()) {
        if file.extension().is_some_and(|ending| written_by_hand.iter().any(|known| ending == *known)) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= LONGEST, "{} has {lines} lines: split it by idea", file.display());
        }
    }
}

#[test]
fn no_file_names_a_registry_host_or_a_folder_of_one_machine() {
    // In halves, so that this file does not name them either.
    let words = [
        ["registry.", "npmjs.org"],
        ["registry.", "yarnpkg.com"],
        ["index.", "crates.io"],
        ["static.", "crates.io"],
        ["proxy.", "golang.org"],
        ["files.", "pythonhosted.org"],
        ["/wo", "rk/"],
        ["/tm", "p/wt/"],
        ["/ro", "ot/"],
        ["/ho", "me/"],
    ]
    .map(|halves| halves.concat());
    for file in files_below(root()) {
        // What is not text, such as an image, names nothing.
        let Ok(text) = fs::read_to_string(&file) else { continue };
        for word in &words {
            assert!(!text.contains(word), "{} names {word}", file.display());
        }
    }
}
