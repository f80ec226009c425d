//! Events of other versions, as the API tells them.

use serde_json::{Value, json};
use uuid::Uuid;
use vigie_domain::kernel::spec;
use vigie_eventlog::{Append, Metadata, NewEvent};

use crate::harness::Server;
use crate::socket::Socket;

const ASSIGNED: &str = "airport.aircraft_assigned";
const EVENTS: &str =
    "query($after: Position!) { event(position: $after) { type version data stored { version data } } }";

/// Appends an aircraft assigned to a flight, as `version` would store it; its position.
async fn append(server: &Server, kind: &str, version: u16, flight: &str, data: Value) -> i64 {
    let mut event =
        json!({ "flight": flight, "site": "LFW", "clock": { "source": "hkia", "observed_at": spec::noon() } });
    event.as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
    let command_id = Uuid::now_v7();
    let new = NewEvent {
        kind: kind.to_owned(),
        version,
        site: "LFW".to_owned(),
        tags: vec![format!("flight:{flight}")],
        data: event.to_string(),
        occurred_at: spec::noon(),
    };
    let metadata = Metadata {
        command_id,
        command: "spec.given".to_owned(),
        correlation_id: command_id,
        causation_id: None,
        actor: "operator:test".to_owned(),
        traceparent: None,
    };
    let append = Append { events: vec![new], metadata, conditions: Vec::new(), answer: None };
    server.services.log.append(append).await.unwrap().last
}

async fn flight(server: &Server) -> String {
    server.airport(&[]).await;
    server.arrival("860", "2026-01-15T10:00:00Z", "A332").await
}

