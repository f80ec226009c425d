//! The demo day on a real Postgres, with the policies that raise its alerts.

use std::collections::BTreeMap;
use std::sync::Mutex;

use sqlx::PgPool;
use vigie_commands::policies::Policies;
use vigie_domain::policies;
use vigie_eventlog::{Log, Query, Read};

use super::*;

async fn log() -> (PgPool, Log, Executor) {
    let pool = vigie_eventlog::testing::database().await;
    let log = Log::open(pool.clone()).await.unwrap();
    let now = || "2026-01-15T12:00:00Z".parse().unwrap();
    let executor = Executor::new(log.clone(), Arc::new(now));
    (pool, log, executor)
}

fn player() -> Player {
    Player { day: Day { seed: 1, date: "2026-01-15".parse().unwrap() } }
}

async fn counts(log: &Log) -> BTreeMap<String, usize> {
    let (mut counts, mut after) = (BTreeMap::new(), 0);
    loop {
        let page = log.read(&Query::all(), Read::after(after)).await.unwrap();
        let Some(last) = page.last() else { return counts };
        after = last.position;
        for recorded in page {
            *counts.entry(recorded.kind).or_default() += 1;
        }
    }
}

async fn play(executor: &Executor, cancel: &CancellationToken, say: &mut (dyn FnMut(&Step, &Came) + Send)) -> Played {
    player().run(executor, Speed::Max, DateTime::UNIX_EPOCH, cancel, say).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_day_shows_what_it_is_for_and_the_second_time_adds_nothing() {
    let (pool, log, executor) = log().await;
    let first = player().set_up(&executor).await.unwrap();
    assert_eq!(first.events, 2 + 17 + 1 + 9 + 1);
    assert_eq!(player().set_up(&executor).await.unwrap().events, 0);

    let policies = Policies::start(&executor, &pool, policies::ALL, &crate::clock::time());
    let refused = Mutex::new(Vec::new());
    let cancel = CancellationToken::new();
    let played = play(&executor, &cancel, &mut |step, came| {
        if let Came::Refused { .. } = came {
            refused.lock().unwrap().push(format!("{}: {came:?}", step.says));
        }
    })
    .await;
    eprintln!("{played:?}");
    assert_eq!(refused.into_inner().unwrap(), Vec::<String>::new());
    assert!((300..=2_000).contains(&played.events), "{played:?}");

    // Twelve springs in six passes, the conflict of the closed stand, and the flight without a stand.
    let mut alerts = log.follow(Query::kinds(["alerts.alert_raised"]), 0);
    let mut raised = 0;
    while raised < 14 {
        raised += alerts.next().await.unwrap().events.len();
    }
    policies.stop().await;
    let counts = counts(&log).await;
    eprintln!("{counts:?}");
    assert_eq!(counts["airport.stand_allocated"], 38);
    assert_eq!(counts["airport.no_stand_found"], 1);
    assert_eq!(counts["airport.flight_cancelled"], 2);
    assert_eq!(counts["airport.allocation_cancelled"], 1);
    assert_eq!(counts["rail.pass_registered"], 12);
    assert_eq!(counts["rail.pass_completed"], 12);
    assert_eq!(counts["rail.pass_confirmed"], 5);
    assert_eq!(counts["alerts.alert_acknowledged"], 7);
    assert!(overflowed(&log).await >= 2);

    let again = play(&executor, &cancel, &mut |step, _| panic!("{} is played again", step.says)).await;
    assert_eq!((again.steps, again.events), (0, 0));
    assert_eq!(player().next_at(&executor).await.unwrap(), None);
}

async fn overflowed(log: &Log) -> usize {
    let allocated = log.read(&Query::kinds(["airport.stand_allocated"]), Read::after(0)).await.unwrap();
    let overflow = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap()["overflow"].is_string();
    allocated.iter().filter(|recorded| overflow(recorded.data.get())).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_was_broken_off_is_played_on() {
    let (pool, log, executor) = log().await;
    player().set_up(&executor).await.unwrap();
    let policies = Policies::start(&executor, &pool, policies::ALL, &crate::clock::time());
    let cancel = CancellationToken::new();
    let mut left = 200;
    let broken_off = play(&executor, &cancel, &mut |_, _| {
        left -= 1;
        if left == 0 {
            cancel.cancel();
        }
    })
    .await;
    assert_eq!(broken_off.steps, 200);
    let rest = play(&executor, &CancellationToken::new(), &mut |_, _| {}).await;
    policies.stop().await;
    // The last steps before the break may have left no trace; they are played again, and add nothing.
    assert!((1..=200).contains(&rest.before) && rest.before + rest.steps == player().day.steps().len());
    assert_eq!(counts(&log).await["airport.flight_registered"], 76);
}
