//! Queries of the API over HTTP, beside the same SQL sent by pgbench.

mod client;
mod pgbench;
mod statements;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;
use vigie_projections::{MODELS, Projections, rebuild};

use self::client::Client;
use crate::closed_loop::{Caller, Measured, Timing, run as closed_loop};
use crate::database::{Database, Server, Where};
use crate::report::{Case, Report};
use crate::{Outcome, as_of, clock, facts, memory};

/// How long the log is, and how many ask.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    at: Where,
    #[command(flatten)]
    report: crate::report::Args,
    #[command(flatten)]
    timing: Timing,
    /// Events in the log.
    #[arg(long, default_value_t = 200_000)]
    events: usize,
    /// Connections that ask at the same time.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Seconds from one request of a connection to its next, when they ask by the clock; may be given several times.
    #[arg(long = "pace", default_values_t = [1.0, 0.25])]
    paces: Vec<f64>,
}

/// How it is asked.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// Each connection asks again as soon as it is answered.
    Again { connections: usize },
    /// Each connection asks once in so many seconds.
    Paced { connections: usize, every: f64 },
}

impl Way {
    fn connections(self) -> usize {
        match self {
            Self::Again { connections } | Self::Paced { connections, .. } => connections,
        }
    }

    fn name(self) -> String {
        match self {
            Self::Again { connections: 1 } => "1 connection".to_owned(),
            Self::Again { connections } => format!("{connections} without a pause"),
            Self::Paced { connections, every } => format!("{connections}, each every {every} s"),
        }
    }
}

/// What is asked, under names of their own.
const QUERIES: [(&str, &str); 3] = [
    (
        "board",
        r#"{ stands(filter: {site: "LFW"}, first: 100) { nodes { name status(at: "2026-01-02T12:00:00Z")
            current(at: "2026-01-02T12:00:00Z") { id from to flight { id number } } } } }"#,
    ),
    (
        "50 flights",
        r#"{ flights(filter: {site: "LFW"}, last: 50) { nodes { id number status bestAt
            allocation { id from to stand { name } } alerts { id status } } } }"#,
    ),
    (
        "trail",
        r#"{ auditTrail(filter: {thing: "stand:LFW/C007"}, first: 50) { nodes { position action actor occurredAt } } }"#,
    ),
];

/// Makes the read models, serves them and asks.
pub(crate) async fn run(args: Args) -> Outcome<()> {
    let server = Server::open(&args.at).await?;
    let mut report = Report::new(&server).await?;
    let database = server.database().await?;
    let log = vigie_eventlog::Log::open(database.pool.clone()).await?;
    facts::put(&log, [facts::site()]).await?;
    facts::put(&log, (0..100).map(facts::stand)).await?;
    facts::put(&log, facts::days(args.events)).await?;
    facts::put(&log, facts::begun(args.events)?.into_iter().map(Ok)).await?;
    for model in MODELS {
        rebuild(&database.pool, &log, model.name, &|_| {}, &CancellationToken::new()).await?;
    }
    sqlx::query("vacuum analyze").execute(&database.pool).await?;
    let shutdown = CancellationToken::new();
    let projections = Projections::start(database.pool.clone(), log.clone(), shutdown.clone()).await?;
    let names: Vec<_> = MODELS.iter().map(|model| model.name).collect();
    projections.wait_for(&names, log.head().await?, Duration::from_secs(600)).await?;
    let address = serve(as_of::api(&database.pool, &log, &projections)?).await?;
    let bench = Bench { server: &server, database: &database, address, timing: args.timing };
    let paced = args.paces.iter().map(|every| Way::Paced { connections: args.connections, every: *every });
    let ways = [1, args.connections].map(|connections| Way::Again { connections }).into_iter().chain(paced);
    for (name, query) in QUERIES {
        let body: Arc<str> = json!({ "query": query }).to_string().into();
        let sent = statements::sent(&server, &database, address, &body).await?;
        for way in ways.clone() {
            bench.measure(&mut report, name, &body, &sent, way).await?;
        }
    }
    report.note("a ratio compares requests per second with transactions of the same statements per second".to_owned());
    report.note(
        "by the clock, latency counts from when a request was due; timers of this process tell whole milliseconds"
            .to_owned(),
    );
    shutdown.cancel();
    projections.stopped().await;
    log.close().await;
    report.print(&args.report)?;
    server.drop(database).await?;
    server.close().await
}

async fn serve(api: axum::Router) -> Outcome<SocketAddr> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, api).await });
    Ok(address)
}

/// Where it is measured.
struct Bench<'a> {
    server: &'a Server,
    database: &'a Database,
    address: SocketAddr,
    timing: Timing,
}

impl Bench<'_> {
    /// Asks for `body` over HTTP, and sends its statements with pgbench, in turns.
    async fn measure(
        &self,
        report: &mut Report,
        name: &str,
        body: &Arc<str>,
        sent: &[String],
        way: Way,
    ) -> Outcome<()> {
        let mut ours = Case::new(format!("{name}, {}, HTTP", way.name()), way.connections());
        let mut theirs = Case::new(format!("{name}, {}, pgbench", way.name()), way.connections());
        let (mut own, mut answered) = (0.0, 0.0);
        for _ in 0..self.timing.rounds {
            let before = memory::processor()?;
            let measured = self.ask(body, way).await?;
            own += memory::processor()? - before;
            answered += measured.per_second * (self.timing.seconds + self.timing.warm_up);
            ours.add(measured);
            theirs.add(pgbench::run(self.server, self.database, sent, way, self.timing).await?);
        }
        report.compare(ours, theirs, None);
        report.note(format!(
            "{name}, {}: {} statements; of each request this process, server and clients together, took {:.2} ms of a \
             processor",
            way.name(),
            sent.len(),
            own * 1_000.0 / answered
        ));
        Ok(())
    }

    async fn ask(&self, body: &Arc<str>, way: Way) -> Outcome<Measured> {
        let mut callers = Vec::new();
        for _ in 0..way.connections() {
            callers.push(Asking { client: Client::connect(self.address).await?, body: Arc::clone(body) });
        }
        match way {
            Way::Again { .. } => closed_loop(callers, self.timing).await,
            Way::Paced { every, .. } => clock::run(callers, Duration::from_secs_f64(every), self.timing).await,
        }
    }
}

struct Asking {
    client: Client,
    body: Arc<str>,
}

impl Caller for Asking {
    async fn ask(&mut self) -> Outcome<u64> {
        self.client.ask(&self.body).await?;
        Ok(1)
    }
}
