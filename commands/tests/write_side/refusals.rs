//! What is refused is kept, and bounded.

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use serde_json::json;
use sqlx::PgPool;
use tracing::{Level, Metadata, Subscriber, span};
use uuid::Uuid;
use vigie_commands::refusals::{Keep, Refusal, Refusals, prune};
use vigie_commands::{Executor, Failure, Order};
use vigie_domain::airport::AllocationId;
use vigie_domain::airport::{CloseStand, MoveAllocation, StandId};
use vigie_domain::alerts::{AcknowledgeAlert, AlertId, AlertKind, RaiseAlert, Severity, Subject};
use vigie_domain::kernel::{Note, spec};
use vigie_eventlog::testing;

use crate::common::{complete_pass, executor, give, rail_site, set_up_rail};

const KEEP: Keep = Keep { count: 1_000, age: TimeDelta::days(1) };

async fn recording(pool: &PgPool) -> (Executor, Refusals) {
    let refusals = Refusals::start(pool.clone(), KEEP, Arc::new(spec::noon));
    (executor(pool).await.recording(refusals.clone()), refusals)
}

fn close(stand: &str) -> CloseStand {
    let (from, reason) = (spec::noon(), Note::new("ice").unwrap());
    CloseStand { stand: StandId::new(stand).unwrap(), from, to: None, reason }
}

async fn count(pool: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from refusal").fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn a_refusal_says_who_what_and_why_when_its_caller_has_it() {
    let pool = testing::database().await;
    let (executor, _) = recording(&pool).await;
    set_up_rail(&executor).await;
    let cause = Uuid::now_v7();
    let order = Order { causation_id: Some(cause), ..Order::new(Uuid::now_v7(), "operator:zoe") };
    let refused = executor.execute(&close("LFW/C03"), order.clone()).await.unwrap_err();
    let Failure::Refused(refusal) = refused else { panic!("{refused:?}") };
    let row: serde_json::Value =
        sqlx::query_scalar("select to_jsonb(r) from refusal r").fetch_one(&pool).await.unwrap();
    let id = order.command_id.to_string();
    for (column, expected) in [
        ("actor", json!("operator:zoe")),
        ("command", json!("airport.close_stand")),
        ("command_id", json!(id)),
        ("correlation_id", json!(id)),
        ("causation_id", json!(cause)),
        ("site", json!("LFW")),
        ("things", json!(["stand:LFW/C03"])),
        ("code", json!("STAND_UNKNOWN")),
        ("message", json!(refusal.to_string())),
        // It was judged on the whole log.
        ("position", json!(executor.log().head().await.unwrap())),
    ] {
        assert_eq!(row[column], expected, "{column}");
    }
    assert_eq!((&row["input"]["stand"], &row["input"]["reason"]), (&json!("LFW/C03"), &json!("ice")));
    assert_eq!(row["details"]["code"], "STAND_UNKNOWN");
}

#[tokio::test]
async fn what_is_named_by_a_bare_id_belongs_to_the_site_of_its_first_event() {
    let pool = testing::database().await;
    let (executor, _) = recording(&pool).await;
    set_up_rail(&executor).await;
    let pass = complete_pass(&executor, "p1", 200.0).await;
    let raise = RaiseAlert {
        site: rail_site(),
        kind: AlertKind::SpringOutOfLimits,
        severity: Severity::Critical,
        subject: Subject::Spring { pass, car: 1, spring: "L1".into(), quantity: "height".into() },
        message: "too low".into(),
        cause: Uuid::now_v7(),
        cause_key: "one".into(),
    };
    let alert = give(&executor, raise).await.alert;
    let resolve = vigie_domain::alerts::ResolveAlert { alert, reason: Note::new("").unwrap() };
    executor.execute(&resolve, Order::new(Uuid::now_v7(), "operator:zoe")).await.unwrap_err();
    let unknown = AcknowledgeAlert { alert: AlertId::of(AlertKind::Saturation, "none"), note: Note::new("").unwrap() };
    executor.execute(&unknown, Order::new(Uuid::now_v7(), "operator:zoe")).await.unwrap_err();
    let sites: Vec<Option<String>> =
        sqlx::query_scalar("select site from refusal order by id").fetch_all(&pool).await.unwrap();
    assert_eq!(sites, [Some("SANGATTE".to_owned()), None]);
}

