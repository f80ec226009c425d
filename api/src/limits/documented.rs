//! `docs/limits.md` says what the code does.

use std::path::Path;

use super::{Limit, cost};
use crate::settings;

/// The lines of the table of limits.
fn limits() -> Vec<String> {
    let row = |limit: &Limit| {
        let setting = settings::all().find(|declared| declared.variable == limit.setting());
        let default = setting.unwrap_or_else(|| panic!("{} is not a setting", limit.setting())).default;
        let (of, code) = (limit.of(), limit.code());
        format!("| {} | {of} | {default} | `{}` | `{code}` |", limit.name().replace('_', " "), limit.setting())
    };
    Limit::ALL.iter().map(row).collect()
}

fn prices() -> Vec<String> {
    cost::lines().into_iter().map(|(field, cost)| format!("| {field} | {cost} |")).collect()
}

/// The text with the rows of the table above each marker made anew.
fn renewed(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let rows = match line {
            "<!-- limits -->" => limits(),
            "<!-- prices -->" => prices(),
            _ => Vec::new(),
        };
        if !rows.is_empty() {
            while lines.last().is_some_and(|last| last.starts_with('|') && !last.starts_with("|---")) {
                lines.pop();
            }
        }
        lines.extend(rows);
        lines.push(line.to_owned());
    }
    lines.join("\n") + "\n"
}

#[test]
fn the_documented_limits_are_those_in_force() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/limits.md");
    let found = std::fs::read_to_string(&path).unwrap();
    let renewed = renewed(&found);
    assert!(renewed.contains("RATE_LIMITED") && renewed.contains("Query.at"), "the markers are not in the page");
    if std::env::var_os("VIGIE_WRITE_GENERATED").is_some() {
        std::fs::write(&path, &renewed).unwrap();
    } else {
        assert!(found == renewed, "docs/limits.md is old: run the tests with VIGIE_WRITE_GENERATED=1");
    }
}
