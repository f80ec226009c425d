//! GraphQL over server-sent events at `/graphql/stream`, as graphql-sse speaks it.
//!
//! Distinct connections: each operation has a request of its own, whose answer is the stream of its results. Single
//! connection: a client reserves a stream (PUT), opens it (GET), and then sends operations (POST) whose results come on
//! that stream, until it stops them (DELETE). What the client has not read is not computed.

mod body;
mod event;
mod reserved;

use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::App;
use super::admit::Refused;
use super::caller::Caller;
use super::graphql::{bad_request, is_request_error, json_body, refusal};
use super::negotiate::{Media, accepts, media, problem};
use super::request::{Asked, Malformed, from_json, from_pairs};
pub(super) use reserved::Streams;
use reserved::{Told, Trouble};

/// The header that names a stream; the parameter `token` of the address does too.
const TOKEN: HeaderName = HeaderName::from_static("x-graphql-event-stream-token");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const EVENTS: &str = "text/event-stream";

type Pairs = Query<Vec<(String, String)>>;

/// Reserves a stream.
pub(super) async fn put(State(app): State<App>, caller: Caller) -> Response {
    if app.life().is_stopping() {
        return stopping();
    }
    match app.streams().reserve(Instant::now(), &caller.arrival.address.to_string()) {
        Some(token) => {
            (StatusCode::CREATED, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], token).into_response()
        }
        None => {
            let most = app.settings().protocols.streams;
            let message =
                format!("there are {most} streams already, or three quarters of them are yours (VIGIE_STREAMS)");
            unavailable("TOO_MANY_STREAMS", &message)
        }
    }
}

/// Opens a reserved stream, or asks a query, or watches a subscription on a stream of its own.
pub(super) async fn get(
    State(app): State<App>,
    headers: HeaderMap,
    caller: Caller,
    Query(mut pairs): Pairs,
) -> Response {
    match token(&headers, &mut pairs) {
        Some(token) if accepts(&headers, EVENTS) => open(&app, token),
        Some(token) => match asked(&headers, from_pairs(pairs)) {
            Ok(asked) => operate(&app, &headers, &token, asked, caller).await,
            Err(malformed) => bad_request(&malformed),
        },
        None => distinct(&app, &headers, asked(&headers, from_pairs(pairs)), caller).await,
    }
}

/// Runs an operation, on a reserved stream or on one of its own.
pub(super) async fn post(
    State(app): State<App>,
    headers: HeaderMap,
    caller: Caller,
    Query(mut pairs): Pairs,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = match json_body(&app, &headers, body) {
        Ok(body) => body,
        Err(refused) => return *refused,
    };
    let asked = asked(&headers, from_json(body));
    match (token(&headers, &mut pairs), asked) {
        (Some(token), Ok(asked)) => operate(&app, &headers, &token, asked, caller).await,
        (Some(_), Err(malformed)) => bad_request(&malformed),
        (None, asked) => distinct(&app, &headers, asked, caller).await,
    }
}

/// Stops an operation on a reserved stream.
pub(super) async fn delete(State(app): State<App>, headers: HeaderMap, _: Caller, Query(mut pairs): Pairs) -> Response {
    let Some(token) = token(&headers, &mut pairs) else { return trouble(Trouble::Unknown) };
    let Some((_, id)) = pairs.into_iter().find(|(name, _)| name == "operationId") else {
        return bad_request(&Malformed("operationId is missing".to_owned()));
    };
    match app.streams().tell(&token, Told::Stop(id)) {
        Ok(()) => StatusCode::OK.into_response(),
        Err(reason) => trouble(reason),
    }
}

fn token(headers: &HeaderMap, pairs: &mut Vec<(String, String)>) -> Option<String> {
    let place = pairs.iter().position(|(name, _)| name == "token");
    let pair = place.map(|place| pairs.remove(place).1);
    headers.get(TOKEN).and_then(|value| value.to_str().ok()).map(str::to_owned).or(pair)
}

/// What is asked, from where the client was when it was cut off.
fn asked(headers: &HeaderMap, asked: Result<Asked, Malformed>) -> Result<Asked, Malformed> {
    let mut asked = asked?;
    let Some(last) = headers.get(LAST_EVENT_ID).filter(|last| !last.is_empty()) else { return Ok(asked) };
    let position = last.to_str().ok().and_then(|last| last.parse::<i64>().ok()).filter(|position| *position >= 0);
    asked.resume_after = Some(position.ok_or_else(|| Malformed("Last-Event-ID is not a position".to_owned()))?);
    Ok(asked)
}