#[tokio::test]
async fn an_accepted_command_leaves_no_refusal_and_a_reused_id_does() {
    let pool = testing::database().await;
    let (executor, _) = recording(&pool).await;
    let order = Order::new(Uuid::now_v7(), "operator:zoe");
    let site = |name: &str| {
        let zone = vigie_domain::support::Zone::new("Africa/Lome").unwrap();
        vigie_domain::support::DefineSite(vigie_domain::support::SiteDefined {
            site: vigie_domain::support::SiteId::new("LFW").unwrap(),
            name: name.into(),
            kind: vigie_domain::support::SiteKind::Airport,
            zone,
            icao: None,
        })
    };
    executor.execute(&site("Lomé"), order.clone()).await.unwrap();
    assert_eq!(count(&pool).await, 0);
    let allocation = AllocationId::new(&Uuid::now_v7().to_string()).unwrap();
    let other = MoveAllocation { allocation, to: None, note: Note::new("").unwrap() };
    let failure = executor.execute(&other, order).await.unwrap_err();
    assert!(matches!(failure, Failure::CommandIdReused { .. }), "{failure:?}");
    let code: String = sqlx::query_scalar("select code from refusal").fetch_one(&pool).await.unwrap();
    assert_eq!(code, "COMMAND_ID_REUSED");
}

#[tokio::test]
async fn a_flood_is_written_whole_and_kept_within_its_bound() {
    let pool = testing::database().await;
    let (executor, refusals) = recording(&pool).await;
    let floods = (0..8).map(|_| {
        let executor = executor.clone();
        tokio::spawn(async move {
            for _ in 0..300 {
                let order = Order::new(Uuid::now_v7(), "operator:flood");
                executor.execute(&close("LFW/C03"), order).await.unwrap_err();
            }
        })
    });
    for flood in floods.collect::<Vec<_>>() {
        flood.await.unwrap();
    }
    assert_eq!(refusals.lost(), 0);
    let newest: i64 = sqlx::query_scalar("select max(id) from refusal").fetch_one(&pool).await.unwrap();
    assert_eq!(newest, 2_400);
    // Pruned after every thousand; the rest when asked.
    assert!(count(&pool).await < 2 * KEEP.count + 256);
    prune(&pool, KEEP, spec::noon()).await.unwrap();
    assert_eq!(count(&pool).await, KEEP.count);
    let aged = prune(&pool, KEEP, spec::noon() + TimeDelta::days(2)).await.unwrap();
    assert_eq!((aged, count(&pool).await), (1_000, 0));
}

#[tokio::test]
async fn a_refusal_that_cannot_be_written_stays_a_refusal_and_is_counted() {
    let pool = testing::database().await;
    let (executor, refusals) = recording(&pool).await;
    let owner = testing::owner(&pool).await;
    sqlx::query("drop table refusal").execute(&owner).await.unwrap();
    let order = Order::new(Uuid::now_v7(), "operator:zoe");
    let failure = executor.execute(&close("LFW/C03"), order).await.unwrap_err();
    assert!(matches!(failure, Failure::Refused(_)), "{failure:?}");
    assert_eq!(refusals.lost(), 1);
}

/// The levels of what is logged, as it is.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<Level>>>);

impl Subscriber for Logged {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        self.0.lock().unwrap().push(*event.metadata().level());
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[tokio::test]
async fn a_program_that_ends_removes_nothing_old_and_says_nothing_of_it() {
    let logged = Logged::default();
    let _kept = tracing::subscriber::set_default(logged.clone());
    let pool = testing::database().await;
    let refusals = Refusals::start(pool.clone(), KEEP, Arc::new(spec::noon));
    pool.close().await;
    let refusal = || Refusal {
        position: 0,
        refused_at: spec::noon(),
        order: Order::new(Uuid::now_v7(), "operator:zoe"),
        command: "airport.close_stand".into(),
        things: Vec::new(),
        site: None,
        code: "STAND_UNKNOWN",
        message: "there is no such stand".to_owned(),
        details: serde_json::Value::Null,
        input: json!({}),
    };
    refusals.record(refusal()).await;
    // The writer takes it once it is done with the first, and with what follows that.
    refusals.record(refusal()).await;
    assert_eq!(refusals.lost(), 2);
    assert_eq!(*logged.0.lock().unwrap(), [Level::ERROR], "that refusals are lost is told, once");
}
