//! What changed between two moments.

use serde_json::json;

use crate::audit::{airport, close};

const DIFF: &str = "query($from: Moment!, $to: Moment, $of: DiffOf!, $first: Int, $after: String) {
    diff(from: $from, to: $to, of: $of, first: $first, after: $after) {
        from to pageInfo { hasNextPage endCursor }
        nodes { thing rows { table key appeared events { type } fields { field before after changedBack events { position } } } } } }";

#[tokio::test]
async fn a_diff_tells_fields_and_the_events_that_changed_them() {
    let server = airport().await;
    close(&server, "LFW/C03", "ice").await.unwrap();
    server.caught_up().await;
    let of = json!({ "thing": "stand:LFW/C03" });
    let data = server.data(DIFF, json!({ "from": { "position": 3 }, "of": of })).await;
    let diff = &data["diff"];
    assert_eq!((&diff["from"], &diff["to"]), (&json!(3), &json!(4)));
    let row = &diff["nodes"][0]["rows"][0];
    assert_eq!((&row["table"], &row["key"]), (&json!("stands"), &json!({ "stand": "LFW/C03" })));
    assert_eq!((&row["appeared"], &row["events"]), (&json!(false), &json!([{ "type": "airport.stand_closed" }])));
    assert_eq!(row["fields"].as_array().map(Vec::len), Some(1), "{row:#}");
    let field = &row["fields"][0];
    assert_eq!(
        (&field["field"], &field["before"], &field["changedBack"]),
        (&json!("closures"), &json!([]), &json!(false))
    );
    assert_eq!((&field["after"][0]["reason"], &field["events"]), (&json!("ice"), &json!([{ "position": 4 }])));
    // Before the stand was there.
    let data = server.data(DIFF, json!({ "from": { "position": 0 }, "to": { "position": 3 }, "of": of })).await;
    assert_eq!(data["diff"]["nodes"][0]["rows"][0]["appeared"], true);
}

#[tokio::test]
async fn the_diff_of_a_board_has_pages_of_things() {
    let server = airport().await;
    close(&server, "LFW/C03", "ice").await.unwrap();
    close(&server, "LFW/C04", "ice").await.unwrap();
    server.caught_up().await;
    let of = json!({ "board": { "site": "LFW", "of": "STANDS" } });
    let first = server.data(DIFF, json!({ "from": { "position": 3 }, "of": of, "first": 1 })).await["diff"].take();
    assert_eq!(
        (&first["nodes"][0]["thing"], &first["pageInfo"]["hasNextPage"]),
        (&json!("stand:LFW/C03"), &json!(true))
    );
    let after = &first["pageInfo"]["endCursor"];
    let next = server.data(DIFF, json!({ "from": { "position": 3 }, "of": of, "first": 1, "after": after })).await;
    let next = &next["diff"];
    assert_eq!(
        (&next["nodes"][0]["thing"], &next["pageInfo"]["hasNextPage"]),
        (&json!("stand:LFW/C04"), &json!(false))
    );
    let flights = json!({ "board": { "site": "LFW", "of": "FLIGHTS" } });
    let none = server.data(DIFF, json!({ "from": { "position": 0 }, "of": flights })).await;
    assert_eq!(none["diff"]["nodes"], json!([]));
}

#[tokio::test]
async fn a_diff_of_what_cannot_be_compared_is_refused_with_the_valid_range() {
    let server = airport().await;
    let of = json!({ "thing": "stand:LFW/C03" });
    for (variables, code) in [
        (json!({ "from": { "position": 9 }, "of": of }), "OUT_OF_RANGE"),
        (json!({ "from": { "position": -3 }, "of": of }), "OUT_OF_RANGE"),
        (json!({ "from": { "position": 0 }, "of": { "thing": "stand:LFW/C99" } }), "NOT_FOUND"),
        (json!({ "from": { "time": "2999-01-01T00:00:00Z" }, "of": of }), "OUT_OF_RANGE"),
        (json!({ "from": { "position": 2 }, "to": { "position": 1 }, "of": of }), "BAD_INPUT"),
        (json!({ "from": { "position": 0 }, "of": { "thing": "camera:1" } }), "BAD_INPUT"),
        (json!({ "from": { "position": 0 }, "of": { "thing": "alert:1" } }), "BAD_INPUT"),
    ] {
        let answer = server.answer(DIFF, variables.clone()).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{variables}: {answer:#}");
    }
    let answer = server.answer(DIFF, json!({ "from": { "position": 9 }, "of": of })).await;
    assert_eq!(answer["errors"][0]["extensions"]["last"], 3, "{answer:#}");
    assert_eq!(answer["errors"][0]["extensions"]["first"], 0, "{answer:#}");
    // There, and unchanged.
    let same = server.data(DIFF, json!({ "from": { "position": 3 }, "of": of })).await;
    assert_eq!(same["diff"]["nodes"], json!([]));
    let old = server.data(DIFF, json!({ "from": { "time": "1999-01-01T00:00:00Z" }, "of": of })).await;
    assert_eq!((&old["diff"]["from"], &old["diff"]["to"]), (&json!(0), &json!(3)));
}
