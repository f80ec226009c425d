//! The server as a process of its own, which also changes the rows.

use std::net::SocketAddr;
use std::time::Duration;

use chrono::Duration as Minutes;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use vigie_api::limits::Limits;
use vigie_domain::Event;
use vigie_domain::airport::{Clock, Details, FlightEstimated, FlightRegistered, Progress};
use vigie_eventlog::{Append, Log, NewEvent};
use vigie_projections::{MODELS, Projections};

use crate::as_of;
use crate::database::Database;
use crate::{Outcome, facts, load, memory};

/// Rows that there are at least: those of the list.
const LISTED: usize = 20;

/// A row that was changed.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Commit {
    pub(super) row: usize,
    pub(super) position: i64,
    /// When the append was asked for: microseconds since 1970.
    pub(super) at: i64,
}

/// What the process is started with.
#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    #[arg(long)]
    database: String,
    #[arg(long)]
    rows: usize,
    /// Where who started it listens.
    #[arg(long)]
    talk: SocketAddr,
}

/// The process, as who started it sees it.
pub(super) struct Serving {
    child: Child,
    talk: Talk,
    pub(super) address: SocketAddr,
}

impl Serving {
    pub(super) async fn start(database: &str, rows: usize) -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["fanout-serve", "--database", database, "--rows", &rows.to_string()]);
        command.args(["--talk", &listener.local_addr()?.to_string()]);
        let mut child = command.kill_on_drop(true).spawn()?;
        let mut talk = tokio::select! {
            accepted = listener.accept() => Talk(BufReader::new(accepted?.0)),
            ended = child.wait() => return Err(format!("the server ended with {}", ended?).into()),
        };
        let address = talk.hear().await?.ok_or("the server did not start")?;
        Ok(Self { child, talk, address })
    }

    /// Its number.
    pub(super) fn process(&self) -> String {
        self.child.id().map(|id| id.to_string()).unwrap_or_default()
    }

    /// Waits until it has nothing to do: for a second less than two hundredths of it.
    pub(super) async fn is_idle(&self) -> Outcome<()> {
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        ticks.tick().await;
        let mut before = memory::processor_of(&self.process())?;
        loop {
            ticks.tick().await;
            let now = memory::processor_of(&self.process())?;
            if now - before <= 0.021 {
                return Ok(());
            }
            before = now;
        }
    }

    /// Lets it change each row once a second.
    pub(super) async fn write(&mut self, rows: usize, seconds: u32) -> Outcome<Vec<Commit>> {
        self.talk.say(&Write { rows, seconds }).await?;
        Ok(self.talk.hear().await?.ok_or("the server has ended")?)
    }

    /// Ends it.
    pub(super) async fn stop(self) -> Outcome<()> {
        let Self { mut child, talk, .. } = self;
        drop(talk);
        let status = child.wait().await?;
        if status.success() { Ok(()) } else { Err(format!("the server ended with {status}").into()) }
    }
}

#[derive(Serialize, Deserialize)]
struct Write {
    rows: usize,
    seconds: u32,
}

/// What the two processes tell each other, a line of JSON each.
struct Talk(BufReader<TcpStream>);

impl Talk {
    async fn say<T: Serialize>(&mut self, what: &T) -> Outcome<()> {
        let line = serde_json::to_string(what)? + "\n";
        Ok(self.0.get_mut().write_all(line.as_bytes()).await?)
    }

    /// What the other one says next; `None` once it has gone.
    async fn hear<T: for<'de> Deserialize<'de>>(&mut self) -> Outcome<Option<T>> {
        let mut line = String::new();
        let heard = self.0.read_line(&mut line).await? > 0;
        Ok(if heard { Some(serde_json::from_str(&line)?) } else { None })
    }
}

/// The process itself: serves, and changes rows when it is told to.
pub(crate) async fn serve(args: ServeArgs) -> Outcome<()> {
    vigie_api::open_files::raise()?;
    let database = Database::open(&args.database).await?;
    let log = Log::open(database.pool.clone()).await?;
    facts::put(&log, [facts::site()]).await?;
    facts::put(&log, (0..args.rows.max(LISTED)).map(registered)).await?;
    let shutdown = CancellationToken::new();
    let projections = Projections::start(database.pool.clone(), log.clone(), shutdown.clone()).await?;
    let names: Vec<_> = MODELS.iter().map(|model| model.name).collect();
    projections.wait_for(&names, log.head().await?, Duration::from_secs(600)).await?;
    // One address, and nobody but the subscribers.
    let limits = Limits { rate: 0, subscriptions: u64::MAX, socket_operations: u64::MAX, ..Limits::default() };
    let app = as_of::app(&database.pool, &log, &projections, limits)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut talk = Talk(BufReader::new(TcpStream::connect(args.talk).await?));
    talk.say(&listener.local_addr()?).await?;
    let serving = tokio::spawn(vigie_api::http::serve(app.clone(), listener, None));
    while let Some(Write { rows, seconds }) = talk.hear().await? {
        talk.say(&by_the_clock(&log, rows, seconds).await?).await?;
    }
    app.life().stop();
    serving.await?;
    shutdown.cancel();
    projections.stopped().await;
    log.close().await;
    Ok(())
}

/// Changes each row once a second, each by an append of its own, whether or not the last one is answered.
async fn by_the_clock(log: &Log, rows: usize, seconds: u32) -> Outcome<Vec<Commit>> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / u32::try_from(rows)?);
    let mut tasks = JoinSet::new();
    let mut commits = Vec::new();
    for second in 0..seconds {
        for row in 0..rows {
            ticks.tick().await;
            tasks.spawn(change(log.clone(), row, estimated(row, second)?));
            while let Some(done) = tasks.try_join_next() {
                commits.push(done??);
            }
        }
    }
    for done in tasks.join_all().await {
        commits.push(done?);
    }
    commits.sort_by_key(|commit: &Commit| commit.position);
    Ok(commits)
}

async fn change(log: Log, row: usize, event: NewEvent) -> Outcome<Commit> {
    let append = Append { events: vec![event], metadata: load::metadata(), conditions: Vec::new(), answer: None };
    let at = vigie_api::clock::now().timestamp_micros();
    Ok(Commit { row, position: log.append(append).await?.last, at })
}

fn registered(row: usize) -> Outcome<Event> {
    let scheduled_at = facts::start() + Minutes::minutes(i64::try_from(row)?);
    let clock = Clock { source: "bench".into(), observed_at: facts::start() };
    let (flight, site, details) = (facts::flight(row)?, facts::site_id()?, Details::default());
    Ok(FlightRegistered { flight, site, scheduled_at, details, clock }.into())
}

/// A new estimate, second for second.
fn estimated(row: usize, second: u32) -> Outcome<NewEvent> {
    let (flight, site, was) = (facts::flight(row)?, facts::site_id()?, Progress::Scheduled);
    let at = facts::start() + Minutes::minutes(i64::try_from(row)?) + Minutes::seconds(second.into());
    let clock = Clock { source: "bench".into(), observed_at: facts::start() + Minutes::seconds(second.into()) };
    Ok(facts::to_append(&FlightEstimated { flight, site, at, was, clock }.into()))
}
