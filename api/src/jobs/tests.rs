//! The jobs of a server on a real Postgres.

use chrono::TimeDelta;
use vigie_commands::jobs::{RunState, runs, status, trigger};
use vigie_commands::time::ManualTime;
use vigie_eventlog::testing::{database, owner_options};

use super::*;

#[tokio::test]
async fn every_job_can_be_asked_for_and_does_what_it_says_on_a_log_without_events() {
    let pool = database().await;
    let log = Log::open(pool.clone()).await.unwrap();
    let time = ManualTime::at("2026-03-01T12:00:00Z".parse().unwrap());
    let parts = Parts {
        pool: pool.clone(),
        log: log.clone(),
        owner: owner_options(&pool.connect_options()),
        refusals: Keep { count: 10, age: TimeDelta::days(1) },
        sign_ins: crate::accounts::Keep { attempts: 10, age: TimeDelta::days(1) },
        deliveries: TimeDelta::days(30),
        time: time.time(),
    };
    let jobs = start(&parts);
    let expected = all(&parts).len();
    let done = async {
        while status(&pool).await.unwrap().len() < expected {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        for job in status(&pool).await.unwrap() {
            trigger(&pool, &job.name, "operator:spec", "", parts.time.now()).await.unwrap();
        }
        loop {
            let runs = runs(&pool, None, 100, None).await.unwrap();
            if runs.iter().all(|run| run.ended_at.is_some()) {
                return runs;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let runs = tokio::time::timeout(std::time::Duration::from_secs(60), done).await.expect("the jobs have run");
    assert_eq!(runs.len(), expected);
    for run in &runs {
        assert_eq!(run.state, RunState::Done, "{run:?}");
        assert!(run.counts.as_ref().is_some_and(|counts| !counts.as_object().unwrap().is_empty()), "{run:?}");
    }
    jobs.stop().await;
    log.close().await;
}
