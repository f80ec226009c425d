//! GraphQL over HTTP: POST with JSON, and GET for queries only.

use async_graphql::Response as Answer;
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::admit::Refused;
use super::arrival::Arrival;
use super::caller::Caller;
use super::negotiate::{Media, media, problem, wants_page};
use super::request::{Asked, Malformed, from_json, from_pairs};
use super::{App, ui, websocket};
use crate::limits::{Exceeded, Limit, was_in_vain};

/// A socket, the page, or a query.
pub(super) async fn get(
    State(app): State<App>,
    headers: HeaderMap,
    Extension(arrival): Extension<Arrival>,
    caller: Result<Caller, Response>,
    Query(pairs): Query<Vec<(String, String)>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    if let Ok(upgrade) = upgrade {
        return match caller.or_else(|refused| Caller::unproved(&headers, arrival).ok_or(refused)) {
            Ok(caller) => websocket::open(app, &headers, caller, upgrade),
            Err(refused) => refused,
        };
    }
    let wants_page = pairs.iter().all(|(name, _)| name != "query" && name != "documentId") && wants_page(&headers);
    let caller = match caller {
        Ok(_) if wants_page => return ui::page(),
        Ok(caller) => caller,
        Err(refused) if wants_page && refused.status() == StatusCode::UNAUTHORIZED => {
            return Redirect::to("/sign-in").into_response();
        }
        Err(refused) => return refused,
    };
    let Some(media) = media(&headers) else { return not_acceptable() };
    match from_pairs(pairs) {
        Ok(asked) => run(&app, media, asked, caller).await,
        Err(malformed) => bad_request(&malformed),
    }
}

/// Any operation but a subscription.
pub(super) async fn post(
    State(app): State<App>,
    headers: HeaderMap,
    caller: Caller,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Some(media) = media(&headers) else { return not_acceptable() };
    let body = match json_body(&app, &headers, body) {
        Ok(body) => body,
        Err(refused) => return *refused,
    };
    match body {
        Value::Array(batch) => run_batch(&app, media, batch, caller).await,
        single => match from_json(single) {
            Ok(asked) => run(&app, media, asked, caller).await,
            Err(malformed) => bad_request(&malformed),
        },
    }
}

/// The body, if it is JSON and says so: no form or image of another site can send that.
pub(super) fn json_body(
    app: &App,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Value, Box<Response>> {
    if !is_json(headers) {
        let message = "the body must be application/json in UTF-8";
        return Err(Box::new(problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message)));
    }
    let body = body.map_err(|rejection| {
        let status = rejection.status();
        Box::new(if status == StatusCode::PAYLOAD_TOO_LARGE {
            let errors = vec![body_too_large(headers, app.settings().body_limit).into_error()];
            let refused = Refused { errors, status, outright: true, headers: HeaderMap::new() };
            refusal(media(headers).unwrap_or(Media::Json), refused)
        } else {
            problem(status, "BAD_REQUEST", &rejection.body_text())
        })
    })?;
    serde_json::from_slice(&body)
        .map_err(|error| Box::new(bad_request(&Malformed(format!("the body is not JSON: {error}")))))
}

/// The size that was asked for is what the request says of itself; a body that does not say it was cut off.
fn body_too_large(headers: &HeaderMap, limit: usize) -> Exceeded {
    let allowed = u64::try_from(limit).unwrap_or(u64::MAX);
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    Limit::Body.exceeded(length.unwrap_or(allowed.saturating_add(1)), allowed)
}

async fn run(app: &App, media: Media, asked: Asked, caller: Caller) -> Response {
    match execute(app, asked, caller).await {
        Ok(answer) => answered(app, media, answer),
        Err(refused) => refusal(media, refused),
    }
}

