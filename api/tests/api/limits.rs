//! What is too much is refused before it hurts, and what is just not too much is served.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Request, header};
use futures_util::future::join_all;
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use vigie_api::limits::Limits;
use vigie_api::settings::Settings;
use vigie_domain::airport::{CodeLetter, StandKind};

use crate::harness::{Server, text};
use crate::socket::Socket;

/// How long an operation may run where a test waits for that: long enough to begin, short enough to wait for.
const SHORT: Duration = Duration::from_millis(500);
const WATCH: &str = "subscription { events { position } }";

async fn with(limits: Limits) -> Server {
    Server::with(Settings { limits, ..Settings::open() }).await
}

fn request(query: &str, headers: &[(&'static str, &str)]) -> Request<Body> {
    let mut request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(json!({ "query": query }).to_string())).unwrap()
}

/// Status, headers and body of the answer.
async fn ask(server: &Server, query: &str, headers: &[(&'static str, &str)]) -> (u16, HeaderMap, Value) {
    let response = server.send(request(query, headers)).await;
    let headers = response.headers().clone();
    let (status, body) = text(response).await;
    (status.as_u16(), headers, serde_json::from_str(&body).unwrap())
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("{answer:#}"))
}

/// A connection that the server does not need, as the one who logged in.
async fn own(server: &Server) -> PgConnection {
    let mut connection = server.services.pool.connect_options().connect().await.unwrap();
    sqlx::raw_sql("set role none").execute(&mut connection).await.unwrap();
    connection
}

/// Whoever reads waits until this connection closes.
async fn gate_closed(server: &Server) -> PgConnection {
    let mut gate = own(server).await;
    sqlx::raw_sql("begin; lock table read.swap_gate in access exclusive mode").execute(&mut gate).await.unwrap();
    gate
}

/// Statements of operations that wait for the gate.
async fn waiting(other: &mut PgConnection) -> i64 {
    let waiting = "select count(*) from pg_stat_activity where datname = current_database()
        and application_name like 'vigie %' and wait_event_type = 'Lock'";
    sqlx::query_scalar(waiting).fetch_one(other).await.unwrap()
}

#[tokio::test]
async fn each_limit_of_a_document_is_told_with_what_was_asked_and_how_to_move_it() {
    let limits = Limits {
        tokens: 60,
        nesting: 6,
        depth: 3,
        fields: 12,
        aliases: 2,
        directives: 2,
        root_fields: 4,
        page: 60,
        cost: 500,
        ..Limits::default()
    };
    let server = with(limits).await;
    let mut socket = Socket::ready(server.listen().await).await;
    let wide = |count| format!("{{ {} }}", "head ".repeat(count));
    let names = |count| format!("{{ stand(id: \"x\") {{ {} }} }}", "id ".repeat(count));
    for (fits, exceeds, limit) in [
        (format!("{{ sites(first: 1) {{ totalCount }} {} }}", "#".repeat(500)), wide(59), "TOO_MANY_TOKENS"),
        (
            "{ ... { ... { ... { ... { ... { head } } } } } }".into(),
            "{ ... { ... { ... { ... { ... { ... { head } } } } } } }".into(),
            "TOO_NESTED",
        ),
        ("{ sites { nodes { id } } }".into(), "{ stands { nodes { site { id } } } }".into(), "TOO_DEEP"),
        (names(11), names(12), "TOO_MANY_FIELDS"),
        ("{ a: head b: head }".into(), "{ a: head b: head c: head }".into(), "TOO_MANY_ALIASES"),
        (
            "{ head @skip(if: false) position @skip(if: false) }".into(),
            "{ head @skip(if: false) position @skip(if: false) ... @include(if: true) { head } }".into(),
            "TOO_MANY_DIRECTIVES",
        ),
        (wide(4), wide(5), "TOO_MANY_ROOT_FIELDS"),
        (
            "{ sites(first: 60) { nodes { id } } }".into(),
            "{ sites(last: 61) { nodes { id } } }".into(),
            "PAGE_TOO_LARGE",
        ),
        ("{ at(position: 1) { position } }".into(), "{ auditExport { url } }".into(), "TOO_COSTLY"),
    ] {
        let (status, _, answer) = ask(&server, &exceeds, &[("accept", "application/graphql-response+json")]).await;
        assert_eq!((status, code(&answer)), (400, limit), "{exceeds}");
        let told = &answer["errors"][0]["extensions"];
        assert!(told["asked"].as_u64() > told["allowed"].as_u64(), "{answer:#}");
        let message = answer["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(told["setting"].as_str().unwrap()), "{message}");
        let (status, _, answer) = ask(&server, &fits, &[]).await;
        let refused = answer["errors"][0]["extensions"]["limit"].as_str();
        assert_eq!((status, refused), (200, None), "{fits}: {answer:#}");

        socket.subscribe("1", &exceeds).await;
        let message = socket.hear().await;
        assert_eq!((&message["type"], &message["payload"][0]["extensions"]["code"]), (&json!("error"), &json!(limit)));
    }
}

#[tokio::test]
async fn a_body_of_the_largest_size_is_read() {
    let server = Server::with(Settings { body_limit: 1024, ..Settings::open() }).await;
    let sized = |size: usize| {
        let body = format!("{{\"query\":\"{{ head }}\"{}}}", " ".repeat(size - 20));
        assert_eq!(body.len(), size);
        Request::post("/graphql").header(header::CONTENT_TYPE, "application/json").body(Body::from(body)).unwrap()
    };
    assert_eq!(server.send(sized(1024)).await.status(), 200);
    assert_eq!(server.send(sized(1025)).await.status(), 413);
}

/// Each of these is small, and would be a hang or the end of the process if it were taken as it is.
#[tokio::test]
async fn documents_that_are_made_to_hurt_are_refused() {
    let server = Server::start().await;
    let mut fragments = "{ ...F0 }".to_owned();
    for n in 0..60 {
        fragments += &format!(" fragment F{n} on Query {{ ...F{m} ...F{m} }}", m = n + 1);
    }
    let cycle = format!("{fragments} fragment F60 on Query {{ ...F0 ...F0 }}");
    fragments += " fragment F60 on Query { head }";
    let schema = (0..5).fold("name".to_owned(), |inner, _| format!("fields {{ type {{ {inner} }} }}"));
    for (query, limit) in [
        ("{a".repeat(300_000), "TOO_MANY_TOKENS"),
        ("{a".repeat(2_000), "TOO_NESTED"),
        ("{a(b:[[[[".repeat(500), "TOO_NESTED"),
        (fragments, "TOO_MANY_FIELDS"),
        (cycle, "BAD_REQUEST"),
        (format!("{{ __schema {{ types {{ {schema} }} }} }}"), "TOO_COSTLY"),
    ] {
        let (_, _, answer) = ask(&server, &query, &[]).await;
        assert_eq!(code(&answer), limit);
    }
    assert_eq!(server.data("{ head }", json!({})).await, json!({ "head": 0 }));
}

#[tokio::test]
async fn a_cost_is_told_when_it_is_asked_for() {
    let server = Server::start().await;
    let (_, _, answer) = ask(&server, "{ sites(first: 2) { nodes { id } } }", &[("vigie-cost", "true")]).await;
    assert_eq!(answer["extensions"], json!({ "cost": { "cost": 16, "limit": 200_000 } }));
    let (_, _, answer) = ask(&server, "{ head }", &[]).await;
    assert_eq!(answer.get("extensions"), None);
    let always = with(Limits { show_cost: true, ..Limits::default() }).await;
    let (_, _, answer) = ask(&always, "{ head }", &[]).await;
    assert_eq!(answer["extensions"]["cost"]["cost"], 1);
    let mut socket = Socket::ready(always.listen().await).await;
    socket.subscribe("1", "{ head }").await;
    assert_eq!(socket.hear().await["payload"]["extensions"]["cost"]["cost"], 1);
}

/// Fields of an answer, objects in lists included.
fn fields(answer: &Value) -> u64 {
    match answer {
        Value::Object(object) => object.values().map(|value| 1 + fields(value)).sum(),
        Value::Array(list) => list.iter().map(|value| u64::from(value.is_object()) + fields(value)).sum(),
        _ => 0,
    }
}

#[tokio::test]
async fn no_answer_has_more_fields_than_it_costs() {
    let server = Server::start().await;
    let names: Vec<String> = (1..=30).map(|n| format!("C{n:02}")).collect();
    let stands: Vec<_> = names.iter().map(|name| (name.as_str(), StandKind::Civil, CodeLetter::C)).collect();
    server.airport(&stands).await;
    for query in [
        "{ stands { nodes { id name site { id stands: name } } } }",
        "{ stands(first: 30) { totalCount edges { cursor node { id audit(first: 3) { nodes { position } } } } pageInfo { hasNextPage } } }",
        "{ auditTrail(first: 20) { nodes { position type actor } } events(first: 31) { nodes { position } } }",
        "{ at(position: 20) { stands(last: 10) { nodes { id provenance { position } } } } }",
    ] {
        let (_, _, answer) = ask(&server, query, &[("vigie-cost", "true")]).await;
        let (holds, costs) = (fields(&answer["data"]), answer["extensions"]["cost"]["cost"].as_u64().unwrap());
        assert!(answer.get("errors").is_none() && holds > 30 && holds <= costs, "{holds} {costs} {query} {answer}");
    }
}

/// The largest thing that tools ask for by themselves.
#[tokio::test]
async fn the_whole_schema_can_be_asked_for_and_is_not_larger_than_it_costs() {
    let server = Server::start().await;
    let of = (0..9).fold("name".to_owned(), |inner, _| format!("kind name ofType {{ {inner} }}"));
    let query = format!(
        "{{ __schema {{ queryType {{ name }} types {{ kind name description fields(includeDeprecated: true) {{ name
            args {{ name defaultValue type {{ {of} }} }} type {{ {of} }} }} inputFields {{ name type {{ {of} }} }}
            interfaces {{ {of} }} enumValues {{ name }} possibleTypes {{ {of} }} }} }} }}"
    );
    let (_, _, answer) = ask(&server, &query, &[("vigie-cost", "true")]).await;
    let (holds, costs) = (fields(&answer["data"]), answer["extensions"]["cost"]["cost"].as_u64().unwrap());
    assert!(holds > 10_000 && holds / 10 <= costs && costs < 50_000, "{holds} {costs}");
}

