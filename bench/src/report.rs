//! What was measured, as a table to read and as JSON to keep.

use std::fs;
use std::path::PathBuf;

use serde::Serialize;

use crate::Outcome;
use crate::closed_loop::Measured;
use crate::database::Server;
use crate::disk;

/// Where the figures go.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also write the figures to this file, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// One thing measured, over all rounds.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Case {
    name: String,
    callers: usize,
    rounds: Vec<Measured>,
}

impl Case {
    pub(crate) fn new(name: impl Into<String>, callers: usize) -> Self {
        Self { name: name.into(), callers, rounds: Vec::new() }
    }

    pub(crate) fn add(&mut self, measured: Measured) {
        self.rounds.push(measured);
    }

    fn rates(&self) -> Spread {
        Spread::of(self.rounds.iter().map(|round| round.per_second))
    }

    fn row(&self) -> String {
        let rates = self.rates();
        let latency = |of: fn(&Measured) -> u64| Spread::of(self.rounds.iter().map(|round| of(round) as f64)).median;
        format!(
            "{:<44} {:>9.0} /s ({:.0}–{:.0})   p50 {:.0} µs, p95 {:.0} µs, p99 {:.0} µs, max {:.0} µs",
            self.name,
            rates.median,
            rates.least,
            rates.most,
            latency(|m| m.p50),
            latency(|m| m.p95),
            latency(|m| m.p99),
            latency(|m| m.max),
        )
    }
}

/// The middle and the ends of some figures.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Spread {
    /// The middle one; the upper of two.
    pub(crate) median: f64,
    /// The least.
    pub(crate) least: f64,
    /// The most.
    pub(crate) most: f64,
}

impl Spread {
    pub(crate) fn of(figures: impl Iterator<Item = f64>) -> Self {
        let mut figures: Vec<f64> = figures.collect();
        figures.sort_by(f64::total_cmp);
        let at = |index: usize| figures.get(index).copied().unwrap_or_default();
        Self { median: at(figures.len() / 2), least: at(0), most: at(figures.len().saturating_sub(1)) }
    }
}

/// Two cases of the same run, and how many times the second the first is: by their rates, or by their medians.
#[derive(Debug, Serialize)]
struct Comparison {
    measured: Case,
    against: Case,
    ratio: Spread,
    /// At an fdatasync of 0.1 ms and of 2 ms.
    target: Option<(f64, f64)>,
}

/// Everything of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    postgres: String,
    fdatasync_us: Vec<u64>,
    comparisons: Vec<Comparison>,
    /// What is compared with nothing.
    pub(crate) cases: Vec<Case>,
    /// What else is to be known, in words.
    notes: Vec<String>,
    #[serde(skip)]
    folder: PathBuf,
}

impl Report {
    pub(crate) async fn new(server: &Server) -> Outcome<Self> {
        let folder = server.disk().to_path_buf();
        let (postgres, fdatasync_us) = (server.version().await?, vec![disk::fdatasync(&folder)?]);
        Ok(Self { postgres, fdatasync_us, comparisons: Vec::new(), cases: Vec::new(), notes: Vec::new(), folder })
    }

    /// Adds what no figure of a case says.
    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Compares round with round: both sides of a round were measured in the same minute.
    pub(crate) fn compare(&mut self, measured: Case, against: Case, target: Option<(f64, f64)>) {
        let rounds = measured.rounds.iter().zip(&against.rounds);
        let ratio = Spread::of(rounds.map(|(ours, theirs)| ours.per_second / theirs.per_second));
        self.comparisons.push(Comparison { measured, against, ratio, target });
        self.fdatasync_us.extend(disk::fdatasync(&self.folder).ok());
    }

    /// How many times as long as `against` a request of `measured` takes, by the median of each round.
    pub(crate) fn compare_medians(&mut self, measured: Case, against: Case) {
        let rounds = measured.rounds.iter().zip(&against.rounds);
        let ratio = Spread::of(rounds.map(|(ours, theirs)| ours.p50 as f64 / theirs.p50 as f64));
        self.comparisons.push(Comparison { measured, against, ratio, target: None });
        self.fdatasync_us.extend(disk::fdatasync(&self.folder).ok());
    }

    /// Prints the table; writes the JSON if that was asked for.
    pub(crate) fn print(&self, args: &Args) -> Outcome<()> {
        println!("PostgreSQL {}, fdatasync {:?} µs (before and after each case)", self.postgres, self.fdatasync_us);
        for case in &self.cases {
            println!("{}", case.row());
        }
        for Comparison { measured, against, ratio, target } in &self.comparisons {
            println!("\n{}\n{}", measured.row(), against.row());
            let target = target.map(|(fast, slow)| format!("   target {fast} (fdatasync 0.1 ms), {slow} (2 ms)"));
            let target = target.unwrap_or_default();
            println!("  {:.2} × ({:.2}–{:.2}){target}", ratio.median, ratio.least, ratio.most);
        }
        self.notes.iter().for_each(|note| println!("{note}"));
        if let Some(path) = &args.json {
            fs::write(path, serde_json::to_string_pretty(self)?)?;
        }
        Ok(())
    }
}
