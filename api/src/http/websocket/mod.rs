//! GraphQL over WebSocket: the subprotocol `graphql-transport-ws`.
//!
//! One task per socket does everything, so that a client which does not read stops its own subscriptions and nothing
//! else: what it has not taken is not computed. <https://github.com/graphql/graphql-over-http>,
//! <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>

mod message;
mod operations;
mod session;

use axum::extract::ws::WebSocketUpgrade;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::App;
use super::caller::Caller;
use super::guard::same_origin;
use super::negotiate::problem;

/// The subprotocol that is spoken.
const SUBPROTOCOL: &str = "graphql-transport-ws";

/// Bytes that a socket reads at once. Every socket keeps a buffer of so many and fills it with zeros whenever it looks for
/// something to read: what clients send is small, and what is larger is read in several turns.
const READ_BUFFER: usize = 2 * 1024;

/// Answers the request for a socket.
pub(super) fn open(app: App, headers: &HeaderMap, caller: Caller, upgrade: WebSocketUpgrade) -> Response {
    if !same_origin(headers, &caller.arrival) {
        let message = "sockets are opened by this server's own pages, or by programs that send no Origin";
        return problem(StatusCode::FORBIDDEN, "ORIGIN_NOT_ALLOWED", message);
    }
    if app.life().is_stopping() {
        let retry = [(header::RETRY_AFTER, "1")];
        let refused = problem(StatusCode::SERVICE_UNAVAILABLE, "STOPPING", "the server is stopping");
        return (retry, refused).into_response();
    }
    // Whoever sends a little too much is told so by the session; who sends far too much is cut off.
    let limit = app.settings().body_limit.saturating_mul(2);
    let sockets = app.life().sockets().clone();
    upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(READ_BUFFER)
        .max_message_size(limit)
        .max_frame_size(limit)
        .on_upgrade(move |socket| sockets.track_future(session::run(socket, app, caller)))
}
