//! What a policy or an import could not do, on the built program: listed, tried again, done.

use std::fs;

use rustix::process::Signal;
use serde_json::{Value, json};
use vigie_domain::alerts::{AlertId, AlertKind};

use crate::client::Server;
use crate::harness::{Place, text, until};

/// The letters in a state, newest first.
async fn letters(place: &Place, state: &str) -> Vec<Value> {
    let told = place.succeed(["dead-letters", "list", "--state", state, "--json"]).await;
    told.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A timer that wants an alert escalated which nobody has raised.
fn timer(alert: AlertId) -> String {
    let reaction = json!({ "command": "alerts.escalate_alert", "says": { "alert": alert, "level": 1 } });
    format!(
        "insert into policy_timer (policy, key, due, next_try, command_id, reaction, event, correlation_id)
         values ('alerts.escalation', 'alert:early', clock_timestamp(), clock_timestamp(), gen_random_uuid(),
                 '{reaction}', gen_random_uuid(), gen_random_uuid())"
    )
}

/// A car whose spring is far too low, as the camera system tells it.
const CAR: &str = r#"{"contract":1,"kind":"car","pass":"P1","site":"SANGATTE","track":"1","passedAt":"2026-01-15T04:12:09Z","train":null,"car":1,"camera":"north","vehicle":null,"springs":[{"spring":"L1","quantity":"height","unit":"mm","value":120,"quality":"good"}]}"#;

async fn set_up(server: &Server) {
    let mutation = "mutation($limits: SetLimitsInput!) {
        defineSite(input: { site: \"SANGATTE\", name: \"Sangatte\", kind: RAIL, zone: \"Europe/Paris\" }) { __typename }
        setLimits(input: $limits) { __typename } }";
    let limits = json!({ "site": "SANGATTE", "validFrom": "2026-01-01T00:00:00Z",
        "limits": [{ "quantity": "height", "unit": "mm", "alarmLow": 200, "warningLow": 220 }] });
    let data = server.client.graphql(mutation, json!({ "limits": limits })).await.unwrap();
    let expected =
        json!({ "defineSite": { "__typename": "SitePayload" }, "setLimits": { "__typename": "LimitsPayload" } });
    assert_eq!(data, expected);
}

#[tokio::test]
async fn what_a_policy_could_not_do_is_tried_again_until_it_can() {
    let place = Place::new();
    let mut server = Server::start(&place).await;
    set_up(&server).await;
    let alert = AlertId::of(AlertKind::SpringOutOfLimits, "SANGATTE/P1/1/L1/height");
    place.sql(&timer(alert)).await;
    until("the refused command is kept", async || letters(&place, "open").await.len() == 1).await;
    let letter = letters(&place, "open").await.remove(0);
    assert_eq!((&letter["name"], &letter["code"]), (&json!("alerts.escalation"), &json!("ALERT_UNKNOWN")));
    assert_eq!(letter["attempts"], 1);

    let id = letter["id"].to_string();
    let again = place.run(["dead-letters", "retry", &id]).await;
    assert_eq!(again.status.code(), Some(1), "{}", text(&again));
    assert!(
        text(&again).contains("2 attempts  ALERT_UNKNOWN") && text(&again).contains("0 done, 1 not"),
        "{}",
        text(&again)
    );

    let file = place.path().join("passes.jsonl");
    fs::write(&file, CAR).unwrap();
    place.succeed(["import", "passes", file.to_str().unwrap()]).await;
    let level = async || {
        let query = "query($id: ID!) { alert(id: $id) { level } }";
        server.client.graphql(query, json!({ "id": alert })).await.unwrap()["alert"]["level"].take()
    };
    until("the alert is raised", async || level().await == 0).await;
    let done = place.succeed(["dead-letters", "retry", "--all", "--name", "alerts.escalation"]).await;
    assert!(done.contains("1 done, 0 not"), "{done}");
    until("the alert is escalated", async || level().await == 1).await;
    assert!(letters(&place, "open").await.is_empty());
    assert_eq!(letters(&place, "done").await[0]["attempts"], 3);
    let closed = place.run(["dead-letters", "retry", &id]).await;
    assert!(!closed.status.success() && text(&closed).contains("is closed"), "{}", text(&closed));
    server.program.signal(Signal::TERM);
    assert!(server.program.end().await.success());
}

#[tokio::test]
async fn a_row_that_was_set_aside_says_how_it_is_retried_and_is_done_once_it_was_taken() {
    let place = Place::new();
    let file = place.path().join("passes.jsonl");
    fs::write(&file, CAR).unwrap();
    let import = || ["import", "passes", file.to_str().unwrap()];
    let first = place.run(import()).await;
    assert_eq!(first.status.code(), Some(2), "the site is not set up: {}", text(&first));
    let letter = letters(&place, "open").await.remove(0);
    assert_eq!((&letter["source"], &letter["name"]), (&json!("import"), &json!("passes")), "{letter}");
    let retried = place.run(["dead-letters", "retry", &letter["id"].to_string()]).await;
    assert!(text(&retried).contains("vigie import passes"), "{}", text(&retried));
    assert_eq!(retried.status.code(), Some(1));

    let mut server = Server::start(&place).await;
    set_up(&server).await;
    place.succeed(import()).await;
    assert!(letters(&place, "open").await.is_empty());
    assert_eq!(letters(&place, "done").await.len(), 1);
    server.program.signal(Signal::TERM);
    assert!(server.program.end().await.success());
}
