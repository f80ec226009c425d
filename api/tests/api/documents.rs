//! Persisted documents, batches, and what clients may see of the schema.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use vigie_api::settings::{Protocols, Settings};
use vigie_integrations::webhooks::wire::data_url;

use crate::harness::{Server, text};

/// `{ head }`, and its SHA-256.
const HEAD: &str = "{ head }";
const HASH: &str = "e25f1beb9993b9c2c6a627392485557a9197717a848b800c82ae6209103fef30";

async fn speaking(protocols: Protocols) -> Server {
    Server::with(Settings { protocols, ..Settings::open() }).await
}

/// Status and body of a POST that accepts `application/graphql-response+json`.
async fn post(server: &Server, body: &Value) -> (StatusCode, Value) {
    let request = Request::post("/graphql")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/graphql-response+json");
    let (status, body) = text(server.send(request.body(Body::from(body.to_string())).unwrap()).await).await;
    (status, serde_json::from_str(&body).unwrap())
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("{answer}"))
}

/// A folder with `{ head }` and, in a manifest, a mutation.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("head.graphql"), format!("{HEAD}\n")).unwrap();
    let mutation = r#"mutation Define($site: ID!) { defineSite(input: { site: $site, name: "L", kind: AIRPORT, zone: "Africa/Lome" }) { ... on SitePayload { position } } }"#;
    let manifest = json!({ "operations": [{ "id": "define", "body": mutation }] });
    std::fs::write(folder.path().join("manifest.json"), manifest.to_string()).unwrap();
    folder
}

#[tokio::test]
async fn a_persisted_document_runs_by_its_identifier() {
    let folder = folder();
    let server = speaking(Protocols { documents: Some(folder.path().to_owned()), ..Protocols::default() }).await;
    let id = format!("sha256:{HASH}");
    let done = (StatusCode::OK, json!({ "data": { "head": 0 } }));
    assert_eq!(post(&server, &json!({ "documentId": id })).await, done);
    let (status, body) = server.get(&format!("/graphql?documentId={id}")).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, r#"{"data":{"head":0}}"#));
    let (status, answer) = post(&server, &json!({ "documentId": "define", "variables": { "site": "LFW" } })).await;
    assert_eq!((status, &answer["data"]["defineSite"]["position"]), (StatusCode::OK, &json!(1)), "{answer}");
    // A mutation stays one, however it is named.
    assert_eq!(server.get("/graphql?documentId=define").await.0, StatusCode::METHOD_NOT_ALLOWED);
    let (status, answer) = post(&server, &json!({ "documentId": "sha256:ab" })).await;
    assert_eq!((status, code(&answer)), (StatusCode::BAD_REQUEST, "PERSISTED_DOCUMENT_NOT_FOUND"));
    // Others run as well, as long as nothing says otherwise.
    assert_eq!(post(&server, &json!({ "query": "{ position }" })).await.0, StatusCode::OK);
}

#[tokio::test]
async fn in_allow_list_mode_nothing_else_runs() {
    let folder = folder();
    let protocols =
        Protocols { documents: Some(folder.path().to_owned()), documents_only: true, ..Protocols::default() };
    let server = speaking(protocols).await;
    assert_eq!(post(&server, &json!({ "documentId": "define", "variables": { "site": "LFW" } })).await.0, 200);
    // The same text is the same document.
    assert_eq!(post(&server, &json!({ "query": HEAD })).await.0, StatusCode::OK);
    for query in ["{ position }", "{  head }", "{ __typename }", "{ __schema { types { name } } }"] {
        let (status, answer) = post(&server, &json!({ "query": query })).await;
        assert_eq!((status, code(&answer)), (StatusCode::BAD_REQUEST, "PERSISTED_DOCUMENT_REQUIRED"), "{query}");
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains("VIGIE_DOCUMENTS_ONLY"), "{answer}");
    }
    // What a delivery was too large for is where the delivery says.
    let told: Value = serde_json::from_str(&server.get(&data_url(1)).await.1).unwrap();
    assert_eq!(told["data"]["event"]["type"], "support.site_defined", "{told}");
    // Clients cannot add to the list.
    let smuggled = "{ position }";
    let hash = vigie_api::documents::hash(smuggled);
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
    let (_, answer) = post(&server, &json!({ "query": smuggled, "extensions": extensions })).await;
    assert_eq!(code(&answer), "PERSISTED_DOCUMENT_REQUIRED");
    let (_, answer) = post(&server, &json!({ "extensions": extensions })).await;
    assert_eq!(code(&answer), "PERSISTED_QUERY_NOT_SUPPORTED");
}

