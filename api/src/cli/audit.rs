//! `vigie audit`: who did what, and what was refused, on a terminal or in a file.

mod print;
mod which;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use futures_util::TryStreamExt;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use vigie_eventlog::Query;
use vigie_projections::{Behind, MODELS, Model, Projections};

use super::Outcome;
use crate::audit::export::{Exported, Format, header, text};
use crate::audit::{AuditRow, Listed, Order, Paged, RefusalRow, is_known, page, pages};
use crate::graphql::{ReadSchema, View};
use crate::runtime::Runtime;
use crate::settings::Settings;
use print::Line;
use which::Which;

/// How long the trail may take to catch up with the log.
const PATIENCE: Duration = Duration::from_secs(60);

/// Arguments of `vigie audit`.
///
/// Without a filter the newest entries are listed. Filters combine: an entry is listed when all of them apply.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code: 0 if the list is whole, 2 if the arguments are wrong, 3 if the audit trail is behind \
                        the log so that the newest entries are missing, 1 on a fault."
)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// What was refused, instead of what was done.
    #[arg(long, conflicts_with_all = ["types", "text", "caused_by", "follow"])]
    refused: bool,
    /// Refused by this rule, such as STAND_OCCUPIED.
    #[arg(long, requires = "refused")]
    code: Option<String>,
    /// The oldest first.
    #[arg(long)]
    oldest_first: bool,
    /// The most entries.
    #[arg(long, default_value_t = 50, conflicts_with = "export", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// One JSON object per line.
    #[arg(long, conflicts_with = "export")]
    json: bool,
    /// Everything that the filters let through, as CSV (RFC 4180) or JSON lines.
    #[arg(long, value_name = "FORMAT")]
    export: Option<Format>,
    /// Write the export to this file, which must not exist; to standard output without.
    #[arg(long, value_name = "FILE", requires = "export")]
    output: Option<PathBuf>,
    /// Then go on with entries as they come, until Ctrl-C.
    #[arg(long, conflicts_with_all = ["export", "to", "day", "until"])]
    follow: bool,
}

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Runs it.
pub(super) async fn run(args: Args, settings: Settings) -> Outcome {
    let runtime = Runtime::open(&settings).await?;
    let shutdown = CancellationToken::new();
    let outcome = carry_out(args, &runtime, &shutdown).await;
    shutdown.cancel();
    runtime.close().await;
    outcome
}

async fn carry_out(mut args: Args, runtime: &Runtime, shutdown: &CancellationToken) -> Outcome {
    args.which.find_actor(&runtime.pool).await?;
    let args = &args;
    let trail = Trail::start(runtime, shutdown).await?;
    let behind = trail.catch_up(runtime.log.head().await?).await;
    // From before the first entry is printed: whoever sees one may end it.
    let interrupts = if args.follow { Some(signal(SignalKind::interrupt())?) } else { None };
    let outcome = if args.refused {
        args.which
            .refusals(args.code.as_deref())
            .map(|filter| (filter.check(), filter))
            .and_then(|(checked, filter)| checked.map(|()| filter).map_err(Into::into))
            .map(|filter| show::<RefusalRow>(args, runtime, filter))?
            .await
    } else {
        let filter = args.which.entries();
        filter.check()?;
        show::<AuditRow>(args, runtime, filter).await
    };
    let last = outcome?;
    if last == 0 && args.export.is_none() {
        say_unknown(&args.which, runtime).await?;
    }
    if let Some(interrupts) = interrupts {
        follow(args, runtime, &trail, last, interrupts).await?;
    }
    trail.stop().await;
    Ok(match behind {
        Some(behind) => {
            eprintln!("vigie: the newest entries are missing: {behind}");
            ExitCode::from(3)
        }
        None => ExitCode::SUCCESS,
    })
}

/// Nothing is listed of what there never was, which is more likely a wrong id.
async fn say_unknown(which: &Which, runtime: &Runtime) -> Result<(), Fault> {
    let view = View::now(ReadSchema::default());
    let mut connection = runtime.pool.acquire().await?;
    for thing in which.things() {
        if !is_known(thing, &view, &mut connection).await? {
            eprintln!("vigie: no event is about {thing}");
        }
    }
    Ok(())
}