fn is_told(error: &Value, bad: i64, words: &[&str]) {
    assert_eq!(error["extensions"]["code"], "UNREADABLE_EVENT", "{error}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(&format!("position {bad} ")), "{message}");
    assert!(words.iter().all(|word| message.contains(word)), "{message}");
}

#[tokio::test]
async fn an_event_of_version_1_is_told_in_todays_shape_and_as_it_is_stored() {
    let server = Server::start().await;
    let flight = flight(&server).await;
    let stored = json!({ "aircraft_type": "A333", "registration": "F-GZCA", "was": "A332" });
    let position = append(&server, ASSIGNED, 1, &flight, stored.clone()).await;
    let event = &server.data(EVENTS, json!({ "after": position })).await["event"];
    assert_eq!((&event["type"], &event["version"]), (&json!(ASSIGNED), &json!(2)));
    assert_eq!(event["data"]["aircraft"], json!({ "type": "A333", "registration": "F-GZCA" }));
    assert_eq!(event["data"]["was"], json!({ "type": "A332", "registration": null }));
    assert_eq!(event["stored"]["version"], 1);
    assert_eq!(event["stored"]["data"]["was"], stored["was"]);
    let mut socket = Socket::ready(server.listen().await).await;
    let subscription = format!("subscription {{ events(after: {}) {{ event {{ version data }} }} }}", position - 1);
    socket.subscribe("1", &subscription).await;
    assert_eq!(socket.data("1").await["events"]["event"]["data"]["aircraft"]["registration"], "F-GZCA");
    // The flight and its trail have it too.
    server.caught_up().await;
    let query = "query($id: ID!) { flight(id: $id) { aircraftType registration } }";
    let seen = &server.data(query, json!({ "id": flight })).await["flight"];
    assert_eq!((&seen["aircraftType"], &seen["registration"]), (&json!("A333"), &json!("F-GZCA")));
}

#[tokio::test]
async fn a_newer_version_is_an_error_for_who_asks_for_its_data_and_can_still_be_looked_at() {
    let server = Server::start().await;
    let flight = flight(&server).await;
    let bad = append(&server, ASSIGNED, 3, &flight, json!({ "airframe": 4711 })).await;
    for query in [
        "query($after: Position!) { event(position: $after) { data } }",
        "query($after: Position!) { event(position: $after) { version } }",
        "query($after: Position!) { event(position: $after) { id } events(last: 5) { nodes { data } } }",
    ] {
        let answer = server.answer(query, json!({ "after": bad })).await;
        is_told(&answer["errors"][0], bad, &[ASSIGNED, "version 3", "up to version 2", "upgrade vigie"]);
    }
    let look = "query($after: Position!) { event(position: $after) { type stored { version data } } }";
    let event = &server.data(look, json!({ "after": bad })).await["event"];
    assert_eq!((&event["stored"]["version"], &event["stored"]["data"]["airframe"]), (&json!(3), &json!(4711)));
}

#[tokio::test]
async fn a_subscription_ends_at_an_unknown_type_and_goes_on_past_it_for_who_does_not_ask_for_it() {
    let server = Server::start().await;
    let flight = flight(&server).await;
    let bad = append(&server, "airport.from_the_future", 1, &flight, json!({})).await;
    let mut socket = Socket::ready(server.listen().await).await;
    socket.subscribe("all", &format!("subscription {{ events(after: {}) {{ position }} }}", bad - 1)).await;
    let message = socket.hear().await;
    assert_eq!(message["type"], "next", "{message}");
    is_told(&message["payload"]["errors"][0], bad, &["airport.from_the_future", "version 1", "upgrade vigie"]);
    assert_eq!(socket.hear().await, json!({ "type": "complete", "id": "all" }));
    let filter = r#"filter: { types: ["airport.stand_defined"] }"#;
    socket.subscribe("some", &format!("subscription {{ events(after: {}, {filter}) {{ position }} }}", bad - 1)).await;
    assert_eq!(socket.data("some").await["events"]["position"], bad);
}

#[tokio::test]
async fn commands_and_changes_that_depend_on_a_newer_version_say_so() {
    let server = Server::start().await;
    let flight = flight(&server).await;
    let bad = append(&server, ASSIGNED, 3, &flight, json!({ "airframe": 4711 })).await;
    let words = [ASSIGNED, "version 3", "upgrade vigie"];
    let assign =
        r#"mutation($flight: ID!) { assignAircraft(input: { flight: $flight, aircraftType: "A333" }) { __typename } }"#;
    let answer = server.answer(assign, json!({ "flight": flight })).await;
    is_told(&answer["errors"][0], bad, &words);
    let mut socket = Socket::ready(server.listen().await).await;
    socket.subscribe("1", &format!("subscription {{ flightChanged(after: {}) {{ position }} }}", bad - 1)).await;
    let message = socket.hear().await;
    let error = &message["payload"]["errors"][0];
    assert_eq!(error["extensions"]["code"], "BEHIND", "{message}");
    let told = error["message"].as_str().unwrap();
    assert!(told.contains(&format!("event at position {bad} stopped it")), "{told}");
    assert!(words.iter().all(|word| told.contains(word)), "{told}");
}

#[tokio::test]
async fn a_payload_that_a_stopped_read_model_cannot_show_says_why() {
    let server = Server::start().await;
    let flight = flight(&server).await;
    let bad = append(&server, ASSIGNED, 3, &flight, json!({ "airframe": 4711 })).await;
    let other = r#"mutation($input: ReportFlightInput!) { reportFlight(input: $input) {
        ... on FlightPayload { flight { id } behind { readModel stopped } } } }"#;
    let leg = json!({ "site": "LFW", "carrier": "AF", "number": "861", "date": "2026-01-15", "direction": "ARRIVAL",
        "airport": "CDG" });
    let input = json!({ "leg": leg, "scheduledAt": "2026-01-15T11:00:00Z" });
    let payload = &server.data(other, json!({ "input": input })).await["reportFlight"];
    assert_eq!((&payload["flight"], &payload["behind"]["readModel"]), (&Value::Null, &json!("flights")), "{payload}");
    let told = payload["behind"]["stopped"].as_str().unwrap();
    assert!(told.contains(&format!("position {bad}")) && told.contains("upgrade vigie"), "{told}");
}
