//! Operating read models through the API.

use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;
use vigie_domain::airport::{CodeLetter, StandKind};
use vigie_domain::kernel::spec;
use vigie_eventlog::{Append, Metadata, NewEvent};

use crate::harness::Server;
use crate::socket::Socket;

const STANDS: [(&str, StandKind, CodeLetter); 1] = [("C01", StandKind::Civil, CodeLetter::E)];
const PROJECTION: &str = "name state position attempts error errorPosition paused { by reason }
    rebuild { state until askedBy error cancelledBy }";

fn mutation(name: &str, input: &str) -> String {
    let payload = match name {
        "skipEvent" => "SkipPayload { position appended earlier { by note }",
        _ => "ProjectionPayload { changed",
    };
    format!(
        "mutation($input: {input}!) {{ {name}(input: $input) {{
            ... on {payload} projection {{ {PROJECTION} }} }}
            ... on ProjectionRefusal {{ code message projection known stoppedAt position first last by }}
        }} }}"
    )
}

impl Server {
    async fn operate(&self, name: &str, projection: &str, reason: &str) -> Value {
        let input = json!({ "projection": projection, "reason": reason });
        self.data(&mutation(name, "OperateProjectionInput"), json!({ "input": input })).await[name].take()
    }

    async fn skip(&self, projection: &str, position: i64, reason: &str) -> Value {
        let input = json!({ "projection": projection, "position": position, "reason": reason });
        self.data(&mutation("skipEvent", "SkipEventInput"), json!({ "input": input })).await["skipEvent"].take()
    }

    async fn projection(&self, name: &str) -> Value {
        let query = format!("query($names: [String!]) {{ projections(names: $names) {{ {PROJECTION} }} }}");
        self.data(&query, json!({ "names": [name] })).await["projections"][0].take()
    }

    /// Asks until the read model is so.
    async fn until(&self, name: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let deadline = tokio::time::Instant::now() + crate::harness::PATIENCE;
        loop {
            let projection = self.projection(name).await;
            if is_so(&projection) {
                return projection;
            }
            assert!(tokio::time::Instant::now() < deadline, "not in time: {projection:#}");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// An event that only a newer program can read; its position.
    async fn poison(&self, kind: &str) -> i64 {
        let command_id = Uuid::now_v7();
        let event = NewEvent {
            kind: kind.to_owned(),
            version: 99,
            site: "LFW".to_owned(),
            tags: vec!["stand:LFW/C99".to_owned()],
            data: "{}".to_owned(),
            occurred_at: spec::noon(),
        };
        let metadata = Metadata {
            command_id,
            command: "spec.given".to_owned(),
            correlation_id: command_id,
            causation_id: None,
            actor: "operator:test".to_owned(),
            traceparent: None,
        };
        let append = Append { events: vec![event], metadata, conditions: Vec::new(), answer: None };
        self.services.log.append(append).await.unwrap().last
    }
}

#[tokio::test]
async fn a_read_model_is_paused_and_resumed_and_everybody_sees_by_whom() {
    let server = Server::start().await;
    server.airport(&STANDS).await;
    let paused = server.operate("pauseProjection", "flights", "a look at the feed").await;
    assert_eq!((&paused["changed"], &paused["projection"]["state"]), (&json!(true), &json!("PAUSED")), "{paused:#}");
    assert_eq!(paused["projection"]["paused"], json!({ "by": "operator:local", "reason": "a look at the feed" }));
    assert_eq!(server.operate("pauseProjection", "flights", "again").await["changed"], false);
    let report = "mutation($input: ReportFlightInput!) { reportFlight(input: $input) {
        ... on FlightPayload { flight { id } behind { readModel stopped paused } } } }";
    let leg = json!({ "site": "LFW", "carrier": "AF", "number": "861", "date": "2026-01-15", "direction": "ARRIVAL",
        "airport": "CDG" });
    let input = json!({ "leg": leg, "scheduledAt": "2026-01-15T11:00:00Z" });
    let payload = &server.data(report, json!({ "input": input })).await["reportFlight"];
    let behind = json!({ "readModel": "flights", "stopped": null, "paused": "operator:local: a look at the feed" });
    assert_eq!(payload, &json!({ "flight": null, "behind": behind }));
    let refused = server.operate("retryProjection", "flights", "").await;
    assert_eq!((&refused["code"], &refused["by"]), (&json!("PROJECTION_PAUSED"), &json!("operator:local")));
    assert_eq!(server.operate("resumeProjection", "flights", "").await["projection"]["state"], "RUNNING");
    server.caught_up().await;
    let query = "{ projectionOperations(projection: \"flights\") { operation actor reason } }";
    let expected = json!([
        { "operation": "RESUME", "actor": "operator:local", "reason": "" },
        { "operation": "PAUSE", "actor": "operator:local", "reason": "a look at the feed" },
    ]);
    assert_eq!(server.data(query, json!({})).await["projectionOperations"], expected);
}

