//! `vigie jobs`: what the system does again and again, what that came to, and running it by hand.

use std::process::ExitCode;

use vigie_commands::jobs::{Changed, Run, RunState, Status, pause, resume, runs, status, trigger};
use vigie_domain::kernel::Note;

use super::Outcome;
use crate::cli::say::{say, say_text};
use crate::clock;
use crate::runtime::Runtime;
use crate::settings::Settings;

/// Arguments of `vigie jobs`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Answer in JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Say when each job is due and how its last run ended; exit code 1 when one has failed.
    List,
    /// List runs, newest first.
    Runs {
        /// Only of this job.
        name: Option<String>,
        /// The most of them.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
    },
    /// Ask for a run now; a running server carries it out.
    Trigger(Operated),
    /// Hold a job up: it does not run by itself.
    Pause(Operated),
    /// Let a job go on.
    Resume {
        /// Which one.
        name: String,
    },
}

#[derive(Debug, clap::Args)]
struct Operated {
    /// Which one.
    name: String,
    /// Why.
    #[arg(long, default_value = "", value_parser = Note::new)]
    reason: Note,
}

/// Runs it.
pub(super) async fn run(args: Args, settings: Settings) -> Outcome {
    let runtime = Runtime::open(&settings).await?;
    let outcome = act(&args, &runtime, &settings.actor).await;
    runtime.close().await;
    outcome
}

async fn act(args: &Args, runtime: &Runtime, actor: &str) -> Outcome {
    let (pool, now) = (&runtime.pool, clock::now());
    match &args.action {
        Action::List => list(&status(pool).await?, args.json),
        Action::Runs { name, limit } => {
            for run in runs(pool, name.as_deref(), *limit, None).await? {
                if args.json { say!("{}", serde_json::to_string(&run)?) } else { say!("{}", line(&run)) }
            }
            Ok(ExitCode::SUCCESS)
        }
        Action::Trigger(Operated { name, reason }) => {
            let run = trigger(pool, name, actor, reason.as_str(), now).await?;
            if args.json {
                say!("{}", serde_json::to_string(&run)?);
            } else {
                say!("{name}: run {} begins once a server that works jobs off sees it", run.id);
            }
            Ok(ExitCode::SUCCESS)
        }
        Action::Pause(Operated { name, reason }) => {
            told(name, "held up", pause(pool, name, actor, reason.as_str(), now).await?, args.json)
        }
        Action::Resume { name } => told(name, "going on", resume(pool, name).await?, args.json),
    }
}

fn told(name: &str, state: &str, changed: Changed, json: bool) -> Outcome {
    let now = changed == Changed::Now;
    if json {
        say!("{}", serde_json::json!({ "job": name, "state": state, "changed": now }));
    } else {
        say!("{name}: is {state}{}", if now { "" } else { " already" });
    }
    Ok(ExitCode::SUCCESS)
}

fn list(all: &[Status], json: bool) -> Outcome {
    if json {
        say!("{}", serde_json::to_string_pretty(all)?);
    } else if all.is_empty() {
        say!("no server has worked jobs off on this log yet");
    } else {
        say_text!("{}", table(all));
    }
    let failed = |job: &Status| job.last.as_ref().is_some_and(|run| run.state == RunState::Failed);
    Ok(if all.iter().any(failed) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn table(all: &[Status]) -> String {
    let mut table = format!("{:<20} {:<34} {:<21} LAST\n", "NAME", "SCHEDULE", "NEXT");
    for job in all {
        let next = job.next_at.format("%Y-%m-%d %H:%M:%SZ");
        let schedule = format!("{} ({})", job.schedule, job.zone);
        let last = job.last.as_ref().map_or("-".to_owned(), |run| {
            let at = run.ended_at.or(run.started_at).unwrap_or(run.scheduled_for);
            format!("{} at {}", word(run.state), at.format("%Y-%m-%d %H:%M:%SZ"))
        });
        table += &format!("{:<20} {schedule:<34} {next:<21} {last}\n", job.name);
        if let Some(pause) = &job.paused {
            table += &format!("  held up by {}: {}\n", pause.by, pause.reason);
        }
        if let Some(error) = job.last.as_ref().and_then(|run| run.error.as_ref()) {
            table += &format!("  {error}\n");
        }
    }
    table
}

fn word(state: RunState) -> &'static str {
    match state {
        RunState::Waiting => "waiting",
        RunState::Running => "running",
        RunState::Done => "done",
        RunState::Failed => "failed",
        RunState::Died => "died",
        RunState::Skipped => "skipped",
    }
}

fn line(run: &Run) -> String {
    let at = run.started_at.unwrap_or(run.scheduled_for).format("%Y-%m-%d %H:%M:%SZ");
    let took = run.started_at.zip(run.ended_at).map(|(from, to)| format!(" in {:.1} s", (to - from).as_seconds_f64()));
    let counts = run.counts.as_ref().map(|counts| format!("  {counts}")).unwrap_or_default();
    let by = run.asked_by.as_ref().map(|by| format!("  asked for by {by}")).unwrap_or_default();
    let missed = if run.missed > 0 { format!("  {} more times missed", run.missed) } else { String::new() };
    let error = run.error.as_ref().map(|error| format!("  {error}")).unwrap_or_default();
    let (id, job, state, took) = (run.id, &run.job, word(run.state), took.unwrap_or_default());
    format!("{id:>6}  {at}  {job:<20} {state}{took}{counts}{missed}{by}{error}")
}
