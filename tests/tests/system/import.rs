//! Commands beside the server, on its log.

use std::fs;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::client::Server;
use crate::harness::{Place, until};

/// A capture of the schedules of a day, with this many arrivals.
pub(crate) fn capture(date: &str, flights: u32) -> Value {
    let flights: Vec<_> = (0..flights)
        .map(|number| {
            json!({
                "date": date,
                "time": format!("{:02}:{:02}", number / 60 % 24, number % 60),
                "flight": [{ "no": format!("XX {}", 100 + number), "airline": "XXA" }],
                "origin_dest": ["LFW"],
                "status": "",
                "gate_baggage": "",
                "terminal": "",
                "isArrival": true,
                "isCargo": false,
                "_raw": { "aisle": "", "hall": "" }
            })
        })
        .collect();
    json!({ "date": date, "generatedAt": format!("{date}T00:10:00.000Z"), "flights": flights })
}

#[tokio::test]
async fn an_import_runs_beside_the_server_which_shows_it_at_once() {
    const FLIGHTS: u32 = 400;
    let place = Place::new();
    let mut server = Server::start(&place).await;
    let file = place.path().join("2026-01-15.json");
    fs::write(&file, capture("2026-01-15", FLIGHTS).to_string()).unwrap();

    let arguments = ["import", "hkia", "--setup", "--json", file.to_str().unwrap()];
    let first: Value = serde_json::from_str(&place.succeed(arguments).await).unwrap();
    assert_eq!((&first["rows"], &first["new"], &first["set_aside"]), (&json!(FLIGHTS), &json!(FLIGHTS), &json!(0)));
    until("the server shows every flight", async || {
        let data = server.client.graphql("{ flights(first: 1) { totalCount } }", json!({})).await;
        data.is_ok_and(|data| data["flights"]["totalCount"] == json!(FLIGHTS))
    })
    .await;

    let again: Value = serde_json::from_str(&place.succeed(arguments).await).unwrap();
    assert_eq!((&again["events"], &again["new"]), (&json!(0), &json!(0)), "the second time brings nothing");
    assert!(place.postgres().is_some(), "the import has left the server its Postgres");
    server.program.signal(Signal::TERM);
    assert!(server.program.end().await.success(), "{}", server.program.said());
    assert!(place.postgres().is_none());
}
