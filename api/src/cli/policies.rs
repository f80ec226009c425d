//! `vigie policies`: what reacts to facts, switched off and on, and tried dry.

use std::process::ExitCode;

use sqlx::PgPool;
use vigie_commands::policies::{
    DryRun, Planned, PlannedKind, PolicyStatus, Switch, Switched, known, status, switch, switches, waiting,
};
use vigie_domain::kernel::Note;

use super::Outcome;
use crate::cli::say::{say, say_text};
use crate::clock;
use crate::operate::{Until, position_until};
use crate::runtime::Runtime;
use crate::settings::Settings;

/// Arguments of `vigie policies`.
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
    /// Say how far each policy has come and whether it is on; exit code 1 when one is stopped by an event.
    List,
    /// Let a policy react to nothing; its timers wait.
    Off {
        /// Which one.
        name: String,
        /// Why.
        #[arg(long, value_parser = Note::new)]
        reason: Note,
    },
    /// Let a policy react again, from where it stood.
    On {
        /// Which one.
        name: String,
        /// Leave out what came while it was off, and forget its timers.
        #[arg(long)]
        from_now: bool,
        /// Why.
        #[arg(long, value_parser = Note::new)]
        reason: Note,
    },
    /// List what a policy would do with the facts of a part of the log, and what of that was done; changes nothing.
    DryRun {
        /// Which one.
        name: String,
        /// After this position or time; from the beginning without.
        #[arg(long)]
        from: Option<Until>,
        /// Until this position or time; to the end without.
        #[arg(long)]
        to: Option<Until>,
    },
    /// List the timers that wait, soonest first.
    Timers {
        /// Only of this one.
        name: Option<String>,
        /// The most of them.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
    },
    /// List who switched policies, newest first.
    History {
        /// Only this one.
        name: Option<String>,
        /// The most of them.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
    },
}

/// Runs it.
pub(super) async fn run(args: Args, settings: Settings) -> Outcome {
    let runtime = Runtime::open(&settings).await?;
    let outcome = act(&args, &runtime, &settings.actor).await;
    runtime.close().await;
    outcome
}

async fn act(args: &Args, runtime: &Runtime, actor: &str) -> Outcome {
    let pool = &runtime.pool;
    match &args.action {
        Action::List => list(&status(pool).await?, args.json),
        Action::Off { name, reason } => {
            let by = Switched { actor, reason: reason.as_str(), at: clock::now() };
            turn(pool, name, Switch::Off, by, args.json).await
        }
        Action::On { name, from_now, reason } => {
            let to = if *from_now { Switch::OnFromNow } else { Switch::On };
            let by = Switched { actor, reason: reason.as_str(), at: clock::now() };
            turn(pool, name, to, by, args.json).await
        }
        Action::DryRun { name, from, to } => dry_run(runtime, name, *from, *to, args.json).await,
        Action::Timers { name, limit } => {
            if let Some(name) = name {
                known(name)?;
            }
            for timer in waiting(pool, name.as_deref(), *limit).await? {
                if args.json {
                    say!("{}", serde_json::to_string(&timer)?);
                    continue;
                }
                let failed = timer.error.map(|error| format!("  failed {} times: {error}", timer.attempts));
                let (due, failed) = (timer.due.to_rfc3339(), failed.unwrap_or_default());
                say!("{due}  {:<24} {}  {}{failed}", timer.policy, timer.command, timer.key);
            }
            Ok(ExitCode::SUCCESS)
        }
        Action::History { name, limit } => {
            if let Some(name) = name {
                known(name)?;
            }
            for one in switches(pool, name.as_deref(), *limit).await? {
                if args.json {
                    say!("{}", serde_json::to_string(&one)?);
                    continue;
                }
                let to = if one.off { "off" } else { "on" };
                let at = one.at.to_rfc3339();
                say!("{at}  {:<32} {to:<3} at {} by {}  {}", one.name, one.resumed, one.actor, one.reason);
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn list(all: &[PolicyStatus], json: bool) -> Outcome {
    if json {
        say!("{}", serde_json::to_string_pretty(all)?);
    } else {
        say_text!("{}", table(all));
    }
    let stopped = all.iter().any(|policy| policy.error.is_some());
    Ok(if stopped { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn table(all: &[PolicyStatus]) -> String {
    let mut table = format!("{:<32} {:>7} {:>10} {:>8} {:>7}  STATE\n", "NAME", "VERSION", "POSITION", "LAG", "TIMERS");
    for one in all {
        let state = match (one.off, &one.error) {
            (true, _) => "off",
            (false, Some(_)) => "stopped",
            (false, None) => "on",
        };
        let PolicyStatus { name, version, position, lag_events, timers, .. } = one;
        table += &format!("{name:<32} {version:>7} {position:>10} {lag_events:>8} {timers:>7}  {state}\n");
        if let (true, Some(by), Some(reason)) = (one.off, &one.switched_by, &one.switched_reason) {
            table += &format!("  switched off by {by}: {reason}\n");
        }
        if let (Some(at), Some(error)) = (one.error_position, &one.error) {
            table += &format!("  stopped by the event at position {at}: {error}\n");
        }
    }
    table
}

async fn turn(pool: &PgPool, name: &str, to: Switch, by: Switched<'_>, json: bool) -> Outcome {
    let changed = switch(pool, name, to, by).await?;
    let state = if to == Switch::Off { "off" } else { "on" };
    if json {
        say!("{}", serde_json::json!({ "policy": name, "state": state, "changed": changed }));
    } else {
        let already = if changed { "" } else { " already" };
        say!("{name}: is switched {state}{already}");
    }
    Ok(ExitCode::SUCCESS)
}

async fn dry_run(runtime: &Runtime, name: &str, from: Option<Until>, to: Option<Until>, json: bool) -> Outcome {
    let policy = known(name)?;
    let log = &runtime.log;
    let after = match from {
        // The beginning is before the first event.
        Some(Until::Position(0)) | None => 0,
        Some(from) => position_until(log, from).await?,
    };
    let until = match to {
        Some(to) => position_until(log, to).await?,
        None => log.head().await?,
    };
    let head = log.head().await?;
    if after > until || until > head {
        return Err(format!("from {after} to {until} is no part of the log, which goes from 0 to {head}").into());
    }
    let (mut run, mut would, mut done) = (DryRun::new(policy, log.clone(), after, until), 0_u64, 0_u64);
    while let Some(planned) = run.next().await? {
        for one in planned {
            would += u64::from(one.reaction.is_some());
            done += u64::from(one.recorded_at.is_some());
            if json {
                say!("{}", serde_json::to_string(&one)?);
            } else {
                say!("{}", line(&one));
            }
        }
    }
    if !json {
        say!(
            "{name}: {would} commands would follow from ({after}, {until}], those of timers included; {done} of them are in the log"
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn line(planned: &Planned) -> String {
    let Planned { position, event, kind, reaction, recorded_at, .. } = planned;
    let command = reaction.as_ref().map(|reaction| reaction.name()).unwrap_or_default();
    let what = match kind {
        PlannedKind::Command => command.to_owned(),
        PlannedKind::Timer { key, due } => format!("{command} at {} unless {key} changes", due.to_rfc3339()),
        PlannedKind::Cancel { key } => format!("cancels the timer of {key}"),
    };
    let recorded = recorded_at.map(|at| format!("  (recorded at {at})")).unwrap_or_default();
    format!("{position:>10}  {event:<32} {what}{recorded}")
}