/// A stream for one operation. What is wrong with it is told on the stream: browsers cannot read other answers.
async fn distinct(app: &App, headers: &HeaderMap, asked: Result<Asked, Malformed>, caller: Caller) -> Response {
    if !accepts(headers, EVENTS) {
        let message = "answers are text/event-stream, unless X-GraphQL-Event-Stream-Token names a stream";
        return problem(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", message);
    }
    if app.life().is_stopping() {
        return stopping();
    }
    let asked = match asked {
        Ok(asked) => asked,
        Err(malformed) => return bad_request(&malformed),
    };
    let admitted = match app.admit(asked, &caller).await {
        Ok(admitted) => admitted,
        Err(refused) if refused.outright => return refusal(Media::Json, refused),
        Err(refused) => {
            let answers = futures_util::stream::iter([refused.into_answer()]);
            return events(body::of_one(app, Box::pin(answers), false, None));
        }
    };
    let (subscription, resumes) = (admitted.is_subscription(), admitted.resumes.clone());
    let told = admitted.headers.clone();
    (told, events(body::of_one(app, app.answers(admitted, caller), subscription, resumes))).into_response()
}

fn open(app: &App, token: String) -> Response {
    if app.life().is_stopping() {
        return stopping();
    }
    match app.streams().open(&token) {
        Ok(listener) => events(body::of_many(app, token, listener)),
        Err(reason) => trouble(reason),
    }
}

/// Runs an operation whose results come on a stream.
async fn operate(app: &App, headers: &HeaderMap, token: &str, asked: Asked, caller: Caller) -> Response {
    let Some(id) = asked.operation_id.clone() else {
        return bad_request(&Malformed("extensions.operationId is missing".to_owned()));
    };
    if let Err(reason) = app.streams().begin(token, &id) {
        return trouble(reason);
    }
    let told = match results(app, &id, asked, caller).await {
        Ok(told) => app.streams().tell(token, told).map_err(trouble),
        Err(refused) => Err(refusal(media(headers).unwrap_or(Media::Json), Refused { outright: true, ..refused })),
    };
    match told {
        Ok(()) => StatusCode::ACCEPTED.into_response(),
        Err(refused) => {
            app.streams().end(token, &id);
            refused
        }
    }
}

/// Queries and mutations are carried out here and now, whether or not somebody reads the stream; subscriptions once
/// somebody does.
async fn results(app: &App, id: &str, asked: Asked, caller: Caller) -> Result<Told, Refused> {
    let invalid = |errors| {
        let status = app.settings().protocols.invalid_status;
        Refused { errors, status, outright: true, headers: HeaderMap::new() }
    };
    let admitted = app.admit(asked, &caller).await?;
    if admitted.is_subscription() {
        app.validator().validate(admitted.copy()).await.map_err(invalid)?;
        return Ok(Told::Watch(id.to_owned(), app.answers(admitted, caller)));
    }
    let answer = app.execute(admitted, caller).await;
    if is_request_error(&answer) {
        Err(invalid(answer.errors))
    } else {
        Ok(Told::Done(id.to_owned(), Box::new(answer)))
    }
}

/// Proxies must neither keep the events nor hold them back.
fn events(body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store, no-transform"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, body).into_response()
}

fn trouble(reason: Trouble) -> Response {
    let (status, code, message) = match reason {
        Trouble::Unknown => (StatusCode::NOT_FOUND, "NO_STREAM", "no such stream: reserve one with PUT"),
        Trouble::Open => (StatusCode::CONFLICT, "STREAM_OPEN", "somebody reads this stream already"),
        Trouble::Duplicate => (StatusCode::CONFLICT, "OPERATION_EXISTS", "an operation with this id runs already"),
        Trouble::Full => {
            (StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_OPERATIONS", "the stream has as many operations as it may")
        }
    };
    problem(status, code, message)
}

fn stopping() -> Response {
    unavailable("STOPPING", "the server is stopping")
}

fn unavailable(code: &str, message: &str) -> Response {
    let refused = problem(StatusCode::SERVICE_UNAVAILABLE, code, message);
    ([(header::RETRY_AFTER, "1")], refused).into_response()
}
