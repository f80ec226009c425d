//! GraphQL over HTTP.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use vigie_api::settings::Settings;

use crate::harness::{Server, text};

fn post(content_type: &str, accept: Option<&str>, body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::post("/graphql").header(header::CONTENT_TYPE, content_type);
    if let Some(accept) = accept {
        request = request.header(header::ACCEPT, accept);
    }
    request.body(body.into()).unwrap()
}

const QUERY: &str = r#"{"query":"{ head }"}"#;

#[tokio::test]
async fn the_answer_has_the_media_type_that_was_asked_for() {
    let server = Server::start().await;
    for (accept, expected) in [
        (None, "application/json; charset=utf-8"),
        (Some("*/*"), "application/json; charset=utf-8"),
        (Some("application/json"), "application/json; charset=utf-8"),
        (Some("application/graphql-response+json"), "application/graphql-response+json; charset=utf-8"),
    ] {
        let response = server.send(post("application/json", accept, QUERY)).await;
        assert_eq!(response.headers()[header::CONTENT_TYPE], expected, "{accept:?}");
        let (status, body) = text(response).await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, r#"{"data":{"head":0}}"#));
    }
}

#[tokio::test]
async fn what_is_not_a_request_is_refused_with_the_status_that_says_why() {
    let server = Server::start().await;
    let json = "application/json";
    for (request, status, code) in [
        (post("text/plain", None, QUERY), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (post("application/json; charset=latin1", None, QUERY), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (post("application/x-www-form-urlencoded", None, "query={head}"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (post(json, Some("text/html"), QUERY), 406, "NOT_ACCEPTABLE"),
        (post(json, None, "not json"), 400, "BAD_REQUEST"),
        (post(json, None, "[]"), 400, "BAD_REQUEST"),
        (post(json, None, r#"{"query":1}"#), 400, "BAD_REQUEST"),
        (post(json, None, r#"{"query":"{head}","variables":[]}"#), 400, "BAD_REQUEST"),
    ] {
        let (found, body) = text(server.send(request).await).await;
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((found.as_u16(), body["errors"][0]["extensions"]["code"].as_str()), (status, Some(code)), "{body}");
    }
}

#[tokio::test]
async fn a_document_that_cannot_run_is_a_bad_request_without_data() {
    let server = Server::start().await;
    for query in ["{", "{ nonsense }", "query a { head } query b { head }", "subscription { events { position } }"] {
        let body = json!({ "query": query }).to_string();
        for (accept, status) in [("application/graphql-response+json", 400), ("application/json", 200)] {
            let (found, body) = text(server.send(post("application/json", Some(accept), body.clone())).await).await;
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(found.as_u16(), status, "{query} {accept}");
            assert!(body.get("data").is_none() && body["errors"][0]["message"].is_string(), "{body}");
        }
    }
}

#[tokio::test]
async fn get_runs_queries_and_nothing_else() {
    let server = Server::start().await;
    let (status, body) = server.get("/graphql?query=%7B%20head%20%7D").await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, r#"{"data":{"head":0}}"#));

    let mutation =
        "/graphql?query=mutation%20%7B%20acknowledgeAlert(input:%7Balert:%22x%22%7D)%20%7B__typename%7D%20%7D";
    let response = server.send(Request::get(mutation).body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()[header::ALLOW], "POST");

    let variables = "/graphql?query=query(%24id:ID!)%7Bsite(id:%24id)%7Bid%7D%7D&variables=%7B%22id%22:%22LFW%22%7D";
    assert_eq!(server.get(variables).await, (StatusCode::OK, r#"{"data":{"site":null}}"#.to_owned()));
    assert_eq!(server.get("/graphql").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(server.get("/graphql?query=%7Bhead%7D&variables=x").await.0, StatusCode::BAD_REQUEST);
    let put = Request::builder().method(Method::PUT).uri("/graphql").body(Body::empty()).unwrap();
    assert_eq!(server.send(put).await.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_browser_gets_a_page() {
    let server = Server::start().await;
    let request = Request::get("/graphql").header(header::ACCEPT, "text/html,*/*;q=0.8").body(Body::empty()).unwrap();
    let response = server.send(request).await;
    assert!(response.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/html"));
    assert!(response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("frame-ancestors 'none'"));
    let (_, page) = text(response).await;
    assert!(page.contains("Vigie") && !page.contains("http://") && !page.contains("https://"), "{page}");
    assert_eq!(server.get("/graphql/ui/nothing.js").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let server = Server::with(Settings { body_limit: 1024, ..Settings::open() }).await;
    let body = json!({ "query": format!("{{ head {} }}", " ".repeat(1024)) }).to_string();
    let (status, body) = text(server.send(post("application/json", None, body)).await).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let error = &serde_json::from_str::<Value>(&body).unwrap()["errors"][0]["extensions"];
    assert_eq!((&error["code"], &error["allowed"]), (&json!("BODY_TOO_LARGE"), &json!(1024)), "{body}");
    assert_eq!((&error["limit"], &error["setting"]), (&json!("body"), &json!("VIGIE_BODY_LIMIT")), "{body}");
}

/// Loaders make `site` wait for others, and `head` does not.
#[tokio::test]
async fn an_answer_has_its_fields_in_their_order_and_null_for_what_failed() {
    let server = Server::start().await;
    server.airport(&[]).await;
    let head = server.caught_up().await;
    for (query, expected) in [
        ("{ site(id: \"LFW\") { id } head position }", r#"{"data":{"site":{"id":"LFW"},"head":H,"position":H}}"#),
        ("{ flight(id: \"bad\") { id } head }", r#""data":{"flight":null,"head":H}"#),
        ("{ flight(id: \"bad\") { id } }", r#""data":{"flight":null}"#),
        ("{ at(position: 1) { flight(id: \"bad\") { id } } head }", r#""data":{"at":{"flight":null},"head":H}"#),
        ("{ head stands(first: -1) { nodes { id } } }", r#""data":null"#),
    ] {
        let (body, expected) = (json!({ "query": query }).to_string(), expected.replace('H', &head.to_string()));
        let (status, body) = text(server.send(post("application/json", None, body)).await).await;
        assert!(status == StatusCode::OK && body.contains(&expected), "{query}: {body}");
    }
}

#[tokio::test]
async fn the_actor_and_the_trace_of_a_request_are_recorded() {
    let server = Server::start().await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let query = r#"mutation { defineSite(input: { site: "LFW", name: "Lomé", kind: AIRPORT, zone: "Africa/Lome" }) {
        ... on SitePayload { position appended site { name zone } } ... on Refusal { code } } }"#;
    let mut request = post("application/json", None, json!({ "query": query }).to_string());
    request.headers_mut().insert("vigie-actor", HeaderValue::from_static("operator:afi"));
    request.headers_mut().insert("traceparent", HeaderValue::from_static(trace));
    let (_, body) = text(server.send(request).await).await;
    let expected = json!({ "data": { "defineSite": {
        "position": 1, "appended": 1, "site": { "name": "Lomé", "zone": "Africa/Lome" } } } });
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), expected);
    let data = server.data("{ event(position: 1) { actor traceparent command } }", json!({})).await;
    let event = json!({ "actor": "operator:afi", "traceparent": trace, "command": "support.define_site" });
    assert_eq!(data["event"], event);

    let mut wrong = post("application/json", None, QUERY);
    wrong.headers_mut().insert("vigie-actor", HeaderValue::from_static("two words"));
    assert_eq!(server.send(wrong).await.status(), StatusCode::BAD_REQUEST);
}
