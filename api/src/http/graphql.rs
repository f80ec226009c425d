//! GraphQL over HTTP: POST with JSON, and GET for queries only.

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response as Answer, ServerError};
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::negotiate::{Media, media, problem, wants_page};
use super::request::{Caller, Malformed, from_json, from_pairs, operation};
use super::{App, ui, websocket};

/// A socket, the page, or a query.
pub(super) async fn get(
    State(app): State<App>,
    headers: HeaderMap,
    Query(pairs): Query<Vec<(String, String)>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    if let Ok(upgrade) = upgrade {
        return websocket::open(app, &headers, upgrade);
    }
    if pairs.iter().all(|(name, _)| name != "query") && wants_page(&headers) {
        return ui::page();
    }
    let Some(media) = media(&headers) else { return not_acceptable() };
    match from_pairs(pairs) {
        Ok(request) => run(&app, &headers, media, request, Method::Get).await,
        Err(malformed) => bad_request(&malformed),
    }
}

/// Any operation but a subscription.
pub(super) async fn post(State(app): State<App>, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
    let Some(media) = media(&headers) else { return not_acceptable() };
    if !is_json(&headers) {
        let message = "the body must be application/json in UTF-8";
        return problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message);
    }
    let body = match body {
        Ok(body) => body,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let message = format!("a body has at most {} bytes (VIGIE_BODY_LIMIT)", app.settings().body_limit);
            return problem(StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE", &message);
        }
        Err(rejection) => return problem(rejection.status(), "BAD_REQUEST", &rejection.body_text()),
    };
    let request = serde_json::from_slice(&body).map_err(|error| Malformed(format!("the body is not JSON: {error}")));
    match request.and_then(from_json) {
        Ok(request) => run(&app, &headers, media, request, Method::Post).await,
        Err(malformed) => bad_request(&malformed),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Get,
    Post,
}

async fn run(app: &App, headers: &HeaderMap, media: Media, mut request: Request, method: Method) -> Response {
    let caller = match Caller::of(headers, &app.settings().actor) {
        Ok(caller) => caller,
        Err(malformed) => return bad_request(&malformed),
    };
    match operation(&mut request) {
        Ok(Some(OperationType::Mutation)) if method == Method::Get => {
            let allow = [(header::ALLOW, "POST")];
            let message = "mutations are sent with POST";
            return (allow, problem(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message)).into_response();
        }
        Ok(Some(OperationType::Subscription)) => {
            let message = "subscriptions need a WebSocket with the subprotocol graphql-transport-ws";
            return answer(media, Answer::from_errors(vec![ServerError::new(message, None)]));
        }
        Ok(kind @ (Some(OperationType::Query | OperationType::Mutation) | None)) => {
            if let Some(refused) = app.refuse(kind) {
                return answer(media, Answer::from_errors(vec![refused]));
            }
        }
        Err(error) => return answer(media, Answer::from_errors(vec![error])),
    }
    answer(media, app.schema().execute(app.prepare(request, caller)).await)
}

/// Whether the request failed before anything was executed: then there is no data, not even null.
pub(super) fn is_request_error(answer: &Answer) -> bool {
    !answer.errors.is_empty()
        && answer.data == async_graphql::Value::Null
        && answer.errors.iter().all(|error| error.path.is_empty())
}

fn answer(media: Media, mut answer: Answer) -> Response {
    crate::graphql::finish(&mut answer);
    let refused = is_request_error(&answer);
    let status = if refused && media == Media::GraphQl { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let body =
        if refused { serde_json::to_vec(&json!({ "errors": answer.errors })) } else { serde_json::to_vec(&answer) };
    match body {
        Ok(body) => (status, [(header::CONTENT_TYPE, media.content_type())], Body::from(body)).into_response(),
        Err(error) => {
            tracing::error!(error = %error, "an answer cannot be written as JSON");
            problem(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "the answer cannot be written as JSON")
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let mut parts = value.split(';').map(str::trim);
    parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"))
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
                value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            Some(_) | None => true,
        })
}

fn bad_request(malformed: &Malformed) -> Response {
    problem(StatusCode::BAD_REQUEST, "BAD_REQUEST", &malformed.0)
}

fn not_acceptable() -> Response {
    let message = "answers are application/graphql-response+json or application/json";
    problem(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", message)
}
