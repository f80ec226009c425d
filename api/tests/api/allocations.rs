//! Allocating stands.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use uuid::Uuid;
use vigie_domain::airport::{CodeLetter, StandKind};

use crate::harness::{Server, text};

const ALLOCATE: &str = "mutation($input: AllocateStandInput!) { allocateStand(input: $input) {
    __typename
    ... on AllocateStandPayload { position appended commandId outcome behind { readModel } allocationId
        allocation { id status overflow stand { id status(at: \"2026-01-15T10:30:00Z\") } flight { id stand { id } } candidates { stand } } }
    ... on Refusal { code message }
    ... on StandRefusal { stand flight interval { from to } bufferMinutes } } }";

async fn apron() -> Server {
    let server = Server::start().await;
    let stands = [("C01", StandKind::Civil, CodeLetter::E), ("M01", StandKind::Military, CodeLetter::E)];
    server.airport(&stands).await;
    server
}

async fn allocate(server: &Server, input: Value) -> Value {
    server.data(ALLOCATE, json!({ "input": input })).await["allocateStand"].take()
}

#[tokio::test]
async fn a_flight_gets_the_best_stand_and_the_answer_shows_it() {
    let server = apron().await;
    let flight = server.arrival("860", "2026-01-15T10:00:00Z", "A333").await;
    let done = allocate(&server, json!({ "flight": flight })).await;
    assert_eq!((&done["outcome"], &done["appended"], &done["behind"]), (&json!("ALLOCATED"), &json!(1), &Value::Null));
    let allocation = &done["allocation"];
    assert_eq!(allocation["stand"], json!({ "id": "LFW/C01", "status": "OCCUPIED" }));
    assert_eq!(allocation["flight"], json!({ "id": flight, "stand": { "id": "LFW/C01" } }));
    assert_eq!(allocation["candidates"].as_array().unwrap().len(), 2);

    let again = allocate(&server, json!({ "flight": flight })).await;
    assert_eq!((&again["outcome"], &again["appended"]), (&json!("ALREADY_ALLOCATED"), &json!(0)));
    assert_eq!(again["allocation"]["id"], allocation["id"]);
}

#[tokio::test]
async fn a_stand_is_reserved_within_the_buffer_around_a_stay() {
    let server = apron().await;
    let flight = server.arrival("860", "2026-01-15T10:00:00Z", "A333").await;
    let input =
        json!({ "flight": flight, "stand": "LFW/C01", "from": "2026-01-15T10:00:00Z", "to": "2026-01-15T11:00:00Z" });
    allocate(&server, input).await;
    for (at, expected) in [
        ("09:44:59", "AVAILABLE"),
        ("09:45:00", "RESERVED"),
        ("10:00:00", "OCCUPIED"),
        ("10:59:59", "OCCUPIED"),
        ("11:00:00", "RESERVED"),
        ("11:15:00", "AVAILABLE"),
    ] {
        let query = "query($at: DateTime) { stand(id: \"LFW/C01\") { status(at: $at) next(at: $at) { from } } }";
        let data = server.data(query, json!({ "at": format!("2026-01-15T{at}Z") })).await;
        assert_eq!(data["stand"]["status"], expected, "{at}");
        assert_eq!(data["stand"]["next"].is_null(), at >= "10:00:00", "{at}");
    }
}

#[tokio::test]
async fn the_rules_of_a_site_are_set_and_asked_for() {
    let server = apron().await;
    let rules = "mutation($all: SetAllocationRulesInput!, $type: SetTurnaroundRuleInput!) {
        setAllocationRules(input: $all) { ... on RulesPayload { site { rulesVersion bufferMinutes weights { noJetway } } } ... on Refusal { code } }
        setTurnaroundRule(input: $type) { ... on RulesPayload { site { turnaroundRules { aircraftType min typical max } } } ... on Refusal { code } } }";
    let all = json!({ "site": "LFW", "bufferMinutes": 20, "defaultTurnaround": { "min": 30, "typical": 45, "max": 90 },
        "weights": { "spareLetter": 10, "noJetway": 5, "metre": 1 } });
    let of_type =
        json!({ "site": "LFW", "aircraftType": "A333", "turnaround": { "min": 50, "typical": 75, "max": 120 } });
    let data = server.data(rules, json!({ "all": all, "type": of_type })).await;
    let site = json!({ "rulesVersion": 1, "bufferMinutes": 20, "weights": { "noJetway": 5 } });
    assert_eq!(data["setAllocationRules"]["site"], site);
    let rule = json!({ "aircraftType": "A333", "min": 50, "typical": 75, "max": 120 });
    assert_eq!(data["setTurnaroundRule"]["site"]["turnaroundRules"], json!([rule]));

    let long = json!({ "all": { "site": "LFW", "bufferMinutes": 241, "defaultTurnaround": { "min": 1, "typical": 1, "max": 1 },
        "weights": { "spareLetter": 1, "noJetway": 1, "metre": 1 } }, "type": of_type });
    assert_eq!(server.data(rules, long).await["setAllocationRules"]["code"], "BUFFER_TOO_LONG");
    let disordered = json!({ "all": all, "type": { "site": "LFW", "aircraftType": "A333", "turnaround": { "min": 9, "typical": 5, "max": 7 } } });
    let answer = server.answer(rules, disordered).await;
    assert_eq!(answer["errors"][0]["extensions"]["argument"], "input.turnaround", "{answer}");
}

#[tokio::test]
async fn a_command_sent_twice_gets_its_first_answer() {
    let server = apron().await;
    let flight = server.arrival("860", "2026-01-15T10:00:00Z", "A333").await;
    let input = json!({ "flight": flight, "commandId": Uuid::now_v7() });
    let first = allocate(&server, input.clone()).await;
    let second = allocate(&server, input.clone()).await;
    assert_eq!((&second["position"], &second["outcome"]), (&first["position"], &first["outcome"]));
    assert_eq!((&first["appended"], &second["appended"]), (&json!(1), &json!(0)));
    // The same id for something else is a mistake of the caller, and nothing happens.
    let cancel = json!({ "input": { "allocation": first["allocationId"], "commandId": input["commandId"] } });
    let answer = server
        .answer("mutation($input: CancelAllocationInput!) { cancelAllocation(input: $input) { __typename } }", cancel)
        .await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "COMMAND_ID_REUSED", "{answer}");
}

