//! Ideas for breaking in, each tried. What needs accounts is tried where they are tested; docs/security.md lists all of it.

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{PATIENCE, Server, text};

/// Sends bytes as they are; everything that comes back until the server closes.
async fn raw(server: std::net::SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server).await.unwrap();
    let mut answer = Vec::new();
    // A server that has seen enough closes while it is still written to.
    let _ = stream.write_all(bytes).await;
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the server closes");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn no_request_hides_in_another() {
    let server = Server::start().await.listen().await;
    const HIDDEN: &str = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let length = HIDDEN.len();
    let post = |headers: &str, body: &str| {
        format!(
            "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}\r\n\r\n{body}"
        )
    };
    let chunk = format!("{length:x}\r\n{HIDDEN}\r\n0\r\n\r\n");
    for request in [
        post(&format!("Content-Length: {}\r\nTransfer-Encoding: chunked", length + 5), &format!("0\r\n\r\n{HIDDEN}")),
        post("Content-Length: 4\r\nTransfer-Encoding: chunked", &chunk),
        post("Content-Length: 0\r\nContent-Length: 5", &format!("hello{HIDDEN}")),
        post("Content-Length: 0, 5", &format!("hello{HIDDEN}")),
        post("Content-Length: -1", HIDDEN),
        post("Content-Length: +0", HIDDEN),
        post("Transfer-Encoding: xchunked", &format!("0\r\n\r\n{HIDDEN}")),
        post("Transfer-Encoding: chunked, identity", &format!("0\r\n\r\n{HIDDEN}")),
        post("Transfer-Encoding : chunked\r\nContent-Length: 5", &format!("0\r\n\r\n{HIDDEN}")),
        post("Transfer-Encoding: chunked", &format!("fffffffffffffffff\r\n{HIDDEN}")),
        post("X: a\r\n folded", HIDDEN),
        post("X: a\rb", HIDDEN),
        post("X: a\0b", HIDDEN),
    ] {
        let answer = raw(server, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{request:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{request:?}: {answer}");
    }
}

#[tokio::test]
async fn what_is_too_long_is_not_read() {
    let server = Server::start().await.listen().await;
    let long = "a".repeat(600 * 1024);
    for (request, status) in [
        (format!("GET /health/live HTTP/1.1\r\nHost: localhost\r\nX: {long}\r\n\r\n"), 431),
        (format!("GET /health/live HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X: a\r\n".repeat(200)), 431),
        (format!("GET /health/live?{} HTTP/1.1\r\nHost: localhost\r\n\r\n", &long[..70_000]), 414),
    ] {
        let answer = raw(server, request.as_bytes()).await;
        // The rest of what was sent may make the connection a broken one before its answer is read.
        assert!(answer.is_empty() || answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
}

#[tokio::test]
async fn no_path_leads_to_a_file() {
    let server = Server::start().await;
    for path in [
        "/graphql/ui/../../../etc/passwd",
        "/graphql/ui/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/graphql/ui/..%5c..%5cetc%5cpasswd",
        "/export/..%2f..%2fetc%2fpasswd",
        "/export/audit.csv%00.html",
        "//evil.example/",
        "/%00",
        "/.env",
        "/graphql/ui/a%0d%0aSet-Cookie:%20a=b",
    ] {
        let answer = server.send(Request::get(path).body(Body::empty()).unwrap()).await;
        assert!(!answer.headers().contains_key(header::SET_COOKIE) && !answer.headers().contains_key(header::LOCATION));
        let (status, body) = text(answer).await;
        assert!(status.is_client_error() && !body.contains("root:"), "{path}: {status} {body}");
    }
}

#[tokio::test]
async fn methods_that_mean_nothing_here_are_refused() {
    let server = Server::start().await;
    for (path, method) in [
        ("/graphql", "TRACE"),
        ("/graphql", "PUT"),
        ("/graphql", "DELETE"),
        ("/graphql", "OPTIONS"),
        ("/graphql", "FOO"),
        ("/health", "POST"),
        ("/metrics", "DELETE"),
        ("/graphql/stream", "PATCH"),
    ] {
        let request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
        let answer = server.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert!(answer.headers().contains_key(header::ALLOW), "{method} {path}");
    }
}

/// What tells a browser that the page of another server may read an answer.
fn is_shared(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| name.as_str().starts_with("access-control-"))
}

#[tokio::test]
async fn a_page_of_another_server_neither_sends_nor_reads() {
    let server = Server::start().await;
    let mutation = r#"{"query":"mutation { defineSite(input: { site: \"XXX\", name: \"X\", kind: AIRPORT, zone: \"UTC\" }) { __typename } }"}"#;
    // What a form or a script can send without asking first.
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""] {
        let request = Request::post("/graphql").header(header::ORIGIN, "https://evil.example");
        let request = request.header(header::CONTENT_TYPE, kind).body(Body::from(mutation)).unwrap();
        let answer = server.send(request).await;
        assert_eq!(answer.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind}");
        assert!(!is_shared(answer.headers()), "{kind}");
    }
    // Asking first.
    let preflight = Request::options("/graphql")
        .header(header::ORIGIN, "https://evil.example")
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
        .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "content-type");
    let answer = server.send(preflight.body(Body::empty()).unwrap()).await;
    assert!(answer.status().is_client_error() && !is_shared(answer.headers()));
    // A query by GET is sent, and its answer is not shown.
    let get = Request::get("/graphql?query=%7Bhead%7D").header(header::ORIGIN, "https://evil.example");
    let answer = server.send(get.body(Body::empty()).unwrap()).await;
    assert!(!is_shared(answer.headers()));
    assert_eq!(answer.headers()["cross-origin-resource-policy"], "same-origin");
    assert_eq!(server.services.log.head().await.unwrap(), 0);
}