/// Lists that take no size count as 10.
#[tokio::test]
async fn what_an_answer_holds_beyond_its_cost_is_charged_afterwards() {
    let limits = Limits { rate: 10_000, rate_window: Duration::from_secs(1_000_000), ..Limits::default() };
    let server = with(limits).await;
    server.airport(&[("C01", StandKind::Civil, CodeLetter::C)]).await;
    let close = |day: usize| {
        format!(
            r#"c{day}: closeStand(input: {{ stand: "LFW/C01", from: "2030-01-{day:02}T00:00:00Z",
                to: "2030-01-{day:02}T12:00:00Z", reason: "works" }}) {{ ...on StandPayload {{ appended }} }}"#
        )
    };
    for day in [1, 6, 11, 16] {
        let closed: String = (day..day + 5).map(close).collect();
        let (.., answer) = ask(&server, &format!("mutation {{ {closed} }}"), &[]).await;
        assert_eq!(answer["data"][format!("c{day}")]["appended"], 1, "{answer:#}");
    }
    let left = async |query: &str| {
        let (_, headers, answer) = ask(&server, query, &[("vigie-actor", "operator:other")]).await;
        let left = headers["ratelimit"].to_str().unwrap().split([';', ',']).nth(1).unwrap().to_owned();
        (left, answer)
    };
    let (before, answer) = left(r#"{ stand(id: "LFW/C01") { closures { reason __typename } } }"#).await;
    assert_eq!(answer["data"]["stand"]["closures"].as_array().unwrap().len(), 20);
    // The stand, its closures, and ten of them with a field each; the other ten are told with the next answer.
    assert_eq!(before, "r=9978");
    assert_eq!(left("{ head }").await.0, "r=9957");
}

