//! Rebuilds that die at any stage, owners that come back, readers that meet a swap.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Executor, PgPool};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use vigie_eventlog::{Log, testing};

use super::consumers::{assert_verified, names, start};
use crate::alerts::Alerts;
use crate::engine::Shadow;
use crate::samples::*;
use crate::spec::{Given, given};
use crate::{Model, Progress, ProjectionError, Projections, rebuild, status};

const SOON: Duration = Duration::from_secs(60);

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Waits until the database says so.
async fn until(pool: &PgPool, condition: &str) {
    let deadline = tokio::time::Instant::now() + SOON;
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    loop {
        ticks.tick().await;
        if sqlx::query_scalar(AssertSqlSafe(format!("select {condition}"))).fetch_one(pool).await.unwrap() {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "{condition}");
    }
}

/// Alerts and what became of them, folded and followed up to the end.
async fn with_alerts(count: u32) -> Given {
    let given = given((0..count).map(|cause| raised(cause, spring("p1")))).await;
    given.and((0..count).map(|cause| acknowledged(cause, spring("p1")))).await;
    let head = given.log.head().await.unwrap();
    let shutdown = CancellationToken::new();
    let models = [Model::of::<Alerts>()];
    let running = Projections::start_models(&models, given.pool.clone(), given.log.clone(), shutdown.clone());
    let running = running.await.unwrap();
    running.wait_for(&["alerts"], head, SOON).await.unwrap();
    shutdown.cancel();
    running.stopped().await;
    given
}

/// Begins a rebuild in a process of its own, so to say, and returns it to be killed.
fn doomed(given: &Given, at: Arc<AtomicI64>) -> Runtime {
    let doomed = runtime();
    let options = given.pool.connect_options().as_ref().clone();
    doomed.spawn(async move {
        let pool = PgPool::connect_with(options).await.unwrap();
        let log = Log::open(pool.clone()).await.unwrap();
        let told = move |progress: Progress| at.store(progress.position, Ordering::Release);
        let _ = rebuild(&pool, &log, "alerts", &told, &CancellationToken::new()).await;
    });
    doomed
}

/// Makes it anew in this process; the first position that it tells of.
async fn go_on(given: &Given) -> i64 {
    let first = AtomicI64::new(-1);
    let told = |progress: Progress| {
        let _ = first.compare_exchange(-1, progress.position, Ordering::AcqRel, Ordering::Acquire);
    };
    loop {
        // The lock of the one that was killed is free once the server notices.
        match rebuild(&given.pool, &given.log, "alerts", &told, &CancellationToken::new()).await {
            Err(ProjectionError::Busy { .. }) => tokio::task::yield_now().await,
            outcome => {
                outcome.unwrap();
                return first.load(Ordering::Acquire);
            }
        }
    }
}

async fn left(given: &Given) -> Option<i64> {
    let sql = "select position from read.shadow where schema = 'read_rebuild' and name = 'alerts'";
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_optional(&given.pool).await.unwrap()
}

#[test]
fn a_rebuild_that_dies_after_some_pages_goes_on_there() {
    let outer = runtime();
    let _entered = outer.enter();
    let given = outer.block_on(with_alerts(600));
    let at = Arc::new(AtomicI64::new(0));
    let killed = doomed(&given, Arc::clone(&at));
    while at.load(Ordering::Acquire) < 300 {
        std::thread::yield_now();
    }
    killed.shutdown_background();
    outer.block_on(async {
        let left = left(&given).await.unwrap();
        assert!(left >= 300, "{left}");
        assert!(go_on(&given).await >= left, "what was folded is not folded again");
        assert_verified(&given, &["alerts"]).await;
    });
}

#[test]
fn a_rebuild_that_dies_before_the_swap_goes_on_there() {
    let outer = runtime();
    let _entered = outer.enter();
    let given = outer.block_on(with_alerts(100));
    let held = outer.block_on(async {
        let mut held = given.pool.begin().await.unwrap();
        held.execute("select from read.checkpoint where name = 'alerts' for update").await.unwrap();
        held
    });
    let killed = doomed(&given, Arc::default());
    let owner = outer.block_on(testing::owner(&given.pool));
    outer.block_on(until(
        &owner,
        "exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
                 and query like '%read.checkpoint%for update%')",
    ));
    killed.shutdown_background();
    outer.block_on(async {
        held.rollback().await.unwrap();
        assert_eq!(left(&given).await, Some(200));
        assert_eq!(go_on(&given).await, -1, "nothing is left to fold");
        assert_verified(&given, &["alerts"]).await;
    });
}

