//! Skipping what a read model is trying again, and rebuilds that have failed.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::consumers::{assert_verified, start};
use super::control::{by, skipped, status_of, stray, until};
use crate::control::*;
use crate::samples::*;
use crate::spec::{Given, given};
use crate::{ProjectionError, State, verify_sample};

const SOON: Duration = Duration::from_secs(20);

/// Alerts, stopped by an event, and nobody who folds them; the event.
async fn stopped() -> (Given, i64) {
    let given = given([pass("p1"), raised(1, spring("p1"))]).await;
    let bad = given.and([stray()]).await;
    let (running, shutdown) = start(&given).await;
    running.wait_for(&["alerts"], bad, SOON).await.unwrap_err();
    until("alerts are stopped", async || status_of(&given, "alerts").await.state == State::Stopped).await;
    assert!(status_of(&given, "alerts").await.owned, "its process waits");
    shutdown.cancel();
    running.stopped().await;
    (given, bad)
}

#[tokio::test]
async fn what_is_tried_again_can_be_skipped_before_it_has_stopped_again() {
    let (given, bad) = stopped().await;
    assert_eq!(retry(&given.pool, "alerts", &by("")).await.unwrap(), Changed::Now);
    let told = status_of(&given, "alerts").await;
    assert_eq!((told.state, told.error_position, told.owned, told.owner), (State::Running, Some(bad), false, None));
    let held = hold(&given.pool, "alerts").await.unwrap();
    assert_eq!(held.stopped_at(), Some(bad));
    let last = given.and([skipped("alerts", bad)]).await;
    held.go_on().await.unwrap();
    assert_eq!(status_of(&given, "alerts").await.error_position, None);
    let (running, shutdown) = start(&given).await;
    running.wait_for(&["alerts"], last, SOON).await.unwrap();
    assert_verified(&given, &["alerts"]).await;
    shutdown.cancel();
    running.stopped().await;
}

#[tokio::test]
async fn a_read_model_that_stops_at_an_event_while_that_is_skipped_goes_on() {
    let given = given([pass("p1"), raised(1, spring("p1"))]).await;
    let (running, shutdown) = start(&given).await;
    running.wait_for(&["alerts"], 2, SOON).await.unwrap();
    // It has the event in hand, and knows of no skip, when the skip is recorded.
    let mut holding = given.pool.begin().await.unwrap();
    sqlx::query("select from read.checkpoint where name = 'alerts' for update").execute(&mut *holding).await.unwrap();
    let bad = given.and([stray()]).await;
    let waiting = "select exists (select from pg_stat_activity where datname = current_database()
                   and wait_event_type = 'Lock' and query like 'update read.checkpoint set position%')";
    // What others run is told to the owner alone.
    let owner = vigie_eventlog::testing::owner(&given.pool).await;
    until("it waits for its checkpoint", async || {
        sqlx::query_scalar::<_, bool>(waiting).fetch_one(&owner).await.unwrap()
    })
    .await;
    let last = given.and([skipped("alerts", bad)]).await;
    holding.rollback().await.unwrap();
    until("it has gone on", async || {
        let told = status_of(&given, "alerts").await;
        told.state == State::Running && told.error_position.is_none() && *running.watch("alerts").borrow() >= last
    })
    .await;
    assert_verified(&given, &["alerts"]).await;
    shutdown.cancel();
    running.stopped().await;
}

#[tokio::test]
async fn a_verification_says_that_the_read_model_is_stopped_and_by_what() {
    let (given, bad) = stopped().await;
    let cancel = CancellationToken::new();
    let sampled = verify_sample(&given.pool, &given.log, "alerts", 10, &|_| {}, &cancel).await.unwrap();
    let whole = crate::verify(&given.pool, &given.log, "alerts", &|_| {}, &cancel).await.unwrap();
    for verified in [sampled, whole] {
        assert_eq!((verified.state, verified.error_position), (State::Stopped, Some(bad)));
        assert_eq!((verified.position, verified.differing_rows), (bad - 1, 0));
    }
}

#[tokio::test]
async fn a_rebuild_that_has_failed_is_told_until_somebody_forgets_it() {
    let (given, bad) = stopped().await;
    let asked = Asked { until: None, by: by("new disks") };
    let failed = rebuild_as(&given.pool, &given.log, "alerts", &asked, &|_| {}, &CancellationToken::new()).await;
    assert!(matches!(failed, Err(ProjectionError::BadEvent { position, .. }) if position == bad), "{failed:?}");
    let rebuild = status_of(&given, "alerts").await.rebuild.unwrap();
    assert_eq!(rebuild.state, RebuildState::Failed);
    let forgotten = cancel_rebuild(&given.pool, "alerts", &by("known")).await.unwrap();
    assert_eq!((forgotten.state, forgotten.cancel_by.as_deref()), (RebuildState::Cancelled, Some("operator:spec")));
    let again = cancel_rebuild(&given.pool, "alerts", &by("known")).await;
    assert!(matches!(again, Err(ProjectionError::Refused(Refusal::NoRebuild { .. }))), "{again:?}");
}
