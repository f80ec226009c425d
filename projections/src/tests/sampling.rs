//! Rows are what the events about them say, one by one.

use proptest::prelude::*;
use sqlx::AssertSqlSafe;
use tokio_util::sync::CancellationToken;

use super::consumers::{names, start};
use super::replay::{beginning, event};
use crate::samples::*;
use crate::spec::{Given, given};
use crate::{Entry, MODELS, ProjectionError, Rows, Verified, verify_sample};

const SOON: std::time::Duration = std::time::Duration::from_secs(20);

async fn sampled(given: &Given, name: &str) -> Verified {
    verify_sample(&given.pool, &given.log, name, 1_000, &|_| {}, &CancellationToken::new()).await.unwrap()
}

/// Every event that a row is made of must carry the tag by which the row's events are found.
async fn assert_tagged(given: &Given) {
    for model in MODELS {
        for recorded in given.events(&model.query()).await {
            let entry = Entry::read(&recorded).unwrap();
            let mut rows = Rows::new((model.tables)());
            (model.keys)(&entry, &mut rows);
            for table in rows.tables_mut() {
                for key in table.wanted() {
                    let tag = crate::engine::tag_of(table, &key).unwrap();
                    assert!(recorded.tags.contains(&tag), "{} {key}: {} lacks {tag}", table.name(), recorded.kind);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 30, ..ProptestConfig::default() })]
    #[test]
    fn sound_rows_are_never_called_wrong_also_while_they_change(batches in prop::collection::vec(prop::collection::vec(event(), 1..8), 1..12)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let given = given(beginning()).await;
            let (running, shutdown) = start(&given).await;
            let log = given.log.clone();
            let appending = tokio::spawn(async move {
                let mut last = 0;
                for batch in batches {
                    let events = batch.iter().map(crate::spec::new_event).collect();
                    last = crate::spec::append(&log, events).await;
                }
                last
            });
            let mut rounds = 0;
            while !appending.is_finished() || rounds == 0 {
                for name in names() {
                    let verified = sampled(&given, name).await;
                    assert_eq!((verified.differing_rows, verified.differences), (0, vec![]), "{name}");
                }
                rounds += 1;
            }
            let last = appending.await.unwrap();
            running.wait_for(&names(), last, SOON).await.unwrap();
            assert_tagged(&given).await;
            for name in names() {
                let verified = sampled(&given, name).await;
                assert_eq!((verified.differing_rows, verified.differences), (0, vec![]), "{name}");
            }
            shutdown.cancel();
            running.stopped().await;
        });
    }
}

#[tokio::test]
async fn a_row_a_version_and_an_entry_of_the_trail_that_somebody_has_changed_are_named() {
    let about = || spring("p1");
    let given = given([pass("p1"), raised(1, about()), raised(2, about()), acknowledged(1, about())]).await;
    let (running, shutdown) = start(&given).await;
    running.wait_for(&names(), 4, SOON).await.unwrap();
    for (name, sql, table, field, differing) in [
        ("alerts", "update read.alerts set severity = 'info' where status = 'raised'", "alerts", Some("severity"), 1),
        ("alerts", "update read.alerts_history set message = 'forged'", "alerts_history", Some("message"), 2),
        ("alerts", "delete from read.alerts_history", "alerts_history", None, 2),
        ("passes", "delete from read.passes", "passes", None, 1),
        ("audit", "update read.audit set actor = 'operator:other' where position = 4", "audit", Some("actor"), 1),
        ("audit", "delete from read.audit_things where position = 4", "audit_things", None, 3),
    ] {
        sqlx::query(AssertSqlSafe(sql)).execute(&given.pool).await.unwrap();
        let verified = sampled(&given, name).await;
        assert_eq!(verified.differing_rows, differing, "{sql}: {verified:#?}");
        let found = verified.differences.iter().any(|one| one.table == table && one.field.as_deref() == field);
        assert!(found, "{sql}: {verified:#?}");
    }
    shutdown.cancel();
    running.stopped().await;
}

#[tokio::test]
async fn a_read_model_that_stands_still_is_compared_where_it_is_and_what_is_skipped_is_left_out() {
    let given = given([pass("p1"), raised(1, spring("p1")), raised(2, spring("p1"))]).await;
    let (running, shutdown) = start(&given).await;
    running.wait_for(&names(), 3, SOON).await.unwrap();
    crate::control::pause(&given.pool, "alerts", &crate::control::By::new("operator:spec", "x")).await.unwrap();
    let last = given.and([acknowledged(1, spring("p1"))]).await;
    running.wait_for(&["audit"], last, SOON).await.unwrap();
    let verified = sampled(&given, "alerts").await;
    assert_eq!((verified.position, verified.differing_rows), (3, 0));
    shutdown.cancel();
    running.stopped().await;
}

#[tokio::test]
async fn rows_of_another_version_are_not_compared() {
    let given = given([raised(1, spring("p1"))]).await;
    let (running, shutdown) = start(&given).await;
    running.wait_for(&["alerts"], 1, SOON).await.unwrap();
    shutdown.cancel();
    running.stopped().await;
    sqlx::query("update read.checkpoint set version = version - 1").execute(&given.pool).await.unwrap();
    let outcome = verify_sample(&given.pool, &given.log, "alerts", 10, &|_| {}, &CancellationToken::new()).await;
    assert!(matches!(outcome, Err(ProjectionError::OtherVersion { .. })), "{outcome:?}");
}
