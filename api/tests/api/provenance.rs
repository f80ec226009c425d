//! Why a thing is what it is: back to the measurement, and forward to what it led to.

use serde_json::{Value, json};
use vigie_domain::rail::{CarPart, PassHeader, PassId, PassPart, Quality, Reading, RecordPassPart, Value as Measured};
use vigie_domain::support::{DefineSite, SiteKind};
use vigie_eventlog::Query;

use crate::audit::entries;
use crate::harness::{Server, site};

fn part(part: PassPart) -> RecordPassPart {
    let (pass, passed_at) = (PassId::new("SANGATTE/P1").unwrap(), "2026-01-15T04:12:00Z".parse().unwrap());
    RecordPassPart { header: PassHeader { pass, track: "1".to_owned(), passed_at, train: None }, part }
}

fn car(camera: &str, spring: &str, height: f64) -> PassPart {
    let reading = Reading {
        spring: spring.to_owned(),
        quantity: "height".to_owned(),
        unit: "mm".to_owned(),
        value: Measured::new(height).unwrap(),
        quality: Quality::Good,
    };
    PassPart::Car(CarPart { car: 1, vehicle: None, camera: camera.to_owned(), readings: vec![reading] })
}

/// The position of the n-th event of a type, once it is there and folded.
async fn nth(server: &Server, kind: &'static str, n: usize) -> i64 {
    let mut follower = server.services.log.follow(Query::kinds([kind]), 0);
    let mut seen = Vec::new();
    while seen.len() < n {
        seen.extend(follower.next().await.unwrap().events);
    }
    server.caught_up().await;
    seen[n - 1].position
}

/// A pass that was confirmed, and reopened by a late alert.
async fn reopened_pass() -> Server {
    let server = Server::start().await;
    server.command(DefineSite(site("SANGATTE", SiteKind::Rail, "Europe/Paris"))).await;
    server
        .data(
            "mutation { setLimits(input: { site: \"SANGATTE\", validFrom: \"2026-01-01T00:00:00Z\",
            limits: [{ quantity: \"height\", unit: \"mm\", alarmLow: 200 }] }) { ... on LimitsPayload { version } } }",
            json!({}),
        )
        .await;
    server.command(part(car("cam-1", "L1", 250.0))).await;
    server.command(part(PassPart::Complete { cars: 1 })).await;
    let confirm = "mutation { confirmPass(input: { pass: \"SANGATTE/P1\", note: \"fine\" }) { __typename } }";
    assert_eq!(server.data(confirm, json!({})).await["confirmPass"]["__typename"], "PassPayload");
    server.command(part(car("cam-2", "L2", 190.0))).await;
    nth(&server, "rail.pass_reopened", 1).await;
    server
}

#[tokio::test]
async fn an_alert_leads_back_to_the_measurement_and_forward_to_the_reopened_pass() {
    let server = reopened_pass().await;
    let query = "{ alerts { nodes { id provenance {
        actor command { name causationId events { type } }
        events { nodes { type } }
        causationChain { type position sameCommand { type } }
        caused { depth entry { type } } } } } }";
    let data = server.data(query, json!({})).await;
    let alert = &data["alerts"]["nodes"][0];
    let why = &alert["provenance"];
    assert_eq!(why["actor"], "policy:alerts.spring_out_of_limits");
    assert_eq!(why["command"]["name"], "alerts.raise_alert");
    assert_eq!(why["command"]["events"], json!([{ "type": "alerts.alert_raised" }]));
    let chain: Vec<&str> =
        why["causationChain"].as_array().unwrap().iter().map(|entry| entry["type"].as_str().unwrap()).collect();
    assert_eq!(chain, ["alerts.alert_raised", "rail.spring_out_of_limits"]);
    let measured = json!([{ "type": "rail.car_measured" }, { "type": "rail.spring_out_of_limits" }]);
    assert_eq!(why["causationChain"][1]["sameCommand"], measured, "what the camera sent");
    assert_eq!(why["caused"], json!([{ "depth": 1, "entry": { "type": "rail.pass_reopened" } }]));

    // The acknowledgement is a person's, and reacts to nothing; the alert still leads to what it was raised for.
    let acknowledge = "mutation($a: ID!) { acknowledgeAlert(input: { alert: $a, note: \"seen\" }) { __typename } }";
    server.data(acknowledge, json!({ "a": alert["id"] })).await;
    server.caught_up().await;
    let data = server.data(query, json!({})).await;
    let why = &data["alerts"]["nodes"][0]["provenance"];
    assert_eq!(why["command"]["name"], "alerts.acknowledge_alert");
    assert_eq!(why["causationChain"][0]["type"], "alerts.alert_raised");
    let events = json!([{ "type": "alerts.alert_acknowledged" }, { "type": "alerts.alert_raised" }]);
    assert_eq!(why["events"]["nodes"], events, "the reopening changed the pass, not the alert");
}

#[tokio::test]
async fn a_measurement_leads_forward_through_all_that_reacted() {
    let server = reopened_pass().await;
    let position = nth(&server, "rail.spring_out_of_limits", 1).await;
    let query = "query($p: Int!) { auditTrail(filter: { afterPosition: $p }, order: OLDEST_FIRST, first: 1) { nodes {
        commandId caused { depth entry { type causationChain { type } } } near: caused(depth: 1) { entry { type } } } } }";
    let data = server.data(query, json!({ "p": position - 1 })).await;
    let entry = &data["auditTrail"]["nodes"][0];
    assert_eq!(
        entry["caused"],
        json!([
            { "depth": 1, "entry": { "type": "alerts.alert_raised",
                "causationChain": [{ "type": "alerts.alert_raised" }, { "type": "rail.spring_out_of_limits" }] } },
            { "depth": 2, "entry": { "type": "rail.pass_reopened", "causationChain": [{ "type": "rail.pass_reopened" },
                { "type": "alerts.alert_raised" }, { "type": "rail.spring_out_of_limits" }] } },
        ])
    );
    assert_eq!(entry["near"], json!([{ "entry": { "type": "alerts.alert_raised" } }]));
    // The command of the camera, and all that followed from it.
    let id = &entry["commandId"];
    let direct = entries(&server, json!({ "commandId": id })).await;
    let whole = entries(&server, json!({ "causedBy": id })).await;
    assert_eq!((direct.len(), whole.len()), (2, 4));
    assert_eq!(entries(&server, json!({ "correlationId": id })).await, whole);
}

#[tokio::test]
async fn cars_and_springs_know_the_events_that_measured_them() {
    let server = reopened_pass().await;
    let query = "{ pass(id: \"SANGATTE/P1\") { cars { provenance { events { nodes { type } } }
        springs { spring provenance { command { name } events { nodes { type } } } } } } }";
    let data = server.data(query, json!({})).await;
    let car = &data["pass"]["cars"][0];
    let types = |value: &Value| -> Vec<String> {
        let nodes = value["provenance"]["events"]["nodes"].as_array().unwrap();
        nodes.iter().map(|node| node["type"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(types(car), ["rail.spring_out_of_limits", "rail.car_measured", "rail.car_measured"]);
    assert_eq!(types(&car["springs"][0]), ["rail.car_measured"], "L1 was within its limits");
    assert_eq!(types(&car["springs"][1]), ["rail.spring_out_of_limits", "rail.car_measured"]);
    assert_eq!(car["springs"][1]["provenance"]["command"]["name"], "rail.record_pass_part");
}
