//! GraphQL over server-sent events.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{Request, Response, StatusCode, header};
use futures_util::StreamExt;
use serde_json::{Value, json};
use vigie_api::settings::{Protocols, Settings};

use crate::harness::{PATIENCE, Server, text};

/// What a stream says, block by block.
struct Events {
    body: BodyDataStream,
    read: String,
}

/// An event: its id if it has one, its kind, its data.
type Event = (Option<i64>, String, Value);

impl Events {
    fn of(response: Response<Body>) -> Self {
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream; charset=utf-8");
        Self { body: response.into_body().into_data_stream(), read: String::new() }
    }

    /// The next block, without the empty line that ends it; none at the end.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.read.split_once("\n\n") {
                let block = block.to_owned();
                self.read = rest.to_owned();
                return Some(block);
            }
            let more = tokio::time::timeout(PATIENCE, self.body.next()).await.expect("something comes in time")?;
            self.read.push_str(std::str::from_utf8(&more.unwrap()).unwrap());
        }
    }

    /// The next event; none at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let block = self.block().await?;
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            if let Some(kind) = field("event") {
                let data = field("data").unwrap_or_else(|| panic!("an event without data: {block:?}"));
                let data = if data.is_empty() { Value::Null } else { serde_json::from_str(data).unwrap() };
                return Some((field("id").map(|id| id.parse().unwrap()), kind.to_owned(), data));
            }
            assert!(block.starts_with(':'), "{block:?}");
        }
    }
}

fn ask(query: &str) -> axum::http::request::Builder {
    let query: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
    Request::get(format!("/graphql/stream?query={query}")).header(header::ACCEPT, "text/event-stream")
}

/// Watches a subscription on a stream of its own.
async fn watch(server: &Server, query: &str, last: Option<i64>) -> Events {
    let mut request = ask(query);
    if let Some(last) = last {
        request = request.header("last-event-id", last.to_string());
    }
    Events::of(server.send(request.body(Body::empty()).unwrap()).await)
}

async fn reserve(server: &Server) -> (StatusCode, String) {
    text(server.send(Request::put("/graphql/stream").body(Body::empty()).unwrap()).await).await
}

async fn open(server: &Server, token: &str) -> Response<Body> {
    let request = Request::get("/graphql/stream").header(header::ACCEPT, "text/event-stream");
    server.send(request.header("x-graphql-event-stream-token", token).body(Body::empty()).unwrap()).await
}

/// Sends an operation for a reserved stream; the status and what is said with it.
async fn operate(server: &Server, token: &str, id: &str, query: &str) -> (u16, String) {
    let body = json!({ "query": query, "extensions": { "operationId": id } }).to_string();
    let request = Request::post(format!("/graphql/stream?token={token}"));
    let request = request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body)).unwrap();
    let (status, text) = text(server.send(request).await).await;
    (status.as_u16(), text)
}

async fn stop(server: &Server, token: &str, id: &str) -> u16 {
    let request = Request::delete(format!("/graphql/stream?operationId={id}"));
    let request = request.header("x-graphql-event-stream-token", token).body(Body::empty()).unwrap();
    server.send(request).await.status().as_u16()
}

/// Defines so many sites more: an event each.
async fn happen(server: &Server, names: std::ops::Range<u32>) {
    for name in names {
        let query = format!(
            r#"mutation {{ defineSite(input: {{ site: "S{name:02}", name: "L", kind: AIRPORT, zone: "Africa/Lome" }}) {{ __typename }} }}"#
        );
        server.data(&query, json!({})).await;
    }
}

#[tokio::test]
async fn a_subscription_goes_on_after_the_last_event_that_was_received() {
    let server = Server::start().await;
    happen(&server, 0..3).await;
    let mut events = watch(&server, "subscription { events(after: 0) { position event { type } } }", None).await;
    for position in 1..=2 {
        let (id, kind, data) = events.next().await.unwrap();
        assert_eq!(
            (id, kind.as_str(), &data["data"]["events"]["position"]),
            (Some(position), "next", &json!(position))
        );
    }
    drop(events);
    happen(&server, 3..4).await;
    // The same request again, as a browser repeats it.
    let mut events = watch(&server, "subscription { events(after: 0) { position event { type } } }", Some(2)).await;
    for position in 3..=4 {
        assert_eq!(events.next().await.unwrap().0, Some(position));
    }
    happen(&server, 4..5).await;
    assert_eq!(events.next().await.unwrap().0, Some(5), "and then what comes");
    // A start that comes from a variable, and one that nobody has named.
    let start = "subscription($from: Position) { events(after: $from) { position } }";
    assert_eq!(watch(&server, start, Some(4)).await.next().await.unwrap().0, Some(5));
    assert_eq!(watch(&server, "subscription { events { position } }", Some(3)).await.next().await.unwrap().0, Some(4));
}

