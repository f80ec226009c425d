//! How soon a committed event is in the rows that people read, while all read models run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::PgPool;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use vigie_domain::Event;
use vigie_domain::airport::AirportEvent;
use vigie_eventlog::{Append, Log, NewEvent};
use vigie_projections::Projections;

use crate::closed_loop::{Measured, histogram};
use crate::database::{Server, Where};
use crate::report::{Case, Report};
use crate::{Outcome, facts, load, memory};

/// How fast events come.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    at: Where,
    #[command(flatten)]
    report: crate::report::Args,
    /// Events per second, each an append of its own, sent by the clock whether or not the last one is answered.
    #[arg(long, default_value_t = 500)]
    rate: u64,
    /// Seconds before anything is counted.
    #[arg(long, default_value_t = 5)]
    warm_up: u64,
    /// Seconds that are counted.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Events in the log, and in the rows, before.
    #[arg(long, default_value_t = 100_000)]
    events: usize,
}

/// Appends by the clock and waits for each event's row.
pub(crate) async fn run(args: Args) -> Outcome<()> {
    let server = Server::open(&args.at).await?;
    let mut report = Report::new(&server).await?;
    let database = server.database().await?;
    let log = Log::open(database.pool.clone()).await?;
    facts::put(&log, [facts::site()]).await?;
    facts::put(&log, (0..100).map(facts::stand)).await?;
    facts::put(&log, facts::days(args.events)).await?;
    let shutdown = CancellationToken::new();
    let projections = Projections::start(database.pool.clone(), log.clone(), shutdown.clone()).await?;
    let names: Vec<_> = vigie_projections::MODELS.iter().map(|model| model.name).collect();
    let head = log.head().await?;
    projections.wait_for(&names, head, Duration::from_secs(600)).await?;
    let before = memory::processor()?;
    let measured = by_the_clock(&args, &database.pool, &log, &projections).await?;
    let processor = memory::processor()? - before;
    let mut case = Case::new(format!("commit to visible row, {} events/s", args.rate), 1);
    case.add(measured);
    report.cases.push(case);
    let seconds = args.warm_up + args.seconds;
    report.note(format!(
        "{} read models run; the process had {processor:.1} s of processor time in {seconds} s",
        names.len()
    ));
    report.note(
        "counted from the append's answer, when it is flushed, until a read on another connection has its row in \
                 flights and in the audit trail; the read is sent once both have been told to be there"
            .to_owned(),
    );
    shutdown.cancel();
    projections.stopped().await;
    log.close().await;
    report.print(&args.report)?;
    server.drop(database).await?;
    server.close().await
}

async fn by_the_clock(args: &Args, pool: &PgPool, log: &Log, projections: &Projections) -> Outcome<Measured> {
    let total = args.rate * (args.warm_up + args.seconds);
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / u32::try_from(args.rate)?);
    let (sender, mut latencies) = mpsc::unbounded_channel();
    let (reads, mut tasks) = (Arc::new(Semaphore::new(4)), JoinSet::new());
    // Flights of their own, behind those of the log that is there.
    let events = facts::days_of_flights(args.events).take(usize::try_from(total)?);
    let since = Instant::now();
    for event in events {
        ticks.tick().await;
        let event = event?;
        let one = One {
            flight: flight_of(&event),
            event: facts::to_append(&event),
            counted: since.elapsed() >= Duration::from_secs(args.warm_up),
        };
        tasks.spawn(one.see(pool.clone(), log.clone(), projections.clone(), Arc::clone(&reads), sender.clone()));
        while let Some(done) = tasks.try_join_next() {
            done??;
        }
    }
    let seconds = since.elapsed().as_secs_f64();
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    drop(sender);
    let mut seen = histogram();
    while let Some(latency) = latencies.recv().await {
        seen.saturating_record(latency);
    }
    Ok(Measured::of(total as f64 / seconds, &seen))
}

struct One {
    event: NewEvent,
    flight: Option<String>,
    counted: bool,
}

impl One {
    async fn see(
        self,
        pool: PgPool,
        log: Log,
        projections: Projections,
        reads: Arc<Semaphore>,
        latencies: mpsc::UnboundedSender<u64>,
    ) -> Outcome<()> {
        let append =
            Append { events: vec![self.event], metadata: load::metadata(), conditions: Vec::new(), answer: None };
        let position = log.append(append).await?.last;
        let committed = Instant::now();
        projections.wait_for(&["flights", "audit"], position, Duration::from_secs(60)).await?;
        let _turn = reads.acquire().await?;
        let visible: bool = sqlx::query_scalar(
            "select exists (select from read.audit where position = $1)
                and ($2::text is null or exists (select from read.flights where flight = $2 and position >= $1))",
        )
        .bind(position)
        .bind(&self.flight)
        .fetch_one(&pool)
        .await?;
        if !visible {
            return Err(format!("the row of position {position} was said to be there, and is not").into());
        }
        if self.counted {
            latencies.send(u64::try_from(committed.elapsed().as_micros())?)?;
        }
        Ok(())
    }
}

/// The flight whose row an event changes.
fn flight_of(event: &Event) -> Option<String> {
    match event {
        Event::Airport(AirportEvent::FlightRegistered(event)) => Some(event.flight.to_string()),
        Event::Airport(AirportEvent::FlightEstimated(event)) => Some(event.flight.to_string()),
        Event::Airport(AirportEvent::StandAllocated(event)) => Some(event.flight.to_string()),
        Event::Airport(AirportEvent::AllocationMoved(event)) => Some(event.flight.to_string()),
        Event::Airport(AirportEvent::StandFreed(event)) => Some(event.flight.to_string()),
        _ => None,
    }
}
