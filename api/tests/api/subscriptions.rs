//! Watching the log and the things that it changes.

use serde_json::{Value, json};
use vigie_api::settings::Settings;
use vigie_domain::airport::{CodeLetter, StandKind};
use vigie_eventlog::ranges::archive;
use vigie_eventlog::testing;

use crate::harness::Server;
use crate::socket::Socket;

const STANDS: [(&str, StandKind, CodeLetter); 2] =
    [("C01", StandKind::Civil, CodeLetter::E), ("C02", StandKind::Civil, CodeLetter::E)];

#[tokio::test]
async fn events_resume_after_a_position_from_history_into_live() {
    let server = Server::start().await;
    server.airport(&STANDS).await;
    let address = server.listen().await;
    let mut socket = Socket::ready(address).await;
    socket.subscribe("1", "subscription { events(after: 1) { position event { position type } } }").await;
    for position in 2..=3 {
        let event = json!({ "position": position, "type": "airport.stand_defined" });
        assert_eq!(socket.data("1").await["events"], json!({ "position": position, "event": event }));
    }
    server.arrival("860", "2026-01-15T10:00:00Z", "A333").await;
    let live = socket.data("1").await;
    assert_eq!(live["events"]["position"], 4);
    drop(socket);
    // Another socket takes up where the first one ended.
    server.arrival("861", "2026-01-15T12:00:00Z", "A333").await;
    let head = server.caught_up().await;
    let mut socket = Socket::ready(address).await;
    socket.subscribe("2", "subscription { events(after: 4) { position } }").await;
    for position in 5..=head {
        assert_eq!(socket.data("2").await["events"]["position"], position);
    }
}

