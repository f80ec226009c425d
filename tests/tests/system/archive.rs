//! Old ranges of the log leave it for files and come back, with the built program.

use std::fs;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::client::Server;
use crate::harness::{Place, text, until};
use crate::import::capture;

#[tokio::test]
async fn an_old_range_leaves_a_served_log_for_a_file_and_comes_back() {
    let place = Place::new().with("VIGIE_WEBHOOK_DELIVER", "false");
    assert_eq!(place.succeed(["events", "list"]).await, "", "migrated, and empty");
    place.sql("select log_resize(100)").await;
    let mut server = Server::start(&place).await;
    let day = place.path().join("day.json");
    fs::write(&day, capture("2026-01-15", 250).to_string()).unwrap();
    place.succeed(["import", "hkia", "--setup", day.to_str().unwrap()]).await;

    let all = ["events", "list", "--after", "0", "--limit", "1000"];
    let before = place.succeed(all).await;
    assert!(before.lines().count() > 250);
    let folder = place.path().join("archive");
    let archive = ["log", "archive", "--until", "250", "--into", folder.to_str().unwrap()];
    let endpoint = register(&place, &["--after", "0"]).await;
    let needs = format!("webhook endpoint {endpoint} has come to position 0");
    until("all but an endpoint have passed what goes", async || text(&place.run(archive).await).contains(&needs)).await;
    place.succeed(["webhooks", "remove", &endpoint]).await;
    until("everybody has passed what goes", async || {
        let output = place.run(archive).await;
        let waits = text(&output).contains("still needs what is up to 200");
        assert!(output.status.success() || waits, "{}", text(&output));
        output.status.success()
    })
    .await;
    let files = ["range-000001.jsonl", "range-000002.jsonl"].map(|name| folder.join(name).to_str().unwrap().to_owned());
    assert!(
        fs::read_dir(&folder).unwrap().count() == 2 && fs::read_to_string(&files[1]).unwrap().lines().count() == 102
    );

    let missed = place.run(["events", "list", "--after", "0"]).await;
    assert!(!missed.status.success());
    assert!(text(&missed).contains("events from 1 to 200 are archived: `vigie log restore`"), "{}", text(&missed));
    let newest: Value = server.client.graphql("{ events(last: 1) { nodes { position } } }", json!({})).await.unwrap();
    assert!(newest["events"]["nodes"][0]["position"].as_i64() > Some(200), "{newest}");
    let oldest = server.client.graphql("{ events(first: 1) { nodes { position } } }", json!({})).await;
    assert!(oldest.unwrap_err().to_string().contains("ARCHIVED"));
    what_is_away_is_said(&server).await;
    what_is_away_is_not_delivered(&place).await;
    assert!(!place.run(["projections", "verify"]).await.status.success(), "it needs the whole log");

    place.succeed(["log", "restore", &files[1], &files[0]]).await;
    place.succeed(["log", "check"]).await;
    place.succeed(["projections", "verify"]).await;
    assert!(place.succeed(all).await.starts_with(&before), "every event is back where it was");
    server.program.signal(Signal::TERM);
    assert!(server.program.end().await.success(), "{}", server.program.said());
}

/// Up to 200 the log is away; read models keep what they were.
async fn what_is_away_is_said(server: &Server) {
    let then =
        "{ at(position: 100) { flights { totalCount } auditTrail(first: 1) { nodes { position recordedAt } } } }";
    let then = server.client.graphql(then, json!({})).await.unwrap()["at"].take();
    let newest = &then["auditTrail"]["nodes"][0];
    assert_eq!(newest["position"], 100);
    let known = then["flights"]["totalCount"].as_i64().unwrap();
    assert!((90..100).contains(&known), "the flights of the first events: {known}");

    let events = "{ at(position: 100) { events(last: 1) { nodes { position } } } }";
    assert_eq!(server.client.refused(events, json!({})).await["code"], "ARCHIVED");
    let time = "query($time: DateTime!) { at(time: $time) { position } }";
    let time = server.client.refused(time, json!({ "time": newest["recordedAt"] })).await;
    assert_eq!(time["code"], "ARCHIVED", "which of the events that are away was the last by then is not known");
    let written =
        "{ after(position: 100) { ... on Now { flights { totalCount } events(first: 1) { nodes { position } } } } }";
    assert_eq!(server.client.refused(written, json!({})).await["code"], "ARCHIVED");
    let beyond = "{ after(position: 201) { ... on Now { event(position: 201) { position } } } }";
    let beyond = server.client.graphql(beyond, json!({})).await.unwrap();
    assert_eq!(beyond["after"]["event"]["position"], 201);
}

/// Registers a webhook endpoint; its id.
async fn register(place: &Place, arguments: &[&str]) -> String {
    let register = ["webhooks", "register", "https://receiver.example/hook", "--type", "airport.*"];
    let made = place.succeed(register.iter().chain(arguments)).await;
    made.lines().find_map(|line| line.strip_prefix("endpoint")).unwrap().trim().to_owned()
}

/// It is told when it is asked for, and not tried again and again.
async fn what_is_away_is_not_delivered(place: &Place) {
    let endpoint = register(place, &[]).await;
    let register = ["webhooks", "register", "https://receiver.example/hook", "--after", "150"];
    let again = ["webhooks", "replay", &endpoint, "everything", "--reason", "lost"];
    for asked in [&register[..], &again] {
        let output = place.run(asked).await;
        assert!(!output.status.success() && text(&output).contains("are archived"), "{}", text(&output));
    }
    let later = ["webhooks", "replay", &endpoint, "everything", "--after", "200", "--reason", "lost"];
    assert!(place.succeed(later).await.contains("after 200"));
    place.succeed(["webhooks", "remove", &endpoint]).await;
}

#[tokio::test]
async fn the_doctor_says_as_whom_the_program_runs() {
    let place = Place::new();
    place.succeed(["events", "list"]).await;
    let report: Value = serde_json::from_str(&place.succeed(["doctor", "--json"]).await).unwrap();
    let role = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == "role").unwrap();
    assert_eq!((&role["state"], &role["facts"]["role"]), (&json!("fine"), &json!("vigie_app")), "{role}");
    assert_eq!(role["facts"]["append_only"], json!(true), "{role}");
}