#[test]
fn a_swap_that_dies_between_its_statements_leaves_the_old_tables() {
    let outer = runtime();
    let _entered = outer.enter();
    let given = outer.block_on(with_alerts(100));
    outer.block_on(async {
        // The second of the two tables cannot be dropped while somebody reads it: the first one is gone by then.
        let mut reader = given.pool.begin().await.unwrap();
        reader.execute("select from read.alerts_history limit 1").await.unwrap();
        let oid = "select 'read.alerts'::regclass::oid::bigint";
        let before: i64 = sqlx::query_scalar(oid).fetch_one(&given.pool).await.unwrap();
        let (pool, log) = (given.pool.clone(), given.log.clone());
        let swapping =
            tokio::spawn(async move { rebuild(&pool, &log, "alerts", &|_| {}, &CancellationToken::new()).await });
        let owner = testing::owner(&given.pool).await;
        until(
            &owner,
            "coalesce((select bool_or(pg_terminate_backend(pid)) from pg_stat_activity
                       where datname = current_database() and wait_event_type = 'Lock'
                         and query like 'drop table read.alerts_history%'), false)",
        )
        .await;
        assert!(matches!(swapping.await.unwrap(), Err(ProjectionError::Database { .. })));
        let after: i64 = sqlx::query_scalar(oid).fetch_one(&given.pool).await.unwrap();
        assert_eq!(before, after, "the old tables serve on");
        reader.rollback().await.unwrap();
        assert_verified(&given, &["alerts"]).await;
        go_on(&given).await;
        assert_verified(&given, &["alerts"]).await;
        assert_eq!(left(&given).await, None);
    });
}

#[tokio::test]
async fn of_two_that_fill_the_same_tables_one_is_fenced_off() {
    let given = given((0..100).map(|cause| raised(cause, spring("p1")))).await;
    let model = Model::of::<Alerts>();
    let mut first = Shadow::create("read_rebuild", &model, &given.pool, &given.log).await.unwrap();
    let mut second = Shadow::open("read_rebuild", &model, &given.pool, &given.log, 100).await.unwrap();
    first.fill(50, &|_| {}, &CancellationToken::new()).await.unwrap();
    let outcome = second.fill(100, &|_| {}, &CancellationToken::new()).await;
    assert!(matches!(outcome, Err(ProjectionError::Busy { .. })), "{outcome:?}");
    first.fill(100, &|_| {}, &CancellationToken::new()).await.unwrap();
    let rows: i64 =
        sqlx::query_scalar("select count(*) from read_rebuild.alerts").fetch_one(&given.pool).await.unwrap();
    assert_eq!(rows, 100);
}

#[tokio::test]
async fn an_owner_that_has_lost_its_lock_is_fenced_off_when_it_comes_back() {
    let given = given([pass("p1")]).await;
    let (one, stop_one) = start(&given).await;
    let (two, stop_two) = start(&given).await;
    let (owner, mut last) = (testing::owner(&given.pool).await, 0);
    for round in 0..5 {
        last = given.and((0..20).map(|n| raised(round * 20 + n, spring("p1")))).await;
        // Whoever holds the locks loses them without being told, as after a long pause; both may think that they own.
        let kill = "select count(pg_terminate_backend(pid)) from (
                        select distinct pid from pg_locks where locktype = 'advisory' and classid = 1447642881
                        and database = (select oid from pg_database where datname = current_database())) l";
        sqlx::query(AssertSqlSafe(kill)).execute(&owner).await.unwrap();
        last = last.max(given.and((0..20).map(|n| acknowledged(round * 20 + n, spring("p1")))).await);
    }
    one.wait_for(&names(), last, SOON).await.unwrap();
    two.wait_for(&names(), last, SOON).await.unwrap();
    assert_verified(&given, &names()).await;
    for (running, stop) in [(one, stop_one), (two, stop_two)] {
        stop.cancel();
        running.stopped().await;
    }
}

