//! `vigie import`.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;

use chrono::TimeDelta;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use vigie_domain::support::SiteId;
use vigie_integrations::airport::hkia::{Feed, SOURCE};
use vigie_integrations::feed_clock::FeedClock;

use super::Outcome;
use crate::cli::say::say;
use crate::clock;
use crate::import::hkia::Hkia;
use crate::import::passes::Passes;
use crate::import::{AsideSink, Input, Letters, Progress, SetAside, Source, Tally, Work, import, inputs, sites};
use crate::runtime::Runtime;
use crate::settings::Settings;

/// A source's clock may be this far ahead of ours.
const AHEAD: TimeDelta = TimeDelta::hours(24);

/// Arguments of `vigie import`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code: 0 if every row was taken, 2 if some were set aside, 130 if interrupted, 1 on a fault."
)]
pub(super) struct Args {
    #[command(subcommand)]
    feed: FeedArgs,
}

#[derive(Debug, clap::Subcommand)]
enum FeedArgs {
    /// Flight schedules of Hong Kong International Airport (captures as JSON).
    ///
    /// The first time, on a new log: `vigie import hkia --setup FOLDER`.
    Hkia(HkiaArgs),
    /// Train passes from a camera system (JSON lines, see docs/train-passes.md). Their site must be set up.
    Passes(FileArgs),
}

#[derive(Debug, clap::Args)]
struct HkiaArgs {
    /// The airport that the schedules are of.
    #[arg(long, default_value = "HKG")]
    site: SiteId,
    /// Set HKG up first (Hong Kong International Airport, VHHH, Asia/Hong_Kong), unless it is.
    #[arg(long)]
    setup: bool,
    #[command(flatten)]
    files: FileArgs,
}

#[derive(Debug, clap::Args)]
struct FileArgs {
    /// Files, folders (their *.json, or *.jsonl for passes, in the order of their names), or - for standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
    /// Write the rows that are set aside to this file, as JSON lines: file, place, pointer, reason, row.
    #[arg(long, value_name = "FILE")]
    set_aside: Option<PathBuf>,
}

/// Runs it.
pub(super) async fn run(args: Args, settings: Settings) -> Outcome {
    let (files, endings): (&FileArgs, &[&str]) = match &args.feed {
        FeedArgs::Hkia(hkia) => (&hkia.files, &[".json"]),
        FeedArgs::Passes(files) => (files, &[".jsonl"]),
    };
    let inputs = inputs::inputs(&files.files, endings)?;
    let mut aside = AsideSink::new(files.set_aside.as_deref())?;
    let runtime = Runtime::open(&settings).await?;
    let outcome = with(&runtime, &args.feed, files, inputs, &mut aside).await;
    runtime.close().await;
    let summary = outcome?;
    let kept = aside.finish()?;
    report(&summary, &kept, files)?;
    Ok(match &summary.tally {
        tally if tally.interrupted => ExitCode::from(130),
        tally if tally.set_aside > 0 => ExitCode::from(2),
        _ => ExitCode::SUCCESS,
    })
}

