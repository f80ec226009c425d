//! Pages of lists.

use serde_json::{Value, json};
use vigie_domain::airport::{CodeLetter, StandKind};

use crate::harness::Server;

const PAGE: &str = "query($first: Int, $after: String, $last: Int, $before: String) {
    stands(first: $first, after: $after, last: $last, before: $before) {
        nodes { name } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";

async fn seven_stands() -> Server {
    let server = Server::start().await;
    let names: Vec<String> = (1..=7).map(|n| format!("C0{n}")).collect();
    let stands: Vec<_> = names.iter().map(|name| (name.as_str(), StandKind::Civil, CodeLetter::C)).collect();
    server.airport(&stands).await;
    server
}

fn names(page: &Value) -> String {
    let nodes = page["stands"]["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["name"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn pages_forwards_and_backwards_meet_without_a_gap() {
    let server = seven_stands().await;
    let first = server.data(PAGE, json!({ "first": 3 })).await;
    assert_eq!(names(&first), "C01 C02 C03");
    assert_eq!(first["stands"]["pageInfo"]["hasNextPage"], true);
    assert_eq!(first["stands"]["pageInfo"]["hasPreviousPage"], false);
    let second = server.data(PAGE, json!({ "first": 3, "after": first["stands"]["pageInfo"]["endCursor"] })).await;
    assert_eq!(names(&second), "C04 C05 C06");
    let third = server.data(PAGE, json!({ "first": 3, "after": second["stands"]["pageInfo"]["endCursor"] })).await;
    assert_eq!(names(&third), "C07");
    assert_eq!(third["stands"]["pageInfo"]["hasNextPage"], false);
    let last = server.data(PAGE, json!({ "last": 2 })).await;
    assert_eq!(names(&last), "C06 C07");
    let before = server.data(PAGE, json!({ "last": 2, "before": last["stands"]["pageInfo"]["startCursor"] })).await;
    assert_eq!(names(&before), "C04 C05");
    assert_eq!(before["stands"]["pageInfo"]["hasPreviousPage"], true);
}

#[tokio::test]
async fn a_wrong_page_names_its_argument() {
    let server = seven_stands().await;
    let events = server.data("{ events(first: 1) { pageInfo { endCursor } } }", json!({})).await;
    let foreign = &events["events"]["pageInfo"]["endCursor"];
    for (variables, argument) in [
        (json!({ "first": -1 }), "first"),
        (json!({ "first": 1, "last": 1 }), "last"),
        (json!({ "after": "nonsense" }), "after"),
        (json!({ "before": foreign }), "before"),
    ] {
        let answer = server.answer(PAGE, variables.clone()).await;
        let extensions = &answer["errors"][0]["extensions"];
        assert_eq!(extensions, &json!({ "code": "BAD_INPUT", "argument": argument }), "{variables}: {answer}");
    }
}

#[tokio::test]
async fn the_log_pages_both_ways_and_filters() {
    let server = seven_stands().await;
    let query = "query($filter: EventFilter, $first: Int, $last: Int, $after: String) {
        events(filter: $filter, first: $first, last: $last, after: $after) { nodes { position type } pageInfo { endCursor hasNextPage } } }";
    let first = server.data(query, json!({ "first": 2 })).await;
    assert_eq!(first["events"]["nodes"][0], json!({ "position": 1, "type": "support.site_defined" }));
    let after = &first["events"]["pageInfo"]["endCursor"];
    let next = server.data(query, json!({ "first": 1, "after": after })).await;
    assert_eq!(next["events"]["nodes"][0]["position"], 3);
    let last = server.data(query, json!({ "last": 2 })).await;
    assert_eq!([&last["events"]["nodes"][0]["position"], &last["events"]["nodes"][1]["position"]], [7, 8]);
    let tagged = server.data(query, json!({ "filter": { "tags": ["stand:LFW/C04"], "site": "LFW" } })).await;
    assert_eq!(tagged["events"]["nodes"], json!([{ "position": 5, "type": "airport.stand_defined" }]));
    let elsewhere = server.data(query, json!({ "filter": { "site": "HKG" } })).await;
    assert_eq!(elsewhere["events"]["nodes"], json!([]));
    let wrong = server.answer(query, json!({ "filter": { "types": ["airport.stand_defind"] } })).await;
    assert_eq!(wrong["errors"][0]["extensions"]["argument"], "filter.types");
}

#[tokio::test]
async fn an_id_that_is_none_names_its_argument() {
    let server = Server::start().await;
    for (query, message) in [
        (r#"{ stand(id: "c03") { id } }"#, "id: \"c03\" is not a valid stand id"),
        (r#"{ flight(id: "AF860") { id } }"#, "id: \"AF860\" is not a valid flight id"),
        (r#"{ alert(id: "1") { id } }"#, "id: \"1\" is not a valid alert id"),
        (r#"{ pass(id: "x") { id } }"#, "id: \"x\" is not a valid pass id"),
    ] {
        let answer = server.answer(query, json!({})).await;
        assert!(answer["errors"][0]["message"].as_str().unwrap().starts_with(message), "{answer}");
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_INPUT");
    }
    let unknown = server.data(r#"{ stand(id: "LFW/C99") { id } }"#, json!({})).await;
    assert_eq!(unknown, json!({ "stand": null }));
}

#[tokio::test]
async fn a_character_that_no_text_can_hold_is_bad_input() {
    let server = Server::start().await;
    let by = "query($text: String) { flights(filter: { airport: $text }) { totalCount } }";
    let answer = server.answer(by, json!({ "text": "C\0DG" })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_INPUT", "{answer:#}");
}
