//! A client that does not read: it is told that it lags, gets everything all the same, and nobody waits for it.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, client_async};
use uuid::Uuid;
use vigie_eventlog::{Append, Metadata, NewEvent};

use crate::harness::Server;
use crate::socket::Socket;

/// Bytes of data in each event.
const SIZE: usize = 4_096;
/// Events in each append.
const BATCH: i64 = 200;
/// More events than the log keeps in memory.
const KEPT: i64 = 6_000;

const EVENTS: &str = "subscription { events(after: 0) { position event { position data } lagged { from to } } }";

/// A batch of large events that no read model folds.
fn batch() -> Append {
    let command_id = Uuid::now_v7();
    let event = NewEvent {
        kind: "support.event_skipped".to_owned(),
        version: 1,
        site: "LFW".to_owned(),
        tags: vec!["consumer:test".to_owned()],
        data: json!({ "consumer": "test", "event": Uuid::now_v7(), "kind": "policy", "position": 1,
            "reason": "x".repeat(SIZE), "site": "LFW" })
        .to_string(),
        occurred_at: vigie_api::clock::now(),
    };
    let metadata = Metadata {
        command_id,
        command: "spec.given".to_owned(),
        correlation_id: command_id,
        causation_id: None,
        actor: "operator:test".to_owned(),
        traceparent: None,
    };
    let count = usize::try_from(BATCH).unwrap();
    Append { events: vec![event; count], metadata, conditions: Vec::new(), answer: None }
}

/// A socket whose end here takes little before it is read from.
async fn narrow(address: SocketAddr) -> Socket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    let stream = MaybeTlsStream::Plain(socket.connect(address).await.unwrap());
    let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    Socket::introduced(Socket::over(client_async(request, stream).await.unwrap().0)).await
}

/// The most that the system's buffer takes for the server before sending waits, in bytes.
fn send_buffer() -> i64 {
    let sizes = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_wmem").unwrap_or_default();
    sizes.split_whitespace().last().and_then(|most| most.parse().ok()).unwrap_or(4 * 1024 * 1024)
}

async fn item(socket: &mut Socket) -> Value {
    socket.data("1").await["events"].take()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_holds_nobody_up_and_misses_nothing() {
    let server = Server::start().await;
    let address = server.listen().await;
    let (mut slow, mut quick) = (narrow(address).await, Socket::ready(address).await);
    slow.subscribe("1", EVENTS).await;
    quick.subscribe("1", "subscription { events(after: 0) { position lagged { from } } }").await;
    let (mut head, mut seen) = (0, 0);
    while head < KEPT + send_buffer() / i64::try_from(SIZE).unwrap() {
        head = server.services.log.append(batch()).await.unwrap().last;
        // The other one has every event, while the slow one takes none.
        while seen < head {
            let item = item(&mut quick).await;
            assert_eq!((&item["position"], &item["lagged"]), (&json!(seen + 1), &Value::Null));
            seen += 1;
        }
    }
    let (mut seen, mut lags) = (0, Vec::new());
    while seen < head {
        let item = item(&mut slow).await;
        if item["lagged"].is_null() {
            seen += 1;
            assert_eq!(item["event"]["position"], seen);
            assert!(item["event"]["data"]["reason"].as_str().unwrap().len() == SIZE);
        } else {
            // It can resume where it was also when this is the last that it hears.
            assert_eq!((&item["position"], &item["event"]), (&json!(seen), &Value::Null));
            assert_eq!(item["lagged"], json!({ "from": seen + 1, "to": head }));
            lags.push(item);
        }
    }
    assert_eq!(lags.len(), 1, "{lags:?}");
}
