//! Probes and metrics.

use axum::http::StatusCode;
use serde_json::{Value, json};
use vigie_domain::airport::{CodeLetter, StandKind};

use crate::harness::Server;

#[tokio::test]
async fn readiness_fails_first_when_the_server_stops() {
    let server = Server::start().await;
    for path in ["/health", "/health/live", "/health/ready", "/health/startup"] {
        assert_eq!(server.get(path).await.0, StatusCode::OK, "{path}");
    }
    server.life.stop();
    assert_eq!(server.get("/health/ready").await, (StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"stopping"}"#.into()));
    assert_eq!(server.get("/health/live").await.0, StatusCode::OK);
}

#[tokio::test]
async fn health_tells_how_far_the_log_and_the_read_models_are() {
    let server = Server::start().await;
    server.airport(&[("C01", StandKind::Civil, CodeLetter::C)]).await;
    let (_, body) = server.get("/health").await;
    let health: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (&health["status"], &health["head"], &health["database"]),
        (&json!("ok"), &json!(2), &json!({ "reachable": true }))
    );
    let models = health["read_models"].as_array().unwrap();
    assert!(models.len() >= 6 && models.iter().all(|model| model["lag"] == 0), "{body}");
}

#[tokio::test]
async fn a_lost_database_is_told() {
    let server = Server::start().await;
    server.services.pool.close().await;
    assert_eq!(server.get("/health").await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(server.get("/health/ready").await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(server.get("/health/live").await.0, StatusCode::OK);
    assert_eq!(server.get("/metrics").await.0, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn the_gauges_agree_with_the_board() {
    let server = Server::start().await;
    let stands = [
        ("C01", StandKind::Civil, CodeLetter::E),
        ("C02", StandKind::Civil, CodeLetter::C),
        ("M01", StandKind::Military, CodeLetter::E),
    ];
    server.airport(&stands).await;
    let query = r#"mutation { closeStand(input: { stand: "LFW/C02", from: "2020-01-01T00:00:00Z", reason: "works" }) {
        ... on StandPayload { stand { status } } } }"#;
    let data = server.data(query, json!({})).await;
    assert_eq!(data["closeStand"]["stand"]["status"], "CLOSED");
    let (status, metrics) = server.get("/metrics").await;
    assert_eq!(status, StatusCode::OK);
    for line in [
        r#"vigie_stands{site="LFW",kind="civil"} 2"#,
        r#"vigie_stands_available{site="LFW",kind="civil"} 1"#,
        r#"vigie_stands_available{site="LFW",kind="military"} 1"#,
        r#"vigie_read_model_lag_events{name="stands"}"#,
        r#"vigie_commands_total{command="airport.close_stand",outcome="accepted"}"#,
        "vigie_http_requests_total{",
        "vigie_http_request_duration_seconds_bucket{",
        "vigie_build_info{",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    let board =
        server.data(r#"{ stands(filter: { status: AVAILABLE }) { totalCount nodes { name } } }"#, json!({})).await;
    assert_eq!(board["stands"], json!({ "totalCount": 2, "nodes": [{ "name": "C01" }, { "name": "M01" }] }));
}
