//! Queries of the API as it is now, beside the same queries as it was.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use vigie_api::accounts::Accounts;
use vigie_api::documents::Documents;
use vigie_api::graphql::{ReadSchema, Services};
use vigie_api::http::{App, Life, recorder, router};
use vigie_api::limits::Limits;
use vigie_api::rights::Directory;
use vigie_api::settings::{Edge, Settings};
use vigie_api::webhooks::Webhooks;
use vigie_commands::Executor;
use vigie_eventlog::Log;
use vigie_projections::{MODELS, Projections, rebuild};

use crate::closed_loop::{Measured, histogram};
use crate::database::{Server, Where};
use crate::report::{Case, Report};
use crate::{Outcome, facts};

/// How long the log is, and how often is asked.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    at: Where,
    #[command(flatten)]
    report: crate::report::Args,
    /// Events in the log.
    #[arg(long, default_value_t = 1_000_000)]
    events: usize,
    /// How often each query is measured at each moment, in turns.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How often it is asked in a round.
    #[arg(long, default_value_t = 100)]
    times: u32,
}

/// How often a query is asked before it is measured: eight connections, six times each.
const WARM_UP: u32 = 48;

/// What is asked, under names of their own.
const QUERIES: [(&str, &str); 11] = [
    ("stand", r#"stand(id: "LFW/C007") { name status current { id flight { id } } next { id } closures { from } }"#),
    ("board", r#"stands(filter: {site: "LFW"}, first: 100) { nodes { name status current { id flight { id } } } }"#),
    (
        "board at noon",
        r#"stands(filter: {site: "LFW"}, first: 100) { nodes { name status(at: "2026-01-02T12:00:00Z") current(at: "2026-01-02T12:00:00Z") { id flight { id } } } }"#,
    ),
    (
        "flights, nested",
        r#"flights(filter: {site: "LFW"}, first: 50) { nodes { id status bestAt stand { name } allocation { id from to } } }"#,
    ),
    (
        "flights of an hour",
        r#"flights(filter: {site: "LFW", from: "2026-01-01T04:00:00Z", to: "2026-01-01T05:00:00Z"}, first: 50) { totalCount nodes { id status } }"#,
    ),
    ("flights, counted", r#"flights(filter: {site: "LFW"}, first: 1) { totalCount }"#),
    ("newest alerts", r#"alerts(filter: {site: "LFW"}, first: 20) { nodes { id status flight { id } } }"#),
    ("open alerts", r#"alerts(filter: {site: "LFW", status: RAISED}, first: 20) { nodes { id status } }"#),
    (
        "active stays",
        r#"allocations(filter: {site: "LFW", status: ACTIVE}, first: 20) { nodes { id stand { name } } }"#,
    ),
    ("newest passes", r#"passes(first: 20) { nodes { id status openAlerts } }"#),
    ("trail of a stand", r#"auditTrail(filter: {thing: "stand:LFW/C007"}, first: 20) { nodes { position action } }"#),
];

/// Makes the read models and asks.
pub(crate) async fn run(args: Args) -> Outcome<()> {
    let server = Server::open(&args.at).await?;
    let mut report = Report::new(&server).await?;
    let database = server.database().await?;
    let log = Log::open(database.pool.clone()).await?;
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
    let head = log.head().await?;
    let names: Vec<_> = MODELS.iter().map(|model| model.name).collect();
    projections.wait_for(&names, head, Duration::from_secs(600)).await?;
    let api = api(&database.pool, &log, &projections)?;
    for (name, query) in QUERIES {
        let moments = [
            ("now", None),
            ("at 99 %", Some(head - head / 100)),
            ("at half", Some(head / 2)),
            ("at 2 %", Some(head / 50)),
        ];
        let mut cases = moments.map(|(moment, _)| Case::new(format!("{name}, {moment}"), 1));
        for _ in 0..args.rounds {
            for ((_, position), case) in moments.iter().zip(&mut cases) {
                case.add(ask(&api, query, *position, args.times).await?);
            }
        }
        let [now, past @ ..] = cases;
        for past in past {
            report.compare_medians(past, now.clone());
        }
    }
    report.note(format!(
        "{head} events of the log; a ratio is how many times as long as now the past took to answer, by the median"
    ));
    shutdown.cancel();
    projections.stopped().await;
    log.close().await;
    report.print(&args.report)?;
    server.drop(database).await?;
    server.close().await
}

pub(crate) fn api(pool: &sqlx::PgPool, log: &Log, projections: &Projections) -> Outcome<Router> {
    // One caller asks as fast as it can.
    Ok(router(app(pool, log, projections, Limits { rate: 0, ..Limits::default() })?))
}

/// The server's parts, as the program puts them together.
pub(crate) fn app(pool: &sqlx::PgPool, log: &Log, projections: &Projections, limits: Limits) -> Outcome<App> {
    // Whoever measures comes from one address.
    let edge = Edge { connections: usize::MAX, address_connections: usize::MAX, ..Edge::default() };
    let settings = Settings { limits, edge, ..Settings::open() };
    let executor = Executor::new(log.clone(), Arc::new(vigie_api::clock::now));
    let accounts = Accounts::open(pool.clone(), executor.clone(), &settings)?;
    let webhooks = Webhooks::open(pool.clone(), executor.clone(), &settings, None)?;
    let services = Services {
        pool: pool.clone(),
        log: log.clone(),
        executor,
        projections: projections.clone(),
        schema: ReadSchema::default(),
        accounts,
        directory: Directory::of_nobody(),
        webhooks,
    };
    let life = Life::default();
    life.set_started();
    Ok(App::new(settings, Documents::default(), services, recorder()?, life))
}

/// The same query again and again, one after the other.
async fn ask(api: &Router, query: &str, position: Option<i64>, times: u32) -> Outcome<Measured> {
    let document = match position {
        Some(position) => format!("{{ at(position: {position}) {{ {query} }} }}"),
        None => format!("{{ {query} }}"),
    };
    let body = json!({ "query": document }).to_string();
    // Each connection of the pool plans a statement some times before it keeps the plan.
    for _ in 0..WARM_UP {
        answer(api, body.clone()).await?;
    }
    let (since, mut latencies) = (Instant::now(), histogram());
    for _ in 0..times {
        let asked = Instant::now();
        answer(api, body.clone()).await?;
        latencies.saturating_record(u64::try_from(asked.elapsed().as_micros())?);
    }
    Ok(Measured::of(f64::from(times) / since.elapsed().as_secs_f64(), &latencies))
}

async fn answer(api: &Router, body: String) -> Outcome<()> {
    let request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
    let request = request.header(header::HOST, "localhost").body(Body::from(body))?;
    let body = to_bytes(api.clone().oneshot(request).await?.into_body(), usize::MAX).await?;
    let answer: Value = serde_json::from_slice(&body)?;
    if answer.get("errors").is_some() {
        return Err(format!("a query failed: {answer}").into());
    }
    Ok(())
}