#[tokio::test]
async fn what_no_rule_allows_is_refused_with_the_rule() {
    let server = Server::start().await;
    server.airport(&STANDS).await;
    let refused = server.operate("pauseProjection", "flights", " ").await;
    assert_eq!(refused["code"], "REASON_MISSING", "{refused:#}");
    let refused = server.operate("pauseProjection", "alarms", "x").await;
    assert_eq!(refused["code"], "PROJECTION_UNKNOWN");
    assert!(refused["known"].as_array().unwrap().contains(&json!("alerts")), "{refused:#}");
    assert_eq!(server.operate("cancelRebuild", "flights", "").await["code"], "NO_REBUILD");
    let rebuild = mutation("rebuildProjection", "RebuildProjectionInput");
    let input = json!({ "projection": "flights", "untilPosition": 4711 });
    let refused = server.data(&rebuild, json!({ "input": input })).await["rebuildProjection"].take();
    assert_eq!(
        (&refused["code"], &refused["first"], &refused["last"]),
        (&json!("UNTIL_OUT_OF_RANGE"), &json!(1), &json!(2))
    );
    let input = json!({ "projection": "flights", "untilTime": "2000-01-01T00:00:00Z" });
    let answer = server.answer(&rebuild, json!({ "input": input })).await;
    assert_eq!(answer["errors"][0]["extensions"]["argument"], "input.untilTime", "{answer:#}");
    assert_eq!(server.skip("flights", 1, "x").await["code"], "NOT_STOPPED");
}

#[tokio::test]
async fn the_event_that_stops_a_read_model_is_skipped_and_the_trail_says_so() {
    let server = Server::start().await;
    server.airport(&STANDS).await;
    let bad = server.poison("airport.stand_defined").await;
    let stopped = server.until("stands", |projection| projection["state"] == "STOPPED").await;
    assert_eq!((&stopped["errorPosition"], &stopped["attempts"]), (&json!(bad), &json!(1)));
    assert!(stopped["error"].as_str().unwrap().contains("version 99"), "{stopped:#}");
    server.until("audit", |projection| projection["state"] == "STOPPED").await;
    assert_eq!(server.operate("resumeProjection", "stands", "").await["stoppedAt"], bad);
    let elsewhere = server.skip("stands", bad - 1, "x").await;
    assert_eq!((&elsewhere["code"], &elsewhere["stoppedAt"]), (&json!("STOPPED_ELSEWHERE"), &json!(bad)));
    assert_eq!(server.skip("stands", bad, "").await["code"], "REASON_MISSING");
    assert_eq!(server.operate("retryProjection", "stands", "").await["changed"], true);
    server.until("stands", |projection| projection["attempts"] == 2).await;

    for name in ["stands", "audit"] {
        let skipped = server.skip(name, bad, "nobody can read it").await;
        assert_eq!(
            (&skipped["appended"], &skipped["projection"]["state"]),
            (&json!(1), &json!("RUNNING")),
            "{skipped:#}"
        );
    }
    let again = server.skip("stands", bad, "another reason").await;
    let earlier = json!({ "by": "operator:local", "note": "nobody can read it" });
    assert_eq!((&again["appended"], &again["earlier"]), (&json!(0), &earlier));
    server.caught_up().await;
    let trail = "{ auditTrail(filter: { thing: \"projection:stands\" }) { nodes { action note actor } } }";
    let action = format!("made stands skip the event at position {bad}");
    let expected = json!([{ "action": action, "note": "nobody can read it", "actor": "operator:local" }]);
    assert_eq!(server.data(trail, json!({})).await["auditTrail"]["nodes"], expected);
}

