//! Deliveries of the built program, from the registration to the receiver.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::client::Server;
use crate::harness::{Place, until};

/// A receiver that answers everything with one status.
struct Receiver {
    url: String,
    status: Arc<AtomicU16>,
    received: Arc<Mutex<Vec<Value>>>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (status, received) = (Arc::new(AtomicU16::new(200)), Arc::new(Mutex::new(Vec::new())));
        let (answer, kept) = (Arc::clone(&status), Arc::clone(&received));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, Arc::clone(&answer), Arc::clone(&kept)));
            }
        });
        Self { url, status, received }
    }

    /// The positions of what has come.
    fn positions(&self) -> Vec<i64> {
        let received = self.received.lock().unwrap();
        received.iter().filter_map(|body| body["position"].as_i64()).collect()
    }
}

async fn serve(socket: TcpStream, status: Arc<AtomicU16>, received: Arc<Mutex<Vec<Value>>>) {
    let mut socket = BufReader::new(socket);
    loop {
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            if socket.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            if let Some(text) = line.to_lowercase().strip_prefix("content-length:") {
                length = text.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        socket.read_exact(&mut body).await.unwrap();
        received.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
        let answer = format!("HTTP/1.1 {} x\r\ncontent-length: 0\r\n\r\n", status.load(Ordering::SeqCst));
        if socket.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn define_stand(server: &Server, name: &str) -> i64 {
    let mutation =
        "mutation($input: DefineStandInput!) { defineStand(input: $input) { ... on StandPayload { position } } }";
    let input =
        json!({ "stand": format!("LFW/{name}"), "kind": "CIVIL", "code": "E", "jetway": true, "distanceM": 100 });
    server.client.graphql(mutation, json!({ "input": input })).await.unwrap()["defineStand"]["position"]
        .as_i64()
        .unwrap()
}

#[tokio::test]
async fn what_is_asked_for_is_delivered_goes_on_after_a_restart_and_is_disabled_when_its_receiver_is_gone() {
    let receiver = Receiver::start().await;
    let place = Place::new().with("VIGIE_WEBHOOK_PLAIN", "true").with("VIGIE_WEBHOOK_ALLOW", "127.0.0.0/8");
    let mut server = Server::start(&place).await;
    let site = "mutation { defineSite(input: { site: \"LFW\", name: \"Lomé\", kind: AIRPORT, zone: \"Africa/Lome\" }) { __typename } }";
    server.client.graphql(site, json!({})).await.unwrap();
    let told = place.succeed(["webhooks", "register", &receiver.url, "--site", "LFW", "--ordering", "stand"]).await;
    let endpoint = told.lines().find_map(|line| line.strip_prefix("endpoint")).unwrap().trim().to_owned();
    assert!(told.contains("whsec_"), "{told}");
    let key = std::fs::metadata(place.data().join("webhooks.key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600, "only its owner reads the key");

    let mut sent = vec![define_stand(&server, "C01").await, define_stand(&server, "C02").await];
    until("both stands are delivered", async || receiver.positions().len() == 2).await;
    server.program.signal(Signal::TERM);
    assert!(server.program.end().await.success());
    let mut server = Server::start(&place).await;
    sent.push(define_stand(&server, "C03").await);
    until("the third stand is delivered", async || receiver.positions().len() >= 3).await;
    let mut positions = receiver.positions();
    positions.sort_unstable();
    assert_eq!(positions, sent, "each once, and nothing about the endpoint itself");

    receiver.status.store(410, Ordering::SeqCst);
    define_stand(&server, "C04").await;
    let alerts = "{ alerts(filter: { kind: ENDPOINT_DOWN }) { nodes { site message status } } }";
    let open = async || server.client.graphql(alerts, json!({})).await.unwrap()["alerts"]["nodes"].take();
    until("an alert is raised", async || open().await.as_array().is_some_and(|open| !open.is_empty())).await;
    let alert = open().await[0].take();
    assert_eq!((&alert["site"], &alert["status"]), (&json!("LFW"), &json!("RAISED")));
    assert!(alert["message"].as_str().unwrap().contains(&endpoint), "{alert}");
    let listed: Value = serde_json::from_str(&place.succeed(["webhooks", "list", "--json"]).await).unwrap();
    assert_eq!((&listed["state"], &listed["disabledReason"]), (&json!("disabled"), &json!("gone")));

    receiver.status.store(200, Ordering::SeqCst);
    place.succeed(["webhooks", "enable", &endpoint]).await;
    until("the alert is resolved", async || open().await[0]["status"] == "RESOLVED").await;
    let last = define_stand(&server, "C05").await;
    until("the deliveries go on", async || receiver.positions().contains(&last)).await;
    let types = receiver.received.lock().unwrap().iter().map(|body| body["type"].to_string()).collect::<Vec<_>>();
    assert!(types.iter().all(|kind| !kind.contains("webhooks.") && !kind.contains("alerts.")), "{types:?}");
    server.program.signal(Signal::TERM);
    assert!(server.program.end().await.success());
}