#[tokio::test]
async fn a_client_persists_a_document_itself() {
    let server = Server::start().await;
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": HASH } });
    let (status, answer) = post(&server, &json!({ "extensions": extensions })).await;
    assert_eq!((status, code(&answer)), (StatusCode::BAD_REQUEST, "PERSISTED_QUERY_NOT_FOUND"));
    assert_eq!(answer["errors"][0]["message"], "PersistedQueryNotFound");
    let (status, answer) = post(&server, &json!({ "query": "{ position }", "extensions": extensions })).await;
    assert_eq!((status, code(&answer)), (StatusCode::BAD_REQUEST, "PERSISTED_QUERY_MISMATCH"));
    let done = (StatusCode::OK, json!({ "data": { "head": 0 } }));
    assert_eq!(post(&server, &json!({ "query": HEAD, "extensions": extensions })).await, done);
    assert_eq!(post(&server, &json!({ "extensions": extensions })).await, done);
    let get =
        format!("/graphql?extensions=%7B%22persistedQuery%22:%7B%22version%22:1,%22sha256Hash%22:%22{HASH}%22%7D%7D");
    assert_eq!(server.get(&get).await, (StatusCode::OK, r#"{"data":{"head":0}}"#.to_owned()));

    let off = speaking(Protocols { automatic_bytes: 0, ..Protocols::default() }).await;
    let (_, answer) = post(&off, &json!({ "extensions": extensions })).await;
    assert_eq!(code(&answer), "PERSISTED_QUERY_NOT_SUPPORTED");
    assert_eq!(post(&off, &json!({ "query": HEAD, "extensions": extensions })).await, done);
}

#[tokio::test]
async fn batches_are_refused_unless_allowed_and_bounded_then() {
    let server = Server::start().await;
    let one = json!({ "query": HEAD });
    let (status, answer) = post(&server, &json!([one])).await;
    assert_eq!((status, code(&answer)), (StatusCode::BAD_REQUEST, "BAD_REQUEST"));
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("VIGIE_BATCH"), "{answer}");

    let server = speaking(Protocols { batch: 3, ..Protocols::default() }).await;
    let define = r#"mutation { defineSite(input: { site: "LFW", name: "L", kind: AIRPORT, zone: "Africa/Lome" }) { __typename } }"#;
    let (status, answers) = post(&server, &json!([{ "query": define }, { "query": "{ nonsense }" }, one])).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answers[0]["data"]["defineSite"]["__typename"], "SitePayload");
    assert!(answers[1].get("data").is_none() && code(&answers[1]) == "BAD_REQUEST", "{answers}");
    assert_eq!(answers[2], json!({ "data": { "head": 1 } }), "one after the other");
    for (batch, told) in [
        (json!([]), "a batch has at least one operation"),
        (json!([one, one, one, one]), "a batch has at most 3 operations (VIGIE_BATCH): 4"),
        (json!([one, 1]), "the request is not a JSON object"),
        (json!([one, [one]]), "the request is not a JSON object"),
    ] {
        let (status, answer) = post(&server, &batch).await;
        assert_eq!((status, &answer["errors"][0]["message"]), (StatusCode::BAD_REQUEST, &json!(told)));
    }
}

#[tokio::test]
async fn a_document_that_is_understood_and_cannot_run_may_have_422() {
    let server = speaking(Protocols { invalid_status: StatusCode::UNPROCESSABLE_ENTITY, ..Protocols::default() }).await;
    for (body, status) in [
        (json!({ "query": "{" }), 400),
        (json!({ "query": 1 }), 400),
        (json!({ "query": "{ nonsense }" }), 422),
        (json!({ "query": "query a { head } query b { head }" }), 422),
        (json!({ "query": "query a { head }", "operationName": "b" }), 422),
        (json!({ "query": "query($a: Int!) { stands(first: $a) { totalCount } }" }), 422),
        (json!({ "query": "subscription { events { position } }" }), 422),
        (json!({ "query": HEAD }), 200),
    ] {
        assert_eq!(post(&server, &body).await.0.as_u16(), status, "{body}");
    }
}

#[tokio::test]
async fn the_schema_is_shown_as_far_as_the_settings_say() {
    let schema = json!({ "query": "{ __schema { queryType { name } } }" });
    let kind = json!({ "query": "{ __type(name: \"Stand\") { name } }" });
    let wrong = json!({ "query": "{ stand { id } hed }" });
    let open = Server::start().await;
    assert_eq!(post(&open, &schema).await.0, StatusCode::OK);
    assert!(post(&open, &wrong).await.1.to_string().contains("Did you mean"));
    let closed = speaking(Protocols { introspection: false, suggestions: false, ..Protocols::default() }).await;
    for asked in [schema, kind] {
        let (status, answer) = post(&closed, &asked).await;
        assert_eq!((status, code(&answer)), (StatusCode::BAD_REQUEST, "INTROSPECTION_OFF"), "{answer}");
    }
    assert_eq!(post(&closed, &json!({ "query": "{ __typename }" })).await.0, StatusCode::OK);
    let (status, answer) = post(&closed, &wrong).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(!answer.to_string().contains("Did you mean"), "{answer}");
}
