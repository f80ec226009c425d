//! Jobs on a real Postgres, on a clock that the tests move.

use std::sync::Mutex;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use sqlx::Connection;
use tokio::sync::Semaphore;
use vigie_eventlog::testing::{database, owner};

use super::*;
use crate::time::{ManualTime, Timekeeper};

const SOON: Duration = Duration::from_secs(30);

fn noon() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn minutes(count: i64) -> TimeDelta {
    TimeDelta::minutes(count)
}

/// Asks again until it holds.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waited = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, waited).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}

/// A job whose runs begin at once and end when they are let.
#[derive(Clone)]
struct Watched {
    began: Arc<Mutex<Vec<DateTime<Utc>>>>,
    /// How many run at this moment, and the most that ever did.
    now_and_most: Arc<Mutex<(usize, usize)>>,
    let_end: Arc<Semaphore>,
}

/// Counts a run for as long as it is not dropped.
struct Present(Arc<Mutex<(usize, usize)>>);

impl Present {
    fn new(count: &Arc<Mutex<(usize, usize)>>) -> Self {
        let mut held = count.lock().unwrap();
        held.0 += 1;
        held.1 = held.1.max(held.0);
        Self(Arc::clone(count))
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.0.lock().unwrap().0 -= 1;
    }
}

impl Watched {
    fn new(let_end: usize) -> Self {
        Self { began: Arc::default(), now_and_most: Arc::default(), let_end: Arc::new(Semaphore::new(let_end)) }
    }

    fn began(&self) -> usize {
        self.began.lock().unwrap().len()
    }

    fn job(&self, schedule: Schedule, missed: Missed, clock: &ManualTime) -> Job {
        let (watched, clock) = (self.clone(), clock.clone());
        let work = move || -> Work {
            let (watched, clock) = (watched.clone(), clock.clone());
            Box::pin(async move {
                let _present = Present::new(&watched.now_and_most);
                watched.began.lock().unwrap().push(clock.now());
                watched.let_end.acquire().await?.forget();
                Ok(Counts::from([("rows".to_owned(), 7)]))
            })
        };
        Job { name: "spec", about: "Counts.", schedule, missed, died: Died::TakeUp, work: Arc::new(work) }
    }
}

fn scheduler(pool: &PgPool, clock: &ManualTime, owner: &str) -> Scheduler {
    let zone: Zone = Arc::new(|| Box::pin(async { Tz::Europe__Paris }));
    Scheduler { pool: pool.clone(), time: clock.time(), zone, owner: owner.to_owned() }
}

async fn all(pool: &PgPool) -> Vec<Run> {
    let mut all = runs(pool, None, 1_000, None).await.unwrap();
    all.reverse();
    all
}

async fn ended(pool: &PgPool, count: usize) -> Vec<Run> {
    until("the runs have ended", async || {
        let all = all(pool).await;
        all.len() >= count && all.iter().all(|run| run.ended_at.is_some())
    })
    .await;
    all(pool).await
}

async fn registered(pool: &PgPool) {
    until("the job is there", async || !status(pool).await.unwrap().is_empty()).await;
}

