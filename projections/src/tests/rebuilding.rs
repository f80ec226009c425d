//! Rebuilding and verifying.

use std::time::Duration;

use sqlx::AssertSqlSafe;
use tokio_util::sync::CancellationToken;

use super::consumers::{assert_verified, names, start};
use crate::alerts::{AlertRow, Alerts};
use crate::engine::Checkpoint;
use crate::samples::*;
use crate::spec::{Given, given};
use crate::{Model, ProjectionError, Projections, rebuild, verify};

const SOON: Duration = Duration::from_secs(20);

async fn indexes(given: &Given) -> Vec<(String, String)> {
    let sql = "select tablename::text, indexname::text from pg_indexes where schemaname = 'read' order by 1, 2";
    sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&given.pool).await.unwrap()
}

#[tokio::test]
async fn a_rebuild_while_others_append_loses_nothing_and_keeps_the_names_of_indexes() {
    let given = given([pass("p1")]).await;
    let before = indexes(&given).await;
    let (running, shutdown) = start(&given).await;
    let log = given.log.clone();
    let appending = tokio::spawn(async move {
        for cause in 0..300 {
            let event = crate::spec::new_event(&raised(cause, spring("p1")));
            crate::spec::append(&log, vec![event]).await;
        }
    });
    while !appending.is_finished() {
        for name in ["alerts", "passes", "audit"] {
            rebuild(&given.pool, &given.log, name, &|_| {}, &CancellationToken::new()).await.unwrap();
        }
    }
    appending.await.unwrap();
    let last = given.and([raised(999, spring("p1"))]).await;
    running.wait_for(&names(), last, SOON).await.unwrap();
    assert_eq!(given.stored::<AlertRow>().await.len(), 301);
    assert_verified(&given, &names()).await;
    assert_eq!(indexes(&given).await, before);
    shutdown.cancel();
    running.stopped().await;
}

#[tokio::test]
async fn a_cancelled_rebuild_leaves_the_old_rows_and_the_next_one_begins_cleanly() {
    let given = given((0..2_500).map(|cause| raised(cause, spring("p1")))).await;
    let (running, shutdown) = start(&given).await;
    running.wait_for(&["alerts"], 2_500, SOON).await.unwrap();
    let cancel = CancellationToken::new();
    let cancelling = cancel.clone();
    let told = move |_| cancelling.cancel();
    let outcome = rebuild(&given.pool, &given.log, "alerts", &told, &cancel).await;
    assert!(matches!(outcome, Err(ProjectionError::Cancelled)), "{outcome:?}");
    assert_eq!(given.stored::<AlertRow>().await.len(), 2_500);
    // What a crash would leave.
    sqlx::query("create table read_rebuild.alerts (nonsense text)").execute(&given.pool).await.unwrap();
    rebuild(&given.pool, &given.log, "alerts", &|_| {}, &CancellationToken::new()).await.unwrap();
    assert_verified(&given, &["alerts"]).await;
    shutdown.cancel();
    running.stopped().await;
}

#[tokio::test]
async fn a_new_version_is_made_anew_and_fences_the_old_one_off() {
    let given = given([raised(1, spring("p1"))]).await;
    let (old, stop) = start(&given).await;
    old.wait_for(&["alerts"], 1, SOON).await.unwrap();
    stop.cancel();
    old.stopped().await;
    sqlx::query("update read.alerts set message = 'as version 1 had it'").execute(&given.pool).await.unwrap();
    let model = Model::of::<Alerts>();
    let newer = Model { version: model.version + 1, ..model };
    let shutdown = CancellationToken::new();
    let running =
        Projections::start_models(&[newer], given.pool.clone(), given.log.clone(), shutdown.clone()).await.unwrap();
    let last = given.and([raised(2, spring("p1"))]).await;
    running.wait_for(&["alerts"], last, SOON).await.unwrap();
    let messages: Vec<_> = given.stored::<AlertRow>().await.into_iter().map(|row| row.message).collect();
    assert_eq!(messages, ["Spring L1 of car 1 is too low"; 2]);
    let outcome = verify(&given.pool, &given.log, "alerts", &|_| {}, &CancellationToken::new()).await;
    assert!(matches!(outcome, Err(ProjectionError::OtherVersion { .. })), "the older program: {outcome:?}");
    let mut connection = given.pool.acquire().await.unwrap();
    let moved = Checkpoint::advance(&Model::of::<Alerts>(), last, last + 1, "old", 0.0, &mut connection).await.unwrap();
    assert!(!moved);
    shutdown.cancel();
    running.stopped().await;
}

#[tokio::test]
async fn verification_names_the_field_that_somebody_has_changed() {
    let given = given([raised(1, spring("p1")), raised(2, spring("p1")), raised(3, spring("p1"))]).await;
    let (running, shutdown) = start(&given).await;
    running.wait_for(&["alerts"], 3, SOON).await.unwrap();
    for sql in
        ["update read.alerts set severity = 'info' where position = 1", "delete from read.alerts where position = 2"]
    {
        sqlx::query(AssertSqlSafe(sql)).execute(&given.pool).await.unwrap();
    }
    let verified = verify(&given.pool, &given.log, "alerts", &|_| {}, &CancellationToken::new()).await.unwrap();
    assert_eq!((verified.position, verified.rows, verified.differing_rows), (3, 3, 2));
    let field = verified.differences.iter().find(|difference| difference.field.is_some()).unwrap();
    assert_eq!(field.key, serde_json::json!({ "alert": alert_id(1) }));
    assert_eq!(
        (field.field.as_deref(), field.stored.as_str(), field.expected.as_str()),
        (Some("severity"), Some("info"), Some("critical"))
    );
    let missing = verified.differences.iter().find(|difference| difference.field.is_none()).unwrap();
    assert_eq!((missing.stored.is_null(), &missing.key), (true, &serde_json::json!({ "alert": alert_id(2) })));
    rebuild(&given.pool, &given.log, "alerts", &|_| {}, &CancellationToken::new()).await.unwrap();
    assert_verified(&given, &["alerts"]).await;
    shutdown.cancel();
    running.stopped().await;
}

#[tokio::test]
async fn an_unknown_name_is_told_with_those_that_there_are() {
    let given = given([]).await;
    let outcome = verify(&given.pool, &given.log, "alarms", &|_| {}, &CancellationToken::new()).await;
    assert!(outcome.unwrap_err().to_string().contains("alerts"));
}
