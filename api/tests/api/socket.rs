//! GraphQL over WebSocket: the protocol, frame by frame.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use vigie_api::settings::Settings;
use vigie_domain::airport::{CodeLetter, StandKind};

use crate::harness::{PATIENCE, Server};

pub(crate) struct Socket<S = MaybeTlsStream<TcpStream>>(WebSocketStream<S>);

impl Socket {
    pub(crate) async fn open(address: std::net::SocketAddr) -> Self {
        Self::with(address, &[("sec-websocket-protocol", "graphql-transport-ws")]).await.unwrap()
    }

    async fn with(address: std::net::SocketAddr, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) async fn ready(address: std::net::SocketAddr) -> Self {
        Self::introduced(Self::open(address).await).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// One on a connection that is there already.
    pub(crate) fn over(socket: WebSocketStream<S>) -> Self {
        Self(socket)
    }

    pub(crate) async fn introduced(mut socket: Self) -> Self {
        socket.say(json!({ "type": "connection_init" })).await;
        assert_eq!(socket.hear().await, json!({ "type": "connection_ack" }));
        socket
    }

    pub(crate) async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    pub(crate) async fn subscribe(&mut self, id: &str, query: &str) {
        self.say(json!({ "type": "subscribe", "id": id, "payload": { "query": query } })).await;
    }

    async fn frame(&mut self) -> Message {
        let next = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("something comes in time");
        next.expect("the socket is open").unwrap()
    }

    /// The next message.
    pub(crate) async fn hear(&mut self) -> Value {
        loop {
            match self.frame().await {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("expected a message, got {other:?}"),
            }
        }
    }

    /// The data of the next result of an operation.
    pub(crate) async fn data(&mut self, id: &str) -> Value {
        let mut message = self.hear().await;
        assert_eq!((&message["type"], &message["id"]), (&json!("next"), &json!(id)), "{message}");
        assert!(message["payload"].get("errors").is_none(), "{message}");
        message["payload"]["data"].take()
    }

    /// The code that the socket is closed with next, without another message.
    pub(crate) async fn closed_at_once(&mut self) -> u16 {
        loop {
            match self.frame().await {
                Message::Close(frame) => return frame.map_or(1005, |frame| frame.code.into()),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("expected the end, got {other:?}"),
            }
        }
    }

    /// The code that the socket is closed with.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            if let Message::Close(frame) = self.frame().await {
                return frame.map_or(1005, |frame| frame.code.into());
            }
        }
    }
}

#[tokio::test]
async fn queries_and_mutations_run_over_a_socket() {
    let server = Server::start().await;
    let mut socket = Socket::ready(server.listen().await).await;
    socket.subscribe("q", "{ head }").await;
    assert_eq!(socket.data("q").await, json!({ "head": 0 }));
    assert_eq!(socket.hear().await, json!({ "type": "complete", "id": "q" }));
    socket.subscribe("m", r#"mutation { defineSite(input: { site: "LFW", name: "L", kind: AIRPORT, zone: "Africa/Lome" }) { ... on SitePayload { position } } }"#).await;
    assert_eq!(socket.data("m").await, json!({ "defineSite": { "position": 1 } }));
    assert_eq!(socket.hear().await, json!({ "type": "complete", "id": "m" }));
    socket.say(json!({ "type": "ping" })).await;
    assert_eq!(socket.hear().await, json!({ "type": "pong" }));
}

#[tokio::test]
async fn a_document_that_cannot_run_is_an_error_message_and_the_socket_stays() {
    let server = Server::start().await;
    let mut socket = Socket::ready(server.listen().await).await;
    for query in ["{", "{ nonsense }", "subscription { nonsense }"] {
        socket.subscribe("1", query).await;
        let message = socket.hear().await;
        assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!("1")), "{query}");
        assert!(message["payload"][0]["message"].is_string(), "{message}");
    }
    socket.subscribe("1", "{ head }").await;
    assert_eq!(socket.data("1").await, json!({ "head": 0 }));
}

#[tokio::test]
async fn a_document_may_be_named_by_its_hash() {
    let server = Server::start().await;
    let mut socket = Socket::ready(server.listen().await).await;
    let (query, other) = ("{ head }", "{ position }");
    let named =
        |text: &str| json!({ "persistedQuery": { "version": 1, "sha256Hash": vigie_api::documents::hash(text) } });
    for (payload, kind) in [
        (json!({ "extensions": named(query) }), "error"),
        (json!({ "query": query, "extensions": named(other) }), "error"),
        (json!({ "query": query, "extensions": named(query) }), "next"),
        (json!({ "extensions": named(query) }), "next"),
        (json!({ "documentId": "nothing" }), "error"),
    ] {
        socket.say(json!({ "type": "subscribe", "id": "1", "payload": payload })).await;
        let message = socket.hear().await;
        assert_eq!(message["type"], kind, "{message}");
        if kind == "next" {
            assert_eq!(socket.hear().await["type"], "complete");
        }
    }
}

