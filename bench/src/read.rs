//! Reading the whole log, and a thousand events by tag.

use std::time::Instant;

use futures_util::TryStreamExt;
use sqlx::{ConnectOptions, Executor, PgConnection, Row};
use vigie_eventlog::{Log, Query, Read};

use crate::closed_loop::{Measured, histogram};
use crate::database::{Database, Server, Where};
use crate::fill::{STANDS, fill, stand_tag};
use crate::report::{Case, Report};
use crate::{Outcome, memory};

/// What to read.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    at: Where,
    #[command(flatten)]
    report: crate::report::Args,
    /// A database that `fill` has filled; without it, one is filled for the run.
    #[arg(long)]
    from: Option<String>,
    /// How many events to fill in for the run.
    #[arg(long, default_value_t = 5_000_000)]
    events: i64,
    /// How often the whole log is read.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How many stands' events are read.
    #[arg(long, default_value_t = 500)]
    stands: i64,
}

/// Fills a log if none is given, and reads it.
pub(crate) async fn run(args: Args) -> Outcome<()> {
    let server = Server::open(&args.at).await?;
    let database = match &args.from {
        Some(url) => Database::open(url).await?,
        None => server.database().await?,
    };
    if args.from.is_none() {
        fill(&mut database.options.connect().await?, args.events).await?;
    }
    let mut report = Report::new(&server).await?;
    let log = Log::open(database.pool.clone()).await?;
    // By tag first: right after the filling nobody has analysed the tables yet.
    report.cases.push(by_tag(&log, args.stands, "right after the filling").await?);
    // As the log's settings have it done after every 200,000 events.
    database.options.connect().await?.execute("vacuum event, event_tag").await?;
    report.cases.push(by_tag(&log, args.stands, "vacuumed").await?);
    let (mut ours, mut bare) = (Case::new("whole log, decoded", 1), Case::new("the same rows, bare sqlx loop", 1));
    for _ in 0..args.rounds {
        bare.add(bare_loop(&mut database.options.connect().await?).await?);
        ours.add(whole(&log, &mut report).await?);
    }
    report.compare(ours, bare, None);
    log.close().await;
    report.print(&args.report)?;
    match args.from {
        Some(_) => database.pool.close().await,
        None => server.drop(database).await?,
    }
    server.close().await
}

/// The whole log as envelopes; the latency is that of a piece.
async fn whole(log: &Log, report: &mut Report) -> Outcome<Measured> {
    let (since, mut asked, mut count, mut pieces) = (Instant::now(), Instant::now(), 0_i64, histogram());
    let mut early = None;
    let mut history = log.history(Query::all(), 0, i64::MAX);
    while let Some(events) = history.next().await? {
        pieces.saturating_record(u64::try_from(asked.elapsed().as_micros())?);
        for event in events {
            count += 1;
            if event.position != count {
                return Err(format!("position {} follows {}", event.position, count - 1).into());
            }
        }
        if early.is_none() && count > 100_000 {
            early = Some(memory::resident()?.0);
        }
        asked = Instant::now();
    }
    let (late, most) = memory::resident()?;
    report.note(format!(
        "whole log: {count} events; resident {} MiB after 100,000, {late} MiB after all, {most} MiB at most",
        early.unwrap_or(late)
    ));
    Ok(Measured::of(count as f64 / since.elapsed().as_secs_f64(), &pieces))
}

/// What the driver can do: every row with all its columns, looked at only for its position.
async fn bare_loop(connection: &mut PgConnection) -> Outcome<Measured> {
    let (since, mut count) = (Instant::now(), 0_i64);
    let mut rows =
        sqlx::query("select * from event where position > $1 order by position").bind(0_i64).fetch(connection);
    while let Some(row) = rows.try_next().await? {
        count = row.try_get::<i64, _>("position")?;
    }
    Ok(Measured::of(count as f64 / since.elapsed().as_secs_f64(), &histogram()))
}

/// Up to a thousand events of one stand after the other, of stands all over the log.
async fn by_tag(log: &Log, stands: i64, state: &str) -> Outcome<Case> {
    let (mut latencies, mut count) = (histogram(), 0);
    let since = Instant::now();
    for n in 0..stands {
        let stand = n * (STANDS / stands.clamp(1, STANDS)) % STANDS;
        let asked = Instant::now();
        count += log.read(&Query::tag(stand_tag(stand)), Read::after(0).limit(1_000)).await?.len();
        latencies.saturating_record(u64::try_from(asked.elapsed().as_micros())?);
    }
    let per_read = count / usize::try_from(stands.max(1))?;
    let mut case = Case::new(format!("{per_read} events by tag, {state}"), 1);
    case.add(Measured::of(count as f64 / since.elapsed().as_secs_f64(), &latencies));
    Ok(case)
}
