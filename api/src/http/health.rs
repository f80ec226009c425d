//! Health: one page for people, and three probes for what starts and stops us.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use vigie_projections::State as Progress;

use super::App;
use super::caller::Caller;
use crate::rights::Right;

/// A check that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Serialize)]
struct Health {
    status: &'static str,
    version: &'static str,
    started: bool,
    stopping: bool,
    database: Check,
    /// Position of the last event.
    head: Option<i64>,
    read_models: Vec<ReadModel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redis: Option<Check>,
}

#[derive(Serialize)]
struct Check {
    reachable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

impl Check {
    fn of<E: std::fmt::Display>(result: Result<(), E>) -> Self {
        match result {
            Ok(()) => Self { reachable: true, problem: None },
            Err(problem) => Self { reachable: false, problem: Some(problem.to_string()) },
        }
    }
}

/// How far a read model has come.
#[derive(Serialize)]
pub(super) struct ReadModel {
    pub(super) name: String,
    version: i32,
    pub(super) position: i64,
    /// Events that it has not looked at.
    pub(super) lag: i64,
    state: Progress,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    updated_at: DateTime<Utc>,
}

/// The log's end and the read models, if the database answers in time.
pub(super) async fn read_models(app: &App) -> Result<(i64, Vec<ReadModel>), String> {
    let services = app.services();
    let read = async {
        if let Some(until) = services.schema.until() {
            // What folds the log elsewhere is no matter of a server that shows a moment.
            return services.log.head().await.map(|_| (until, Vec::new())).map_err(|error| error.to_string());
        }
        let head = services.log.head().await.map_err(|error| error.to_string())?;
        let status = services.projections.status().await.map_err(|error| error.to_string())?;
        let models = status.into_iter().map(|model| ReadModel {
            lag: (head - model.position).max(0),
            position: model.position,
            name: model.name,
            version: model.version,
            state: model.state,
            error: model.error,
            updated_at: model.updated_at,
        });
        Ok((head, models.collect()))
    };
    tokio::time::timeout(PATIENCE, read)
        .await
        .unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())))
}

async fn redis(url: &str) -> Result<(), String> {
    let ping = async {
        let client = redis::Client::open(url).map_err(|error| error.to_string())?;
        let mut connection = client.get_multiplexed_async_connection().await.map_err(|error| error.to_string())?;
        redis::cmd("PING").query_async::<String>(&mut connection).await.map_err(|error| error.to_string())
    };
    match tokio::time::timeout(PATIENCE, ping).await {
        Ok(pong) => pong.map(|_| ()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

/// Everything that is known; 503 if the database does not answer or a read model has stopped.
pub(super) async fn all(State(app): State<App>, caller: Caller) -> Response {
    if let Err(refused) = caller.needs(Right::Inspect, "/health") {
        return *refused;
    }
    let life = app.life();
    let (database, head, models) = match read_models(&app).await {
        Ok((head, models)) => (Check::of(Ok::<(), String>(())), Some(head), models),
        Err(problem) => (Check::of(Err(problem)), None, Vec::new()),
    };
    let well = database.reachable && models.iter().all(|model| model.state != Progress::Stopped);
    // Nothing depends on Redis, so its failure is told and changes nothing.
    let redis = match &app.settings().redis_url {
        Some(url) => Some(Check::of(redis(url).await)),
        None => None,
    };
    let health = Health {
        status: if well { "ok" } else { "failing" },
        version: env!("CARGO_PKG_VERSION"),
        started: life.is_started(),
        stopping: life.is_stopping(),
        database,
        head,
        read_models: models,
        redis,
    };
    (if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(health)).into_response()
}

/// The process runs. Restarting it would not help against anything else.
pub(super) async fn live() -> Response {
    probe(true, "live")
}

/// Requests can be sent here: it has started, does not stop, and the database answers. One with a read model that an
/// event has stopped is degraded: it answers, with rows that do not change, and no other process would do better.
pub(super) async fn ready(State(app): State<App>) -> Response {
    let life = app.life();
    if !life.is_ready() {
        return probe(false, if life.is_started() { "stopping" } else { "starting" });
    }
    match read_models(&app).await {
        Ok((_, models)) => {
            let stopped = models.iter().filter(|model| model.state == Progress::Stopped);
            let stopped: Vec<&str> = stopped.map(|model| model.name.as_str()).collect();
            if stopped.is_empty() {
                return probe(true, "ready");
            }
            Json(serde_json::json!({ "status": "degraded", "stopped": stopped })).into_response()
        }
        Err(_) => probe(false, "the database does not answer"),
    }
}

/// The read models have caught up once.
pub(super) async fn startup(State(app): State<App>) -> Response {
    let started = app.life().is_started();
    probe(started, if started { "started" } else { "starting" })
}

fn probe(fine: bool, status: &'static str) -> Response {
    let code = if fine { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(serde_json::json!({ "status": status }))).into_response()
}
