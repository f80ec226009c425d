//! Against the schema's own types.

use async_graphql::parser::parse_query;
use async_graphql::{PathSegment, Response, ServerError, Value};
use serde_json::json;

use super::Outline;

/// The answer to `query`, of which the executor gave `data` and errors at these places.
fn completed(query: &str, data: serde_json::Value, failed: &[&[&str]]) -> String {
    let document = parse_query(query).unwrap();
    let operation = document.operations.iter().next().unwrap().1;
    let segment = |segment: &&str| match segment.parse() {
        Ok(index) => PathSegment::Index(index),
        Err(_) => PathSegment::Field((*segment).to_owned()),
    };
    let error = |path: &&[&str]| ServerError {
        path: path.iter().map(segment).collect(),
        ..ServerError::new("it failed", None)
    };
    let mut answer = Response::new(Value::from_json(data).unwrap());
    answer.errors = failed.iter().map(error).collect();
    Outline::of(&document, &operation.node).complete(&mut answer);
    serde_json::to_string(&answer.data).unwrap()
}

#[test]
fn fields_stand_as_they_were_asked_for() {
    let query = "{ stand(id: \"a\") { ...f id } head ...on Query { position stand(id: \"a\") { kind } } }
                 fragment f on Stand { site { zone name } name }";
    let data = json!({ "head": 2, "position": 1, "stand": { "id": "a", "kind": "B", "name": "n", "site": { "name": "s", "zone": "z" } } });
    assert_eq!(
        completed(query, data, &[]),
        r#"{"stand":{"site":{"zone":"z","name":"s"},"name":"n","id":"a","kind":"B"},"head":2,"position":1}"#
    );
}

#[test]
fn what_fragments_on_other_types_ask_for_may_be_missing() {
    let query = "mutation { a: closeStand(input: {}) { ...on StandPayload { position stand { name id } } ...on Refusal { code message } __typename } }";
    let refused = json!({ "a": { "message": "m", "__typename": "StandRefusal", "code": "C" } });
    assert_eq!(completed(query, refused, &[]), r#"{"a":{"code":"C","message":"m","__typename":"StandRefusal"}}"#);
    let done = json!({ "a": { "__typename": "StandPayload", "stand": { "id": "i", "name": "n" }, "position": 1 } });
    assert_eq!(
        completed(query, done, &[]),
        r#"{"a":{"position":1,"stand":{"name":"n","id":"i"},"__typename":"StandPayload"}}"#
    );
}

#[test]
fn a_field_that_failed_is_null_where_it_may_be() {
    let query = "{ a: flight(id: \"b\") { id } head }";
    assert_eq!(completed(query, json!({ "head": 1 }), &[&["a"]]), r#"{"a":null,"head":1}"#);
    // Nothing else was asked for: the executor then leaves nothing at all.
    assert_eq!(completed("{ flight(id: \"b\") { id } }", json!(null), &[&["flight"]]), r#"{"flight":null}"#);
    let past = "{ at(position: 1) { flight(id: \"b\") { id } } }";
    assert_eq!(completed(past, json!({ "at": null }), &[&["at", "flight"]]), r#"{"at":{"flight":null}}"#);
}

#[test]
fn otherwise_what_holds_it_is() {
    // A connection may not be null, and neither may its nodes, nor the id of one: the answer is.
    let query = "{ head stands { nodes { id name } } }";
    let data = json!({ "head": 1, "stands": { "nodes": [{ "id": "a", "name": "n" }, { "id": "b" }] } });
    assert_eq!(completed(query, data, &[&["stands", "nodes", "1", "name"]]), "null");
    // A stand may be null.
    let query = "{ stand(id: \"a\") { id site { name zone } } head }";
    let data = json!({ "head": 1, "stand": { "id": "a", "site": { "zone": "z" } } });
    let completed = completed(query, data, &[&["stand", "site", "name"]]);
    let nearest = if crate::limits::SHAPES.field("Stand", "site").unwrap().kind.nullable {
        r#"{"stand":{"id":"a","site":null},"head":1}"#
    } else {
        r#"{"stand":null,"head":1}"#
    };
    assert_eq!(completed, nearest);
}

#[test]
fn of_two_failures_the_one_that_may_not_be_null_counts() {
    let query = "{ flight(id: \"a\") { id gate } head }";
    for failed in [[&["flight", "id"][..], &["flight", "gate"]], [&["flight", "gate"], &["flight", "id"]]] {
        assert_eq!(completed(query, json!({ "head": 1, "flight": null }), &failed), r#"{"flight":null,"head":1}"#);
    }
}

#[test]
fn an_answer_to_no_request_stays_as_it_is() {
    assert_eq!(completed("{ head }", json!(null), &[&[]]), "null");
}
