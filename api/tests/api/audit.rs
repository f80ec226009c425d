//! Who did what, and what was refused.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use uuid::Uuid;
use vigie_commands::{Failure, Order};
use vigie_domain::airport::{AirportRefusal, CloseStand, CodeLetter, StandId, StandKind};
use vigie_domain::kernel::Note;
use vigie_eventlog::Query;

use crate::harness::{Server, text};

const ENTRIES: &str = "query($filter: AuditFilter, $order: AuditOrder, $first: Int, $after: String) {
    auditTrail(filter: $filter, order: $order, first: $first, after: $after) {
        totalCount pageInfo { hasNextPage endCursor } nodes { position type actor commandId } } }";

pub(crate) async fn entries(server: &Server, filter: Value) -> Vec<i64> {
    let data = server.data(ENTRIES, json!({ "filter": filter, "first": 200 })).await;
    let nodes = data["auditTrail"]["nodes"].as_array().unwrap().clone();
    assert_eq!(data["auditTrail"]["totalCount"], nodes.len(), "{data:#}");
    nodes.iter().map(|node| node["position"].as_i64().unwrap()).collect()
}

/// Two stands at LFW: positions 2 and 3, after the site.
pub(crate) async fn airport() -> Server {
    let server = Server::start().await;
    let stands = [("C03", StandKind::Civil, CodeLetter::C), ("C04", StandKind::Civil, CodeLetter::E)];
    server.airport(&stands).await;
    server
}

pub(crate) async fn close(server: &Server, stand: &str, reason: &str) -> Result<(), Failure<AirportRefusal>> {
    let close = CloseStand {
        stand: StandId::new(stand).unwrap(),
        from: "2026-01-15T06:00:00Z".parse().unwrap(),
        to: Some("2026-01-15T08:00:00Z".parse().unwrap()),
        reason: Note::new(reason).unwrap(),
    };
    let order = Order::new(Uuid::now_v7(), "operator:zoe");
    server.services.executor.execute(&close, order).await.map(drop)
}

