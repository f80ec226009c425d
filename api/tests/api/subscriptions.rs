//! Watching the log and the things that it changes.

use serde_json::{Value, json};
use vigie_domain::airport::{CodeLetter, StandKind};

use crate::harness::Server;
use crate::socket::Socket;

const STANDS: [(&str, StandKind, CodeLetter); 2] =
    [("C01", StandKind::Civil, CodeLetter::E), ("C02", StandKind::Civil, CodeLetter::E)];

#[tokio::test]
async fn events_resume_after_a_position_from_history_into_live() {
    let server = Server::start().await;
    server.airport(&STANDS).await;
    let address = server.listen().await;
    let mut socket = Socket::ready(address).await;
    socket.subscribe("1", "subscription { events(after: 1) { position event { position type } } }").await;
    for position in 2..=3 {
        let event = json!({ "position": position, "type": "airport.stand_defined" });
        assert_eq!(socket.data("1").await["events"], json!({ "position": position, "event": event }));
    }
    server.arrival("860", "2026-01-15T10:00:00Z", "A333").await;
    let live = socket.data("1").await;
    assert_eq!(live["events"]["position"], 4);
    drop(socket);
    // Another socket takes up where the first one ended.
    server.arrival("861", "2026-01-15T12:00:00Z", "A333").await;
    let head = server.caught_up().await;
    let mut socket = Socket::ready(address).await;
    socket.subscribe("2", "subscription { events(after: 4) { position } }").await;
    for position in 5..=head {
        assert_eq!(socket.data("2").await["events"]["position"], position);
    }
}

#[tokio::test]
async fn what_does_not_match_is_told_as_a_position() {
    let server = Server::start().await;
    let mut socket = Socket::ready(server.listen().await).await;
    socket.subscribe("1", r#"subscription { events(after: 0, filter: { types: ["alerts.alert_raised"] }) { position event { type } } }"#).await;
    server.airport(&STANDS).await;
    let mut told = 0;
    while told < 3 {
        let item = socket.data("1").await;
        assert_eq!(item["events"]["event"], Value::Null);
        let position = item["events"]["position"].as_i64().unwrap();
        assert!(position > told, "{item}");
        told = position;
    }
}

#[tokio::test]
async fn a_position_that_has_not_happened_is_refused() {
    let server = Server::start().await;
    let mut socket = Socket::ready(server.listen().await).await;
    socket.subscribe("1", "subscription { events(after: 7) { position } }").await;
    let message = socket.hear().await;
    let errors = if message["type"] == "error" { &message["payload"] } else { &message["payload"]["errors"] };
    assert_eq!(errors[0]["extensions"], json!({ "code": "BAD_INPUT", "argument": "after" }), "{message}");
}

#[tokio::test]
async fn a_changed_stand_comes_as_it_is_now() {
    let server = Server::start().await;
    server.airport(&STANDS).await;
    let flight = server.arrival("860", "2026-01-15T10:00:00Z", "A333").await;
    let head = server.caught_up().await;
    let mut socket = Socket::ready(server.listen().await).await;
    let query = format!(
        r#"subscription {{ standChanged(site: "LFW", after: {head}) {{ position stand {{ id current(at: "2026-01-15T10:10:00Z") {{ flight {{ id }} }} }} }} }}"#
    );
    socket.subscribe("1", &query).await;
    let allocate = "mutation($flight: ID!) { allocateStand(input: { flight: $flight }) { ... on AllocateStandPayload { position } } }";
    let done = server.data(allocate, json!({ "flight": flight })).await;
    let position = &done["allocateStand"]["position"];
    let change = socket.data("1").await;
    assert_eq!(
        change["standChanged"],
        json!({ "position": position, "stand": { "id": "LFW/C01", "current": { "flight": { "id": flight } } } })
    );
    let close = r#"mutation { closeStand(input: { stand: "LFW/C02", from: "2026-01-15T00:00:00Z", reason: "works" }) { ... on StandPayload { position } } }"#;
    server.data(close, json!({})).await;
    assert_eq!(socket.data("1").await["standChanged"]["stand"]["id"], "LFW/C02");
}

#[tokio::test]
async fn things_that_one_event_changed_are_not_lost_between_two_sockets() {
    let server = Server::start().await;
    server.airport(&STANDS).await;
    let flight = server.arrival("860", "2026-01-15T10:00:00Z", "A333").await;
    let allocate = "mutation($flight: ID!) { allocateStand(input: { flight: $flight }) { ... on AllocateStandPayload { position allocationId } } }";
    let done = server.data(allocate, json!({ "flight": flight })).await;
    let before = done["allocateStand"]["position"].as_i64().unwrap();
    // One event about two stands.
    let shift = "mutation($id: ID!) { moveAllocation(input: { allocation: $id }) { ... on AllocationPayload { position } ... on Refusal { code } } }";
    server.data(shift, json!({ "id": done["allocateStand"]["allocationId"] })).await;
    let address = server.listen().await;
    let mut seen = Vec::new();
    let mut after = before;
    for _ in 0..2 {
        let mut socket = Socket::ready(address).await;
        socket
            .subscribe("1", &format!("subscription {{ standChanged(after: {after}) {{ position stand {{ id }} }} }}"))
            .await;
        for _ in 0..=seen.len() {
            let change = socket.data("1").await;
            seen.push(change["standChanged"]["stand"]["id"].as_str().unwrap().to_owned());
            after = change["standChanged"]["position"].as_i64().unwrap();
        }
    }
    assert!(seen.contains(&"LFW/C01".to_owned()) && seen.contains(&"LFW/C02".to_owned()), "{seen:?}");
}

#[tokio::test]
async fn flights_alerts_and_passes_are_watched_alike() {
    let server = Server::start().await;
    server.airport(&[("C01", StandKind::Civil, CodeLetter::C)]).await;
    let mut socket = Socket::ready(server.listen().await).await;
    socket
        .subscribe("f", r#"subscription { flightChanged(site: "LFW", after: 0) { position flight { id noStand } } }"#)
        .await;
    let flight = server.arrival("860", "2026-01-15T10:00:00Z", "A333").await;
    assert_eq!(socket.data("f").await["flightChanged"]["flight"]["id"], flight);
    socket.say(json!({ "type": "complete", "id": "f" })).await;
    socket
        .subscribe(
            "a",
            r#"subscription { alertChanged(site: "LFW", after: 0) { position alert { kind flight { id } } } }"#,
        )
        .await;
    let allocate = "mutation($flight: ID!) { allocateStand(input: { flight: $flight }) { ... on AllocateStandPayload { outcome } } }";
    server.data(allocate, json!({ "flight": flight })).await;
    let mut message = socket.hear().await;
    while message["id"] != "a" {
        message = socket.hear().await;
    }
    let alert = &message["payload"]["data"]["alertChanged"]["alert"];
    assert_eq!(alert, &json!({ "kind": "SATURATION", "flight": { "id": flight } }));
}