/// The read models that are asked, kept up with the log here unless another process does.
struct Trail {
    projections: Projections,
    names: Vec<&'static str>,
}

impl Trail {
    async fn start(runtime: &Runtime, shutdown: &CancellationToken) -> Result<Self, Fault> {
        let models: Vec<Model> =
            MODELS.iter().filter(|model| ["audit", "sites"].contains(&model.name)).copied().collect();
        let (pool, log) = (runtime.pool.clone(), runtime.log.clone());
        let projections = Projections::start_models(&models, pool, log, shutdown.clone()).await?;
        Ok(Self { projections, names: models.iter().map(|model| model.name).collect() })
    }

    async fn catch_up(&self, position: i64) -> Option<Behind> {
        self.projections.wait_for(&self.names, position, PATIENCE).await.err()
    }

    async fn stop(self) {
        drop(self.projections);
    }
}

/// Prints what the filter lets through; the last position that was printed.
async fn show<R: Listed + Exported + Line + Sync>(
    args: &Args,
    runtime: &Runtime,
    filter: R::Filter,
) -> Result<i64, Fault> {
    let view = View::now(ReadSchema::default());
    // A follower goes on where the list ends, so that begins with the oldest.
    let order = if args.oldest_first { Order::OldestFirst } else { Order::NewestFirst };
    let mut connection = runtime.pool.acquire().await?;
    let paged = Paged::<R>::new(filter, order, &view, &mut connection).await??;
    let paged = paged.ending(&view, &mut connection).await?;
    if let Some(format) = args.export {
        drop(connection);
        return export(format, args.output.as_deref(), pages(paged, view, runtime.pool.clone())).await.map(|()| 0);
    }
    let mut rows = page(&paged, &view, None, i64::from(args.limit), &mut connection).await?;
    drop(connection);
    if args.follow && !args.oldest_first {
        rows.reverse();
    }
    print::rows(&rows, args.json)?;
    Ok(rows.iter().map(Listed::place).max().unwrap_or_default())
}

async fn export<R: Exported>(
    format: Format,
    output: Option<&Path>,
    rows: impl futures_util::Stream<Item = Result<Vec<R>, sqlx::Error>>,
) -> Result<(), Fault> {
    let mut out: Box<dyn Write> = match output {
        Some(path) => {
            let file =
                File::create_new(path).map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
            Box::new(BufWriter::new(file))
        }
        None => Box::new(BufWriter::new(io::stdout())),
    };
    out.write_all(header::<R>(format).as_bytes())?;
    let mut rows = std::pin::pin!(rows);
    while let Some(rows) = rows.try_next().await? {
        out.write_all(text(format, &rows).as_bytes())?;
    }
    out.flush()?;
    Ok(())
}

/// Entries as they come.
async fn follow(args: &Args, runtime: &Runtime, trail: &Trail, last: i64, mut interrupts: Signal) -> Result<(), Fault> {
    let view = View::now(ReadSchema::default());
    let mut connection = runtime.pool.acquire().await?;
    let paged = Paged::<AuditRow>::new(args.which.entries(), Order::OldestFirst, &view, &mut connection).await??;
    drop(connection);
    let mut follower = runtime.log.follow(Query::all(), last);
    let mut shown = last;
    loop {
        let step = tokio::select! {
            step = follower.next() => step?,
            _ = interrupts.recv() => return Ok(()),
        };
        if let Some(behind) = trail.catch_up(step.position).await {
            return Err(behind.into());
        }
        let mut connection = runtime.pool.acquire().await?;
        loop {
            let rows = page(&paged, &view, Some(shown), crate::audit::PAGE, &mut connection).await?;
            let Some(newest) = rows.last().map(Listed::place) else { break };
            print::rows(&rows, args.json)?;
            shown = newest;
        }
    }
}
