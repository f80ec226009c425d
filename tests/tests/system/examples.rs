//! The examples go on where they were when the server is killed under them.

use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

use rustix::process::Signal;
use serde_json::json;
use tokio::process::Command;

use crate::client::Server;
use crate::harness::{Place, Running, built, root};

/// A port to come back to: below those that the system gives to whoever asks for any.
fn port() -> u16 {
    let first = 20_000 + u16::try_from(std::process::id() % 8_000).unwrap();
    let mut ports = (first..32_000).filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    ports.next().expect("a port is free")
}

fn start(program: impl AsRef<Path>, arguments: &[&str], folder: &str) -> Running {
    let mut command = Command::new(program.as_ref());
    command.args(arguments).current_dir(root().join("examples").join(folder)).kill_on_drop(true);
    Running::of(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

/// The positions of the events that it has printed.
fn positions(said: &str) -> Vec<i64> {
    said.lines().filter_map(|line| line.split_once(' ')?.0.parse().ok()).collect()
}

/// Waits until it has printed the event at `position`.
async fn has(client: &mut Running, position: i64) {
    client
        .says(&position.to_string(), |said| positions(said).last().is_some_and(|last| *last >= position).then_some(()))
        .await;
}

async fn head(server: &Server) -> i64 {
    server.client.graphql("{ head }", json!({})).await.unwrap()["head"].as_i64().unwrap()
}

/// Closes a stand once more.
async fn happen(server: &Server, day: u32) {
    let close = r#"mutation($from: DateTime!, $to: DateTime!) {
        closeStand(input: { stand: "LFW/C01", from: $from, to: $to, reason: "an example" }) { __typename } }"#;
    let times = json!({ "from": format!("2031-01-{day:02}T00:00:00Z"), "to": format!("2031-01-{day:02}T01:00:00Z") });
    let data = server.client.graphql(close, times).await.unwrap();
    assert_eq!(data["closeStand"]["__typename"], "StandPayload");
}

#[tokio::test]
async fn the_typescript_one_is_typed() {
    let mut compiler = start("npm", &["run", "--silent", "check"], "typescript");
    assert!(compiler.end().await.success(), "{}", compiler.said());
}

#[tokio::test]
async fn each_prints_every_event_once_although_the_server_is_killed() {
    let rust = built("vigie-example-watch", "vigie-example-watch");
    let python = root().join("tests/clients/.venv/bin/python");
    let tsx = root().join("examples/typescript/node_modules/.bin/tsx");
    assert!(python.exists() && tsx.exists(), "run `make test`, which installs the clients (scripts/clients.sh)");

    let port = port();
    let place = Place::new().with("VIGIE_LISTEN", &format!("127.0.0.1:{port}"));
    let url = format!("http://127.0.0.1:{port}");
    let mut server = Server::start(&place).await;
    place.succeed(["demo", "--site-only"]).await;
    let before = head(&server).await;
    let mut clients = [
        start(tsx, &["watch.ts", &url, "0"], "typescript"),
        start(python, &["watch.py", &url, "0"], "python"),
        start(rust, &[&url, "0"], "rust"),
    ];
    for client in &mut clients {
        has(client, before).await;
    }
    for round in 0..2 {
        server.program.signal(Signal::KILL);
        server.program.end().await;
        server = Server::start(&place).await;
        for day in 1..=5 {
            happen(&server, 10 * round + day).await;
        }
        let head = head(&server).await;
        for client in &mut clients {
            has(client, head).await;
        }
    }
    let head = head(&server).await;
    assert_eq!(head, before + 10);
    for client in &clients {
        assert_eq!(positions(&client.said()), (1..=head).collect::<Vec<_>>(), "{}", client.said());
    }
}
