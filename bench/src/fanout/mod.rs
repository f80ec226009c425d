//! Subscribers of which each gets one changed row per second: how soon, and at what price.
//!
//! Server and subscribers are processes of their own, so that the memory and the processor time of each can be told.

mod analysis;
mod server;
mod subscriber;
mod watched;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use self::analysis::Seen;
pub(crate) use self::server::ServeArgs;
use self::server::Serving;
pub(crate) use self::server::serve;
use self::subscriber::{Progress, Subscribers};
use self::watched::Watched;
use crate::closed_loop::Measured;
use crate::database::{Database, Server, Where};
use crate::report::{Case, Report};
use crate::{Outcome, memory};

/// How many, of what, and for how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    at: Where,
    #[command(flatten)]
    report: crate::report::Args,
    /// Subscribers, step by step; a row stops with the first step that is not valid.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 2_000, 5_000, 10_000])]
    subscribers: Vec<usize>,
    /// What they watch.
    #[arg(long, value_delimiter = ',', default_values = ["events", "flight", "list"])]
    watch: Vec<Watched>,
    /// Subscriptions on each WebSocket.
    #[arg(long, default_value_t = 1)]
    per_socket: usize,
    /// Seconds before anything is counted.
    #[arg(long, default_value_t = 5)]
    warm_up: u32,
    /// Seconds that are counted.
    #[arg(long, default_value_t = 20)]
    seconds: u32,
}

/// The mean latency beyond which a measurement does not count, as others measure it.
const VALID: f64 = 1_000_000.0;
/// What is aimed at: microseconds that 99 of 100 may take, and bytes for each subscription.
const AIM: (u64, f64) = (250_000, 30_000.0);
/// How long rows that were changed at the end may still take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Measures every step of every kind.
pub(crate) async fn run(args: Args) -> Outcome<()> {
    vigie_api::open_files::raise()?;
    let server = Server::open(&args.at).await?;
    let mut report = Report::new(&server).await?;
    for watched in &args.watch {
        for subscribers in &args.subscribers {
            let database = server.database().await?;
            let measured = step(&args, &server, &database, *watched, *subscribers).await?;
            server.drop(database).await?;
            let valid = measured.valid();
            report.cases.push(measured.case(*watched));
            report.note(measured.to_string());
            eprintln!("{measured}");
            if !valid {
                break;
            }
        }
    }
    report.print(&args.report)?;
    server.close().await
}

/// What came of one step.
struct Step {
    watched: Watched,
    subscribers: usize,
    seen: Seen,
    seconds: f64,
    /// Resident memory for each subscription, in bytes.
    memory: f64,
    /// Microseconds of a processor for each item that was told: the server, the subscribers, Postgres.
    processor: [f64; 3],
}

impl Step {
    fn valid(&self) -> bool {
        self.seen.lost == 0 && self.seen.latencies.mean() < VALID
    }

    fn case(&self, watched: Watched) -> Case {
        let mut case = Case::new(format!("{watched}, told"), self.subscribers);
        case.add(Measured::of(self.seen.latencies.len() as f64 / self.seconds, &self.seen.latencies));
        case
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (p99, mean) = (self.seen.latencies.value_at_quantile(0.99), self.seen.latencies.mean());
        let [server, subscribers, postgres] = self.processor;
        let verdict = match (self.valid(), p99 < AIM.0 && self.memory < AIM.1) {
            (false, _) => "not valid",
            (true, false) => "valid, below the aim",
            (true, true) => "valid, aim met",
        };
        write!(
            f,
            "{} subscribers of {}: {verdict}: {} changes told, {} never; mean {:.1} ms, p99 {:.1} ms, max {:.1} ms; {:.1} kB \
             for each subscription; a told change took {server:.0} µs of the server, {subscribers:.0} µs of the \
             subscribers, {postgres:.0} µs of Postgres; {:.2} items for each",
            self.subscribers,
            self.watched,
            self.seen.latencies.len(),
            self.seen.lost,
            mean / 1_000.0,
            p99 as f64 / 1_000.0,
            self.seen.latencies.max() as f64 / 1_000.0,
            self.memory / 1_000.0,
            self.seen.items as f64 / self.seen.told as f64,
        )
    }
}

async fn step(
    args: &Args,
    postgres: &Server,
    database: &Database,
    watched: Watched,
    subscribers: usize,
) -> Outcome<Step> {
    let rows = watched.rows(subscribers);
    let mut serving = Serving::start(&postgres.url(database), rows).await?;
    let process = serving.process();
    serving.is_idle().await?;
    let before = memory::resident_of(&process)?;
    let (progress, over) = (Progress::of(subscribers), CancellationToken::new());
    let watching = Subscribers::connect(serving.address, watched, args.per_socket, &progress, &over).await?;
    serving.is_idle().await?;
    let memory = (memory::resident_of(&process)?.saturating_sub(before) * 1_024) as f64 / subscribers as f64;
    let times = || -> Outcome<[f64; 3]> {
        let of_postgres = postgres.process()?.map_or(Ok(0.0), |process| memory::processor_of_children(&process))?;
        Ok([memory::processor_of(&process)?, memory::processor()?, of_postgres])
    };
    let before = times()?;
    let commits = serving.write(rows, args.warm_up + args.seconds).await?;
    let waited = tokio::time::timeout(PATIENCE, progress.all_told(watched, &commits)).await;
    if waited.is_err() {
        eprintln!("{subscribers} subscribers of {watched}: not all is told {} s after the end", PATIENCE.as_secs());
    }
    let after = times()?;
    over.cancel();
    let told = watching.told().await?;
    serving.stop().await?;
    let seen = Seen::of(&told, &commits, watched, Duration::from_secs(args.warm_up.into()))?;
    let all = seen.told.max(1) as f64;
    let processor = std::array::from_fn(|place| (after[place] - before[place]) * 1e6 / all);
    Ok(Step { watched, subscribers, seen, seconds: args.seconds.into(), memory, processor })
}
