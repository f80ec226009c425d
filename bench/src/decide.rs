//! Commands on a stand with a long past, beside appends of the same events under the same conditions.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;
use vigie_commands::{Executor, Order};
use vigie_domain::airport::{ALLOCATION_FACTS, CloseStand, ReopenStand, StandClosed, StandId, StandReopened};
use vigie_domain::kernel::{Interval, Note};
use vigie_eventlog::{Append, Condition, Criterion, Log, Query};

use crate::closed_loop::{self, Caller, Measured, Timing};
use crate::database::{Database, Server, Where};
use crate::report::{Case, Report};
use crate::{Outcome, facts, load};

/// How hot, and how many.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    at: Where,
    #[command(flatten)]
    timing: Timing,
    #[command(flatten)]
    report: crate::report::Args,
    /// Past events on the stand of the lone caller; as many again are spread over the stands of the others.
    #[arg(long, default_value_t = 100_000)]
    history: usize,
    /// So many of the past stays are still to come, and therefore in the folded view.
    #[arg(long, default_value_t = 20)]
    active: usize,
    /// Callers at the same time, each on a stand of its own.
    #[arg(long, default_value_t = 64)]
    callers: usize,
}

/// Half the rate of an append is twice its cost.
const TARGET: Option<(f64, f64)> = Some((0.5, 0.5));

/// Measures one caller on the hot stand, many on stands of their own, and many on the one hot stand.
pub(crate) async fn run(args: Args) -> Outcome<()> {
    let server = Server::open(&args.at).await?;
    let mut report = Report::new(&server).await?;
    let database = server.database().await?;
    let log = Log::open(database.pool.clone()).await?;
    prepare(&log, &args).await?;
    let executor = Executor::new(log.clone(), Arc::new(facts::start));
    let alone = format!("1 caller, {} past events", args.history);
    compare(&mut report, &log, &executor, &alone, &[0], args.timing).await?;
    let stands: Vec<usize> = (1..=args.callers).collect();
    let each = format!("{} callers, {} past events each", args.callers, args.history / args.callers.max(1));
    compare(&mut report, &log, &executor, &each, &stands, args.timing).await?;
    let mut contended = Case::new(format!("decide: {} callers on the hot stand", args.callers), args.callers);
    contended.add(decide(&executor, &vec![0; args.callers], args.timing).await?);
    report.cases.push(contended);
    log.close().await;
    report.print(&args.report)?;
    finish(server, database).await
}

async fn finish(server: Server, database: Database) -> Outcome<()> {
    server.drop(database).await?;
    server.close().await
}

async fn compare(
    report: &mut Report,
    log: &Log,
    executor: &Executor,
    name: &str,
    stands: &[usize],
    timing: Timing,
) -> Outcome<()> {
    let (mut ours, mut theirs) =
        (Case::new(format!("decide: {name}"), stands.len()), Case::new("append alone", stands.len()));
    for _ in 0..timing.rounds {
        theirs.add(append(log, stands, timing).await?);
        ours.add(decide(executor, stands, timing).await?);
    }
    report.compare(ours, theirs, TARGET);
    Ok(())
}

/// The hot stand is number 0; the others share a past of the same length.
async fn prepare(log: &Log, args: &Args) -> Outcome<()> {
    facts::put(log, [facts::site()]).await?;
    facts::put(log, (0..=args.callers).map(facts::stand)).await?;
    let stays = args.history / 2;
    for part in 0..2 {
        let past = (0..stays).flat_map(|n| {
            let stand = facts::stand_id(part * (1 + n % args.callers.max(1)));
            let (n, stays_on) = (part * stays + n, n >= stays.saturating_sub(args.active));
            let facts = stand.map(|stand| {
                let freed = if stays_on { None } else { Some(facts::freed(n, &stand)) };
                std::iter::once(facts::allocated(n, &stand)).chain(freed).collect()
            });
            facts.unwrap_or_else(|error| vec![Err(error)])
        });
        facts::put(log, past).await?;
    }
    Ok(())
}

async fn decide(executor: &Executor, stands: &[usize], timing: Timing) -> Outcome<Measured> {
    let mut callers = Vec::new();
    for stand in stands {
        let (executor, stand) = (executor.clone(), facts::stand_id(*stand)?);
        callers.push(Deciding { executor, turn: Turn { stand, number: callers.len(), closed: false } });
    }
    closed_loop::run(callers, timing).await
}

async fn append(log: &Log, stands: &[usize], timing: Timing) -> Outcome<Measured> {
    let (mut callers, after) = (Vec::new(), log.head().await?);
    for stand in stands {
        let (log, stand) = (log.clone(), facts::stand_id(*stand)?);
        callers.push(Appending { log, turn: Turn { stand, number: callers.len(), closed: false }, after });
    }
    closed_loop::run(callers, timing).await
}

/// Closes an hour of its own, and opens it again.
struct Turn {
    stand: StandId,
    number: usize,
    closed: bool,
}

impl Turn {
    fn hour(&self) -> Outcome<(DateTime<Utc>, DateTime<Utc>)> {
        let from = facts::start() - Duration::hours(2 + 2 * i64::try_from(self.number)?);
        Ok((from, from + Duration::hours(1)))
    }
}

struct Deciding {
    executor: Executor,
    turn: Turn,
}

impl Caller for Deciding {
    async fn ask(&mut self) -> Outcome<u64> {
        let (stand, (from, to)) = (self.turn.stand.clone(), self.turn.hour()?);
        let (to, note) = (Some(to), Note::new("measured")?);
        let order = Order::new(Uuid::now_v7(), "operator:bench");
        self.turn.closed = !self.turn.closed;
        let appended = if self.turn.closed {
            let close = CloseStand { stand, from, to, reason: note };
            self.executor.execute(&close, order).await.map_err(|failure| format!("{failure:?}"))?.appended
        } else {
            let reopen = ReopenStand { stand, from, to, note };
            self.executor.execute(&reopen, order).await.map_err(|failure| format!("{failure:?}"))?.appended
        };
        Ok(u64::try_from(appended)?)
    }
}

struct Appending {
    log: Log,
    turn: Turn,
    after: i64,
}

impl Caller for Appending {
    async fn ask(&mut self) -> Outcome<u64> {
        let (stand, (from, to)) = (self.turn.stand.clone(), self.turn.hour()?);
        let (site, note, interval) = (facts::site_id()?, Note::new("measured")?, Interval::new(from, to)?);
        self.turn.closed = !self.turn.closed;
        let event = if self.turn.closed {
            StandClosed { stand, site, interval, reason: note, hits: Vec::new() }.into()
        } else {
            StandReopened { stand, site, interval, note, relieved: Vec::new() }.into()
        };
        let conditions = boundaries(&self.turn.stand).map(|query| Condition { query, after: self.after }).into();
        let answer = serde_json::value::RawValue::from_string(r#"{"hits":[]}"#.into()).ok();
        let append = Append { events: vec![facts::to_append(&event)], metadata: load::metadata(), conditions, answer };
        self.after = self.log.append(append).await?.last;
        Ok(1)
    }
}

/// What the two commands guard: the stand's description and closures, and its stays.
fn boundaries(stand: &StandId) -> [Query; 2] {
    let about = ["airport.stand_defined", "airport.stand_closed", "airport.stand_reopened"];
    [about.as_slice(), ALLOCATION_FACTS].map(|kinds| {
        let kinds = kinds.iter().map(ToString::to_string).collect();
        Query { criteria: vec![Criterion { kinds, tags: vec![stand.tag().into_string()] }] }
    })
}
