//! Metrics in the Prometheus text format.

use std::sync::OnceLock;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use sqlx::AssertSqlSafe;

use super::App;
use super::caller::Caller;
use super::health::read_models;
use super::negotiate::problem;
use crate::clock;
use crate::graphql::View;
use crate::rights::Right;

/// Upper bounds in seconds.
const SECONDS: &[f64] = &[0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Upper bounds of counts.
const COUNTS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 2_500.0, 10_000.0];

/// The process's recorder; the first call installs it.
///
/// # Errors
/// Another recorder is installed, or the buckets are empty.
pub fn recorder() -> Result<PrometheusHandle, BuildError> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_size".to_owned()), COUNTS)?;
    let recorder = builder.build_recorder();
    let handle = HANDLE.get_or_init(|| recorder.handle()).clone();
    // Tests share a process: whoever comes second keeps the first one's recorder.
    if metrics::set_global_recorder(recorder).is_ok() {
        describe();
    }
    Ok(handle)
}

fn describe() {
    describe_counter!("vigie_http_requests_total", "HTTP requests answered");
    describe_histogram!("vigie_http_request_duration_seconds", Unit::Seconds, "Time from a request to its answer");
    describe_gauge!("vigie_http_requests_in_flight", "HTTP requests without an answer yet");
    describe_gauge!("vigie_connections_open", "Open connections, of HTTP and WebSockets");
    describe_gauge!("vigie_websockets_open", "Open WebSockets");
    describe_counter!("vigie_websockets_closed_total", "Closed WebSockets, by close code");
    describe_counter!("vigie_commands_total", "Commands carried out, by name and outcome");
    describe_counter!("vigie_command_retries_total", "Decisions made anew because somebody else was faster");
    describe_gauge!("vigie_log_head", "Position of the last event");
    describe_gauge!("vigie_read_model_position", "Position up to which a read model has come");
    describe_gauge!("vigie_read_model_lag_events", "Events that a read model has not looked at");
    describe_gauge!("vigie_stands", "Stands, by site and kind");
    describe_gauge!("vigie_stands_available", "Stands that are available now, by site and kind");
    describe_gauge!("vigie_allocations", "Allocations that were ever made, by aircraft type, and whether on overflow");
    describe_gauge!("vigie_alerts_open", "Alerts that are not resolved, by site, kind and status");
    describe_counter!("vigie_webhook_deliveries_total", "Deliveries that have ended, by endpoint and outcome");
    describe_counter!("vigie_webhook_attempts_total", "Requests to webhook endpoints, by endpoint and outcome");
    describe_gauge!("vigie_webhook_endpoints", "Webhook endpoints that this process delivers to");
    describe_gauge!("vigie_webhook_lag_events", "Events of the log that an endpoint has not come to");
    describe_gauge!("vigie_webhook_lag_seconds", Unit::Seconds, "Age of the oldest of them");
    describe_gauge!("vigie_webhook_breaker_open", "1 while nothing is sent to an endpoint because too much has failed");
    crate::limits::describe();
    describe_gauge!("vigie_build_info", "1, with the version as a label");
}

/// What is counted as it happens, and what is read from the read models now.
pub(super) async fn scrape(State(app): State<App>, caller: Caller) -> Response {
    if let Err(refused) = caller.needs(Right::Inspect, "/metrics") {
        return *refused;
    }
    gauge!("vigie_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    if let Err(error) = observe(&app).await {
        tracing::error!(error = %error, "gauges could not be read");
        return problem(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", "the read models could not be read");
    }
    app.metrics().run_upkeep();
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, app.metrics().render()).into_response()
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
async fn observe(app: &App) -> Result<(), String> {
    let (head, models) = read_models(app).await?;
    gauge!("vigie_log_head").set(head as f64);
    for model in models {
        gauge!("vigie_read_model_position", "name" => model.name.clone()).set(model.position as f64);
        gauge!("vigie_read_model_lag_events", "name" => model.name).set(model.lag as f64);
    }
    rows(app).await.map_err(|error| error.to_string())
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
async fn rows(app: &App) -> Result<(), sqlx::Error> {
    let pool = &app.services().pool;
    let view = View::now(app.services().schema.clone());
    let stands: Vec<(String, String, i64, i64)> = sqlx::query_as(AssertSqlSafe(format!(
        "select stands.site, stands.kind, count(*), count(*) filter (where state.status = 'available')
         from (select $1::timestamptz as at) moment
         cross join lateral ({}) state
         join {} on stands.stand = state.stand
         group by stands.site, stands.kind",
        view.stand_states(false),
        view.table("stands")
    )))
    .bind(clock::now())
    .fetch_all(pool)
    .await?;
    for (site, kind, total, available) in stands {
        let labels = [("site", site), ("kind", kind)];
        gauge!("vigie_stands", &labels).set(total as f64);
        gauge!("vigie_stands_available", &labels).set(available as f64);
    }
    let allocations: Vec<(String, String, bool, i64)> = sqlx::query_as(AssertSqlSafe(format!(
        "select site, aircraft_type, overflow is not null, count(*) from {} group by 1, 2, 3",
        view.table("allocations")
    )))
    .fetch_all(pool)
    .await?;
    for (site, kind, overflow, count) in allocations {
        let labels = [("site", site), ("type", kind), ("overflow", overflow.to_string())];
        gauge!("vigie_allocations", &labels).set(count as f64);
    }
    let alerts: Vec<(String, String, String, i64)> = sqlx::query_as(AssertSqlSafe(format!(
        "select site, kind, status, count(*) filter (where status <> 'resolved') from {} group by 1, 2, 3",
        view.table("alerts")
    )))
    .fetch_all(pool)
    .await?;
    for (site, kind, status, count) in alerts {
        let labels = [("site", site), ("kind", kind), ("status", status)];
        gauge!("vigie_alerts_open", &labels).set(count as f64);
    }
    Ok(())
}