#[tokio::test]
async fn texts_are_never_taken_for_sql() {
    let server = Server::start().await;
    server.airport(&[("C01", vigie_domain::airport::StandKind::Civil, vigie_domain::airport::CodeLetter::C)]).await;
    for text in [
        "' or '1'='1",
        "'; drop table event; --",
        "LFW' union select 1 --",
        "%",
        "_",
        "\\",
        "$1",
        "LFW\u{0}",
        "\u{202e}",
    ] {
        for query in [
            "query($t: ID!) { stand(id: $t) { id } }",
            "query($t: ID!) { site(id: $t) { id } }",
            "query($t: ID) { stands(filter: { site: $t }) { totalCount } }",
            "query($t: String) { stands(after: $t) { totalCount } }",
            "query($t: String) { auditTrail(filter: { actor: $t }) { totalCount } }",
            "query($t: String) { auditTrail(filter: { thing: $t }) { totalCount } }",
        ] {
            let answer = server.answer(query, json!({ "t": text })).await;
            let found = answer.to_string();
            assert!(!found.contains("INTERNAL") && !found.contains("LFW/C01"), "{text:?} {query}: {found}");
            let counted = answer["data"].as_object().and_then(|data| data.values().next()?.get("totalCount").cloned());
            assert!(counted.is_none_or(|count| count == 0 || query.contains("after")), "{text:?} {query}: {found}");
        }
    }
    assert_eq!(server.data("{ stands { totalCount } }", json!({})).await["stands"]["totalCount"], 1);
}

#[tokio::test]
async fn what_fails_inside_is_not_told() {
    let server = Server::start().await;
    sqlx::query("alter table read.stands rename to somewhere_else").execute(&server.services.pool).await.unwrap();
    let answer = server.answer("{ stands { totalCount nodes { id } } }", json!({})).await;
    let told = answer.to_string().to_lowercase();
    assert!(answer["errors"].as_array().is_some_and(|errors| !errors.is_empty()), "{answer:#}");
    for internal in ["read.stands", "relation", "does not exist", "sqlx", "postgres", "select", ".rs", "panicked"] {
        assert!(!told.contains(internal), "{internal}: {answer:#}");
    }
}

#[tokio::test]
async fn many_guesses_in_one_request_are_few() {
    let server = Server::start().await;
    let guesses: String = (0..101).map(|n| format!("a{n}: site(id: \"LFW\") {{ id }} ")).collect();
    let answer = server.answer(&format!("{{ {guesses} }}"), json!({})).await;
    let codes: Vec<&Value> = answer["errors"].as_array().unwrap().iter().map(|e| &e["extensions"]["code"]).collect();
    assert!(codes.iter().all(|code| code.as_str().is_some_and(|code| code.starts_with("TOO_MANY"))), "{answer:#}");
    let batch = Value::Array(vec![json!({ "query": "{ head }" }); 2]).to_string();
    let request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
    assert_eq!(server.send(request.body(Body::from(batch)).unwrap()).await.status(), StatusCode::BAD_REQUEST);
}
