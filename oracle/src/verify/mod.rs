//! The proof: what the log holds against what everybody wrote down.

mod alerts;
mod appends;
mod commands;
mod follows;
mod ground;
mod history;
mod models;
mod told;
mod violation;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sqlx::PgPool;
use vigie_eventlog::Log;

use crate::Fault;
use history::History;
pub(crate) use violation::Violation;

/// What was checked, and what did not hold.
#[derive(Default)]
pub(crate) struct Checked {
    pub(crate) counts: BTreeMap<&'static str, u64>,
    /// The smallest of each kind.
    pub(crate) violations: Vec<Violation>,
}

impl Checked {
    fn count(&mut self, what: &'static str, more: usize) {
        *self.counts.entry(what).or_default() += more as u64;
    }

    /// Keeps the smallest history of each kind, and how many there are.
    fn broken(&mut self, violation: Violation) {
        match self.violations.iter_mut().find(|known| known.promise == violation.promise) {
            Some(known) => known.or(violation),
            None => self.violations.push(violation),
        }
    }
}

/// Checks everything, on a system at rest.
pub(crate) async fn run(pool: &PgPool, log: &Log, told: &Path, unsettled: Vec<String>) -> Result<Checked, Fault> {
    let mut checked = Checked::default();
    for complaint in unsettled {
        checked.broken(Violation::new("everybody catches up with the log", 0, complaint));
    }
    let mut history = History::read(log, &mut checked).await?;
    for file in files(told, |name| name.starts_with("caller-"))? {
        appends::check(&file, &mut history, &mut checked)?;
    }
    for file in files(told, |name| name.starts_with("airport-") || name.starts_with("rail-"))? {
        commands::check(&file, &mut history, &mut checked)?;
    }
    history.check_senders(&mut checked);
    for file in files(told, |name| name.starts_with("follower-"))? {
        follows::check(&file, &history, &mut checked)?;
    }
    models::check(pool, log, &history, &mut checked).await?;
    Ok(checked)
}

fn files(folder: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>, Fault> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if wanted(&entry.file_name().to_string_lossy()) {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}
