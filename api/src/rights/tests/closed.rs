//! A server with accounts, asked over HTTP and WebSockets by who shows a key, and by who shows nothing.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use chrono::TimeDelta;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tower::ServiceExt;
use uuid::Uuid;
use vigie_commands::Order;
use vigie_domain::identity::{Holder, KeyId, RevokeKey, RevokeRole};

use super::{MARK, OTHER, Stage};
use crate::clock;
use crate::http::{router, serve};

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

impl Stage {
    /// A key with these roles, as it is shown.
    async fn key(&self, grants: &[&str]) -> (KeyId, String) {
        let grants = grants.iter().map(|text| text.parse().unwrap()).collect();
        let order = Order::new(Uuid::now_v7(), "operator:all");
        let expires_at = clock::now() + TimeDelta::hours(1);
        let (done, secret) = self.services.accounts.issue_key("test", grants, expires_at, order).await.unwrap();
        self.services.directory.reached(done.position).await;
        (done.answer, secret.unwrap().show().to_owned())
    }

    async fn send(&self, request: axum::http::request::Builder, body: Body) -> (StatusCode, HeaderMap, String) {
        let request = request.header(header::HOST, "localhost").header(header::CONTENT_TYPE, "application/json");
        let response = router(self.app.clone()).oneshot(request.body(body).unwrap()).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, headers, String::from_utf8_lossy(&bytes).into_owned())
    }

    async fn get_with(&self, path: &str, key: &str) -> (StatusCode, String) {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {key}"));
        let (status, _, text) = self.send(request, Body::empty()).await;
        (status, text)
    }

    async fn ask_with(&self, key: &str, query: &str) -> Value {
        let request = Request::post("/graphql").header(header::AUTHORIZATION, format!("Bearer {key}"));
        let (_, _, text) = self.send(request, Body::from(json!({ "query": query }).to_string())).await;
        serde_json::from_str(&text).unwrap()
    }
}

#[tokio::test]
async fn who_shows_nothing_gets_the_probes_and_the_way_to_sign_in_and_nothing_else() {
    let stage = Stage::with(false).await;
    let query = || Body::from(json!({ "query": "{ head }" }).to_string());
    for request in [
        Request::post("/graphql"),
        Request::get("/graphql?query=%7Bhead%7D"),
        Request::post("/graphql/stream").header(header::ACCEPT, "text/event-stream"),
        Request::put("/graphql/stream"),
        Request::delete("/graphql/stream?operationId=a"),
        Request::get("/graphql/stream?query=%7Bhead%7D").header(header::ACCEPT, "text/event-stream"),
        Request::get("/export/audit.csv"),
        Request::get("/export/refusals.jsonl"),
        Request::get("/metrics"),
        Request::get("/health"),
    ] {
        let (uri, method) = (request.uri_ref().unwrap().clone(), request.method_ref().unwrap().clone());
        let (status, headers, text) = stage.send(request, query()).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {uri}: {text}");
        assert!(
            text.contains("UNAUTHENTICATED") && headers.contains_key(header::WWW_AUTHENTICATE),
            "{method} {uri}: {text}"
        );
    }
    for probe in ["/health/live", "/health/startup", "/health/ready"] {
        let (status, _, text) = stage.send(Request::get(probe), Body::empty()).await;
        assert_eq!(status, StatusCode::OK, "{probe}: {text}");
    }
    let page = Request::get("/graphql").header(header::ACCEPT, "text/html");
    let (status, headers, _) = stage.send(page, Body::empty()).await;
    assert_eq!((status, headers[header::LOCATION].to_str().unwrap()), (StatusCode::SEE_OTHER, "/sign-in"));
}

