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
use crate::as_of;
use crate::closed_loop::{Caller, Measured, Timing, run as closed_loop};
use crate::database::{Server, Where};
use crate::report::{Case, Report};
use crate::{Outcome, facts, memory};

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
}

/// What is asked, under names of their own.
const QUERIES: [(&str, &str); 3] = [
    (
        "the stand board",
        r#"{ stands(filter: {site: "LFW"}, first: 100) { nodes { name status(at: "2026-01-02T12:00:00Z")
            current(at: "2026-01-02T12:00:00Z") { id from to flight { id number } } } } }"#,
    ),
    (
        "50 flights, stays and alerts",
        r#"{ flights(filter: {site: "LFW"}, first: 50) { nodes { id number status bestAt
            allocation { id from to stand { name } } alerts { id status } } } }"#,
    ),
    (
        "the trail of a stand",
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
    for model in MODELS {
        rebuild(&database.pool, &log, model.name, &|_| {}, &CancellationToken::new()).await?;
    }
    sqlx::query("vacuum analyze").execute(&database.pool).await?;
    let shutdown = CancellationToken::new();
    let projections = Projections::start(database.pool.clone(), log.clone(), shutdown.clone()).await?;
    let names: Vec<_> = MODELS.iter().map(|model| model.name).collect();
    projections.wait_for(&names, log.head().await?, Duration::from_secs(600)).await?;
    let address = serve(as_of::api(&database.pool, &log, &projections)?).await?;
    for (name, query) in QUERIES {
        let body: Arc<str> = json!({ "query": query }).to_string().into();
        let sent = statements::sent(&server, &database, address, &body).await?;
        let mut ours = Case::new(format!("{name}, HTTP"), args.connections);
        let mut theirs = Case::new(format!("{name}, pgbench"), args.connections);
        let (mut own, mut answered, mut p95) = (0.0, 0.0, Vec::new());
        for _ in 0..args.timing.rounds {
            let before = memory::processor()?;
            let measured = ask(address, &body, args.connections, args.timing).await?;
            own += memory::processor()? - before;
            answered += measured.per_second * (args.timing.seconds + args.timing.warm_up);
            p95.push(measured.p95);
            ours.add(measured);
            theirs.add(pgbench::run(&server, &database, &sent, args.connections, args.timing).await?);
        }
        report.compare(ours, theirs, None);
        p95.sort_unstable();
        report.note(format!(
            "{name}: p95 {:.1} ms (median of the rounds), {} statements; of each request this process, server and \
             clients together, took {:.2} ms of a processor",
            p95[p95.len() / 2] as f64 / 1_000.0,
            sent.len(),
            own * 1_000.0 / answered
        ));
    }
    report.note("a ratio compares requests per second with transactions of the same statements per second".to_owned());
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

async fn ask(address: SocketAddr, body: &Arc<str>, connections: usize, timing: Timing) -> Outcome<Measured> {
    let mut callers = Vec::new();
    for _ in 0..connections {
        callers.push(Asking { client: Client::connect(address).await?, body: Arc::clone(body) });
    }
    closed_loop(callers, timing).await
}
