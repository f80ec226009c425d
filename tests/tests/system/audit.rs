//! `vigie audit` and downloads, on the built program.

use std::fs;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::client::{Client, Server};
use crate::harness::{Place, text};
use crate::import::capture;

const FLIGHTS: u32 = 30;

async fn imported(place: &Place) -> u64 {
    let file = place.path().join("2026-01-15.json");
    fs::write(&file, capture("2026-01-15", FLIGHTS).to_string()).unwrap();
    let told = place.succeed(["import", "hkia", "--setup", "--json", file.to_str().unwrap()]).await;
    serde_json::from_str::<Value>(&told).unwrap()["events"].as_u64().unwrap() + 1
}

async fn close_unknown_stand(client: &Client, reason: &str) {
    let query = "mutation($reason: String!) { closeStand(input: { stand: \"HKG/X1\", from: \"2026-01-15T06:00:00Z\",
        reason: $reason }) { ... on Refusal { code } } }";
    let told = client.graphql(query, json!({ "reason": reason })).await.unwrap();
    assert_eq!(told["closeStand"]["code"], "STAND_UNKNOWN", "{told}");
}

#[tokio::test]
async fn the_trail_is_asked_for_and_taken_away_without_a_server() {
    let place = Place::new();
    let events = imported(&place).await;
    let listed = place.succeed(["audit", "--limit", "5"]).await;
    assert_eq!(listed.lines().count(), 5, "the trail is folded first, since nobody else has: {listed}");
    assert!(listed.lines().all(|line| line.contains("registered flight")), "{listed}");

    let csv = place.succeed(["audit", "--export", "csv", "--oldest-first"]).await;
    let lines: Vec<&str> = csv.split_terminator("\r\n").collect();
    assert_eq!(lines.len() as u64, events + 1, "{csv}");
    assert!(lines[0].starts_with("position,") && lines[1].starts_with("1,"), "{csv}");

    let file = place.path().join("trail.jsonl");
    let arguments = ["audit", "--type", "airport.flight_registered", "--export", "jsonl", "--output"];
    let arguments = || arguments.into_iter().chain([file.to_str().unwrap()]);
    place.succeed(arguments()).await;
    let rows = fs::read_to_string(&file).unwrap();
    assert_eq!(rows.lines().count(), FLIGHTS as usize);
    assert!(rows.lines().all(|line| serde_json::from_str::<Value>(line).unwrap()["site"] == "HKG"));
    let again = place.run(arguments()).await;
    assert_eq!(again.status.code(), Some(1), "an export does not overwrite: {}", text(&again));

    let newest: Value = serde_json::from_str(&place.succeed(["audit", "--limit", "1", "--json"]).await).unwrap();
    let (id, actor) = (newest["command_id"].as_str().unwrap(), newest["actor"].as_str().unwrap());
    let of_command = place.succeed(["audit", "--command-id", id, "--actor", actor, "--site", "HKG"]).await;
    assert_eq!(of_command.lines().count(), 1, "{of_command}");
    let nothing = place.run(["audit", "--thing", "stand:HKG/X99"]).await;
    assert!(nothing.status.success() && nothing.stdout.is_empty(), "{}", text(&nothing));
    assert!(text(&nothing).contains("no event is about stand:HKG/X99"), "{}", text(&nothing));
    for wrong in [vec!["--type", "airport.nonsense"], vec!["--day", "2026-01-15"], vec!["--refused", "--text", "ice"]] {
        let output = place.run(["audit"].into_iter().chain(wrong)).await;
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    }
}

#[tokio::test]
async fn refusals_are_listed_and_downloaded_and_new_entries_are_followed() {
    let place = Place::new();
    imported(&place).await;
    let server = Server::start(&place).await;
    close_unknown_stand(&server.client, "=cmd()").await;
    let refused = place.succeed(["audit", "--refused", "--actor", "operator:local", "--code", "STAND_UNKNOWN"]).await;
    assert!(refused.contains("airport.close_stand: STAND_UNKNOWN: "), "{refused}");
    assert_eq!(place.succeed(["audit", "--refused", "--actor", "operator:zoe"]).await, "");
    let (status, csv) = server.client.get("/export/refusals.csv").await.unwrap();
    assert_eq!(status, 200, "{csv}");
    assert!(
        csv.starts_with("id,position,refused_at,") && csv.contains(",operator:local,airport.close_stand,"),
        "{csv}"
    );

    let mut following = place.start(["audit", "--follow", "--actor", "operator:local"]);
    let query =
        "mutation($at: DateTime!) { reportFlight(input: { leg: { site: \"HKG\", carrier: \"AF\", number: \"999\",
        date: \"2026-01-17\", direction: ARRIVAL, airport: \"CDG\" }, scheduledAt: $at }) { __typename } }";
    server.client.graphql(query, json!({ "at": "2026-01-17T12:00:00Z" })).await.unwrap();
    following.says("the new flight", |said| said.contains("registered flight HKG/AF999").then_some(())).await;
    following.signal(Signal::INT);
    assert!(following.end().await.success(), "{}", following.said());
}