#[tokio::test]
async fn who_spends_too_much_is_told_when_to_come_back() {
    let limits = Limits { rate: 1_000, rate_window: Duration::from_secs(86_400), ..Limits::default() };
    let server = with(limits).await;
    let (status, headers, _) = ask(&server, "{ at(position: 1) { head } }", &[]).await;
    assert_eq!(status, 200);
    let policy = r#""caller";q=1000;qu="cost";w=86400, "address";q=10000;qu="cost";w=86400"#;
    assert_eq!(headers["ratelimit-policy"], policy);
    let state = headers["ratelimit"].to_str().unwrap();
    assert!(state.starts_with("\"caller\";r=798;t=174"), "{state}");
    assert!(!headers.contains_key("retry-after"));

    let (status, headers, answer) = ask(&server, "{ auditExport { url } refusalExport { url } }", &[]).await;
    assert_eq!((status, code(&answer)), (429, "RATE_LIMITED"), "{answer:#}");
    let retry: u64 = headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert_eq!(answer["errors"][0]["extensions"]["retryAfter"], json!(retry));
    // 202 of 1,000 are missing for what costs more than all.
    assert!((17_000..18_000).contains(&retry), "{retry}");
    assert!(headers["ratelimit"].to_str().unwrap().starts_with("\"caller\";r=798;"), "{headers:?}");

    // Somebody else, and what fits, still goes on.
    let (status, ..) = ask(&server, "{ auditExport { url } }", &[("vigie-actor", "operator:other")]).await;
    assert_eq!(status, 200);
    let mut socket = Socket::ready(server.listen().await).await;
    socket.subscribe("1", "{ at(position: 1) { a: at(position: 1) { head } } }").await;
    socket.subscribe("2", "{ auditExport { url } refusalExport { url } }").await;
    let mut refused = socket.hear().await;
    while refused["id"] != "2" {
        refused = socket.hear().await;
    }
    assert_eq!(
        (&refused["type"], &refused["payload"][0]["extensions"]["code"]),
        (&json!("error"), &json!("RATE_LIMITED"))
    );
    socket.subscribe("3", "{ head }").await;
    let mut message = socket.hear().await;
    while message["id"] != "3" {
        message = socket.hear().await;
    }
    assert_eq!(message["type"], "next");
}

