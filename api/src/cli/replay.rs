//! `vigie replay`: the read models at a moment, in a schema of their own.

use std::process::ExitCode;
use std::sync::Mutex;

use tokio_util::sync::CancellationToken;
use vigie_projections::{Progress, ProjectionError, ReplayError, Replayed, Wanted, replay};

use super::Outcome;
use super::projections::bar;
use crate::cli::say::say;
use crate::graphql::ReadSchema;
use crate::operate::{Until, position_until};
use crate::runtime::Runtime;
use crate::settings::Settings;

/// Arguments of `vigie replay`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The last event to take: a position, or a time (RFC 3339) for the last event that was recorded by then.
    #[arg(long, value_name = "POSITION|TIME")]
    until: Until,
    /// The schema to build into; it must not exist yet.
    #[arg(long, value_name = "SCHEMA")]
    into: ReadSchema,
    /// Drop what an earlier replay has built there.
    #[arg(long)]
    replace: bool,
    /// A role that may read it, besides the program's own. May be given several times.
    #[arg(long = "grant", value_name = "ROLE")]
    readers: Vec<String>,
    /// Say what was built as JSON.
    #[arg(long)]
    json: bool,
}

/// Builds until done; Ctrl-C breaks it off, and the same command goes on with it.
pub(super) async fn run(args: Args, settings: Settings) -> Outcome {
    let runtime = Runtime::open(&settings).await?;
    let outcome = build(&runtime, &args).await;
    runtime.close().await;
    outcome
}

async fn build(runtime: &Runtime, args: &Args) -> Outcome {
    let until = position_until(&runtime.log, args.until).await?;
    let wanted = Wanted { schema: args.into.as_str(), until, replace: args.replace, readers: &args.readers };
    let cancel = CancellationToken::new();
    let interrupted = cancel.clone();
    let watching = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupted.cancel();
        }
    });
    // One bar, renewed for each read model.
    let shown = Mutex::new(None);
    let progress = |name: &'static str, progress: Progress| {
        let mut shown = shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (_, bar) = match shown.take() {
            Some((before, bar)) if before == name => shown.insert((before, bar)),
            _ => shown.insert((name, bar(name, "events"))),
        };
        bar.set_length(u64::try_from(progress.head).unwrap_or_default());
        bar.set_position(u64::try_from(progress.position).unwrap_or_default());
    };
    let made = replay(&runtime.pool, &runtime.log, runtime.owner(), &wanted, &progress, &cancel).await;
    watching.abort();
    if let Some((_, bar)) = shown.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        bar.finish_and_clear();
    }
    match made {
        Ok(made) => {
            told(args, &made);
            Ok(ExitCode::SUCCESS)
        }
        Err(ReplayError::Projection(ProjectionError::Cancelled)) => {
            eprintln!("broken off; the same command goes on where it was");
            Ok(ExitCode::from(130))
        }
        Err(error) => Err(error.into()),
    }
}

fn told(args: &Args, made: &Replayed) {
    let schema = args.into.as_str();
    if args.json {
        say!("{}", serde_json::json!({ "schema": schema, "position": made.position, "time": made.time }));
    } else {
        say!("built until position {} into the schema {schema}", made.position);
        say!("  SQL:   select * from {schema}.flights");
        say!("  serve: vigie serve --schema {schema} --read-only");
    }
}