#[tokio::test]
async fn nobody_names_themselves_on_a_server_with_accounts() {
    let stage = Stage::with(false).await;
    let (_, key) = stage.key(&["viewer"]).await;
    let request = Request::get("/graphql?query=%7Bhead%7D").header("vigie-actor", "operator:all");
    let (status, _, text) =
        stage.send(request.header(header::AUTHORIZATION, format!("Bearer {key}")), Body::empty()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{text}");
}

#[tokio::test]
async fn a_key_shows_its_site_and_downloads_what_it_may() {
    let stage = Stage::with(false).await.filled().await;
    let (_, viewer) = stage.key(&["viewer@OWN"]).await;
    let stands = stage.ask_with(&viewer, "{ stands { totalCount nodes { id } } sites { nodes { id } } }").await;
    assert_eq!(stands["data"]["stands"]["totalCount"], 2, "{stands}");
    assert_eq!(stands["data"]["sites"]["nodes"], json!([{ "id": "OWN" }]));
    for (path, status) in [("/export/audit.csv", 403), ("/metrics", 403), ("/health", 403)] {
        let (found, text) = stage.get_with(path, &viewer).await;
        assert_eq!(found.as_u16(), status, "{path}: {text}");
    }
    let (_, auditor) = stage.key(&["auditor@OWN"]).await;
    for file in ["audit.csv", "audit.jsonl", "refusals.csv", "refusals.jsonl"] {
        let (status, text) = stage.get_with(&format!("/export/{file}"), &auditor).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        assert!(text.contains("OWN") && !text.contains(MARK) && !text.contains(OTHER[0]), "{file}: {text}");
    }
    let (_, everywhere) = stage.key(&["auditor"]).await;
    let (_, text) = stage.get_with("/export/audit.csv", &everywhere).await;
    assert!(text.contains(OTHER[0]), "{text}");
    assert_eq!(stage.get_with("/metrics", &everywhere).await.0, StatusCode::OK);
}

async fn socket(address: std::net::SocketAddr) -> Socket {
    let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    connect_async(request).await.unwrap().0
}

async fn say(socket: &mut Socket, message: Value) {
    socket.send(Message::text(message.to_string())).await.unwrap();
}

/// The next message, or the code that the socket is closed with.
async fn hear(socket: &mut Socket) -> Result<Value, u16> {
    let patience = std::time::Duration::from_secs(60);
    loop {
        match tokio::time::timeout(patience, socket.next()).await.expect("the server says something").unwrap().unwrap()
        {
            Message::Text(text) => return Ok(serde_json::from_str(&text).unwrap()),
            Message::Close(frame) => return Err(frame.unwrap().code.into()),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_socket_is_closed_when_its_key_is_revoked_or_may_do_nothing_more() {
    let stage = Stage::with(false).await.filled().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(stage.app.clone(), listener, None));
    let mut nobody = socket(address).await;
    say(&mut nobody, json!({ "type": "connection_init" })).await;
    assert_eq!(hear(&mut nobody).await, Err(4401), "who shows nothing");
    for (revoked, code) in [(true, 4401), (false, 4403)] {
        let (key, secret) = stage.key(&["viewer@OWN"]).await;
        let mut socket = socket(address).await;
        let payload = json!({ "Authorization": format!("Bearer {secret}") });
        say(&mut socket, json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(hear(&mut socket).await, Ok(json!({ "type": "connection_ack" })));
        let query = "subscription { liveStands { position snapshot { id } } }";
        say(&mut socket, json!({ "type": "subscribe", "id": "1", "payload": { "query": query } })).await;
        let first = hear(&mut socket).await.unwrap();
        assert_eq!(first["payload"]["data"]["liveStands"]["snapshot"].as_array().unwrap().len(), 2, "{first}");
        if revoked {
            stage.command(RevokeKey { key }).await;
        } else {
            stage.command(RevokeRole { holder: Holder::Key(key), grant: "viewer@OWN".parse().unwrap() }).await;
        }
        let end = loop {
            match hear(&mut socket).await {
                // The subscription may say first why it ends.
                Ok(message) => assert!(message["type"] == "error" || message["type"] == "next", "{message}"),
                Err(code) => break code,
            }
        };
        assert_eq!(end, code);
        say_again(&stage, &secret, code).await;
    }
}

/// What is closed stays closed.
async fn say_again(stage: &Stage, secret: &str, code: u16) {
    stage.services.directory.reached(stage.services.log.head().await.unwrap()).await;
    let answer = stage.ask_with(secret, "{ stands { totalCount } }").await;
    let expected = if code == 4401 { "UNAUTHENTICATED" } else { "FORBIDDEN" };
    assert_eq!(answer["errors"][0]["extensions"]["code"], expected, "{answer}");
}
