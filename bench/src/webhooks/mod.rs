//! Deliveries to receivers on the same machine: how many, how soon, and what endpoints that hang do to the others.

mod events;
mod measured;
mod sending;

use std::time::Duration;

use self::measured::Latencies;
use self::sending::Sending;
use crate::closed_loop::Measured;
use crate::database::{Database, Server, Where};
use crate::report::{Case, Report};
use crate::{Outcome, memory};

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    at: Where,
    #[command(flatten)]
    report: crate::report::Args,
    /// Only these.
    #[arg(long, value_delimiter = ',', default_values = ["rate", "latency", "hanging", "backlog"])]
    only: Vec<What>,
    /// Events that are delivered to measure a rate.
    #[arg(long, default_value_t = 50_000)]
    events: usize,
    /// Seconds that are counted where events come by the clock.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Events that wait for one endpoint.
    #[arg(long, default_value_t = 1_000_000)]
    backlog: usize,
    /// Endpoints, of which a tenth hangs.
    #[arg(long, default_value_t = 1_000)]
    endpoints: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// Deliveries per second to one endpoint, without an order and with one key.
    Rate,
    /// From commit to the first byte at the receiver, at 100 events/s.
    Latency,
    /// The same to many endpoints, with and without some that hang until the time-out.
    Hanging,
    /// Memory while a long backlog drains.
    Backlog,
}

/// Events per second where they come by the clock.
const STEADY: u32 = 100;
/// Seconds before anything is counted there.
const WARM_UP: u64 = 5;

pub(crate) async fn run(args: Args) -> Outcome<()> {
    vigie_api::open_files::raise()?;
    let server = Server::open(&args.at).await?;
    let mut report = Report::new(&server).await?;
    for what in &args.only {
        match what {
            What::Rate => rate(&args, &server, &mut report).await?,
            What::Latency => latency(&args, &server, &mut report).await?,
            What::Hanging => hanging(&args, &server, &mut report).await?,
            What::Backlog => backlog(&args, &server, &mut report).await?,
        }
    }
    report.print(&args.report)?;
    server.close().await
}

async fn rate(args: &Args, server: &Server, report: &mut Report) -> Outcome<()> {
    for (name, ordering) in [("without an order", None), ("with one key", Some("airline"))] {
        let database = server.database().await?;
        let mut case = Case::new(format!("{} deliveries to one endpoint, {name}", args.events), 1);
        case.add(drained(&database, args.events, ordering).await?.0);
        report.cases.push(case);
        server.drop(database).await?;
    }
    Ok(())
}

/// Delivers what is in the log already; the rate, and resident memory in MiB once a tenth is delivered and at the most after.
async fn drained(database: &Database, events: usize, ordering: Option<&str>) -> Outcome<(Measured, (u64, u64))> {
    let sending = Sending::to_one(database, ordering, false).await?;
    events::put(&sending.log, events).await?;
    let count = u64::try_from(events)?;
    sending.begin();
    sending.receiver.has_in_time(count / 10).await?;
    let (begun, (early, _)) = (tokio::time::Instant::now(), memory::resident()?);
    let mut most = early;
    for tenth in 2..=10 {
        sending.receiver.has_in_time(count * tenth / 10).await?;
        most = most.max(memory::resident()?.0);
    }
    let rate = (count - count / 10) as f64 / begun.elapsed().as_secs_f64();
    let latencies = sending.attempts().await?;
    sending.close().await;
    Ok((Measured::of(rate, &latencies), (early, most)))
}

async fn latency(args: &Args, server: &Server, report: &mut Report) -> Outcome<()> {
    let database = server.database().await?;
    let sending = Sending::to_one(&database, Some("stand"), true).await?;
    sending.begin();
    let seen = Latencies::by_the_clock(&sending, STEADY, WARM_UP, args.seconds, 1).await?;
    let mut case = Case::new(format!("commit to first byte, {STEADY} events/s"), 1);
    case.add(seen);
    report.cases.push(case);
    report.note("aims: p50 20,000 µs, p99 100,000 µs".to_owned());
    sending.close().await;
    server.drop(database).await
}

async fn hanging(args: &Args, server: &Server, report: &mut Report) -> Outcome<()> {
    let mut p99 = Vec::new();
    for hang in [0, args.endpoints / 10] {
        let database = server.database().await?;
        let sending = Sending::to_many(&database, args.endpoints, hang).await?;
        sending.begin();
        sending.owned(args.endpoints).await?;
        let seen = Latencies::by_the_clock(&sending, STEADY, WARM_UP, args.seconds, args.endpoints).await?;
        p99.push(seen.p99);
        let mut case = Case::new(format!("{} endpoints, {hang} of them hang: the others", args.endpoints), 1);
        case.add(seen);
        report.cases.push(case);
        sending.close().await;
        server.drop(database).await?;
    }
    if let [alone, beside] = p99[..] {
        report.note(format!("p99 beside those that hang: {:.2} × (aim: 2)", beside as f64 / alone as f64));
    }
    Ok(())
}

async fn backlog(args: &Args, server: &Server, report: &mut Report) -> Outcome<()> {
    let database = server.database().await?;
    let (measured, (early, most)) = drained(&database, args.backlog, None).await?;
    let mut case = Case::new(format!("backlog of {} events to one endpoint", args.backlog), 1);
    case.add(measured);
    report.cases.push(case);
    report
        .note(format!("resident memory while it drains: {early} MiB after a tenth, {most} MiB at the most after that"));
    server.drop(database).await
}

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(3_600);
