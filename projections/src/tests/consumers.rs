//! Running read models: fencing, bad events, several processes, crashes.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::alerts::{AlertRow, Alerts};
use crate::engine::{Checkpoint, apply};
use crate::samples::*;
use crate::spec::{Given, given};
use crate::{MODELS, Model, ProjectionError, Projections, State, status, verify};

const SOON: Duration = Duration::from_secs(20);

pub(super) fn names() -> Vec<&'static str> {
    MODELS.iter().map(|model| model.name).collect()
}

pub(super) async fn start(given: &Given) -> (Projections, CancellationToken) {
    let shutdown = CancellationToken::new();
    let running = Projections::start(given.pool.clone(), given.log.clone(), shutdown.clone()).await.unwrap();
    (running, shutdown)
}

pub(super) async fn assert_verified(given: &Given, names: &[&str]) {
    for name in names {
        let verified = loop {
            // A rebuild whose rows are in place may not have let go yet.
            match verify(&given.pool, &given.log, name, &|_| {}, &CancellationToken::new()).await {
                Err(ProjectionError::Busy { .. }) => tokio::task::yield_now().await,
                outcome => break outcome.unwrap(),
            }
        };
        assert_eq!((verified.differing_rows, verified.differences), (0, vec![]), "{name}");
    }
}

#[tokio::test]
async fn what_is_appended_is_soon_read_also_past_events_that_do_not_match() {
    let given = given([site("Lomé"), stand("C03", 80)]).await;
    let (running, shutdown) = start(&given).await;
    let position = given.and([stand("C04", 90), flight(&arrival(860))]).await;
    running.wait_for(&names(), position, SOON).await.unwrap();
    assert_eq!(given.stored::<crate::airport::StandRow>().await.len(), 2);
    assert_verified(&given, &names()).await;
    shutdown.cancel();
    running.stopped().await;
}

#[tokio::test]
async fn the_checkpoint_moves_for_one_owner_only() {
    let given = given([raised(1, spring("p1"))]).await;
    let model = Model::of::<Alerts>();
    let events = given.events(&model.query()).await;
    Checkpoint::ensure(&model, &given.pool).await.unwrap();
    let mut first = given.pool.begin().await.unwrap();
    assert!(Checkpoint::advance(&model, 0, 1, "first", 0.0, &mut first).await.unwrap());
    apply(&model, "read", &mut first, &events).await.unwrap();
    let pool = given.pool.clone();
    let revived = tokio::spawn(async move {
        let mut second = pool.begin().await.unwrap();
        Checkpoint::advance(&Model::of::<Alerts>(), 0, 1, "second", 0.0, &mut second).await.unwrap()
    });
    first.commit().await.unwrap();
    assert!(!revived.await.unwrap(), "a second owner is fenced off");
}

#[tokio::test]
async fn two_processes_share_the_work_and_both_know_when_it_is_done() {
    let given = given([pass("p1")]).await;
    let (one, stop_one) = start(&given).await;
    let (two, stop_two) = start(&given).await;
    let mut last = 0;
    for cause in 0..40 {
        last = given.and([raised(cause, spring("p1"))]).await;
    }
    one.wait_for(&names(), last, SOON).await.unwrap();
    two.wait_for(&names(), last, SOON).await.unwrap();
    // The survivor takes over what the other one leaves.
    stop_one.cancel();
    one.stopped().await;
    let last = given.and([raised(99, spring("p1"))]).await;
    two.wait_for(&names(), last, SOON).await.unwrap();
    assert_verified(&given, &names()).await;
    stop_two.cancel();
    two.stopped().await;
}

#[tokio::test]
async fn an_event_that_does_not_fit_stops_its_read_model_alone() {
    let given = given([raised(1, spring("p1")), pass("p1")]).await;
    // Nobody has raised alert 2, and pass p1 is registered after alert 1 was raised for it.
    let bad = given.and([acknowledged(2, vigie_domain::alerts::Subject::Flight { flight: arrival(860) })]).await;
    let last = given.and([raised(3, spring("p1"))]).await;
    let (running, shutdown) = start(&given).await;
    running.wait_for(&["audit", "flights", "stands"], last, SOON).await.unwrap();
    let behind = running.wait_for(&["alerts"], last, SOON).await.unwrap_err();
    assert_eq!((behind.name.as_str(), behind.position), ("alerts", bad - 1));
    running.wait_for(&["passes"], last, SOON).await.unwrap_err();
    let all = status(&given.pool).await.unwrap();
    let alerts = all.iter().find(|status| status.name == "alerts").unwrap();
    assert_eq!((alerts.state, alerts.error_position, alerts.position), (State::Stopped, Some(bad), bad - 1));
    assert!(alerts.error.as_ref().unwrap().contains("no earlier event"), "{alerts:?}");
    let passes = all.iter().find(|status| status.name == "passes").unwrap();
    assert_eq!((passes.state, passes.error_position), (State::Stopped, Some(1)));
    assert_eq!(given.stored::<AlertRow>().await.len(), 1, "what came before the bad event is there");
    shutdown.cancel();
    running.stopped().await;
}

#[test]
fn processes_that_die_anywhere_leave_rows_and_checkpoint_together() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let outer = runtime();
    let given = outer.block_on(async {
        let given = given([pass("p1"), car("p1", 1, &[200.0])]).await;
        for batch in 0..40 {
            // A pass of its own for each: what the row of a pass was before is kept with all its alerts.
            let about = format!("q{batch}");
            given.and([pass(&about)]).await;
            given.and((batch * 50..batch * 50 + 50).map(|cause| raised(cause, spring(&about)))).await;
        }
        given
    });
    let options = outer.block_on(async { given.pool.connect_options().as_ref().clone() });
    let head = outer.block_on(given.log.head()).unwrap();
    for share in 1..=6 {
        let doomed = runtime();
        let options = options.clone();
        doomed.block_on(async move {
            let pool = sqlx::PgPool::connect_with(options).await.unwrap();
            let log = vigie_eventlog::Log::open(pool.clone()).await.unwrap();
            let running = Projections::start(pool, log, CancellationToken::new()).await.unwrap();
            // Whether it gets there does not matter; it dies wherever it is.
            let _ = running.wait_for(&["audit"], head * share / 7, Duration::from_secs(5)).await;
        });
        doomed.shutdown_background();
    }
    outer.block_on(async {
        let (running, shutdown) = start(&given).await;
        running.wait_for(&names(), head, SOON).await.unwrap();
        assert_verified(&given, &names()).await;
        shutdown.cancel();
        running.stopped().await;
    });
}
