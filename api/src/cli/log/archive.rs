//! `vigie log archive`.

use std::path::PathBuf;
use std::process::ExitCode;

use vigie_domain::identity::IdentityEvent;
use vigie_domain::webhooks::names::ENDPOINT_REGISTERED;
use vigie_eventlog::ranges::{archive, whole_until};
use vigie_eventlog::{Query, Read};
use vigie_projections::ReadModel as _;
use vigie_projections::webhooks::Endpoints;

use super::bar;
use crate::cli::Outcome;
use crate::cli::say::say;
use crate::runtime::Runtime;
use crate::webhooks::needed;

/// A range leaves the log once its file is on the disk and has been read again and found whole. Reads and decisions that
/// need it fail with a clear error until `vigie log restore`. What people sign in by stays besides. Broken off, it can be started again.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Whole ranges that end at or before this position.
    #[arg(long, value_name = "POSITION", value_parser = clap::value_parser!(i64).range(1..))]
    until: i64,
    /// The folder for their files; made if need be.
    #[arg(long, value_name = "FOLDER")]
    into: PathBuf,
}

pub(super) async fn run(args: &Args, runtime: &Runtime) -> Outcome {
    let ranges = whole_until(&runtime.pool, args.until).await?;
    let first = ranges.iter().map(|(_, first, _)| *first).min().unwrap_or_default();
    let last = ranges.iter().map(|(_, _, last)| *last).max().unwrap_or_default();
    everybody_has_passed(last, runtime).await?;
    let bar = bar((last - first + 1).unsigned_abs(), "{bar:30} {pos}/{len} events, {rate}, {eta} left");
    let progress = |position: i64| bar.set_position((position - first + 1).unsigned_abs());
    let kept: Vec<&str> = IdentityEvent::TYPES.iter().map(|known| known.name).collect();
    let archived = archive(runtime.owner(), args.until, &args.into, &kept, &progress).await;
    bar.finish_and_clear();
    for range in archived? {
        say!("{}: positions {} to {}, sha256 {}", range.path.display(), range.first, range.last, range.sha256);
    }
    Ok(ExitCode::SUCCESS)
}

/// Whoever follows the log and has not come past what goes would stand still until it is back.
async fn everybody_has_passed(last: i64, runtime: &Runtime) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    // An endpoint that its read model does not know yet may need any of it.
    let registered = Query::kinds([ENDPOINT_REGISTERED]);
    let registered = runtime.log.read(&registered, Read::backwards().limit(1)).await?;
    let registered = registered.first().map_or(last, |event| event.position.max(last));
    let models = vigie_projections::status(&runtime.pool).await?;
    let models = models.into_iter().map(|model| {
        let needs = if model.name == Endpoints::NAME { registered } else { last };
        ("read model", model.name, model.position, needs)
    });
    let reached = vigie_commands::policies::status(&runtime.pool).await?;
    // One that has never run has everything before it.
    let position = |name: &str| reached.iter().find(|policy| policy.name == name).map_or(0, |policy| policy.position);
    let policies = vigie_domain::policies::ALL.iter().map(|policy| policy.name());
    let policies = policies.map(|name| ("policy", name.to_owned(), position(name), last));
    match models.chain(policies).find(|(_, _, position, needs)| position < needs) {
        Some((kind, name, position, needs)) => {
            Err(format!("{kind} {name} has come to position {position}, and still needs what is up to {needs}").into())
        }
        None => match needed(&runtime.pool).await? {
            Some((endpoint, position)) if position < last => Err(format!(
                "webhook endpoint {endpoint} has come to position {position}, what waits for it and was set aside included: \
                 it still needs what is up to {last}, unless it is removed"
            )
            .into()),
            Some(_) | None => Ok(()),
        },
    }
}