#[tokio::test]
async fn a_document_that_is_refused_is_paid_for_too() {
    let server = with(Limits { rate: 1_000, rate_window: Duration::from_secs(86_400), ..Limits::default() }).await;
    let huge = "head ".repeat(10_000);
    let (status, headers, answer) = ask(&server, &huge, &[]).await;
    assert_eq!((status, code(&answer)), (200, "TOO_MANY_TOKENS"));
    assert!(headers["ratelimit"].to_str().unwrap().starts_with("\"caller\";r=499;"), "{headers:?}");
    assert_eq!(code(&ask(&server, &huge, &[]).await.2), "RATE_LIMITED");
}

#[tokio::test]
async fn a_download_is_paid_for_too() {
    let server = with(Limits { rate: 15_000, rate_window: Duration::from_secs(86_400), ..Limits::default() }).await;
    let download = || Request::get("/export/audit.csv").body(Body::empty()).unwrap();
    let response = server.send(download()).await;
    assert_eq!(response.status(), 200);
    assert!(response.headers()["ratelimit"].to_str().unwrap().starts_with("\"caller\";r=5000;"));
    let refused = server.send(download()).await;
    assert_eq!((refused.status().as_u16(), refused.headers().contains_key("retry-after")), (429, true));
}

#[tokio::test]
async fn so_many_operations_of_a_caller_run_at_once_and_no_more() {
    let server = with(Limits { operations: 2, address_share: 2, ..Limits::default() }).await;
    let (gate, mut other) = (gate_closed(&server).await, own(&server).await);
    let asked = join_all((0..3).map(|_| ask(&server, "{ position }", &[])));
    let others = join_all((0..3).map(|_| ask(&server, "{ position }", &[("vigie-actor", "operator:other")])));
    let third = ask(&server, "{ position }", &[("vigie-actor", "operator:third")]);
    let open = async {
        while waiting(&mut other).await < 4 {}
        // Four run: two of each caller, and no more of the address.
        let (status, headers, answer) = third.await;
        assert_eq!((status, code(&answer)), (429, "TOO_MANY_OPERATIONS"), "{answer:#}");
        assert_eq!(headers["retry-after"], "1");
        gate.close().await.unwrap();
    };
    let (asked, others, ()) = tokio::join!(asked, others, open);
    for answers in [asked, others] {
        let refused: Vec<_> = answers.iter().filter(|(status, ..)| *status == 429).collect();
        assert_eq!(refused.len(), 1);
        let message = refused[0].2["errors"][0]["message"].as_str().unwrap();
        assert_eq!(message, "3 queries and mutations would run at once; at most 2 are allowed (VIGIE_MAX_OPERATIONS)");
    }
    assert_eq!(ask(&server, "{ position }", &[]).await.0, 200);
}

