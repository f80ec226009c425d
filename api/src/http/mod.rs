//! The HTTP surface: GraphQL with its page and sockets, health, metrics.
//!
//! The protocols are ours; async-graphql only executes. From outside in, a request passes the request log, the
//! security headers, the entrance (how it came), and the time limit.

mod admit;
mod app;
mod arrival;
mod auth;
mod caller;
mod charge;
mod connections;
mod expiry;
mod export;
mod graphql;
mod guard;
mod health;
mod inspect;
mod lapse;
mod life;
mod metrics;
mod negotiate;
mod observe;
mod persisted;
mod request;
mod resume;
mod run;
mod serve;
mod stream;
#[cfg(test)]
pub(crate) mod testing;
mod tls;
mod ui;
mod websocket;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Redirect;
use axum::routing::get;

pub use app::App;
pub(crate) use arrival::Arrival;
pub(crate) use caller::Caller;
pub(crate) use expiry::expiry;
pub(crate) use guard::names_this_server;
pub use life::Life;
pub use metrics::recorder;
pub use serve::{ServeError, serve};
pub use tls::{Tls, TlsError, TlsFiles};
pub(crate) use tls::{certificates, is_for, read as read_tls};

/// Everything that is served.
pub fn router(app: App) -> Router {
    let limit = app.settings().body_limit;
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/graphql") }))
        .route("/graphql", get(graphql::get).post(graphql::post))
        .route("/graphql/stream", get(stream::get).post(stream::post).put(stream::put).delete(stream::delete))
        .route("/graphql/ui/{file}", get(ui::file))
        .route("/export/{file}", get(export::file))
        .merge(auth::routes())
        .route("/health", get(health::all))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/health/startup", get(health::startup))
        .route("/metrics", get(metrics::scrape))
        .layer(DefaultBodyLimit::max(limit))
        .layer(from_fn_with_state(app.clone(), guard::time_limit))
        .layer(from_fn_with_state(app.clone(), guard::entrance))
        .layer(from_fn(guard::security_headers))
        .layer(from_fn(observe::observe))
        .with_state(app)
}