#[tokio::test]
async fn a_policy_goes_on_past_the_event_that_is_skipped() {
    const POLICY: &str = "alerts.spring_out_of_limits";
    let server = Server::start().await;
    let bad = server.poison("rail.spring_out_of_limits").await;
    let policy = async || {
        let all = vigie_commands::policies::status(&server.services.pool).await.unwrap();
        all.into_iter().find(|status| status.name == POLICY)
    };
    let deadline = tokio::time::Instant::now() + crate::harness::PATIENCE;
    while policy().await.is_none_or(|status| status.error_position != Some(bad)) {
        assert!(tokio::time::Instant::now() < deadline, "the policy stops: {:?}", policy().await);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let skipped = server.skip(POLICY, bad, "nobody can read it").await;
    assert_eq!((&skipped["appended"], &skipped["projection"]), (&json!(1), &Value::Null), "{skipped:#}");
    while policy().await.is_none_or(|status| status.position < bad || status.error_position.is_some()) {
        assert!(tokio::time::Instant::now() < deadline, "the policy goes on: {:?}", policy().await);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_rebuild_is_answered_at_once_watched_and_made_by_the_server() {
    let server = Server::start().await;
    server.airport(&STANDS).await;
    let head = server.caught_up().await;
    let mut socket = Socket::ready(server.listen().await).await;
    let watch =
        "subscription { projectionChanged(names: [\"stands\"]) { name state position rebuild { state until } } }";
    socket.subscribe("1", watch).await;
    let first = &socket.data("1").await["projectionChanged"];
    assert_eq!((&first["name"], &first["rebuild"]), (&json!("stands"), &Value::Null));
    let rebuild = mutation("rebuildProjection", "RebuildProjectionInput");
    let input = json!({ "projection": "stands", "untilPosition": 1, "reason": "how it was" });
    let asked = server.data(&rebuild, json!({ "input": input })).await["rebuildProjection"].take();
    assert_eq!(asked["projection"]["rebuild"]["askedBy"], "operator:local", "{asked:#}");
    loop {
        let told = &socket.data("1").await["projectionChanged"];
        if told["rebuild"]["state"] == "DONE" && told["state"] == "PAUSED" {
            assert_eq!((&told["position"], &told["rebuild"]["until"]), (&json!(1), &json!(1)));
            break;
        }
    }
    assert_eq!(server.data("{ stands { nodes { id } } }", json!({})).await["stands"]["nodes"], json!([]));
    server.operate("resumeProjection", "stands", "").await;
    loop {
        let told = &socket.data("1").await["projectionChanged"];
        if told["state"] == "RUNNING" && told["position"] == head {
            break;
        }
    }
    assert_eq!(server.data("{ stands { nodes { id } } }", json!({})).await["stands"]["nodes"][0]["id"], "LFW/C01");
}

#[tokio::test]
async fn a_sample_of_rows_is_verified_for_who_asks() {
    let server = Server::start().await;
    server.airport(&STANDS).await;
    let query =
        "query($name: String!, $sample: Int! = 50) { projectionVerification(projection: $name, sample: $sample) {
        projection position state rows differingRows differences { table key field stored expected } } }";
    let good = server.data(query, json!({ "name": "stands" })).await["projectionVerification"].take();
    let expected = json!({ "projection": "stands", "position": 2, "state": "RUNNING", "rows": 1, "differingRows": 0,
        "differences": [] });
    assert_eq!(good, expected);
    sqlx::query("update read.stands set distance_m = 7").execute(&server.services.pool).await.unwrap();
    let bad = server.data(query, json!({ "name": "stands", "sample": 5 })).await["projectionVerification"].take();
    let expected = json!({ "table": "stands", "key": { "stand": "LFW/C01" }, "field": "distance_m", "stored": 7,
        "expected": 100 });
    assert_eq!((&bad["differingRows"], &bad["differences"]), (&json!(1), &json!([expected])), "{bad:#}");
    for (variables, argument) in [
        (json!({ "name": "stands", "sample": 0 }), "sample"),
        (json!({ "name": "stands", "sample": 201 }), "sample"),
        (json!({ "name": "alarms" }), "projection"),
    ] {
        let answer = server.answer(query, variables).await;
        assert_eq!(answer["errors"][0]["extensions"], json!({ "code": "BAD_INPUT", "argument": argument }), "{answer}");
    }
}

#[tokio::test]
async fn what_somebody_did_to_read_models_stands_among_what_they_did() {
    let server = Server::start().await;
    server.airport(&STANDS).await;
    let close = |stand: &str| {
        let input = json!({ "stand": stand, "from": "2026-01-15T06:00:00Z" });
        let query = "mutation($input: CloseStandInput!) { closeStand(input: $input) { __typename } }";
        server.data(query, json!({ "input": input }))
    };
    server.operate("pauseProjection", "flights", "a look at it").await;
    close("LFW/C99").await;
    close("LFW/C01").await;
    server.operate("resumeProjection", "flights", "seen").await;
    server.operate("pauseProjection", "alerts", "too").await;
    server.operate("resumeProjection", "alerts", "").await;
    let head = server.caught_up().await;
    let query = "query($thing: String, $site: ID, $first: Int, $after: String) {
        activity(actor: \"operator:local\", thing: $thing, site: $site, first: $first, after: $after) {
            pageInfo { hasNextPage endCursor }
            nodes { __typename ... on ProjectionOperation { projection operation reason logPosition } } } }";
    let operation = |projection: &str, operation: &str, reason: &str, position: i64| {
        json!({ "__typename": "ProjectionOperation", "projection": projection, "operation": operation,
            "reason": reason, "logPosition": position })
    };
    let all = [
        operation("alerts", "RESUME", "", head),
        operation("alerts", "PAUSE", "too", head),
        operation("flights", "RESUME", "seen", head),
        json!({ "__typename": "AuditEntry" }),
        operation("flights", "PAUSE", "a look at it", head - 1),
        json!({ "__typename": "RefusedCommand" }),
    ];
    for page in 1..=all.len() {
        let (mut seen, mut after) = (Vec::new(), Value::Null);
        loop {
            let data = server.data(query, json!({ "first": page, "after": after })).await["activity"].take();
            seen.extend(data["nodes"].as_array().unwrap().iter().cloned());
            after = data["pageInfo"]["endCursor"].clone();
            if data["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        assert_eq!(seen, all, "pages of {page}");
    }
    let of_flights = server.data(query, json!({ "thing": "projection:flights" })).await["activity"]["nodes"].take();
    assert_eq!(of_flights, json!([all[2], all[4]]));
    let at_site = server.data(query, json!({ "site": "LFW" })).await["activity"]["nodes"].take();
    assert_eq!(at_site, json!([all[3], all[5]]), "operations are at no site");
    let past =
        "query($p: Position!) { at(position: $p) { activity(actor: \"operator:local\") { nodes { __typename } } } }";
    let past = server.data(past, json!({ "p": head - 1 })).await["at"]["activity"]["nodes"].take();
    assert_eq!(past, json!([{ "__typename": "ProjectionOperation" }, { "__typename": "RefusedCommand" }]));
}

#[tokio::test]
async fn a_server_with_a_stopped_read_model_is_ready_and_says_that_it_is_degraded() {
    let server = Server::start().await;
    server.airport(&STANDS).await;
    assert_eq!(server.get("/health/ready").await.1, r#"{"status":"ready"}"#);
    let bad = server.poison("airport.stand_defined").await;
    for name in ["stands", "audit"] {
        server.until(name, |projection| projection["state"] == "STOPPED").await;
    }
    let (status, body) = server.get("/health/ready").await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, body), (StatusCode::OK, json!({ "status": "degraded", "stopped": ["stands", "audit"] })));
    assert_eq!(server.get("/health").await.0, StatusCode::SERVICE_UNAVAILABLE);
    for name in ["stands", "audit"] {
        server.skip(name, bad, "nobody can read it").await;
    }
    server.caught_up().await;
    assert_eq!(server.get("/health/ready").await.1, r#"{"status":"ready"}"#);
}

#[tokio::test]
async fn a_read_model_that_nobody_knows_cannot_be_watched() {
    let server = Server::start().await;
    let mut socket = Socket::ready(server.listen().await).await;
    socket.subscribe("1", "subscription { projectionChanged(names: [\"alarms\"]) { name } }").await;
    let message = socket.hear().await;
    let errors = if message["type"] == "error" { &message["payload"] } else { &message["payload"]["errors"] };
    assert_eq!(errors[0]["extensions"], json!({ "code": "BAD_INPUT", "argument": "names" }), "{message}");
}