/// The session that holds the lock of the jobs in this database.
async fn holder(pool: &PgPool) -> Option<i32> {
    sqlx::query_scalar(
        "select l.pid from pg_locks l join pg_database d on d.oid = l.database
         where d.datname = current_database() and l.locktype = 'advisory' and l.granted
           and (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended('jobs', 0)",
    )
    .fetch_optional(pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_job_runs_when_its_time_has_come_and_its_run_is_recorded() {
    let (pool, clock, watched) = (database().await, ManualTime::at(noon()), Watched::new(10));
    let job = watched.job(Schedule::Every(2), Missed::CatchUp, &clock);
    let jobs = Jobs::start(scheduler(&pool, &clock, "one"), vec![job]);
    registered(&pool).await;
    assert_eq!(status(&pool).await.unwrap()[0].next_at, noon() + minutes(2));
    clock.advance(minutes(2));
    let run = ended(&pool, 1).await.remove(0);
    assert_eq!((run.state, run.trigger, run.missed), (RunState::Done, Trigger::Schedule, 0));
    assert_eq!((run.scheduled_for, run.started_at), (noon() + minutes(2), Some(noon() + minutes(2))));
    assert_eq!((run.counts, run.owner.as_deref()), (Some(serde_json::json!({ "rows": 7 })), Some("one")));
    assert_eq!(status(&pool).await.unwrap()[0].next_at, noon() + minutes(4));
    jobs.stop().await;
    assert_eq!(watched.began(), 1);
}

#[tokio::test]
async fn a_daily_job_goes_by_the_wall_clock_of_the_zone_across_a_change_of_clocks() {
    let clock = ManualTime::at("2026-03-28T12:00:00Z".parse().unwrap());
    let (pool, watched) = (database().await, Watched::new(10));
    let half_past_two = NaiveTime::from_hms_opt(2, 30, 0).unwrap();
    let jobs = Jobs::start(
        scheduler(&pool, &clock, "one"),
        vec![watched.job(Schedule::Daily(half_past_two), Missed::CatchUp, &clock)],
    );
    registered(&pool).await;
    for (count, day) in ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"].into_iter().enumerate() {
        let due: DateTime<Utc> = day.parse().unwrap();
        assert_eq!(status(&pool).await.unwrap()[0].next_at, due);
        clock.set(due);
        ended(&pool, count + 1).await;
    }
    jobs.stop().await;
}

#[tokio::test]
async fn what_was_missed_is_made_up_for_once_or_skipped_as_the_job_declares() {
    for (missed, state) in [(Missed::CatchUp, RunState::Done), (Missed::Skip, RunState::Skipped)] {
        let (pool, clock, watched) = (database().await, ManualTime::at(noon()), Watched::new(10));
        let job = watched.job(Schedule::Every(5), missed, &clock);
        let jobs = Jobs::start(scheduler(&pool, &clock, "one"), vec![job.clone()]);
        registered(&pool).await;
        jobs.stop().await;

        clock.advance(minutes(62));
        let jobs = Jobs::start(scheduler(&pool, &clock, "two"), vec![job]);
        let run = ended(&pool, 1).await.remove(0);
        assert_eq!((run.state, run.scheduled_for, run.missed), (state, noon() + minutes(5), 11));
        clock.set(noon() + minutes(65));
        let runs = ended(&pool, 2).await;
        assert_eq!((runs[1].state, runs[1].scheduled_for), (RunState::Done, noon() + minutes(65)));
        jobs.stop().await;
        assert_eq!(watched.began(), if missed == Missed::CatchUp { 2 } else { 1 });
    }
}

#[tokio::test]
async fn of_two_processes_one_runs_the_jobs_and_each_time_has_one_run() {
    let (pool, clock, watched) = (database().await, ManualTime::at(noon()), Watched::new(1_000));
    let job = watched.job(Schedule::Every(1), Missed::CatchUp, &clock);
    let one = Jobs::start(scheduler(&pool, &clock, "one"), vec![job.clone()]);
    let two = Jobs::start(scheduler(&pool, &clock, "two"), vec![job]);
    registered(&pool).await;
    for count in 1..=5 {
        clock.advance(minutes(1));
        ended(&pool, count).await;
    }
    one.stop().await;
    for count in 6..=8 {
        clock.advance(minutes(1));
        ended(&pool, count).await;
    }
    two.stop().await;
    let due: Vec<_> = all(&pool).await.into_iter().map(|run| run.scheduled_for).collect();
    assert_eq!(due, (1..=8).map(|count| noon() + minutes(count)).collect::<Vec<_>>());
    assert_eq!((watched.began(), watched.now_and_most.lock().unwrap().1), (8, 1));
}

#[tokio::test]
async fn a_run_whose_process_has_lost_the_jobs_is_broken_off_marked_and_taken_up() {
    let (pool, clock, watched) = (database().await, ManualTime::at(noon()), Watched::new(0));
    let job = watched.job(Schedule::Every(60), Missed::CatchUp, &clock);
    let one = Jobs::start(scheduler(&pool, &clock, "one"), vec![job.clone()]);
    let two = Jobs::start(scheduler(&pool, &clock, "two"), vec![job]);
    registered(&pool).await;
    clock.advance(minutes(60));
    until("a run has begun", async || watched.began() == 1).await;

    let session = holder(&pool).await.unwrap();
    let killed: bool = sqlx::query_scalar("select pg_terminate_backend($1)")
        .bind(session)
        .fetch_one(&owner(&pool).await)
        .await
        .unwrap();
    assert!(killed);
    until("it was taken up", async || watched.began() == 2).await;
    watched.let_end.add_permits(1);
    let runs = ended(&pool, 2).await;

    assert_eq!((runs[0].state, runs[1].state), (RunState::Died, RunState::Done));
    assert_eq!(runs[1].trigger, Trigger::TakenUp);
    assert_eq!(runs[0].scheduled_for, runs[1].scheduled_for);
    assert_eq!(watched.now_and_most.lock().unwrap().1, 1, "two runs at the same time");
    one.stop().await;
    two.stop().await;
    assert_eq!(all(&pool).await.len(), 2);
}

#[tokio::test]
async fn an_owner_that_was_overtaken_can_neither_begin_nor_end_a_run() {
    let (pool, clock, watched) = (database().await, ManualTime::at(noon()), Watched::new(0));
    let job = watched.job(Schedule::Every(60), Missed::CatchUp, &clock);
    let mut connection = sqlx::PgConnection::connect_with(&pool.connect_options()).await.unwrap();
    let next = noon() + minutes(60);
    let old = table::register(&mut connection, &job, Tz::UTC, next).await.unwrap();
    let due = || table::Start::Due { at: noon(), missed: 0, next, zone: Tz::UTC, skipped: false };
    let run = table::begin(&mut connection, "spec", old, "old", noon(), &due()).await.unwrap().unwrap();

    let new = table::register(&mut connection, &job, Tz::UTC, next).await.unwrap();
    assert_eq!(table::bury(&mut connection, None, noon(), "gone").await.unwrap().len(), 1);
    assert_eq!(table::begin(&mut connection, "spec", old + 1, "old", noon(), &due()).await.unwrap(), None);
    assert!(!table::end(&mut connection, run, "old", noon(), &Ok(Counts::new())).await.unwrap());

    table::begin(&mut connection, "spec", new, "new", noon(), &due()).await.unwrap().unwrap();
    let second = table::begin(&mut connection, "spec", new + 1, "new", noon(), &due()).await.unwrap_err();
    let constraint = second.as_database_error().and_then(sqlx::error::DatabaseError::constraint).map(str::to_owned);
    assert_eq!(constraint.as_deref(), Some("job_run_one_at_a_time"));
}

#[tokio::test]
async fn a_run_that_dies_again_and_again_is_left_alone() {
    let (pool, clock, watched) = (database().await, ManualTime::at(noon()), Watched::new(0));
    let job = watched.job(Schedule::Every(60), Missed::CatchUp, &clock);
    for begun in 1..=3 {
        let jobs = Jobs::start(scheduler(&pool, &clock, "one"), vec![job.clone()]);
        registered(&pool).await;
        clock.set(noon() + minutes(60));
        until("a run has begun", async || watched.began() == begun).await;
        jobs.stop().await;
    }
    let runs = all(&pool).await;
    assert!(runs.iter().all(|run| run.state == RunState::Died), "{runs:?}");
    assert_eq!(runs.len(), 3, "the third death is the last");
}

#[tokio::test]
async fn who_asks_for_a_run_gets_one_after_the_one_that_is_under_way_also_of_a_paused_job() {
    let (pool, clock, watched) = (database().await, ManualTime::at(noon()), Watched::new(0));
    let job = watched.job(Schedule::Every(60), Missed::CatchUp, &clock);
    let jobs = Jobs::start(scheduler(&pool, &clock, "one"), vec![job]);
    registered(&pool).await;
    assert_eq!(pause(&pool, "spec", "zoe", "to look at it", noon()).await.unwrap(), Changed::Now);
    assert_eq!(pause(&pool, "spec", "max", "too", noon()).await.unwrap(), Changed::Already);
    let paused = status(&pool).await.unwrap().remove(0).paused.unwrap();
    assert_eq!((paused.by.as_str(), paused.reason.as_str()), ("zoe", "to look at it"));

    clock.advance(minutes(61));
    trigger(&pool, "spec", "zoe", "by hand", noon()).await.unwrap();
    until("the first has begun", async || watched.began() == 1).await;
    trigger(&pool, "spec", "max", "once more", noon()).await.unwrap();
    let refused = trigger(&pool, "spec", "zoe", "and again", noon()).await.unwrap_err();
    assert!(matches!(refused, JobError::Refused(Refusal::RunWaits { .. })), "{refused}");
    watched.let_end.add_permits(2);
    let by_hand = ended(&pool, 2).await;
    assert!(by_hand.iter().all(|run| run.trigger == Trigger::Hand && run.state == RunState::Done), "{by_hand:?}");
    assert_eq!(by_hand[1].asked_by.as_deref(), Some("max"));

    watched.let_end.add_permits(1);
    assert_eq!(resume(&pool, "spec").await.unwrap(), Changed::Now);
    let resumed = ended(&pool, 3).await;
    assert_eq!((resumed[2].trigger, resumed[2].scheduled_for), (Trigger::Schedule, noon() + minutes(60)));
    assert_eq!(watched.now_and_most.lock().unwrap().1, 1);
    let unknown = trigger(&pool, "nothing", "zoe", "", noon()).await.unwrap_err();
    assert_eq!(unknown.to_string(), r#"there is no job "nothing"; there are spec"#);
    jobs.stop().await;
}

#[tokio::test]
async fn a_job_that_fails_or_panics_says_why_and_comes_again() {
    for (panics, expected) in [(false, "the disk is full"), (true, "panicked")] {
        let (pool, clock) = (database().await, ManualTime::at(noon()));
        let work = move || -> Work {
            Box::pin(async move {
                assert!(!panics, "as the test wants");
                Err("the disk is full".into())
            })
        };
        let job = Job { work: Arc::new(work), ..Watched::new(0).job(Schedule::Every(2), Missed::Skip, &clock) };
        let jobs = Jobs::start(scheduler(&pool, &clock, "one"), vec![job]);
        registered(&pool).await;
        for count in 1..=2 {
            clock.advance(minutes(2));
            let runs = ended(&pool, count).await;
            let run = &runs[count - 1];
            assert_eq!(run.state, RunState::Failed);
            assert!(run.error.as_deref().unwrap().contains(expected), "{run:?}");
        }
        jobs.stop().await;
    }
}

#[tokio::test]
async fn the_history_of_runs_is_bounded_by_count_and_age() {
    let (pool, clock, watched) = (database().await, ManualTime::at(noon()), Watched::new(100));
    let jobs =
        Jobs::start(scheduler(&pool, &clock, "one"), vec![watched.job(Schedule::Every(1), Missed::CatchUp, &clock)]);
    registered(&pool).await;
    for count in 1..=5 {
        clock.advance(minutes(1));
        ended(&pool, count).await;
    }
    jobs.stop().await;
    assert_eq!(prune_runs(&pool, 3, minutes(60), clock.now()).await.unwrap(), 2);
    clock.advance(minutes(59));
    assert_eq!(prune_runs(&pool, 3, minutes(60), clock.now()).await.unwrap(), 1);
    assert_eq!(all(&pool).await.len(), 2);
}