#[tokio::test]
async fn so_many_subscriptions_of_a_caller_run_at_once_and_no_more() {
    let server = with(Limits { subscriptions: 2, ..Limits::default() }).await;
    let address = server.listen().await;
    let (mut one, mut other) = (Socket::ready(address).await, Socket::ready(address).await);
    one.subscribe("1", WATCH).await;
    one.say(json!({ "type": "ping" })).await;
    assert_eq!(one.hear().await["type"], "pong");
    other.subscribe("2", WATCH).await;
    other.subscribe("3", WATCH).await;
    let refused = other.hear().await;
    assert_eq!((&refused["type"], &refused["id"]), (&json!("error"), &json!("3")), "{refused}");
    assert_eq!(refused["payload"][0]["extensions"]["code"], "TOO_MANY_SUBSCRIPTIONS");
    // One that ends makes room.
    one.say(json!({ "type": "complete", "id": "1" })).await;
    one.say(json!({ "type": "ping" })).await;
    assert_eq!(one.hear().await["type"], "pong");
    other.subscribe("4", WATCH).await;
    other.say(json!({ "type": "ping" })).await;
    assert_eq!(other.hear().await["type"], "pong");
}

#[tokio::test]
async fn so_many_operations_run_on_one_socket_and_no_more() {
    let server = with(Limits { socket_operations: 2, ..Limits::default() }).await;
    let mut socket = Socket::ready(server.listen().await).await;
    for id in ["1", "2", "3"] {
        socket.subscribe(id, WATCH).await;
    }
    let refused = socket.hear().await;
    assert_eq!((&refused["type"], &refused["id"]), (&json!("error"), &json!("3")), "{refused}");
    assert_eq!(refused["payload"][0]["extensions"]["code"], "TOO_MANY_SOCKET_OPERATIONS");
}

#[tokio::test]
async fn an_operation_that_takes_too_long_ends_with_its_statement() {
    let server = with(Limits { operation: SHORT, ..Limits::default() }).await;
    let gate = gate_closed(&server).await;
    let (status, _, answer) = ask(&server, "{ position }", &[("accept", "application/graphql-response+json")]).await;
    assert_eq!((status, code(&answer)), (504, "TIMEOUT"), "{answer:#}");
    while waiting(&mut own(&server).await).await > 0 {}
    gate.close().await.unwrap();
    // Each connection of the pool is as good as before.
    for answer in join_all((0..20).map(|_| server.data("{ position }", json!({})))).await {
        assert_eq!(answer, json!({ "position": 0 }));
    }
    // What waits for something else than the database ends as well.
    let waits = "{ after(position: 9, timeoutMs: 30000) { __typename } }";
    assert_eq!(code(&ask(&server, waits, &[]).await.2), "TIMEOUT");
}

#[tokio::test]
async fn a_statement_of_a_subscription_that_takes_too_long_is_ended_by_postgres() {
    let server = with(Limits { operation: SHORT, ..Limits::default() }).await;
    server.airport(&[("C01", StandKind::Civil, CodeLetter::C)]).await;
    let mut socket = Socket::ready(server.listen().await).await;
    let gate = gate_closed(&server).await;
    socket.subscribe("1", "subscription { standChanged(after: 0) { position stand { id } } }").await;
    let message = socket.hear().await;
    assert_eq!(message["payload"]["errors"][0]["extensions"]["code"], "TIMEOUT", "{message}");
    gate.close().await.unwrap();
}
