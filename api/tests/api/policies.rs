//! Policies through the API.

use serde_json::{Value, json};

use crate::harness::Server;

const POLICY: &str = "alerts.overdue_stay";

async fn switch(server: &Server, policy: &str, on: bool, reason: &str) -> Value {
    let mutation = "mutation($input: SwitchPolicyInput!) { switchPolicy(input: $input) {
        ... on PolicyPayload { changed policy { name on switchedBy switchedReason switches { on reason } } }
        ... on ProjectionRefusal { code message known } } }";
    let input = json!({ "policy": policy, "on": on, "reason": reason });
    server.data(mutation, json!({ "input": input })).await["switchPolicy"].take()
}

#[tokio::test]
async fn a_policy_is_switched_off_and_on_with_a_reason() {
    let server = Server::start().await;
    let all =
        server.data("{ policies { name version on lagEvents error timerCount } timers { key } }", json!({})).await;
    let names: Vec<&str> =
        all["policies"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert!(names.contains(&POLICY) && names.contains(&"alerts.escalation"), "{names:?}");
    assert_eq!(all["timers"], json!([]));

    let off = switch(&server, POLICY, false, "stays are free today").await;
    assert_eq!((&off["changed"], &off["policy"]["on"]), (&json!(true), &json!(false)));
    let again = switch(&server, POLICY, false, "again").await;
    assert_eq!(
        (&again["changed"], &again["policy"]["switchedReason"]),
        (&json!(false), &json!("stays are free today"))
    );
    let on = switch(&server, POLICY, true, "back to normal").await;
    let expected =
        json!([{ "on": true, "reason": "back to normal" }, { "on": false, "reason": "stays are free today" }]);
    assert_eq!(on["policy"]["switches"], expected);
}

#[tokio::test]
async fn a_switch_that_cannot_be_is_refused_with_what_would_do() {
    let server = Server::start().await;
    let unknown = switch(&server, "alerts.none", false, "why not").await;
    assert_eq!(unknown["code"], "POLICY_UNKNOWN");
    assert!(unknown["known"].as_array().unwrap().contains(&json!(POLICY)));
    assert_eq!(switch(&server, POLICY, false, "").await["code"], "REASON_MISSING");
}
