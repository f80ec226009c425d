//! A schema that was built until a moment, and a server that shows it.

use serde_json::json;
use tokio_util::sync::CancellationToken;
use vigie_eventlog::testing;
use vigie_projections::{ProjectionError, ReplayError, Replayed, Wanted, complete, replay};

use super::apron;
use crate::harness::Server;

const SCHEMA: &str = "audit_2026";

async fn build(
    server: &Server,
    until: i64,
    replace: bool,
    cancel: &CancellationToken,
) -> Result<Replayed, ReplayError> {
    let services = &server.services;
    let wanted = Wanted { schema: SCHEMA, until, replace, readers: &[] };
    replay(
        &services.pool,
        &services.log,
        &testing::owner(&services.pool).await.connect_options(),
        &wanted,
        &|_, _| {},
        cancel,
    )
    .await
}

async fn built(server: &Server, until: i64) -> Replayed {
    build(server, until, false, &CancellationToken::new()).await.unwrap()
}

#[tokio::test]
async fn a_standing_server_answers_as_it_was_and_changes_nothing() {
    let server = apron().await;
    server.arrival("860", "2026-01-15T10:00:00Z", "A333").await;
    let until = server.caught_up().await;
    built(&server, until).await;
    server.arrival("861", "2026-01-15T10:00:00Z", "A333").await;
    let head = server.caught_up().await;

    let standing = server.standing(SCHEMA).await;
    let query = "{ flights { totalCount } head position events(last: 1) { nodes { position } }
        at(position: 1) { flights { totalCount } stands { totalCount } } }";
    let data = standing.data(query, json!({})).await;
    assert_eq!((&data["head"], &data["position"]), (&json!(until), &json!(until)));
    assert_eq!(data["flights"]["totalCount"], 1);
    assert_eq!(data["events"]["nodes"], json!([{ "position": until }]));
    assert_eq!(data["at"], json!({ "flights": { "totalCount": 0 }, "stands": { "totalCount": 0 } }));
    let answer = standing.answer("query($p: Position!) { at(position: $p) { head } }", json!({ "p": head })).await;
    assert_eq!(answer["errors"][0]["extensions"]["last"], until, "{answer:#}");
    let after = "query($p: Position!) { after(position: $p, timeoutMs: 30000) { ... on Behind { readModel wanted } } }";
    let behind = standing.data(after, json!({ "p": head })).await;
    assert_eq!(behind["after"], json!({ "readModel": SCHEMA, "wanted": head }));
    let mutation = "mutation { cancelFlight(input: { flight: \"LFW/AF860/2026-01-15/A/CDG\" }) { __typename } }";
    let refused = standing.answer(mutation, json!({})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "READ_ONLY", "{refused:#}");
    assert_eq!(server.services.log.head().await.unwrap(), head);
    let (status, _) = standing.get("/health/ready").await;
    assert!(status.is_success());
    let (status, metrics) = standing.get("/metrics").await;
    assert!(status.is_success(), "{metrics}");
}

#[tokio::test]
async fn what_no_replay_has_made_is_left_alone() {
    let server = apron().await;
    let until = server.caught_up().await;
    let pool = &server.services.pool;
    let owner = testing::owner(pool).await;
    sqlx::query("create schema audit_2026 authorization vigie_app").execute(&owner).await.unwrap();
    sqlx::query("create table audit_2026.replay (note text)").execute(pool).await.unwrap();
    for replace in [false, true] {
        let refused = build(&server, until, replace, &CancellationToken::new()).await.unwrap_err();
        assert!(matches!(refused, ReplayError::Foreign { .. }), "{refused}");
    }
    let left: i64 = sqlx::query_scalar("select count(*) from audit_2026.replay").fetch_one(pool).await.unwrap();
    assert_eq!(left, 0);
    assert!(matches!(complete(pool, SCHEMA).await, Err(ReplayError::Missing { .. })));
}

#[tokio::test]
async fn a_replay_is_replaced_only_when_that_is_said() {
    let server = apron().await;
    let until = server.caught_up().await;
    assert!(built(&server, until - 1).await.complete);
    let refused = build(&server, until, false, &CancellationToken::new()).await.unwrap_err();
    assert!(matches!(refused, ReplayError::Exists { .. }), "{refused}");
    let replaced = build(&server, until, true, &CancellationToken::new()).await.unwrap();
    assert_eq!((replaced.position, replaced.complete), (until, true));
    let comment = "select obj_description('audit_2026'::regnamespace, 'pg_namespace')";
    let comment: String = sqlx::query_scalar(comment).fetch_one(&server.services.pool).await.unwrap();
    assert_eq!(comment, format!("Vigie: read models until position {until}"));
}

#[tokio::test]
async fn a_replay_that_was_broken_off_goes_on() {
    let server = apron().await;
    server.arrival("860", "2026-01-15T10:00:00Z", "A333").await;
    let until = server.caught_up().await;
    let cancelled = CancellationToken::new();
    cancelled.cancel();
    let broken = build(&server, until, false, &cancelled).await.unwrap_err();
    assert!(matches!(broken, ReplayError::Projection(ProjectionError::Cancelled)), "{broken}");
    let pool = &server.services.pool;
    assert!(matches!(complete(pool, SCHEMA).await, Err(ReplayError::Incomplete { .. })));
    built(&server, until).await;
    let data = server.standing(SCHEMA).await.data("{ flights { totalCount } }", json!({})).await;
    assert_eq!(data["flights"]["totalCount"], 1);
    let left = sqlx::query_scalar::<_, i64>("select count(*) from read.shadow where schema = $1").bind(SCHEMA);
    assert_eq!(left.fetch_one(pool).await.unwrap(), 0);
}