#[tokio::test]
async fn a_message_over_the_limit_closes_the_socket_and_says_why() {
    let server = Server::with(Settings { body_limit: 1024, ..Settings::open() }).await;
    let mut socket = Socket::ready(server.listen().await).await;
    let message = |size| json!({ "type": "ping", "payload": { "": "x".repeat(size) } });
    let around = message(0).to_string().len();
    socket.say(message(1024 - around)).await;
    assert_eq!(socket.hear().await["type"], "pong");
    socket.say(message(1025 - around)).await;
    assert_eq!(socket.closed().await, 1009);
}

#[tokio::test]
async fn each_breach_of_the_protocol_has_its_close_code() {
    let server = Server::start().await;
    let address = server.listen().await;
    let mut socket = Socket::open(address).await;
    socket.subscribe("1", "{ head }").await;
    assert_eq!(socket.closed().await, 4401);

    let mut socket = Socket::ready(address).await;
    socket.say(json!({ "type": "connection_init" })).await;
    assert_eq!(socket.closed().await, 4429);

    let mut socket = Socket::ready(address).await;
    for _ in 0..2 {
        socket.subscribe("1", "subscription { events { position } }").await;
    }
    assert_eq!(socket.closed().await, 4409);

    for message in [json!([]), json!({ "type": "start" }), json!({ "type": "subscribe", "id": 1 })] {
        let mut socket = Socket::ready(address).await;
        socket.say(message).await;
        assert_eq!(socket.closed().await, 4400);
    }
    let mut socket = Socket::ready(address).await;
    socket.0.send(Message::binary(vec![1_u8])).await.unwrap();
    assert_eq!(socket.closed().await, 4400);

    let mut socket = Socket::with(address, &[]).await.unwrap();
    assert_eq!(socket.closed().await, 4406);
}

#[tokio::test]
async fn a_client_that_closes_is_answered_with_a_close_frame() {
    let server = Server::start().await;
    let mut socket = Socket::ready(server.listen().await).await;
    socket.0.close(None).await.unwrap();
    while !matches!(socket.frame().await, Message::Close(_)) {}
}

#[tokio::test]
async fn a_socket_that_never_introduces_itself_is_closed() {
    let server = Server::with(Settings { ws_init_timeout: Duration::from_millis(50), ..Settings::open() }).await;
    let mut socket = Socket::open(server.listen().await).await;
    assert_eq!(socket.closed().await, 4408);
}

#[tokio::test]
async fn only_pages_of_this_server_may_open_sockets() {
    let server = Server::start().await;
    let address = server.listen().await;
    let protocol = ("sec-websocket-protocol", "graphql-transport-ws");
    assert_eq!(Socket::with(address, &[protocol, ("origin", "http://evil.example")]).await.err(), Some(403));
    assert_eq!(Socket::with(address, &[protocol, ("origin", "null")]).await.err(), Some(403));
    let own = format!("http://{address}");
    assert!(Socket::with(address, &[protocol, ("origin", &own)]).await.is_ok());
}

#[tokio::test]
async fn the_first_message_names_the_actor() {
    let server = Server::start().await;
    let address = server.listen().await;
    let mut socket = Socket::open(address).await;
    socket.say(json!({ "type": "connection_init", "payload": { "Vigie-Actor": "operator:afi" } })).await;
    socket.hear().await;
    socket.subscribe("m", r#"mutation { defineSite(input: { site: "LFW", name: "L", kind: AIRPORT, zone: "Africa/Lome" }) { __typename } }"#).await;
    socket.data("m").await;
    let data = server.data("{ event(position: 1) { actor } }", json!({})).await;
    assert_eq!(data["event"]["actor"], "operator:afi");
    let mut socket = Socket::open(address).await;
    socket.say(json!({ "type": "connection_init", "payload": { "vigie-actor": "two words" } })).await;
    assert_eq!(socket.closed().await, 4403);
}

#[tokio::test]
async fn a_stopping_server_closes_with_a_code_that_says_come_back() {
    let server = Server::start().await;
    let address = server.listen().await;
    let mut idle = Socket::ready(address).await;
    let mut watching = Socket::ready(address).await;
    let query = r#"subscription { events(after: 0, filter: { types: ["alerts.alert_raised"] }) { position } }"#;
    watching.subscribe("1", query).await;
    server.airport(&[("C01", StandKind::Civil, CodeLetter::E), ("C02", StandKind::Civil, CodeLetter::E)]).await;
    let first = watching.data("1").await["events"]["position"].take();
    server.life.stop();
    // Not complete: that would say that nothing more comes, and a client would not come back.
    let mut told = first.as_i64().unwrap();
    while told < 3 {
        told = watching.data("1").await["events"]["position"].as_i64().unwrap();
    }
    assert_eq!((idle.closed().await, watching.closed_at_once().await), (1012, 1012));
}