/// The first answer would say that something has happened which has not.
#[tokio::test]
async fn a_command_id_is_for_one_command_of_one_actor() {
    let server = apron().await;
    let close = |actor: &'static str, stand: &str, id: Uuid| {
        let query =
            "mutation($input: CloseStandInput!) { closeStand(input: $input) { ...on StandPayload { appended } } }";
        let input = json!({ "stand": stand, "from": "2026-01-15T10:00:00Z", "commandId": id });
        let body = json!({ "query": query, "variables": { "input": input } }).to_string();
        let request = Request::post("/graphql").header("content-type", "application/json").header("vigie-actor", actor);
        let answer = server.send(request.body(Body::from(body)).unwrap());
        async { serde_json::from_str::<serde_json::Value>(&text(answer.await).await.1).unwrap() }
    };
    let id = Uuid::now_v7();
    assert_eq!(close("operator:a", "LFW/C01", id).await["data"]["closeStand"]["appended"], 1);
    assert_eq!(close("operator:a", "LFW/C01", id).await["data"]["closeStand"]["appended"], 0);
    for (actor, stand) in [("operator:a", "LFW/M01"), ("operator:b", "LFW/C01")] {
        let answer = close(actor, stand, id).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "COMMAND_ID_REUSED", "{actor} {stand}: {answer}");
    }
}

#[tokio::test]
async fn a_refusal_is_part_of_the_result_and_carries_what_is_needed() {
    let server = apron().await;
    let (first, second) = (
        server.arrival("860", "2026-01-15T10:00:00Z", "A333").await,
        server.arrival("861", "2026-01-15T10:20:00Z", "A333").await,
    );
    allocate(&server, json!({ "flight": first, "stand": "LFW/C01" })).await;
    let refused = allocate(&server, json!({ "flight": second, "stand": "LFW/C01" })).await;
    assert_eq!((&refused["__typename"], &refused["code"]), (&json!("StandRefusal"), &json!("STAND_OCCUPIED")));
    assert_eq!((&refused["flight"], &refused["bufferMinutes"]), (&json!(first), &json!(15)));
    assert_eq!(refused["interval"]["from"], "2026-01-15T10:00:00+00:00");
    let unknown = allocate(&server, json!({ "flight": "LFW/AF1/2026-01-15/A/CDG" })).await;
    assert_eq!((&unknown["__typename"], &unknown["code"]), (&json!("FlightRefusal"), &json!("FLIGHT_UNKNOWN")));
}