#[tokio::test]
async fn an_old_version_folds_on_until_the_new_one_is_swapped_in() {
    let given = given((0..50).map(|cause| raised(cause, spring("p1")))).await;
    let old = Model::of::<Alerts>();
    let new = Model { version: old.version + 1, ..old };
    let begin = async |model: Model| {
        let shutdown = CancellationToken::new();
        let (models, pool, log) = ([model], given.pool.clone(), given.log.clone());
        (Projections::start_models(&models, pool, log, shutdown.clone()).await.unwrap(), shutdown)
    };
    let (older, stop_older) = begin(old).await;
    older.wait_for(&["alerts"], 50, SOON).await.unwrap();
    // Whoever reads keeps the new version from being swapped in.
    let mut reader = given.pool.begin().await.unwrap();
    reader.execute("lock table read.swap_gate in access share mode").await.unwrap();
    let (newer, stop_newer) = begin(new).await;
    until(&given.pool, "exists (select from read.shadow where name = 'alerts' and position >= 50)").await;
    let last = given.and((50..60).map(|cause| raised(cause, spring("p1")))).await;
    older.wait_for(&["alerts"], last, SOON).await.unwrap();
    assert_eq!(version(&given).await, old.version);
    reader.rollback().await.unwrap();
    until(&given.pool, &format!("(select version = {} from read.checkpoint where name = 'alerts')", new.version)).await;
    // The old process is still there, and leaves the read model to the new one.
    let last = given.and((60..70).map(|cause| raised(cause, spring("p1")))).await;
    newer.wait_for(&["alerts"], last, SOON).await.unwrap();
    // Its version is one that `verify` does not know: it would refuse to compare.
    assert_eq!(given.stored::<crate::alerts::AlertRow>().await.len(), 70);
    for (running, stop) in [(older, stop_older), (newer, stop_newer)] {
        stop.cancel();
        running.stopped().await;
    }
}

async fn version(given: &Given) -> i32 {
    status(&given.pool).await.unwrap().into_iter().find(|status| status.name == "alerts").unwrap().version
}

#[tokio::test]
async fn readers_meet_no_failure_and_nothing_empty_while_tables_are_swapped_under_load() {
    let given = given((0..200).map(|cause| raised(cause, spring("p1")))).await;
    let (running, shutdown) = start(&given).await;
    running.wait_for(&["alerts", "audit"], 200, SOON).await.unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..3).map(|_| tokio::spawn(read_on(given.pool.clone(), Arc::clone(&over)))).collect();
    let mut last = 0;
    for round in 0..12 {
        last = given.and((0..10).map(|n| raised(200 + round * 10 + n, spring("p1")))).await;
        for name in ["alerts", "audit"] {
            rebuild(&given.pool, &given.log, name, &|_| {}, &CancellationToken::new()).await.unwrap();
        }
    }
    over.store(true, Ordering::Release);
    for reader in readers {
        let reads = reader.await.unwrap();
        assert!(reads > 20, "{reads}");
    }
    running.wait_for(&["alerts", "audit"], last, SOON).await.unwrap();
    assert_verified(&given, &["alerts", "audit"]).await;
    shutdown.cancel();
    running.stopped().await;
}

/// Reads as the API does, several tables in one snapshot, and with single statements; how often.
async fn read_on(pool: PgPool, over: Arc<AtomicBool>) -> u32 {
    let (mut reads, mut before) = (0, 200);
    let mut connection = pool.acquire().await.unwrap().detach();
    while !over.load(Ordering::Acquire) {
        let alone: i64 =
            sqlx::query_scalar("select count(*) from read.alerts").fetch_one(&mut connection).await.unwrap();
        let mut snapshot = connection
            .begin_with(
                "begin isolation level repeatable read read only; lock table read.swap_gate in access share mode",
            )
            .await
            .unwrap();
        let alerts: i64 =
            sqlx::query_scalar("select count(*) from read.alerts").fetch_one(&mut *snapshot).await.unwrap();
        let trail: i64 = sqlx::query_scalar("select count(*) from read.audit").fetch_one(&mut *snapshot).await.unwrap();
        let again: i64 =
            sqlx::query_scalar("select count(*) from read.alerts").fetch_one(&mut *snapshot).await.unwrap();
        snapshot.rollback().await.unwrap();
        assert!(alone >= before && alerts >= alone, "{before}, {alone}, {alerts}");
        assert!(again == alerts && trail >= 200, "{alerts}, {again}, {trail}");
        (reads, before) = (reads + 1, alerts);
    }
    reads
}
