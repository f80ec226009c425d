//! An executor on a fresh log, and a train pass to work on.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use sqlx::PgPool;
use uuid::Uuid;
use vigie_commands::policies::status;
use vigie_commands::time::{ManualTime, Time};
use vigie_commands::{Executor, Order};
use vigie_domain::kernel::Decision;
use vigie_domain::rail::{
    CarPart, Limit, PassHeader, PassId, PassPart, Quality, Reading, RecordPassPart, SetLimits, Value,
};
use vigie_domain::support::{DefineSite, SiteDefined, SiteId, SiteKind, Zone};
use vigie_domain::{Event, kernel::spec, policies};
use vigie_eventlog::{Log, Query, Read};

pub(crate) async fn executor(pool: &PgPool) -> Executor {
    Executor::new(Log::open(pool.clone()).await.unwrap(), Arc::new(spec::noon))
}

/// The clock of [`executor`]: it stands still.
pub(crate) fn time() -> Time {
    ManualTime::at(spec::noon()).time()
}

pub(crate) fn order() -> Order {
    Order::new(Uuid::now_v7(), "operator:test")
}

pub(crate) async fn give<D: Decision>(executor: &Executor, command: D) -> D::Answer {
    executor.execute(&command, order()).await.unwrap_or_else(|failure| panic!("{failure:?}")).answer
}

/// Every event of the log with its position.
pub(crate) async fn history(log: &Log) -> Vec<(i64, Event)> {
    let mut events: Vec<(i64, Event)> = Vec::new();
    loop {
        let after = events.last().map_or(0, |(position, _)| *position);
        let page = log.read(&Query::all(), Read::after(after)).await.unwrap();
        if page.is_empty() {
            return events;
        }
        let decode =
            |e: vigie_eventlog::Recorded| (e.position, Event::decode(&e.kind, e.version, e.data.get()).unwrap());
        events.extend(page.into_iter().map(decode));
    }
}

pub(crate) fn rail_site() -> SiteId {
    SiteId::new("SANGATTE").unwrap()
}

pub(crate) fn header(id: &str, passed_at: DateTime<Utc>) -> PassHeader {
    PassHeader { pass: PassId::at(&rail_site(), id).unwrap(), track: "1".into(), passed_at, train: None }
}

pub(crate) fn car(car: u16, millimetres: f64) -> PassPart {
    let reading = Reading {
        spring: "L1".into(),
        quantity: "height".into(),
        unit: "mm".into(),
        value: Value::new(millimetres).unwrap(),
        quality: Quality::Good,
    };
    PassPart::Car(CarPart { car, vehicle: None, camera: "CAM-1".into(), readings: vec![reading] })
}

/// A rail site whose springs are 180 to 250 mm high.
pub(crate) async fn set_up_rail(executor: &Executor) {
    let zone = Zone::new("Europe/Paris").unwrap();
    let site = SiteDefined { site: rail_site(), name: "Sangatte".into(), kind: SiteKind::Rail, zone, icao: None };
    give(executor, DefineSite(site)).await;
    let limit = Limit {
        quantity: "height".into(),
        unit: "mm".into(),
        alarm_low: Some(Value::new(180.0).unwrap()),
        warning_low: None,
        warning_high: None,
        alarm_high: Some(Value::new(250.0).unwrap()),
    };
    give(executor, SetLimits { site: rail_site(), valid_from: spec::noon() - Duration::days(1), limits: vec![limit] })
        .await;
}

/// A complete pass of one car whose spring has this height.
pub(crate) async fn complete_pass(executor: &Executor, id: &str, millimetres: f64) -> PassId {
    let header = header(id, spec::noon());
    for part in [PassPart::Complete { cars: 1 }, car(1, millimetres)] {
        give(executor, RecordPassPart { header: header.clone(), part }).await;
    }
    header.pass
}

/// Another camera's part of the first car: one spring of this height.
pub(crate) fn late_part(id: &str, spring: &str, millimetres: f64) -> RecordPassPart {
    let mut part = car(1, millimetres);
    if let PassPart::Car(car) = &mut part {
        car.camera = "CAM-2".into();
        car.readings.iter_mut().for_each(|reading| reading.spring = spring.into());
    }
    RecordPassPart { header: header(id, spec::noon()), part }
}

/// Waits until every policy has reacted to everything there is.
pub(crate) async fn settled(executor: &Executor, pool: &sqlx::PgPool) {
    let mut follower = executor.log().follow(Query::all(), 0);
    loop {
        let head = executor.log().head().await.unwrap();
        let reached = status(pool).await.unwrap();
        let all = reached.len() == policies::ALL.len() && reached.iter().all(|p| p.position >= head);
        if all && executor.log().head().await.unwrap() == head {
            return;
        }
        if follower.position() < head {
            follower.next().await.unwrap();
        }
        tokio::task::yield_now().await;
    }
}