#[tokio::test]
async fn what_does_not_match_is_told_as_a_position() {
    let server = Server::start().await;
    let mut socket = Socket::ready(server.listen().await).await;
    socket.subscribe("1", r#"subscription { events(after: 0, filter: { types: ["alerts.alert_raised"] }) { position event { type } } }"#).await;
    server.airport(&STANDS).await;
    let mut told = 0;
    while told < 3 {
        let item = socket.data("1").await;
        assert_eq!(item["events"]["event"], Value::Null);
        let position = item["events"]["position"].as_i64().unwrap();
        assert!(position > told, "{item}");
        told = position;
    }
}

#[tokio::test]
async fn a_position_that_has_not_happened_is_refused() {
    let server = Server::start().await;
    let mut socket = Socket::ready(server.listen().await).await;
    socket.subscribe("1", "subscription { events(after: 7) { position } }").await;
    let message = socket.hear().await;
    let errors = if message["type"] == "error" { &message["payload"] } else { &message["payload"]["errors"] };
    assert_eq!(errors[0]["extensions"], json!({ "code": "BAD_INPUT", "argument": "after" }), "{message}");
}

/// The next item that is no heartbeat.
async fn changed(socket: &mut Socket, id: &str, (field, thing): (&str, &str)) -> Value {
    loop {
        let item = socket.data(id).await[field].take();
        if !item[thing].is_null() {
            return item;
        }
    }
}

#[tokio::test]
async fn who_watches_one_thing_hears_of_it_and_how_far_the_others_are() {
    let server = Server::start().await;
    server.airport(&STANDS).await;
    let mut socket = Socket::ready(server.listen().await).await;
    let query =
        r#"subscription { standChanged(id: "LFW/C01", after: 0) { position stand { id closures { reason } } } }"#;
    socket.subscribe("1", query).await;
    let seen = changed(&mut socket, "1", ("standChanged", "stand")).await;
    assert_eq!(seen["stand"]["id"], "LFW/C01");
    let close = |stand: &str| {
        let input = json!({ "stand": stand, "from": "2026-01-15T00:00:00Z", "reason": "works" });
        let close =
            "mutation($input: CloseStandInput!) { closeStand(input: $input) { ... on StandPayload { position } } }";
        server.data(close, json!({ "input": input }))
    };
    let other = close("LFW/C02").await["closeStand"]["position"].as_i64().unwrap();
    let mut told = seen["position"].as_i64().unwrap();
    while told < other {
        let item = socket.data("1").await["standChanged"].take();
        assert_eq!(item["stand"], Value::Null, "{item}");
        assert!(item["position"].as_i64().unwrap() > told, "{item}");
        told = item["position"].as_i64().unwrap();
    }
    let own = &close("LFW/C01").await["closeStand"]["position"];
    let seen = changed(&mut socket, "1", ("standChanged", "stand")).await;
    assert_eq!((&seen["position"], &seen["stand"]["closures"][0]["reason"]), (own, &json!("works")));
    // The last word says how far the log is.
    server.arrival("860", "2026-01-15T10:00:00Z", "A333").await;
    let last = server.caught_up().await;
    server.life.stop();
    let item = socket.data("1").await["standChanged"].take();
    assert_eq!(item, json!({ "position": last, "stand": null }));
}

#[tokio::test]
async fn a_changed_stand_comes_as_it_is_now() {
    let server = Server::start().await;
    server.airport(&STANDS).await;
    let flight = server.arrival("860", "2026-01-15T10:00:00Z", "A333").await;
    let head = server.caught_up().await;
    let mut socket = Socket::ready(server.listen().await).await;
    let query = format!(
        r#"subscription {{ standChanged(site: "LFW", after: {head}) {{ position stand {{ id current(at: "2026-01-15T10:10:00Z") {{ flight {{ id }} }} }} }} }}"#
    );
    socket.subscribe("1", &query).await;
    let allocate = "mutation($flight: ID!) { allocateStand(input: { flight: $flight }) { ... on AllocateStandPayload { position } } }";
    let done = server.data(allocate, json!({ "flight": flight })).await;
    let position = &done["allocateStand"]["position"];
    let change = changed(&mut socket, "1", ("standChanged", "stand")).await;
    assert_eq!(
        change,
        json!({ "position": position, "stand": { "id": "LFW/C01", "current": { "flight": { "id": flight } } } })
    );
    let close = r#"mutation { closeStand(input: { stand: "LFW/C02", from: "2026-01-15T00:00:00Z", reason: "works" }) { ... on StandPayload { position } } }"#;
    server.data(close, json!({})).await;
    assert_eq!(changed(&mut socket, "1", ("standChanged", "stand")).await["stand"]["id"], "LFW/C02");
}

#[tokio::test]
async fn things_that_one_event_changed_are_not_lost_between_two_sockets() {
    let server = Server::start().await;
    server.airport(&STANDS).await;
    let flight = server.arrival("860", "2026-01-15T10:00:00Z", "A333").await;
    let allocate = "mutation($flight: ID!) { allocateStand(input: { flight: $flight }) { ... on AllocateStandPayload { position allocationId } } }";
    let done = server.data(allocate, json!({ "flight": flight })).await;
    let before = done["allocateStand"]["position"].as_i64().unwrap();
    // One event about two stands.
    let shift = "mutation($id: ID!) { moveAllocation(input: { allocation: $id }) { ... on AllocationPayload { position } ... on Refusal { code } } }";
    server.data(shift, json!({ "id": done["allocateStand"]["allocationId"] })).await;
    let address = server.listen().await;
    let mut seen = Vec::new();
    let mut after = before;
    for _ in 0..2 {
        let mut socket = Socket::ready(address).await;
        socket
            .subscribe("1", &format!("subscription {{ standChanged(after: {after}) {{ position stand {{ id }} }} }}"))
            .await;
        for _ in 0..=seen.len() {
            let change = changed(&mut socket, "1", ("standChanged", "stand")).await;
            seen.push(change["stand"]["id"].as_str().unwrap().to_owned());
            after = change["position"].as_i64().unwrap();
        }
    }
    assert!(seen.contains(&"LFW/C01".to_owned()) && seen.contains(&"LFW/C02".to_owned()), "{seen:?}");
}

#[tokio::test]
async fn flights_alerts_and_passes_are_watched_alike() {
    let server = Server::start().await;
    server.airport(&[("C01", StandKind::Civil, CodeLetter::C)]).await;
    let mut socket = Socket::ready(server.listen().await).await;
    socket
        .subscribe("f", r#"subscription { flightChanged(site: "LFW", after: 0) { position flight { id noStand } } }"#)
        .await;
    let flight = server.arrival("860", "2026-01-15T10:00:00Z", "A333").await;
    assert_eq!(changed(&mut socket, "f", ("flightChanged", "flight")).await["flight"]["id"], flight);
    socket.say(json!({ "type": "complete", "id": "f" })).await;
    socket
        .subscribe(
            "a",
            r#"subscription { alertChanged(site: "LFW", after: 0) { position alert { kind flight { id } } } }"#,
        )
        .await;
    let allocate = "mutation($flight: ID!) { allocateStand(input: { flight: $flight }) { ... on AllocateStandPayload { outcome } } }";
    server.data(allocate, json!({ "flight": flight })).await;
    let mut message = socket.hear().await;
    while message["id"] != "a" || message["payload"]["data"]["alertChanged"]["alert"].is_null() {
        message = socket.hear().await;
    }
    let alert = &message["payload"]["data"]["alertChanged"]["alert"];
    assert_eq!(alert, &json!({ "kind": "SATURATION", "flight": { "id": flight } }));
}

#[tokio::test]
async fn another_process_goes_on_where_the_first_one_ended_also_while_it_is_behind() {
    let server = Server::start().await;
    server.airport(&STANDS).await;
    let other = server.beside().await;
    let (address, elsewhere) = (server.listen().await, other.listen().await);
    for number in ["860", "861", "862"] {
        server.arrival(number, "2026-01-15T10:00:00Z", "A333").await;
        let head = server.services.log.head().await.unwrap();
        let mut socket = Socket::ready(elsewhere).await;
        socket.subscribe("1", &format!("subscription {{ events(after: {head}) {{ position }} }}")).await;
        // It is watched for by what has happened before it.
        let after = head - 1;
        let mut first = Socket::ready(address).await;
        first.subscribe("1", &format!("subscription {{ events(after: {after}) {{ position event {{ id }} }} }}")).await;
        let mut second = Socket::ready(elsewhere).await;
        second
            .subscribe("1", &format!("subscription {{ events(after: {after}) {{ position event {{ id }} }} }}"))
            .await;
        assert_eq!(first.data("1").await, second.data("1").await);
        server.arrival(number, "2026-01-15T10:05:00Z", "A333").await;
        assert_eq!(socket.data("1").await["events"]["position"], head + 1);
        // A list, too, as it is after what the first one has just acknowledged.
        let mut list = Socket::ready(elsewhere).await;
        list.subscribe("1", "subscription { liveFlights { position snapshot { number scheduledAt } } }").await;
        let item = list.data("1").await["liveFlights"].take();
        let flight = item["snapshot"].as_array().unwrap().iter().find(|flight| flight["number"] == *number).unwrap();
        assert_eq!(flight["scheduledAt"], "2026-01-15T10:05:00+00:00", "{item}");
    }
}

#[tokio::test]
async fn what_is_archived_ends_a_subscription_with_an_error_that_says_so() {
    let pool = testing::database().await;
    let owner = testing::owner(&pool).await;
    sqlx::query("select log_resize(10)").execute(&owner).await.unwrap();
    while sqlx::query_scalar::<_, bool>("select log_extend(6)").fetch_one(&owner).await.unwrap() {}
    let server = Server::on(pool.clone(), Settings::open()).await;
    server.airport(&STANDS).await;
    for number in 1..30 {
        server.arrival(&number.to_string(), "2026-01-15T10:00:00Z", "A333").await;
    }
    let folder = tempfile::tempdir().unwrap();
    let login = testing::owner_options(&pool.connect_options());
    server.caught_up().await;
    archive(&login, 10, folder.path(), &[], &|_| {}).await.unwrap();
    // This one has it in memory; another has not.
    let address = server.beside().await.listen().await;
    for query in ["events(after: 2)", "standChanged(after: 2)", "liveFlights(after: 2)"] {
        let mut socket = Socket::ready(address).await;
        socket.subscribe("1", &format!("subscription {{ {query} {{ position }} }}")).await;
        let message = socket.hear().await;
        assert_eq!(message["payload"]["errors"][0]["extensions"]["code"], "ARCHIVED", "{query}: {message}");
    }
    let mut socket = Socket::ready(address).await;
    socket.subscribe("1", "subscription { events(after: 10) { position } }").await;
    assert_eq!(socket.data("1").await["events"]["position"], 11);
}
