//! From start to stop: probes, signals, kills, wrong settings.

use std::collections::BTreeMap;
use std::io;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::client::{Client, Server};
use crate::harness::{Place, text, until};

const DEFINE_SITE: &str = "mutation($input: DefineSiteInput!) { defineSite(input: $input) {
    __typename ... on SitePayload { position commandId } ... on Refusal { code message } } }";

/// Sets a site up; the position of the command.
async fn define_site(client: &Client, number: u32) -> io::Result<i64> {
    let input = json!({
        "commandId": command_id(number),
        "site": format!("S{number:05}"),
        "name": format!("Site {number}"),
        "kind": "RAIL",
        "zone": "Africa/Lome",
    });
    let data = client.graphql(DEFINE_SITE, json!({ "input": input })).await?;
    let position = data["defineSite"]["position"].as_i64();
    position.ok_or_else(|| io::Error::other(format!("refused: {data}")))
}

fn command_id(number: u32) -> String {
    format!("00000000-0000-7000-8000-{number:012x}")
}

/// Every event of the log, in its order.
async fn events(place: &Place) -> Vec<Value> {
    let listed = place.succeed(["events", "list", "--json", "--after=0", "--limit=100000"]).await;
    listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn it_starts_answers_stops_when_told_and_continues_on_the_same_log() {
    let place = Place::new();
    let mut server = Server::start(&place).await;
    for probe in ["/health", "/health/live", "/health/ready", "/health/startup", "/metrics"] {
        assert_eq!(server.client.get(probe).await.unwrap().0, 200, "{probe}");
    }
    let first = define_site(&server.client, 1).await.unwrap();
    server.program.signal(Signal::TERM);
    assert!(server.program.end().await.success(), "{}", server.program.said());
    assert!(place.postgres().is_none(), "it stops the Postgres that it started");

    let mut again = Server::start(&place).await;
    assert_eq!(define_site(&again.client, 1).await.unwrap(), first, "the command sent twice gets its first answer");
    assert_eq!(define_site(&again.client, 2).await.unwrap(), first + 1);
    again.program.signal(Signal::INT);
    assert!(again.program.end().await.success(), "Ctrl-C stops it as well: {}", again.program.said());
    assert!(place.postgres().is_none());
}

#[tokio::test]
async fn it_stops_in_order_when_nobody_can_read_what_it_says_any_more() {
    let place = Place::new();
    let mut server = Server::start(&place).await;
    server.program.stop_listening().await;
    define_site(&server.client, 1).await.unwrap();
    server.program.signal(Signal::TERM);
    assert!(server.program.end().await.success());
    assert!(place.postgres().is_none());
}

/// Sends commands, 16 at a time, until the server answers no more. What it has acknowledged, by the command's number.
async fn send_until_it_falls(client: Client, from: u32, to: u32) -> BTreeMap<u32, i64> {
    let senders = (0..16).map(|sender| {
        tokio::spawn(async move {
            let mut acknowledged = BTreeMap::new();
            for number in (from + sender..to).step_by(16) {
                let Ok(position) = define_site(&client, number).await else { break };
                acknowledged.insert(number, position);
            }
            acknowledged
        })
    });
    let mut acknowledged = BTreeMap::new();
    for sender in senders.collect::<Vec<_>>() {
        acknowledged.extend(sender.await.unwrap());
    }
    acknowledged
}

async fn position(client: &Client) -> i64 {
    let data = client.graphql("{ position }", json!({})).await;
    data.ok().and_then(|data| data["position"].as_i64()).unwrap_or(0)
}

#[tokio::test]
async fn killed_it_has_lost_nothing_that_it_acknowledged_and_doubles_nothing() {
    let place = Place::new();
    let mut acknowledged = BTreeMap::new();
    // Each round ends in a kill amid the answers; the Postgres of the killed one is found again.
    for round in 0..3_u32 {
        let mut server = Server::start(&place).await;
        let client = server.client;
        let before = position(&client).await;
        let sending = tokio::spawn(send_until_it_falls(client, round * 10_000, (round + 1) * 10_000));
        until("some commands are accepted", async || position(&client).await >= before + 50).await;
        server.program.signal(Signal::KILL);
        server.program.end().await;
        acknowledged.extend(sending.await.unwrap());
        assert!(place.postgres().is_some(), "the Postgres goes on");
    }

    let logged = events(&place).await;
    let defined: BTreeMap<String, i64> = logged
        .iter()
        .filter(|event| event["type"] == "support.site_defined")
        .map(|event| (event["site"].as_str().unwrap().to_owned(), event["position"].as_i64().unwrap()))
        .collect();
    assert_eq!(defined.len(), logged.len(), "each command was carried out once");
    for (place, event) in logged.iter().enumerate() {
        assert_eq!(event["position"], json!(place + 1), "positions have no gaps");
    }
    for (number, position) in &acknowledged {
        assert_eq!(defined.get(&format!("S{number:05}")), Some(position), "acknowledged as command {number}");
    }
    assert!(acknowledged.len() >= 100, "{}", acknowledged.len());

    let mut server = Server::start(&place).await;
    for (number, position) in acknowledged.iter().take(20) {
        assert_eq!(define_site(&server.client, *number).await.unwrap(), *position);
    }
    assert_eq!(position(&server.client).await, i64::try_from(logged.len()).unwrap());
    server.program.signal(Signal::TERM);
    assert!(server.program.end().await.success());
    assert!(place.postgres().is_none(), "the last one stops the Postgres that was left running");
}

#[tokio::test]
async fn a_wrong_setting_stops_the_start_with_a_message_that_names_it() {
    for (name, value, told) in [
        ("VIGIE_LISTEN", "everywhere", "VIGIE_LISTEN"),
        ("VIGIE_LISTEN", "0.0.0.0:0", "VIGIE_LISTEN"),
        ("VIGIE_LOG_FORMAT", "xml", "VIGIE_LOG_FORMAT"),
        ("DATABASE_URL", "mysql://somewhere/x", "DATABASE_URL"),
        ("VIGIE_CONFIG", "no-such-file.toml", "no-such-file.toml"),
    ] {
        let place = Place::new().with(name, value);
        let output = place.run(["serve"]).await;
        assert_eq!(output.status.code(), Some(1), "{name}={value}: {}", text(&output));
        assert!(String::from_utf8_lossy(&output.stderr).contains(told), "{name}={value}: {}", text(&output));
        assert!(!place.data().exists(), "{name}={value}: nothing is begun");
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_stops_the_start_with_its_reason() {
    let place = Place::new().with("DATABASE_URL", "postgres://nobody@127.0.0.1:9/none");
    let output = place.run(["serve"]).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("cannot be reached"), "{}", text(&output));
    let doctor = place.run(["doctor", "--json"]).await;
    assert_eq!(doctor.status.code(), Some(1), "{}", text(&doctor));
    let report: Value = serde_json::from_slice(&doctor.stdout).unwrap();
    assert_eq!(report["healthy"], json!(false));
}

#[tokio::test]
async fn the_doctor_tells_what_is_there_while_the_server_runs() {
    let place = Place::new();
    let mut server = Server::start(&place).await;
    let head = define_site(&server.client, 1).await.unwrap();
    let report: Value = serde_json::from_str(&place.succeed(["doctor", "--json"]).await).unwrap();
    let check = |name: &str| report["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap();
    assert_eq!(report["healthy"], json!(true));
    assert_eq!(check("postgres")["facts"]["fsync"], "on");
    assert_eq!(check("migrations")["facts"]["pending"], json!([]));
    assert_eq!(check("log")["facts"]["head"], json!(head));
    assert_eq!(check("redis")["state"], "off");
    server.program.signal(Signal::TERM);
    assert!(server.program.end().await.success());
}
