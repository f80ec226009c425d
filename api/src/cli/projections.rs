//! `vigie projections`: how far the read models have come, making them anew, checking them against the log.

use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use vigie_eventlog::Log;
use vigie_projections::{Difference, MODELS, Progress, State, Status, Verified, rebuild, status, verify};

use super::Outcome;
use crate::cli::say::{say, say_text};
use crate::runtime::Runtime;
use crate::settings::Settings;

/// Arguments of `vigie projections`.
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
    /// Say how far each read model has come; exit code 1 when one is stopped.
    Status,
    /// Make read models anew from the log while the old ones serve; Ctrl-C leaves the old ones.
    Rebuild {
        /// Which ones.
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Fold the log anew and compare, field by field; exit code 1 on differences.
    Verify {
        /// Which ones; all without.
        names: Vec<String>,
    },
}

/// Runs it.
pub(super) async fn run(args: Args, settings: Settings) -> Outcome {
    let runtime = Runtime::open(&settings).await?;
    let cancel = CancellationToken::new();
    let interrupted = cancel.clone();
    let watching = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupted.cancel();
        }
    });
    let outcome = match &args.action {
        Action::Status => show_status(&runtime.pool, args.json).await,
        Action::Rebuild { names } => rebuild_all(&runtime.pool, &runtime.log, names, args.json, &cancel).await,
        Action::Verify { names } => verify_all(&runtime.pool, &runtime.log, names, args.json, &cancel).await,
    };
    watching.abort();
    runtime.close().await;
    outcome
}

fn exit(good: bool) -> ExitCode {
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn show_status(pool: &PgPool, json: bool) -> Outcome {
    let all = status(pool).await?;
    if json {
        say!("{}", serde_json::to_string_pretty(&all)?);
    } else {
        say_text!("{}", status_table(&all));
    }
    Ok(exit(all.iter().all(|one| one.state == State::Running)))
}

fn status_table(all: &[Status]) -> String {
    let row = |cells: [&str; 8]| {
        let [name, version, position, lag, age, rate, state, owner] = cells;
        format!("{name:<18} {version:>7} {position:>10} {lag:>8} {age:>9} {rate:>9}  {state:<8} {owner}\n")
    };
    let mut table = row(["NAME", "VERSION", "POSITION", "LAG", "LAG TIME", "EVENTS/S", "STATE", "OWNER"]);
    for one in all {
        let state = match one.state {
            State::Running => "running",
            State::Stopped => "stopped",
        };
        table += &row([
            &one.name,
            &one.version.to_string(),
            &one.position.to_string(),
            &one.lag_events.to_string(),
            &format!("{:.1} s", one.lag_seconds),
            &format!("{:.0}", one.rate),
            state,
            one.owner.as_deref().unwrap_or("-"),
        ]);
        if let (Some(position), Some(error)) = (one.error_position, &one.error) {
            table += &format!("  stopped by the event at position {position}: {error}\n");
        }
    }
    table
}

async fn rebuild_all(pool: &PgPool, log: &Log, names: &[String], json: bool, cancel: &CancellationToken) -> Outcome {
    let mut rebuilt = serde_json::Map::new();
    for name in names {
        let bar = bar(name);
        let made = rebuild(pool, log, name, &show(&bar), cancel).await;
        bar.finish_and_clear();
        let position = made?;
        if json {
            rebuilt.insert(name.clone(), position.into());
        } else {
            say!("{name}: made anew up to position {position}");
        }
    }
    if json {
        say!("{}", serde_json::Value::Object(rebuilt));
    }
    Ok(ExitCode::SUCCESS)
}

async fn verify_all(pool: &PgPool, log: &Log, names: &[String], json: bool, cancel: &CancellationToken) -> Outcome {
    let every = || MODELS.iter().map(|model| model.name.to_owned()).collect();
    let names: Vec<String> = if names.is_empty() { every() } else { names.to_vec() };
    let mut all = Vec::new();
    for name in &names {
        let bar = bar(name);
        let verified = verify(pool, log, name, &show(&bar), cancel).await;
        bar.finish_and_clear();
        let verified = verified?;
        if !json {
            say_text!("{}", verified_lines(&verified));
        }
        all.push(verified);
    }
    if json {
        say!("{}", serde_json::to_string_pretty(&all)?);
    }
    Ok(exit(all.iter().all(|verified| verified.differing_rows == 0)))
}

fn verified_lines(verified: &Verified) -> String {
    let Verified { name, position, rows, differing_rows, differences } = verified;
    let mut lines = if *differing_rows == 0 {
        format!("{name}: {rows} rows are what the log says at position {position}\n")
    } else {
        format!("{name}: {differing_rows} of {rows} rows are not what the log says at position {position}\n")
    };
    for Difference { table, key, field, stored, expected } in differences {
        lines += &match field {
            Some(field) => format!("  {table} {key} {field}: stored {stored}, expected {expected}\n"),
            None if stored.is_null() => format!("  {table} {key}: the row is missing\n"),
            None => format!("  {table} {key}: the row should not be there\n"),
        };
    }
    lines
}

/// Events folded, with rate and time left; hidden when nobody watches.
fn bar(name: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} events, {per_sec}, {eta} left")
        .expect("the template is a constant");
    let bar = ProgressBar::new(0).with_style(style).with_prefix(name.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn show(bar: &ProgressBar) -> impl Fn(Progress) + Send + Sync + use<> {
    let bar = bar.clone();
    move |progress: Progress| {
        bar.set_length(progress.head.unsigned_abs());
        bar.set_position(progress.position.unsigned_abs());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_with_table_key_and_field() {
        let difference = |field: Option<&str>, stored: serde_json::Value| Difference {
            table: "alerts".into(),
            key: serde_json::json!({ "alert": "a" }),
            field: field.map(Into::into),
            stored,
            expected: "critical".into(),
        };
        let verified = Verified {
            name: "alerts".into(),
            position: 7,
            rows: 3,
            differences: vec![difference(Some("severity"), "info".into()), difference(None, serde_json::Value::Null)],
            differing_rows: 2,
        };
        let expected = "alerts: 2 of 3 rows are not what the log says at position 7\n\
            \x20 alerts {\"alert\":\"a\"} severity: stored \"info\", expected \"critical\"\n\
            \x20 alerts {\"alert\":\"a\"}: the row is missing\n";
        assert_eq!(verified_lines(&verified), expected);
    }
}
