//! One log line and one measurement per request.

use std::time::Instant;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

/// Counts requests in flight, also when the caller hangs up.
struct InFlight;

impl InFlight {
    fn enter() -> Self {
        metrics::gauge!("vigie_http_requests_in_flight").increment(1.0);
        Self
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        metrics::gauge!("vigie_http_requests_in_flight").decrement(1.0);
    }
}

/// Measures and logs a request once its answer is known. Probes and scrapes are logged at debug level only.
pub(super) async fn observe(request: Request, next: Next) -> Response {
    let in_flight = InFlight::enter();
    let started = Instant::now();
    let method = request.method().as_str().to_owned();
    let path = request.uri().path().to_owned();
    let trace = trace_id(&request);
    let response = next.run(request).await;
    drop(in_flight);
    let (status, took) = (response.status().as_u16(), started.elapsed());
    let route = route(&path);
    let labels =
        [("method", method_label(&method).to_owned()), ("route", route.to_owned()), ("status", status.to_string())];
    metrics::counter!("vigie_http_requests_total", &labels).increment(1);
    metrics::histogram!("vigie_http_request_duration_seconds", "route" => route).record(took.as_secs_f64());
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    if matches!(route, "/health" | "/metrics") {
        tracing::debug!(http.method = method, url.path = path, http.status = status, duration.ms = ms, "request");
    } else {
        tracing::info!(
            http.method = method,
            url.path = path,
            http.status = status,
            duration.ms = ms,
            trace.id = trace,
            "request"
        );
    }
    response
}

fn trace_id(request: &Request) -> Option<String> {
    let header = request.headers().get("traceparent")?.to_str().ok()?;
    header.split('-').nth(1).filter(|id| id.len() == 32).map(str::to_owned)
}

/// A path as a label: few values, whatever is asked for.
fn route(path: &str) -> &'static str {
    match path {
        "/graphql" => "/graphql",
        "/graphql/stream" => "/graphql/stream",
        "/metrics" => "/metrics",
        path if path == "/health" || path.starts_with("/health/") => "/health",
        path if path.starts_with("/graphql/ui/") => "/graphql/ui",
        _ => "other",
    }
}

/// Callers may invent methods; labels may not.
fn method_label(method: &str) -> &str {
    match method {
        "GET" | "POST" | "HEAD" | "OPTIONS" | "PUT" | "PATCH" | "DELETE" => method,
        _ => "other",
    }
}