#[derive(Serialize)]
struct Summary {
    #[serde(flatten)]
    tally: Tally,
    seconds: f64,
    rows_per_second: f64,
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

async fn with(
    runtime: &Runtime,
    feed: &FeedArgs,
    files: &FileArgs,
    inputs: Vec<Input>,
    aside: &mut AsideSink,
) -> Result<Summary, Failed> {
    let cancel = cancelled_by_ctrl_c();
    match feed {
        FeedArgs::Hkia(args) => {
            if args.setup {
                sites::set_up_hong_kong(&runtime.executor, &args.site).await?;
            }
            let zone = sites::airport(&runtime.log, &args.site).await?.tz();
            let clock = FeedClock::new(runtime.pool.clone(), args.site.clone(), SOURCE);
            let waiting = || eprintln!("another import of this feed is running for {}; waiting for it", args.site);
            let turn = tokio::select! {
                turn = clock.turn(waiting) => turn?,
                () = cancel.cancelled() => return Err("interrupted while waiting for another import".into()),
            };
            let feed = Feed { site: args.site.clone(), zone, latest: clock::now() + AHEAD };
            let summary = shown(&Hkia { feed, clock }, runtime, files, inputs, aside, cancel).await;
            turn.end().await;
            summary
        }
        FeedArgs::Passes(_) => shown(&Passes, runtime, files, inputs, aside, cancel).await,
    }
}

/// Imports behind a progress bar. A fault is told after what was done before it.
async fn shown<S: Source>(
    source: &S,
    runtime: &Runtime,
    files: &FileArgs,
    inputs: Vec<Input>,
    aside: &mut AsideSink,
    cancel: CancellationToken,
) -> Result<Summary, Failed> {
    let bar = Bar::over(&inputs);
    let progress = |progress: Progress<'_>| bar.advance(progress);
    let started_at = clock::now();
    let mut tally = Tally::default();
    let letters = Letters::open(runtime.pool.clone(), source.feed()).await;
    let mut work = Work::new(runtime.executor.clone(), aside, letters, cancel, &progress, started_at);
    let outcome = import(source, inputs, &mut work, &mut tally).await;
    bar.bar.finish_and_clear();
    let seconds = (clock::now() - started_at).as_seconds_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate is shown, not counted with")]
    let rows_per_second = if seconds > 0.0 { tally.rows as f64 / seconds } else { 0.0 };
    let summary = Summary { tally, seconds, rows_per_second };
    if let Err(error) = outcome {
        report(&summary, &[], files)?;
        return Err(error.into());
    }
    Ok(summary)
}

/// How far the import has come, in bytes of its files; on standard error, if that is a terminal.
struct Bar {
    bar: ProgressBar,
    /// Rows so far, and bytes of the files that are done.
    done: Mutex<(u64, u64)>,
}

impl Bar {
    fn over(inputs: &[Input]) -> Self {
        let total = inputs.iter().map(Input::size).sum::<Option<u64>>();
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
        let template = match total {
            Some(_) => "{bar:40} {percent:>3} % {elapsed} {msg}",
            None => "{spinner} {elapsed} {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        if !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        Self { bar, done: Mutex::new((0, 0)) }
    }

    fn advance(&self, progress: Progress<'_>) {
        let mut done = self.done.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match progress {
            Progress::Rows { rows, bytes } => {
                done.0 += rows;
                self.bar.inc(bytes as u64);
                self.bar.set_message(format!("{} rows", done.0));
            }
            Progress::File(input) => {
                // Rows are part of a file only: commas and spaces are between them.
                done.1 += input.size().unwrap_or(0);
                self.bar.set_position(done.1);
            }
        }
    }
}

fn report(summary: &Summary, kept: &[SetAside], files: &FileArgs) -> Result<(), Failed> {
    for SetAside { file, place, pointer, reason, .. } in kept {
        let place = place.map_or_else(String::new, |place| format!(", row {place}"));
        eprintln!("set aside: {file}{place}: {pointer} {reason}");
    }
    let more = summary.tally.set_aside.saturating_sub(kept.len() as u64);
    if more > 0 && !kept.is_empty() {
        match &files.set_aside {
            Some(path) => eprintln!("and {more} more; all are in {}", path.display()),
            None => eprintln!("and {more} more; --set-aside FILE writes them all down"),
        }
    }
    if files.json {
        say!("{}", serde_json::to_string(summary)?);
        return Ok(());
    }
    let Tally { files, rows, new, changed, unchanged, stale, set_aside, events, interrupted } = &summary.tally;
    for (name, count) in [
        ("files", files),
        ("rows", rows),
        ("  new", new),
        ("  changed", changed),
        ("  unchanged", unchanged),
        ("  stale", stale),
        ("  set aside", set_aside),
        ("events appended", events),
    ] {
        say!("{name:<16}{count:>10}");
    }
    say!("{:<16}{:>10.1} s, {:.0} rows/s", "time", summary.seconds, summary.rows_per_second);
    if *interrupted {
        say!("interrupted: the rest was not read");
    }
    Ok(())
}

fn cancelled_by_ctrl_c() -> CancellationToken {
    let cancel = CancellationToken::new();
    let told = cancel.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            told.cancel();
        }
    });
    cancel
}
