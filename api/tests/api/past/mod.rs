//! The query tree as it was, and as it is once something has been folded.

pub(crate) mod histories;
pub(crate) mod property;
mod standing;

use serde_json::{Value, json};
use vigie_domain::airport::{CodeLetter, StandKind};

use crate::harness::Server;

const STANDS: [(&str, StandKind, CodeLetter); 2] =
    [("C01", StandKind::Civil, CodeLetter::E), ("C02", StandKind::Civil, CodeLetter::E)];

async fn apron() -> Server {
    let server = Server::start().await;
    server.airport(&STANDS).await;
    server
}

async fn allocate(server: &Server, flight: &str, stand: &str) -> i64 {
    let query = "mutation($flight: ID!, $stand: ID!) { allocateStand(input: { flight: $flight, stand: $stand,
        from: \"2026-01-15T10:00:00Z\", to: \"2026-01-15T11:00:00Z\" }) { ... on AllocateStandPayload { position } } }";
    let data = server.data(query, json!({ "flight": flight, "stand": stand })).await;
    data["allocateStand"]["position"].as_i64().unwrap()
}

async fn move_to(server: &Server, flight: &str, stand: &str) -> i64 {
    let data = server.data("query($id: ID!) { flight(id: $id) { allocation { id } } }", json!({ "id": flight })).await;
    let input = json!({ "allocation": data["flight"]["allocation"]["id"], "to": stand });
    let query = "mutation($input: MoveAllocationInput!) {
        moveAllocation(input: $input) { ... on AllocationPayload { position } } }";
    let data = server.data(query, json!({ "input": input })).await;
    data["moveAllocation"]["position"].as_i64().unwrap_or_else(|| panic!("{data:#}"))
}

