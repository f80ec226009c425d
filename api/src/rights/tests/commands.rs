//! Commands of who may not give them, and command ids that are somebody else's.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{OWN, Stage, everybody, mutation, own_rights};
use crate::http::testing::caller;
use crate::rights::held::Set;
use crate::rights::{Right, Rights};

async fn refusals(stage: &Stage, code: &str) -> i64 {
    let text = "query($code: String!) { refusals(filter: { code: $code }) { totalCount } }";
    stage.ask(&everybody(), text, json!({ "code": code })).await["data"]["refusals"]["totalCount"].as_i64().unwrap()
}

#[tokio::test]
async fn a_right_that_is_missing_at_a_known_site_is_named_and_the_attempt_is_kept() {
    let stage = Stage::full().await;
    let rights = Rights::default().with(Set::of(&[Right::Read]), Some(OWN[0])).with(Set::ALL, Some(OWN[1]));
    let person = caller("user:person", None, &rights);
    let input = json!({ "input": { "stand": "OWN/S1", "from": "2026-01-17T10:00:00Z" } });
    let answer = stage.ask(&person, &mutation("closeStand", "CloseStandInput"), input.clone()).await;
    assert_eq!(answer["errors"][0]["extensions"], json!({ "code": "FORBIDDEN", "right": "SUPERVISE" }), "{answer}");
    assert_eq!(refusals(&stage, "FORBIDDEN").await, 1);
    let person = caller("user:person", None, &own_rights());
    let answer = stage.ask(&person, &mutation("closeStand", "CloseStandInput"), input).await;
    assert_eq!(answer["data"]["closeStand"]["__typename"], "StandPayload", "{answer}");
}

#[tokio::test]
async fn a_command_that_its_caller_may_give_nowhere_is_kept_though_it_was_not_read() {
    let stage = Stage::full().await;
    let operator = Rights::default().with(Set::of(&[Right::Read, Right::Operate]), Some(OWN[0]));
    let person = caller("user:person", None, &operator);
    let input = json!({ "input": { "stand": "OWN/S1", "from": "2026-01-17T10:00:00Z", "reason": "xyzzy" } });
    let answer = stage.ask(&person, &mutation("closeStand", "CloseStandInput"), input).await;
    assert_eq!(answer["errors"][0]["extensions"], json!({ "code": "FORBIDDEN", "right": "SUPERVISE" }), "{answer}");
    // What is asked for only is no command.
    let answer = stage.ask(&person, "{ auditTrail { totalCount } }", json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
    let text = "{ refusals(filter: { code: \"FORBIDDEN\" }) { nodes { actor command site things message input } } }";
    let kept = stage.ask(&everybody(), text, json!({})).await;
    let message = "Mutation.closeStand needs the right SUPERVISE: to close stands, cancel flights and resolve alerts";
    let expected = json!([{ "actor": "user:person", "command": "closeStand", "site": null, "things": [],
        "message": message, "input": {} }]);
    assert_eq!(kept["data"]["refusals"]["nodes"], expected, "{kept}");
    // Where it was tried is not known, so that it is told to those alone who see the refusals of every site.
    let auditor = caller("user:auditor", None, &own_rights());
    assert_eq!(stage.ask(&auditor, text, json!({})).await["data"]["refusals"]["nodes"], json!([]));
}

#[tokio::test]
async fn a_command_of_another_site_is_not_answered_again_to_who_knows_nothing_of_it() {
    let stage = Stage::full().await;
    let (id, person) = (Uuid::now_v7(), caller("user:person", None, &own_rights()));
    let close = |stand: &str| json!({ "input": { "commandId": id, "stand": stand, "from": "2026-01-18T10:00:00Z", "reason": "xyzzy" } });
    let text = "mutation($input: CloseStandInput!) { closeStand(input: $input) { ... on StandPayload { position appended } } }";
    let first = stage.ask(&everybody(), text, close("ELSE/S1")).await;
    assert_eq!(first["data"]["closeStand"]["appended"], 1, "{first}");
    let answer = stage.ask(&person, text, close("OWN/S1")).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "COMMAND_ID_REUSED", "{answer}");
    assert!(!answer.to_string().contains("xyzzy") && answer["data"] == Value::Null, "{answer}");
    // Whoever may do it is answered again.
    let again = stage.ask(&everybody(), text, close("ELSE/S1")).await;
    assert_eq!(again["data"]["closeStand"]["position"], first["data"]["closeStand"]["position"], "{again}");
}

#[tokio::test]
async fn an_operation_that_needs_what_is_held_nowhere_does_not_begin() {
    let stage = Stage::full().await;
    let rights = Rights::default().with(Set::of(&[Right::Read, Right::Operate]), Some(OWN[0]));
    let person = caller("user:person", None, &rights);
    let before = stage.caught_up().await;
    let flight = "OWN/AF100/2026-01-15/A/CDG";
    let text = "mutation($flight: ID!) { freeStand(input: { flight: $flight, at: \"2026-01-15T10:30:00Z\" }) {
        ... on AllocationPayload { allocation { audit { totalCount } } } } }";
    let answer = stage.ask(&person, text, json!({ "flight": flight })).await;
    assert_eq!(answer["errors"][0]["extensions"]["right"], "AUDIT", "{answer}");
    assert_eq!(stage.caught_up().await, before);
}
