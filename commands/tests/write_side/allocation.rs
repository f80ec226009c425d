//! Many allocators on the 17 stands of Lomé.

use std::collections::BTreeMap;

use crate::common::{executor, give, history, order};
use chrono::Duration;
use vigie_commands::Executor;
use vigie_domain::Event;
use vigie_domain::airport::{
    AircraftType, AirportCode, AirportEvent, AllocateAnswer, AllocateStand, Carrier, Clock, CodeLetter, DefineStand,
    Details, Direction, FlightId, Leg, ObserveFlight, Placement, Progress, StandDefined, StandId, StandKind,
};
use vigie_domain::kernel::{Interval, Note, spec};
use vigie_domain::support::{DefineSite, SiteDefined, SiteId, SiteKind, Zone};
use vigie_eventlog::{Log, testing};

const STANDS: usize = 17;

fn lome() -> SiteId {
    SiteId::new("LFW").unwrap()
}

fn stand(n: usize) -> StandId {
    StandId::at(&lome(), &format!("C{n:02}")).unwrap()
}

/// 13 civil and 4 military stands for code letter E, so that every flight fits everywhere.
async fn set_up(executor: &Executor) {
    let zone = Zone::new("Africa/Lome").unwrap();
    let site = SiteDefined { site: lome(), name: "Lomé".into(), kind: SiteKind::Airport, zone, icao: None };
    give(executor, DefineSite(site)).await;
    for n in 1..=STANDS {
        let kind = if n <= 13 { StandKind::Civil } else { StandKind::Military };
        let distance_m = u32::try_from(n * 10).unwrap();
        let defined =
            StandDefined { stand: stand(n), site: lome(), kind, code: CodeLetter::E, jetway: n <= 4, distance_m };
        give(executor, DefineStand(defined)).await;
    }
}

/// An A330 that arrives so many minutes after noon.
async fn arrival(executor: &Executor, number: usize, minutes: i64) -> FlightId {
    let leg = Leg {
        site: lome(),
        carrier: Carrier::new("AF").unwrap(),
        number: number.to_string(),
        date: spec::noon().date_naive(),
        direction: Direction::Arrival,
        airport: AirportCode::new("CDG").unwrap(),
        ordinal: 1,
    };
    let flight = leg.id().unwrap();
    let report = ObserveFlight {
        leg,
        scheduled_at: spec::noon() + Duration::minutes(minutes),
        details: Details::default(),
        progress: Progress::Scheduled,
        placement: Placement::default(),
        aircraft_type: Some(AircraftType::new("A333").unwrap()),
        clock: Clock { source: "test".into(), observed_at: spec::noon() },
        confirmed_at: None,
    };
    give(executor, report).await;
    flight
}

fn wish(flight: FlightId, stand: Option<StandId>) -> AllocateStand {
    AllocateStand { flight, stand, from: None, to: None, note: Note::default() }
}

/// Runs every wish at once, spread over the executors; the answers and the retries.
async fn race(executors: &[Executor], wishes: Vec<AllocateStand>) -> (Vec<AllocateAnswer>, u32, u32) {
    let racers = wishes.into_iter().enumerate().map(|(n, wish)| {
        let executor = executors[n % executors.len()].clone();
        tokio::spawn(async move { executor.execute(&wish, order()).await.unwrap() })
    });
    let (mut answers, mut retries, mut most) = (Vec::new(), 0, 0);
    for racer in racers.collect::<Vec<_>>() {
        let done = racer.await.unwrap();
        retries += done.retries;
        most = most.max(done.retries);
        answers.push(done.answer);
    }
    (answers, retries, most)
}

/// Panics if two stays on a stand are closer than the buffer, or a flight holds two stands.
async fn assert_no_double_booking(log: &Log) -> usize {
    let mut by_stand: BTreeMap<StandId, Vec<Interval>> = BTreeMap::new();
    let mut flights = Vec::new();
    for (_, event) in history(log).await {
        if let Event::Airport(AirportEvent::StandAllocated(allocated)) = event {
            assert!(!flights.contains(&allocated.flight), "{} has two stands", allocated.flight);
            flights.push(allocated.flight);
            let stays = by_stand.entry(allocated.stand.clone()).or_default();
            let buffer = Duration::minutes(allocated.buffer_minutes.into());
            for stay in stays.iter() {
                assert!(
                    !stay.padded(buffer).overlaps(&allocated.interval),
                    "{}: {stay:?} and another",
                    allocated.stand
                );
            }
            stays.push(allocated.interval);
        }
    }
    flights.len()
}

fn allocated(answers: &[AllocateAnswer]) -> usize {
    answers.iter().filter(|answer| matches!(answer, AllocateAnswer::Allocated { .. })).count()
}

async fn several(pool: &sqlx::PgPool, processes: usize) -> Vec<Executor> {
    let mut executors = Vec::new();
    for _ in 0..processes {
        executors.push(executor(pool).await);
    }
    executors
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_allocators_at_the_same_hour_fill_the_stands_once() {
    for processes in [1, 2] {
        let pool = testing::database().await;
        let executors = several(&pool, processes).await;
        set_up(&executors[0]).await;
        let mut wishes = Vec::new();
        for n in 0..64 {
            wishes.push(wish(arrival(&executors[0], 100 + n, 0).await, None));
        }
        let (answers, retries, most) = race(&executors, wishes).await;
        println!("{processes} process(es), 64 allocators, same hour: {retries} retries, at most {most} by one");
        assert_eq!(allocated(&answers), STANDS);
        assert_eq!(assert_no_double_booking(executors[0].log()).await, STANDS);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn allocators_that_name_different_stands_do_not_disturb_each_other() {
    let pool = testing::database().await;
    let executors = several(&pool, 1).await;
    set_up(&executors[0]).await;
    let mut wishes = Vec::new();
    for n in 1..=STANDS {
        wishes.push(wish(arrival(&executors[0], 100 + n, 0).await, Some(stand(n))));
    }
    let (answers, retries, _) = race(&executors, wishes).await;
    println!("17 allocators, 17 stands: {retries} retries");
    assert_eq!((allocated(&answers), retries), (STANDS, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_allocators_over_the_day_never_double_book() {
    let pool = testing::database().await;
    let executors = several(&pool, 2).await;
    set_up(&executors[0]).await;
    let mut wishes = Vec::new();
    for n in 0..64 {
        let minutes = i64::try_from(n).unwrap() * 37 % 720;
        wishes.push(wish(arrival(&executors[0], 100 + n, minutes).await, None));
    }
    let (answers, retries, most) = race(&executors, wishes).await;
    println!("2 processes, 64 allocators over 12 hours: {retries} retries, at most {most} by one");
    assert_eq!(allocated(&answers), 64);
    assert_eq!(assert_no_double_booking(executors[0].log()).await, 64);
}
