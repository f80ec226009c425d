//! Dead letters through the API.

use serde_json::{Value, json};
use uuid::Uuid;
use vigie_commands::dead_letters::{Source, Undone, record};

use crate::harness::Server;

const LETTER: &str = "id source name reason code attempts state closedBy closedReason payload";

async fn letters(server: &Server, filter: Value) -> Value {
    let query =
        format!("query($filter: DeadLetterFilter!) {{ deadLetters(filter: $filter, first: 10) {{ {LETTER} }} }}");
    server.data(&query, json!({ "filter": filter })).await["deadLetters"].take()
}

async fn retry(server: &Server, id: &Value) -> Value {
    let mutation = format!(
        "mutation($id: ID!) {{ retryDeadLetter(id: $id) {{
            ... on RetryDeadLetterPayload {{ accepted letter {{ {LETTER} }} }}
            ... on DeadLetterRefusal {{ code message state how }} }} }}"
    );
    server.data(&mutation, json!({ "id": id })).await["retryDeadLetter"].take()
}

async fn discard(server: &Server, id: &Value, reason: &str) -> Value {
    let mutation = format!(
        "mutation($id: ID!, $reason: String!) {{ discardDeadLetter(id: $id, reason: $reason) {{
            ... on DiscardDeadLetterPayload {{ letter {{ {LETTER} }} }}
            ... on DeadLetterRefusal {{ code message state how }} }} }}"
    );
    server.data(&mutation, json!({ "id": id, "reason": reason })).await["discardDeadLetter"].take()
}

fn undone(source: Source, name: &str, payload: Value) -> Undone {
    let (command_id, reason) = (Uuid::now_v7(), "there is no alert".to_owned());
    Undone { source, name: name.into(), command_id, payload, reason, code: Some("ALERT_UNKNOWN".into()) }
}

#[tokio::test]
async fn letters_are_listed_retried_and_discarded() {
    let server = Server::start().await;
    let reaction = json!({
        "reaction": { "command": "alerts.escalate_alert", "says": { "alert": Uuid::now_v7(), "level": 1 } },
        "event": Uuid::now_v7(), "correlation_id": Uuid::now_v7(), "traceparent": null
    });
    let row = json!({ "file": "a.jsonl", "place": 7, "pointer": "", "row": "{" });
    let both = [undone(Source::Policy, "alerts.escalation", reaction), undone(Source::Import, "passes", row)];
    record(&server.services.pool, &both, vigie_api::clock::now()).await;

    let all = letters(&server, json!({})).await;
    assert_eq!((&all[0]["source"], &all[1]["source"]), (&json!("IMPORT"), &json!("POLICY")), "{all}");
    let of_policies = letters(&server, json!({ "source": "POLICY", "state": "OPEN" })).await;
    assert_eq!(of_policies, json!([all[1]]));

    let again = retry(&server, &all[1]["id"]).await;
    assert_eq!((&again["accepted"], &again["letter"]["attempts"]), (&json!(false), &json!(2)), "{again}");
    assert_eq!(again["letter"]["code"], "ALERT_UNKNOWN");
    let row = retry(&server, &all[0]["id"]).await;
    assert_eq!((&row["code"], &row["how"]), (&json!("RETRY_BY_IMPORT"), &json!("vigie import passes a.jsonl")));

    assert_eq!(discard(&server, &all[0]["id"], "").await["code"], "REASON_MISSING");
    let gone = discard(&server, &all[0]["id"], "a broken camera").await;
    assert_eq!(
        (&gone["letter"]["state"], &gone["letter"]["closedReason"]),
        (&json!("DISCARDED"), &json!("a broken camera"))
    );
    let twice = discard(&server, &all[0]["id"], "again").await;
    assert_eq!((&twice["code"], &twice["state"]), (&json!("DEAD_LETTER_CLOSED"), &json!("discarded")));
    assert_eq!(retry(&server, &json!("none")).await["code"], "DEAD_LETTER_UNKNOWN");
}