#[tokio::test]
async fn filters_combine_and_nothing_else_is_listed() {
    let server = airport().await;
    close(&server, "LFW/C03", "De-icing pit, asked for by LFW/ops").await.unwrap();
    close(&server, "LFW/C04", "snow").await.unwrap();
    let head = server.caught_up().await;
    assert_eq!(head, 5, "a site, two stands, two closures");
    for (filter, expected) in [
        (json!({}), vec![5, 4, 3, 2, 1]),
        (json!({ "thing": "stand:LFW/C03" }), vec![4, 2]),
        (json!({ "things": ["stand:LFW/C03", "site:LFW"], "actor": "operator:zoe" }), vec![4]),
        (json!({ "actor": "operator:zoe" }), vec![5, 4]),
        (json!({ "command": "airport.define_stand" }), vec![3, 2]),
        (json!({ "type": "airport.stand_closed", "thing": "stand:LFW/C04" }), vec![5]),
        (json!({ "types": ["support.site_defined", "airport.stand_closed"] }), vec![5, 4, 1]),
        (json!({ "site": "LFW", "afterPosition": 1, "untilPosition": 3 }), vec![3, 2]),
        (json!({ "site": "HKG" }), vec![]),
        (json!({ "text": "icing ask" }), vec![4]),
        (json!({ "text": "OPS" }), vec![4]),
        (json!({ "text": "ops snow" }), vec![]),
        (json!({ "text": "sno" , "actor": "operator:zoe" }), vec![5]),
    ] {
        assert_eq!(entries(&server, filter.clone()).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn what_one_command_did_is_found_by_its_id_and_times_are_the_logs() {
    let server = airport().await;
    close(&server, "LFW/C03", "ice").await.unwrap();
    server.caught_up().await;
    let query = "{ auditTrail(first: 1) { nodes { commandId recordedAt } } }";
    let newest = server.data(query, json!({})).await["auditTrail"]["nodes"][0].take();
    let (id, at) = (newest["commandId"].clone(), newest["recordedAt"].clone());
    assert_eq!(entries(&server, json!({ "commandId": id })).await, [4]);
    assert_eq!(entries(&server, json!({ "correlationId": id })).await, [4]);
    assert_eq!(entries(&server, json!({ "causedBy": id })).await, [4]);
    assert_eq!(entries(&server, json!({ "from": at })).await, [4]);
    assert_eq!(entries(&server, json!({ "to": at })).await, [3, 2, 1]);
    assert_eq!(entries(&server, json!({ "commandId": Uuid::now_v7() })).await, Vec::<i64>::new());
    let today =
        server.services.log.read(&Query::all(), vigie_eventlog::Read::backwards()).await.unwrap()[0].recorded_at;
    // Lomé keeps UTC all year.
    let day = |days| (today + chrono::TimeDelta::days(days)).date_naive().to_string();
    assert_eq!(entries(&server, json!({ "site": "LFW", "day": day(0), "actor": "operator:zoe" })).await, [4]);
    assert_eq!(entries(&server, json!({ "site": "LFW", "day": day(1) })).await, Vec::<i64>::new());
}

#[tokio::test]
async fn pages_follow_each_other_from_either_end() {
    let server = airport().await;
    for (order, expected) in [("NEWEST_FIRST", [3, 2, 1]), ("OLDEST_FIRST", [1, 2, 3])] {
        let (mut seen, mut after) = (Vec::new(), Value::Null);
        loop {
            let data = server.data(ENTRIES, json!({ "order": order, "first": 2, "after": after })).await;
            let list = &data["auditTrail"];
            seen.extend(list["nodes"].as_array().unwrap().iter().map(|node| node["position"].as_i64().unwrap()));
            after = list["pageInfo"]["endCursor"].clone();
            if list["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        assert_eq!(seen, expected, "{order}");
    }
}

#[tokio::test]
async fn a_filter_that_cannot_match_names_its_field() {
    let server = airport().await;
    for (filter, field) in [
        (json!({ "thing": "C03" }), "filter.thing"),
        (json!({ "types": ["airport.nonsense"] }), "filter.types"),
        (json!({ "day": "2026-01-15" }), "filter.day"),
        (json!({ "day": "2026-01-15", "site": "HKG" }), "filter.site"),
        (json!({ "text": "!" }), "filter.text"),
    ] {
        let answer = server.answer(ENTRIES, json!({ "filter": filter })).await;
        assert_eq!(answer["errors"][0]["extensions"]["argument"], field, "{answer:#}");
    }
}

#[tokio::test]
async fn what_was_refused_stands_beside_what_was_done() {
    let server = airport().await;
    close(&server, "LFW/C03", "ice").await.unwrap();
    close(&server, "LFW/C99", "ice").await.unwrap_err();
    close(&server, "LFW/C04", "snow").await.unwrap();
    server.caught_up().await;
    let query = "query($filter: RefusalFilter) { refusals(filter: $filter) { totalCount nodes {
        position actor command code message site things input details } } }";
    let data = server.data(query, json!({ "filter": { "thing": "stand:LFW/C99" } })).await;
    let refusal = &data["refusals"]["nodes"][0];
    assert_eq!(data["refusals"]["totalCount"], 1);
    assert_eq!((&refusal["position"], &refusal["code"]), (&json!(4), &json!("STAND_UNKNOWN")));
    assert_eq!((&refusal["actor"], &refusal["site"]), (&json!("operator:zoe"), &json!("LFW")));
    assert_eq!(refusal["input"]["reason"], "ice");
    for (filter, count) in [
        (json!({ "actor": "operator:zoe", "code": "STAND_UNKNOWN", "site": "LFW" }), 1),
        (json!({ "code": "STAND_OCCUPIED" }), 0),
        (json!({ "command": "airport.close_stand", "untilPosition": 3 }), 0),
    ] {
        let data = server.data(query, json!({ "filter": filter })).await;
        assert_eq!(data["refusals"]["totalCount"], count, "{filter}");
    }

    let query = "query($after: String) { activity(actor: \"operator:zoe\", first: 2, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { __typename ... on AuditEntry { position } ... on RefusedCommand { code } } } }";
    let first = server.data(query, json!({})).await["activity"].take();
    assert_eq!(
        first["nodes"],
        json!([{ "__typename": "AuditEntry", "position": 5 }, { "__typename": "RefusedCommand", "code": "STAND_UNKNOWN" }])
    );
    let rest = server.data(query, json!({ "after": first["pageInfo"]["endCursor"] })).await["activity"].take();
    assert_eq!(rest["nodes"], json!([{ "__typename": "AuditEntry", "position": 4 }]));
    assert_eq!(rest["pageInfo"]["hasNextPage"], false);
}

#[tokio::test]
async fn a_download_holds_what_the_list_does_and_no_formula() {
    let server = airport().await;
    close(&server, "LFW/C03", "=HYPERLINK(\"http://x\"), \"quoted\"").await.unwrap();
    server.caught_up().await;
    let query = "query($filter: AuditFilter) { auditExport(filter: $filter, order: OLDEST_FIRST) { csv jsonl rows } }";
    let data = server.data(query, json!({ "filter": { "site": "LFW" } })).await;
    let export = &data["auditExport"];
    assert_eq!(export["rows"], 4);
    // What comes after the operation is not in it.
    close(&server, "LFW/C04", "snow").await.unwrap();
    server.caught_up().await;

    let address = export["csv"].as_str().unwrap();
    let response = server.send(Request::get(address).body(Body::empty()).unwrap()).await;
    assert_eq!(response.headers()[header::CONTENT_DISPOSITION], "attachment; filename=\"audit.csv\"");
    assert!(response.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/csv"));
    assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    let (status, csv) = text(response).await;
    assert_eq!(status, StatusCode::OK);
    let lines: Vec<&str> = csv.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 5, "{csv}");
    assert!(lines[0].starts_with("position,recorded_at,occurred_at,site,actor,action,note,"), "{csv}");
    assert!(lines[4].contains("\"'=HYPERLINK(\"\"http://x\"\"), \"\"quoted\"\"\""), "{csv}");

    let (status, jsonl) = server.get(export["jsonl"].as_str().unwrap()).await;
    assert_eq!(status, StatusCode::OK);
    let rows: Vec<Value> = jsonl.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let positions: Vec<i64> = rows.iter().map(|row| row["position"].as_i64().unwrap()).collect();
    assert_eq!(positions, [1, 2, 3, 4]);
    assert_eq!(rows[3]["note"], "=HYPERLINK(\"http://x\"), \"quoted\"");
}

#[tokio::test]
async fn the_address_of_refusals_ends_with_what_there_was() {
    let server = airport().await;
    close(&server, "LFW/C99", "ice").await.unwrap_err();
    let query = "query($filter: RefusalFilter) { refusalExport(filter: $filter) { jsonl rows } }";
    let export = server.data(query, json!({})).await["refusalExport"].take();
    close(&server, "LFW/C98", "ice").await.unwrap_err();
    let (_, jsonl) = server.get(export["jsonl"].as_str().unwrap()).await;
    assert_eq!((&export["rows"], jsonl.lines().count()), (&json!(1), 1), "{export}");
    let until = json!({ "to": "2026-01-15T00:00:00Z" });
    let asked = server.data(query, json!({ "filter": until })).await["refusalExport"].take();
    assert!(asked["jsonl"].as_str().unwrap().contains("2026-01-15"), "an end that is asked for stays: {asked}");
}

#[tokio::test]
async fn a_long_download_is_whole_whatever_the_page() {
    let server = airport().await;
    for _ in 0..3 {
        // More than two pages of what is read at once.
        let floods = (0..4).map(|_| async {
            for _ in 0..200 {
                close(&server, "LFW/C99", "ice").await.unwrap_err();
            }
        });
        futures_util::future::join_all(floods).await;
    }
    let (_, jsonl) = server.get("/export/refusals.jsonl?order=oldest").await;
    let ids: Vec<i64> =
        jsonl.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_i64().unwrap()).collect();
    assert_eq!(ids.len(), 2_400);
    assert!(ids.is_sorted());
}

#[tokio::test]
async fn a_download_that_cannot_be_given_says_why() {
    let server = airport().await;
    for (path, status, code) in [
        ("/export/audit.xlsx", StatusCode::NOT_FOUND, "NOT_FOUND"),
        ("/export/audit.csv?filter=1", StatusCode::BAD_REQUEST, "BAD_REQUEST"),
        ("/export/audit.csv?filter=%7B%22acter%22%3A1%7D", StatusCode::BAD_REQUEST, "BAD_REQUEST"),
        ("/export/audit.csv?filter=%7B%22thing%22%3A%22C03%22%7D", StatusCode::BAD_REQUEST, "BAD_REQUEST"),
        ("/export/audit.csv?order=up", StatusCode::BAD_REQUEST, "BAD_REQUEST"),
        ("/export/audit.csv?limit=1", StatusCode::BAD_REQUEST, "BAD_REQUEST"),
    ] {
        let (found, text) = server.get(path).await;
        assert_eq!(found, status, "{path}: {text}");
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{path}");
    }
    let foreign = Request::get("/export/audit.csv").header(header::HOST, "evil.example").body(Body::empty()).unwrap();
    assert_eq!(server.send(foreign).await.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn in_the_past_the_trail_the_refusals_and_the_reasons_are_those_of_then() {
    let server = airport().await;
    close(&server, "LFW/C99", "ice").await.unwrap_err();
    close(&server, "LFW/C03", "ice").await.unwrap();
    close(&server, "LFW/C98", "ice").await.unwrap_err();
    server.caught_up().await;
    let query = "query($p: Position!, $of: DiffOf!) { at(position: $p) {
        auditTrail { totalCount nodes { position } }
        refusals { totalCount }
        activity(actor: \"operator:zoe\") { nodes { __typename } }
        stand(id: \"LFW/C03\") { provenance { position actor events { totalCount nodes { type } } } }
        auditExport { rows jsonl }
        diff(from: { position: 0 }, of: $of) { to nodes { rows { fields { field after } } } } } }";
    let of = json!({ "thing": "stand:LFW/C03" });
    let then = server.data(query, json!({ "p": 3, "of": of })).await["at"].take();
    assert_eq!(
        then["auditTrail"],
        json!({ "totalCount": 3, "nodes": [{ "position": 3 }, { "position": 2 }, { "position": 1 }] })
    );
    assert_eq!(then["refusals"]["totalCount"], 1, "what was refused before the closure");
    assert_eq!(then["activity"]["nodes"], json!([{ "__typename": "RefusedCommand" }]));
    let why = &then["stand"]["provenance"];
    assert_eq!((&why["position"], &why["events"]["totalCount"]), (&json!(2), &json!(1)), "{why}");
    assert_eq!(why["events"]["nodes"], json!([{ "type": "airport.stand_defined" }]));
    assert_eq!(then["auditExport"]["rows"], 3);
    let (_, jsonl) = server.get(then["auditExport"]["jsonl"].as_str().unwrap()).await;
    assert_eq!(jsonl.lines().count(), 3);
    assert_eq!(then["diff"]["to"], 3);
    let now = server.data(query, json!({ "p": 4, "of": of })).await["at"].take();
    assert_eq!((&now["refusals"]["totalCount"], &now["diff"]["to"]), (&json!(2), &json!(4)));
    assert_eq!(now["stand"]["provenance"]["actor"], "operator:zoe");
}