/// Several operations, one after the other in their order; each has its own answer.
async fn run_batch(app: &App, media: Media, batch: Vec<Value>, caller: Caller) -> Response {
    let most = app.settings().protocols.batch;
    let wrong = match batch.len() {
        _ if most == 0 => Some("batches are not taken: send one operation (VIGIE_BATCH)".to_owned()),
        0 => Some("a batch has at least one operation".to_owned()),
        count if count > most => Some(format!("a batch has at most {most} operations (VIGIE_BATCH): {count}")),
        _ => None,
    };
    let batch = match wrong {
        Some(wrong) => Err(Malformed(wrong)),
        None => batch.into_iter().map(from_json).collect::<Result<Vec<_>, _>>(),
    };
    let batch = match batch {
        Ok(batch) => batch,
        Err(malformed) => return bad_request(&malformed),
    };
    let mut answers = Vec::with_capacity(batch.len());
    let mut headers = HeaderMap::new();
    for asked in batch {
        let mut answer = execute(app, asked, caller.clone()).await.unwrap_or_else(Refused::into_answer);
        // Each tells what the caller may still spend: the last one is right.
        headers.extend(std::mem::take(&mut answer.http_headers));
        answers.push(json(&mut answer));
    }
    (headers, body(StatusCode::OK, media, &answers)).into_response()
}

async fn execute(app: &App, asked: Asked, caller: Caller) -> Result<Answer, Refused> {
    let admitted = app.admit(asked, &caller).await?;
    if admitted.is_subscription() {
        let message = "subscriptions need a WebSocket with the subprotocol graphql-transport-ws, or /graphql/stream";
        let refused = Refused::because(app.settings().protocols.invalid_status, "BAD_REQUEST", message);
        return Err(Refused { headers: admitted.headers, ..refused });
    }
    Ok(app.execute(admitted, caller).await)
}

/// Whether the request failed before anything was executed: then there is no data, not even null.
pub(super) fn is_request_error(answer: &Answer) -> bool {
    !answer.errors.is_empty()
        && answer.data == async_graphql::Value::Null
        && answer.errors.iter().all(|error| error.path.is_empty())
}

fn answered(app: &App, media: Media, mut answer: Answer) -> Response {
    let invalid = is_request_error(&answer) && media == Media::GraphQl;
    let status = match invalid {
        true if was_in_vain(&answer) => StatusCode::GATEWAY_TIMEOUT,
        true => app.settings().protocols.invalid_status,
        false => StatusCode::OK,
    };
    let headers = std::mem::take(&mut answer.http_headers);
    (headers, body(status, media, &json(&mut answer))).into_response()
}

/// The answer to a request that does not run.
pub(super) fn refusal(media: Media, refused: Refused) -> Response {
    let status = if refused.outright || media == Media::GraphQl { refused.status } else { StatusCode::OK };
    let headers = refused.headers.clone();
    (headers, body(status, media, &json(&mut refused.into_answer()))).into_response()
}

/// An answer as it is sent.
pub(super) fn json(answer: &mut Answer) -> Box<RawValue> {
    #[derive(serde::Serialize)]
    struct Errors<'a> {
        errors: &'a [async_graphql::ServerError],
    }
    crate::graphql::finish(answer);
    let json = match is_request_error(answer) {
        true => to_raw_value(&Errors { errors: &answer.errors }),
        false => to_raw_value(answer),
    };
    json.expect("answers are plain data with text keys and always serialise")
}

fn body<T: serde::Serialize + ?Sized>(status: StatusCode, media: Media, answer: &T) -> Response {
    let body = serde_json::to_vec(answer).expect("answers are plain data with text keys and always serialise");
    (status, [(header::CONTENT_TYPE, media.content_type())], Body::from(body)).into_response()
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

pub(super) fn bad_request(malformed: &Malformed) -> Response {
    problem(StatusCode::BAD_REQUEST, "BAD_REQUEST", &malformed.0)
}

fn not_acceptable() -> Response {
    let message = "answers are application/graphql-response+json or application/json";
    problem(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", message)
}
