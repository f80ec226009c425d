//! The main job on the built program, with a demo day behind it: allocate a stand, acknowledge an alert, confirm a pass.

use serde_json::{Value, json};

use crate::client::{Client, Server};
use crate::harness::{Place, until};

const DEMO: [&str; 5] = ["demo", "--date", "2026-01-15", "--speed", "max"];

async fn ask(client: &Client, query: &str, variables: Value) -> Value {
    client.graphql(query, variables).await.unwrap()
}

/// A flight of the day after, as an operator reports it.
async fn report_flight(client: &Client) -> String {
    let query = "mutation($input: ReportFlightInput!) { reportFlight(input: $input) {
        __typename ... on FlightPayload { flight { id } } ... on Refusal { code message } } }";
    let leg = json!({
        "site": "LFW", "carrier": "AF", "number": "999", "date": "2026-01-17", "direction": "ARRIVAL", "airport": "CDG",
    });
    let input = json!({ "leg": leg, "scheduledAt": "2026-01-17T12:00:00Z", "aircraftType": "A333" });
    let data = ask(client, query, json!({ "input": input })).await;
    data["reportFlight"]["flight"]["id"].as_str().unwrap_or_else(|| panic!("{data}")).to_owned()
}

async fn allocate(client: &Client, flight: &str) -> Value {
    let query = "mutation($flight: ID!) { allocateStand(input: { flight: $flight }) {
        __typename
        ... on AllocateStandPayload { outcome appended position allocation { id stand { id code } from to
            candidates { stand points rejected } } }
        ... on Refusal { code message } } }";
    ask(client, query, json!({ "flight": flight })).await["allocateStand"].take()
}

async fn confirm(client: &Client, pass: &str) -> Value {
    let query = r#"mutation($pass: ID!) { confirmPass(input: { pass: $pass, note: "looked at" }) {
        __typename
        ... on PassPayload { appended pass { status confirmedBy confirmedNote } }
        ... on PassRefusal { code alerts } } }"#;
    ask(client, query, json!({ "pass": pass })).await["confirmPass"].take()
}

/// A complete pass with alerts that nobody has acknowledged.
async fn pass_with_alerts(client: &Client) -> String {
    let query = "{ passes(first: 50) { nodes { id status openAlerts } } }";
    let mut found = None;
    until("a complete pass has open alerts", async || {
        let data = ask(client, query, json!({})).await;
        let passes = data["passes"]["nodes"].as_array().cloned().unwrap_or_default();
        let open = passes.iter().find(|pass| pass["status"] == "COMPLETE" && pass["openAlerts"].as_i64() > Some(0));
        found = open.and_then(|pass| pass["id"].as_str().map(ToOwned::to_owned));
        found.is_some()
    })
    .await;
    found.unwrap()
}

/// The newest entry about a thing comes first.
async fn trail(client: &Client, thing: &str) -> Vec<Value> {
    let query = "query($thing: String!) { auditTrail(filter: { thing: $thing }, first: 1) { nodes {
        type actor command action note changes { field before after } } } }";
    let data = ask(client, query, json!({ "thing": thing })).await;
    data["auditTrail"]["nodes"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn an_operator_allocates_acknowledges_and_confirms_and_the_trail_tells() {
    let place = Place::new();
    let server = Server::start(&place).await;
    let client = server.client;
    // Beside the running server, on the same log.
    let played = place.succeed(DEMO).await;
    assert!(played.contains("0 refused"), "{played}");
    let again = place.succeed(DEMO).await;
    assert!(again.contains("0 events appended"), "{again}");

    let stands = ask(
        &client,
        r#"{ all: stands(filter: { site: "LFW" }) { totalCount }
        military: stands(filter: { site: "LFW", kind: MILITARY }) { totalCount } }"#,
        json!({}),
    )
    .await;
    assert_eq!((&stands["all"]["totalCount"], &stands["military"]["totalCount"]), (&json!(17), &json!(4)));

    let flight = report_flight(&client).await;
    let first = allocate(&client, &flight).await;
    assert_eq!(first["outcome"], "ALLOCATED", "{first}");
    assert_eq!(first["allocation"]["candidates"].as_array().map(Vec::len), Some(17), "{first}");
    let second = allocate(&client, &flight).await;
    assert_eq!((&second["outcome"], &second["appended"]), (&json!("ALREADY_ALLOCATED"), &json!(0)), "{second}");
    assert_eq!(second["allocation"], first["allocation"]);

    let pass = pass_with_alerts(&client).await;
    let refused = confirm(&client, &pass).await;
    assert_eq!(refused["code"], "ALERTS_UNACKNOWLEDGED", "{refused}");
    for alert in refused["alerts"].as_array().unwrap() {
        let query = r#"mutation($alert: ID!) { acknowledgeAlert(input: { alert: $alert, note: "seen" }) {
            __typename ... on AlertPayload { appended alert { status } } ... on Refusal { code } } }"#;
        let told = ask(&client, query, json!({ "alert": alert })).await;
        assert_eq!(told["acknowledgeAlert"]["alert"]["status"], "ACKNOWLEDGED", "{told}");
    }
    let confirmed = confirm(&client, &pass).await;
    assert_eq!(confirmed["pass"]["status"], "CONFIRMED", "{confirmed}");
    assert_eq!(confirm(&client, &pass).await["appended"], 0);

    let last = trail(&client, &format!("pass:{pass}")).await.pop().unwrap();
    assert_eq!((&last["type"], &last["actor"]), (&json!("rail.pass_confirmed"), &json!("operator:local")), "{last}");
    assert_eq!((&last["command"], &last["note"]), (&json!("rail.confirm_pass"), &json!("looked at")), "{last}");
    let status = last["changes"].as_array().unwrap().iter().find(|change| change["field"] == "status");
    assert_eq!(status.unwrap()["before"], "complete", "{last}");

    let verified = place.succeed(["projections", "verify"]).await;
    assert!(verified.contains("allocations"), "{verified}");
}
