//! Appending to a long log beside appending to a short one.

use sqlx::ConnectOptions;

use crate::append::append;
use crate::closed_loop::Timing;
use crate::database::{Server, Where};
use crate::report::{Case, Report};
use crate::{Outcome, fill};

/// How long the logs are.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    at: Where,
    #[command(flatten)]
    timing: Timing,
    #[command(flatten)]
    report: crate::report::Args,
    /// Events in the short log.
    #[arg(long, default_value_t = 100_000)]
    short: i64,
    /// Events in the long log.
    #[arg(long, default_value_t = 10_000_000)]
    long: i64,
    /// Callers that append at the same time.
    #[arg(long, default_value_t = 64)]
    callers: usize,
}

/// Fills two logs on one server and appends to them in turns.
pub(crate) async fn run(args: Args) -> Outcome<()> {
    let server = Server::open(&args.at).await?;
    let mut report = Report::new(&server).await?;
    let (short, long) = (server.database().await?, server.database().await?);
    for (database, events) in [(&short, args.short), (&long, args.long)] {
        fill::fill(&mut database.options.connect().await?, events).await?;
    }
    let case = |events: i64| Case::new(format!("{} callers, {events} events before", args.callers), args.callers);
    let (mut to_short, mut to_long) = (case(args.short), case(args.long));
    for _ in 0..args.timing.rounds {
        to_short.add(append(&short, 0..args.callers, 1, args.timing).await?);
        to_long.add(append(&long, 0..args.callers, 1, args.timing).await?);
    }
    report.compare(to_long, to_short, None);
    report.print(&args.report)?;
    server.drop(short).await?;
    server.drop(long).await?;
    server.close().await
}