#[tokio::test]
async fn several_moments_and_the_present_do_not_mix_in_one_operation() {
    let server = apron().await;
    let flight = server.arrival("860", "2026-01-15T10:00:00Z", "A333").await;
    let registered = server.caught_up().await;
    let allocated = allocate(&server, &flight, "LFW/C01").await;
    let moved = move_to(&server, &flight, "LFW/C02").await;
    // The move was answered once the read models that it shows were there; `position` speaks of all.
    server.caught_up().await;
    let query = "query($id: ID!, $flight: String!, $first: Position!, $second: Position!) {
        now: flight(id: $id) { ...There }
        then: at(position: $second) { position head flight(id: $id) { ...There }
            stands { nodes { id status(at: \"2026-01-15T10:30:00Z\") } }
            taken: stands(filter: { status: OCCUPIED, at: \"2026-01-15T10:30:00Z\" }) { totalCount nodes { id } }
            auditTrail(filter: { thing: $flight }) { nodes { position } } }
        before: at(position: $first) { position flight(id: $id) { ...There } allocations { totalCount nodes { id } } }
        position }
        fragment There on Flight { position stand { id current(at: \"2026-01-15T10:30:00Z\") { moves { to } } } }";
    let variables =
        json!({ "id": flight, "flight": format!("flight:{flight}"), "first": registered, "second": allocated });
    let data = server.data(query, variables).await;
    assert_eq!(data["now"]["stand"]["id"], "LFW/C02");
    assert_eq!(data["now"]["stand"]["current"]["moves"], json!([{ "to": "LFW/C02" }]));
    assert_eq!(data["position"].as_i64().unwrap(), moved);
    assert_eq!(data["then"]["flight"]["stand"]["id"], "LFW/C01");
    assert_eq!(data["then"]["flight"]["stand"]["current"]["moves"], json!([]));
    assert_eq!((&data["then"]["position"], &data["then"]["head"]), (&json!(allocated), &json!(allocated)));
    let states = json!([{ "id": "LFW/C01", "status": "OCCUPIED" }, { "id": "LFW/C02", "status": "AVAILABLE" }]);
    assert_eq!(data["then"]["stands"]["nodes"], states);
    assert_eq!(data["then"]["taken"], json!({ "totalCount": 1, "nodes": [{ "id": "LFW/C01" }] }));
    let trail = data["then"]["auditTrail"]["nodes"].as_array().unwrap();
    assert_eq!(trail.first().unwrap()["position"], allocated);
    assert_eq!(data["before"]["flight"]["stand"], Value::Null);
    assert_eq!(data["before"]["allocations"], json!({ "totalCount": 0, "nodes": [] }));
}

#[tokio::test]
async fn without_a_time_a_board_of_the_past_shows_that_moment() {
    let server = apron().await;
    let before = server.caught_up().await;
    let query = "mutation { closeStand(input: { stand: \"LFW/C01\", from: \"2026-01-01T00:00:00Z\" }) {
        ... on StandPayload { position } } }";
    server.data(query, json!({})).await;
    let query = "query($p: Position!) { stand(id: \"LFW/C01\") { status }
        at(position: $p) { time stand(id: \"LFW/C01\") { status } event(position: $p) { recordedAt } } }";
    let data = server.data(query, json!({ "p": before })).await;
    assert_eq!(data["stand"]["status"], "CLOSED");
    assert_eq!(data["at"]["stand"]["status"], "AVAILABLE");
    assert_eq!(data["at"]["time"], data["at"]["event"]["recordedAt"]);
}

#[tokio::test]
async fn a_time_is_the_last_event_that_was_recorded_by_then() {
    let server = apron().await;
    server.arrival("860", "2026-01-15T10:00:00Z", "A333").await;
    let head = server.caught_up().await;
    let events = server.data("{ events { nodes { position recordedAt } } }", json!({})).await;
    let events = events["events"]["nodes"].as_array().unwrap();
    for event in events {
        let time = &event["recordedAt"];
        // Events that were recorded at the same time were recorded by then too.
        let expected = events.iter().rfind(|other| other["recordedAt"] == *time).unwrap();
        let data = server.data("query($t: DateTime!) { at(time: $t) { position time } }", json!({ "t": time })).await;
        assert_eq!(data["at"], json!({ "position": expected["position"], "time": time }));
    }
    let now = chrono_now();
    let data = server.data("query($t: DateTime!) { at(time: $t) { position } }", json!({ "t": now })).await;
    assert_eq!(data["at"]["position"], head);
}

fn chrono_now() -> String {
    vigie_api::clock::now().to_rfc3339()
}

async fn refused(server: &Server, arguments: &str) -> Value {
    let answer = server.answer(&format!("{{ at({arguments}) {{ position }} }}"), json!({})).await;
    assert_eq!(answer["data"], Value::Null);
    answer["errors"][0]["extensions"].clone()
}

#[tokio::test]
async fn what_is_not_in_the_log_is_refused_with_what_is() {
    let server = apron().await;
    let head = server.caught_up().await;
    for wrong in [-3, 0, head + 1] {
        let extensions = refused(&server, &format!("position: {wrong}")).await;
        let expected = json!({ "code": "OUT_OF_RANGE", "argument": "position", "first": 1, "last": head });
        assert_eq!(extensions, expected, "{wrong}");
    }
    let first = server.data("{ event(position: 1) { recordedAt } }", json!({})).await["event"]["recordedAt"].take();
    for wrong in ["2001-01-01T00:00:00Z", "2999-01-01T00:00:00Z"] {
        let extensions = refused(&server, &format!("time: \"{wrong}\"")).await;
        assert_eq!((&extensions["code"], &extensions["argument"]), (&json!("OUT_OF_RANGE"), &json!("time")));
        let told: chrono::DateTime<chrono::Utc> = extensions["first"].as_str().unwrap().parse().unwrap();
        assert_eq!(told, first.as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap());
        assert!(extensions["last"].is_string());
    }
    let before = server.answer("{ after(position: -3) { __typename } }", json!({})).await;
    let extensions = &before["errors"][0]["extensions"];
    assert_eq!(extensions, &json!({ "code": "BAD_INPUT", "argument": "position" }), "{before}");
    assert_eq!(server.data("{ event(position: -3) { position } }", json!({})).await["event"], Value::Null);
    for neither_or_both in ["position: null", "position: 1, time: \"2026-01-01T00:00:00Z\""] {
        assert_eq!(refused(&server, neither_or_both).await["code"], "BAD_INPUT");
    }
}

#[tokio::test]
async fn an_empty_log_has_no_past() {
    let server = Server::start().await;
    assert_eq!(refused(&server, "position: 1").await["last"], 0);
    assert_eq!(refused(&server, "time: \"2026-01-01T00:00:00Z\"").await["last"], Value::Null);
}

#[tokio::test]
async fn pages_of_the_past_go_on_while_the_present_changes() {
    let server = apron().await;
    for number in ["860", "861", "862"] {
        server.arrival(number, "2026-01-15T10:00:00Z", "A333").await;
    }
    let then = server.caught_up().await;
    let page = "query($p: Position!, $after: String) { at(position: $p) { flights(first: 2, after: $after) {
        totalCount nodes { number } pageInfo { hasNextPage endCursor } } } }";
    let first = server.data(page, json!({ "p": then })).await["at"]["flights"].take();
    assert_eq!(first["nodes"], json!([{ "number": "860" }, { "number": "861" }]));
    server.arrival("8611", "2026-01-15T10:00:00Z", "A333").await;
    server.arrival("862", "2026-01-15T09:00:00Z", "A333").await;
    server.caught_up().await;
    let after = &first["pageInfo"]["endCursor"];
    let second = server.data(page, json!({ "p": then, "after": after })).await["at"]["flights"].take();
    assert_eq!(second["nodes"], json!([{ "number": "862" }]));
    assert_eq!((&second["totalCount"], &second["pageInfo"]["hasNextPage"]), (&json!(3), &json!(false)));
}

#[tokio::test]
async fn the_depth_below_a_moment_counts() {
    let server = apron().await;
    let mut query = "id".to_owned();
    for _ in 0..12 {
        query = format!("current {{ stand {{ {query} }} }}");
    }
    let query = format!("{{ at(position: 1) {{ stand(id: \"LFW/C01\") {{ {query} }} }} }}");
    let answer = server.answer(&query, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "TOO_DEEP", "{answer:#}");
}

const AFTER: &str = "query($p: Position!, $ms: Int!) { after(position: $p, timeoutMs: $ms) { __typename
    ... on Now { position flights { totalCount } } ... on Behind { readModel position wanted stopped } } }";

#[tokio::test]
async fn what_was_written_is_read_after_it() {
    let server = apron().await;
    for number in 1..20 {
        let query = "mutation($input: ReportFlightInput!) { reportFlight(input: $input) {
            ... on FlightPayload { position } } }";
        let leg = json!({ "site": "LFW", "carrier": "AF", "number": number.to_string(), "date": "2026-01-15",
            "direction": "ARRIVAL", "airport": "CDG" });
        let input = json!({ "leg": leg, "scheduledAt": "2026-01-15T10:00:00Z" });
        let position = server.data(query, json!({ "input": input })).await["reportFlight"]["position"].take();
        let data = server.data(AFTER, json!({ "p": position, "ms": 30_000 })).await["after"].take();
        assert_eq!((&data["__typename"], &data["flights"]["totalCount"]), (&json!("Now"), &json!(number)));
        assert!(data["position"].as_i64() >= position.as_i64());
    }
}

#[tokio::test]
async fn what_has_not_happened_is_waited_for_and_then_said_to_lag() {
    let server = apron().await;
    let head = server.caught_up().await;
    let behind = server.data(AFTER, json!({ "p": head + 1, "ms": 20 })).await["after"].take();
    assert_eq!((&behind["__typename"], &behind["wanted"]), (&json!("Behind"), &json!(head + 1)));
    assert!(behind["position"].as_i64().unwrap() <= head);
    let (waited, _) = tokio::join!(
        server.data(AFTER, json!({ "p": head + 1, "ms": 30_000 })),
        server.arrival("860", "2026-01-15T10:00:00Z", "A333")
    );
    assert_eq!(waited["after"]["flights"]["totalCount"], 1);
    let answer = server.answer(AFTER, json!({ "p": 1, "ms": 30_001 })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_INPUT");
}