#[tokio::test]
async fn wrong_input_names_its_argument() {
    let server = apron().await;
    for (input, argument) in [
        (json!({ "flight": "nonsense" }), "input.flight"),
        (json!({ "flight": "LFW/AF1/2026-01-15/A/CDG", "stand": "c1" }), "input.stand"),
        (json!({ "flight": "LFW/AF1/2026-01-15/A/CDG", "note": "x".repeat(501) }), "input.note"),
    ] {
        let answer = server.answer(ALLOCATE, json!({ "input": input })).await;
        assert_eq!(answer["errors"][0]["extensions"], json!({ "code": "BAD_INPUT", "argument": argument }), "{answer}");
    }
}

#[tokio::test]
async fn moving_freeing_and_cancelling_end_in_the_board_and_the_trail() {
    let server = apron().await;
    let flight = server.arrival("860", "2026-01-15T10:00:00Z", "A333").await;
    let done = allocate(&server, json!({ "flight": flight })).await;
    let id = done["allocationId"].clone();
    let moved = server
        .data(
            "mutation($input: MoveAllocationInput!) { moveAllocation(input: $input) {
        ... on AllocationPayload { allocation { stand { id } overflow moves { from to note } } } } }",
            json!({ "input": { "allocation": id, "to": "LFW/M01", "note": "works" } }),
        )
        .await;
    let allocation = &moved["moveAllocation"]["allocation"];
    assert_eq!(allocation["stand"]["id"], "LFW/M01");
    assert_eq!(allocation["moves"], json!([{ "from": "LFW/C01", "to": "LFW/M01", "note": "works" }]));
    let freed = server
        .data(
            "mutation($input: FreeStandInput!) { freeStand(input: $input) {
        ... on AllocationPayload { allocation { status to } } ... on Refusal { code message } } }",
            json!({ "input": { "flight": flight, "offBlockAt": "2026-01-15T10:40:00Z" } }),
        )
        .await;
    assert_eq!(freed["freeStand"]["allocation"], json!({ "status": "FREED", "to": "2026-01-15T10:40:00+00:00" }));
    let head = server.caught_up().await;
    let trail = server.data("query($id: ID!) { position allocation(id: $id) { audit { totalCount nodes { position command actor } } } }",
        json!({ "id": id })).await;
    assert_eq!(trail["position"], head);
    let audit = &trail["allocation"]["audit"];
    assert_eq!(audit["totalCount"], 3);
    assert_eq!(
        audit["nodes"][0],
        json!({ "position": head, "command": "airport.free_stand", "actor": "operator:local" })
    );
    let day = server
        .data(r#"{ stand(id: "LFW/M01") { occupancy(day: "2026-01-15") { from to allocations { id } } } }"#, json!({}))
        .await;
    let occupancy = json!({ "from": "2026-01-15T00:00:00+00:00", "to": "2026-01-16T00:00:00+00:00", "allocations": [{ "id": id }] });
    assert_eq!(day["stand"]["occupancy"], occupancy);
}

#[tokio::test]
async fn when_nothing_is_left_the_flight_is_told_and_an_alert_is_raised() {
    let server = Server::start().await;
    server.airport(&[("C01", StandKind::Civil, CodeLetter::C)]).await;
    let flight = server.arrival("860", "2026-01-15T10:00:00Z", "A333").await;
    let done = allocate(&server, json!({ "flight": flight })).await;
    assert_eq!((&done["outcome"], &done["allocation"]), (&json!("NO_STAND"), &Value::Null));
    let mut follower = server.services.log.follow(vigie_eventlog::Query::kinds(["alerts.alert_raised"]), 0);
    while follower.next().await.unwrap().events.is_empty() {}
    server.caught_up().await;
    let alerts = server.data("{ alerts { nodes { kind status flight { id noStand } } } }", json!({})).await;
    let alert = json!({ "kind": "SATURATION", "status": "RAISED", "flight": { "id": flight, "noStand": true } });
    assert_eq!(alerts["alerts"]["nodes"], json!([alert]));
}