#[tokio::test]
async fn what_cannot_be_resumed_says_so_and_has_no_ids() {
    let server = Server::start().await;
    happen(&server, 0..1).await;
    let mut events = watch(&server, "subscription { events(after: 0) { event { type } } }", None).await;
    assert_eq!(events.next().await.unwrap().0, None, "there is no position to tell");
    let two = "subscription { events(after: 0) { position } stands: standChanged { position } }";
    let mut events = watch(&server, two, Some(1)).await;
    let (id, kind, data) = events.next().await.unwrap();
    assert_eq!((id, kind.as_str()), (None, "next"));
    assert!(data["errors"][0]["message"].as_str().unwrap().contains("Last-Event-ID"), "{data}");
    assert_eq!(events.next().await.unwrap().1, "complete");
    assert_eq!(events.next().await, None);
    let request = ask("subscription { events { position } }").header("last-event-id", "x");
    assert_eq!(server.send(request.body(Body::empty()).unwrap()).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn queries_and_mutations_run_on_a_stream_and_complete_it() {
    let server = Server::start().await;
    let mut events = watch(&server, "{ head }", None).await;
    assert_eq!(events.next().await.unwrap(), (None, "next".to_owned(), json!({ "data": { "head": 0 } })));
    assert_eq!(events.next().await.unwrap(), (None, "complete".to_owned(), Value::Null));
    assert_eq!(events.next().await, None);
    let mutation = r#"mutation { defineSite(input: { site: "LFW", name: "L", kind: AIRPORT, zone: "Africa/Lome" }) { ... on SitePayload { position } } }"#;
    let response = server.send(ask(mutation).body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()[header::ALLOW], "POST");
    let post = Request::post("/graphql/stream").header(header::CONTENT_TYPE, "application/json");
    let response = server.send(post.body(Body::from(json!({ "query": mutation }).to_string())).unwrap()).await;
    assert_eq!(Events::of(response).next().await.unwrap().2["data"]["defineSite"]["position"], 1);
    // What is wrong with a document is told on the stream.
    for query in ["{", "{ nonsense }", "subscription { nonsense }"] {
        let mut events = watch(&server, query, None).await;
        let (_, kind, data) = events.next().await.unwrap();
        assert!(kind == "next" && data["errors"][0]["message"].is_string() && data.get("data").is_none(), "{data}");
        assert_eq!(events.next().await.unwrap().1, "complete");
    }
    // What is no request, or wants no events, is not.
    let plain = Request::post("/graphql/stream").header(header::CONTENT_TYPE, "text/plain");
    assert_eq!(server.send(plain.body(Body::from("{}")).unwrap()).await.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let json_only = Request::get("/graphql/stream?query=%7Bhead%7D").header(header::ACCEPT, "application/json");
    assert_eq!(server.send(json_only.body(Body::empty()).unwrap()).await.status(), StatusCode::NOT_ACCEPTABLE);
}

#[tokio::test]
async fn a_silent_stream_says_that_it_is_still_there() {
    let protocols = Protocols { keep_alive: Duration::from_millis(20), ..Protocols::default() };
    let server = Server::with(Settings { protocols, ..Settings::open() }).await;
    let mut events = watch(&server, "subscription { events { position } }", None).await;
    for _ in 0..3 {
        assert_eq!(events.block().await.as_deref(), Some(":"));
    }
    happen(&server, 0..1).await;
    assert_eq!(events.next().await.unwrap().0, Some(1));
}

#[tokio::test]
async fn one_reserved_stream_carries_several_operations() {
    let server = Server::start().await;
    let (status, token) = reserve(&server).await;
    assert_eq!(status, StatusCode::CREATED);
    // A command is carried out also while nobody reads; its result waits.
    let define = r#"mutation { defineSite(input: { site: "LFW", name: "L", kind: AIRPORT, zone: "Africa/Lome" }) { ... on SitePayload { position } } }"#;
    assert_eq!(operate(&server, &token, "m", define).await, (202, String::new()));
    let mut events = Events::of(open(&server, &token).await);
    let (_, kind, data) = events.next().await.unwrap();
    assert_eq!(
        (kind.as_str(), &data),
        ("next", &json!({ "id": "m", "payload": { "data": { "defineSite": { "position": 1 } } } }))
    );
    assert_eq!(events.next().await.unwrap(), (None, "complete".to_owned(), json!({ "id": "m" })));

    for id in ["a", "b"] {
        let query = "subscription { events(after: 0) { position } }";
        assert_eq!(operate(&server, &token, id, query).await.0, 202);
        let (id_line, _, data) = events.next().await.unwrap();
        // One id for the whole stream would skip what the slower one has not had.
        assert_eq!(
            (id_line, &data["id"], &data["payload"]["data"]["events"]["position"]),
            (None, &json!(id), &json!(1))
        );
    }
    let (status, said) = operate(&server, &token, "a", "{ head }").await;
    assert!(status == 409 && said.contains("OPERATION_EXISTS"), "{said}");
    assert_eq!(stop(&server, &token, "a").await, 200);
    happen(&server, 0..1).await;
    let (_, _, data) = events.next().await.unwrap();
    assert_eq!(data["id"], "b", "the other one was stopped");
    // Its id is free again.
    assert_eq!(operate(&server, &token, "a", "{ head }").await.0, 202);
    assert_eq!(events.next().await.unwrap().2, json!({ "id": "a", "payload": { "data": { "head": 2 } } }));

    for query in ["{", "{ nonsense }", "subscription { nonsense }", "subscription { events(before: 1) { position } }"] {
        let (status, said) = operate(&server, &token, "wrong", query).await;
        assert!(status == 400 && said.contains("errors"), "{query}: {status} {said}");
    }
    assert_eq!(open(&server, &token).await.status(), StatusCode::CONFLICT, "somebody reads it already");
    drop(events);
    assert_eq!(operate(&server, &token, "late", "{ head }").await.0, 404, "it ended with its reader");
    assert_eq!(stop(&server, &token, "b").await, 404);
    assert_eq!(open(&server, &token).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn reserved_streams_are_bounded() {
    let protocols = Protocols { streams: 2, ..Protocols::default() };
    let server = Server::with(Settings { protocols, ..Settings::open() }).await;
    let (_, first) = reserve(&server).await;
    let events = Events::of(open(&server, &first).await);
    assert_eq!(reserve(&server).await.0, StatusCode::CREATED);
    let (status, said) = reserve(&server).await;
    assert!(status == StatusCode::SERVICE_UNAVAILABLE && said.contains("VIGIE_STREAMS"), "{said}");
    drop(events);
    assert_eq!(reserve(&server).await.0, StatusCode::CREATED);
}

#[tokio::test]
async fn a_stopping_server_ends_streams_without_completing_what_goes_on() {
    let server = Server::start().await;
    happen(&server, 0..1).await;
    let mut own = watch(&server, "subscription { events(after: 0) { position } }", None).await;
    assert_eq!(own.next().await.unwrap().0, Some(1));
    let (_, token) = reserve(&server).await;
    let mut shared = Events::of(open(&server, &token).await);
    assert_eq!(operate(&server, &token, "a", "subscription { events(after: 0) { position } }").await.0, 202);
    assert_eq!(shared.next().await.unwrap().1, "next");
    server.life.stop();
    assert_eq!(own.next().await, None, "a client that hears no end comes back");
    assert_eq!(shared.next().await, None);
    assert_eq!(reserve(&server).await.0, StatusCode::SERVICE_UNAVAILABLE);
    let refused = server.send(ask("{ head }").body(Body::empty()).unwrap()).await;
    assert_eq!(
        (refused.status(), &refused.headers()[header::RETRY_AFTER]),
        (StatusCode::SERVICE_UNAVAILABLE, &"1".parse().unwrap())
    );
}
