//! Conditional appends through one log, beside the raw limits of the same minute.

use vigie_eventlog::Log;

use crate::closed_loop::{self, Caller, Measured, Timing};
use crate::database::{Database, Server, Where};
use crate::report::{Case, Report};
use crate::{Outcome, load, raw};

/// Which cases; without callers and events, those of the targets.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    at: Where,
    #[command(flatten)]
    timing: Timing,
    #[command(flatten)]
    report: crate::report::Args,
    /// Only this case: callers that append at the same time.
    #[arg(long)]
    callers: Option<usize>,
    /// Only this case: events in each append.
    #[arg(long, default_value_t = 1)]
    events: usize,
}

/// Callers, events in each append, and what they should reach of the raw limit: on a fast disk and on a slow one.
const TARGETS: [(usize, usize, f64, f64); 4] =
    [(1, 1, 0.5, 0.9), (64, 1, 1.3, 1.3), (1_024, 1, 1.5, 3.5), (16, 100, 0.5, 0.5)];
/// More connections than this do not make one-row INSERTs faster.
const CONNECTIONS: usize = 64;

/// Measures appends and raw limits in turns.
pub(crate) async fn run(args: Args) -> Outcome<()> {
    let server = Server::open(&args.at).await?;
    let mut report = Report::new(&server).await?;
    let cases: Vec<_> = match args.callers {
        Some(callers) => vec![(callers, args.events)],
        None => TARGETS.iter().map(|(callers, events, ..)| (*callers, *events)).collect(),
    };
    for (callers, events) in cases {
        let target = TARGETS.iter().find(|t| (t.0, t.1) == (callers, events)).map(|t| (t.2, t.3));
        let name = format!("{callers} callers, {events} an append");
        let mut alone = Case::new(format!("COPY of {}, 1 connection", callers * events), 1);
        let (mut ours, mut theirs) = (Case::new(name, callers), Case::new(raw_name(callers, events), callers));
        for _ in 0..args.timing.rounds {
            let database = server.database().await?;
            if events > 1 {
                alone.add(raw::copy(&database, 1, callers * events, args.timing).await?);
            }
            theirs.add(raw_limit(&database, callers, events, args.timing).await?);
            ours.add(append(&database, 0..callers, events, args.timing).await?);
            server.drop(database).await?;
        }
        if events > 1 {
            // One connection is what COPY is used with; as many as there are callers is what both cores can do.
            report.compare(ours.clone(), alone, target);
        }
        report.compare(ours, theirs, target);
    }
    report.print(&args.report)?;
    server.close().await
}

fn raw_name(callers: usize, events: usize) -> String {
    if events > 1 {
        format!("COPY of {events}, {callers} connections")
    } else {
        format!("INSERT, {} connections", callers.min(CONNECTIONS))
    }
}

async fn raw_limit(database: &Database, callers: usize, events: usize, timing: Timing) -> Outcome<Measured> {
    if events > 1 {
        raw::copy(database, callers.min(CONNECTIONS), events, timing).await
    } else {
        raw::insert(database, callers.min(CONNECTIONS), timing).await
    }
}

/// Lets so many callers append to the log of a database. Callers of other numbers have other stands.
pub(crate) async fn append(
    database: &Database,
    callers: std::ops::Range<usize>,
    events: usize,
    timing: Timing,
) -> Outcome<Measured> {
    let log = Log::open(database.pool.clone()).await?;
    let after = log.head().await?;
    let appending = callers.map(|caller| Appending { log: log.clone(), caller, events, n: 0, after }).collect();
    let measured = closed_loop::run(appending, timing).await;
    log.close().await;
    measured
}

struct Appending {
    log: Log,
    caller: usize,
    events: usize,
    n: u64,
    after: i64,
}

impl Caller for Appending {
    async fn ask(&mut self) -> Outcome<u64> {
        let append = load::append(self.caller, self.n, self.events, self.after);
        let count = u64::try_from(self.events)?;
        self.n += count;
        self.after = self.log.append(append).await?.last;
        Ok(count)
    }
}
