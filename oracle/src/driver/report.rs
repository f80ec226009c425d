//! What is printed at the end.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::slots;
use crate::verify::Checked;

/// Everything that is known in the end.
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) faults: BTreeMap<&'static str, u64>,
    /// Processes that ended by themselves, and the like.
    pub(crate) complaints: Vec<String>,
    pub(crate) panics: Vec<String>,
    pub(crate) checked: Checked,
}

impl Report {
    /// Whether every promise held.
    pub(crate) fn good(&self) -> bool {
        self.complaints.is_empty() && self.panics.is_empty() && self.checked.violations.is_empty()
    }

    pub(crate) fn print(&self, took: Duration) {
        println!("\ndone to it:");
        for (kind, count) in &self.faults {
            println!("  {count:>8}  {kind}");
        }
        println!("\nchecked:");
        for (what, count) in &self.checked.counts {
            println!("  {count:>8}  {what}");
        }
        for line in self.complaints.iter().chain(&self.panics) {
            println!("\nVIOLATION: {line}");
        }
        for violation in &self.checked.violations {
            print!("\n{violation}");
        }
        let took = took.as_secs();
        let verdict = if self.good() { "every promise held" } else { "A PROMISE WAS BROKEN" };
        println!("\noracle: {verdict} (seed {}, {took} s in all)", self.seed);
    }
}

/// Lines in which a process has panicked.
pub(crate) fn panics(logs: &Path, processes: usize) -> Vec<String> {
    let texts = (0..processes).map(|number| (number, std::fs::read(slots::log(logs, number)).unwrap_or_default()));
    let lines = texts.flat_map(|(number, text)| {
        let text = String::from_utf8_lossy(&text).into_owned();
        let panicked = text.lines().filter(|line| line.contains("panicked at"));
        panicked.map(|line| format!("process {number}: {line}")).collect::<Vec<_>>()
    });
    lines.collect()
}
