//! What policies want to follow when something has not happened in time.

use chrono::TimeDelta;
use sqlx::PgPool;
use vigie_commands::Executor;
use vigie_commands::policies::{Policies, Waiting, waiting};
use vigie_commands::time::{ManualTime, clock};
use vigie_domain::Event;
use vigie_domain::alerts::{AcknowledgeAlert, AlertEvent, AlertId};
use vigie_domain::kernel::{Note, spec};
use vigie_domain::policies::ALL;
use vigie_eventlog::{Log, testing};

use crate::common::{complete_pass, give, history, set_up_rail, settled};

struct Given {
    pool: PgPool,
    executor: Executor,
    time: ManualTime,
}

async fn given() -> Given {
    let pool = testing::database().await;
    let time = ManualTime::at(spec::noon());
    let executor = Executor::new(Log::open(pool.clone()).await.unwrap(), clock(&time.time()));
    set_up_rail(&executor).await;
    Given { pool, executor, time }
}

impl Given {
    fn start(&self) -> Policies {
        Policies::start(&self.executor, &self.pool, ALL, &self.time.time())
    }

    /// Another process on the same log, whose clock is the same.
    async fn other(&self) -> Policies {
        let log = Log::open(self.pool.clone()).await.unwrap();
        let executor = Executor::new(log, clock(&self.time.time()));
        Policies::start(&executor, &self.pool, ALL, &self.time.time())
    }

    async fn alerts(&self) -> (Vec<AlertId>, Vec<(AlertId, u8)>) {
        let (mut raised, mut escalated) = (Vec::new(), Vec::new());
        for (_, event) in history(self.executor.log()).await {
            match event {
                Event::Alerts(AlertEvent::AlertRaised(event)) => raised.push(event.alert),
                Event::Alerts(AlertEvent::AlertEscalated(event)) => escalated.push((event.alert, event.level)),
                _ => {}
            }
        }
        (raised, escalated)
    }

    async fn timers(&self) -> Vec<Waiting> {
        waiting(&self.pool, None, 1_000).await.unwrap()
    }

    /// Once so many have been escalated, and everything that follows has been seen.
    async fn escalated(&self, count: usize) -> Vec<(AlertId, u8)> {
        let mut seen = self.executor.log().seen();
        while self.alerts().await.1.len() < count {
            seen.changed().await.unwrap();
        }
        settled(&self.executor, &self.pool).await;
        self.alerts().await.1
    }
}

fn minutes(minutes: i64) -> TimeDelta {
    TimeDelta::minutes(minutes)
}

#[tokio::test]
async fn an_alert_that_nobody_acknowledges_is_escalated_when_its_time_has_come_and_not_before() {
    let given = given().await;
    let running = given.start();
    complete_pass(&given.executor, "1", 170.0).await;
    settled(&given.executor, &given.pool).await;
    given.time.advance(minutes(5));
    complete_pass(&given.executor, "2", 170.0).await;
    complete_pass(&given.executor, "3", 170.0).await;
    settled(&given.executor, &given.pool).await;
    let (raised, _) = given.alerts().await;
    give(&given.executor, AcknowledgeAlert { alert: raised[1], note: Note::default() }).await;
    settled(&given.executor, &given.pool).await;
    let due: Vec<_> = given.timers().await.into_iter().map(|timer| (timer.key, timer.due)).collect();
    let key = |alert: AlertId| alert.tag().into_string();
    assert_eq!(due, [(key(raised[0]), spec::noon() + minutes(10)), (key(raised[2]), spec::noon() + minutes(15))]);

    given.time.advance(minutes(5));
    assert_eq!(given.escalated(1).await, [(raised[0], 1)]);
    given.time.advance(minutes(5));
    assert_eq!(given.escalated(2).await, [(raised[0], 1), (raised[2], 1)]);
    running.stop().await;

    // Nobody was there when it was due again: whoever comes next is told the same time, and is late.
    given.time.advance(minutes(600));
    let running = given.start();
    assert_eq!(given.escalated(4).await[2..], [(raised[0], 2), (raised[2], 2)]);
    running.stop().await;
    assert_eq!(given.timers().await, []);
}

#[tokio::test]
async fn two_processes_escalate_each_alert_once() {
    let given = given().await;
    let running = [given.start(), given.other().await];
    for n in 0..20 {
        complete_pass(&given.executor, &n.to_string(), 170.0).await;
    }
    settled(&given.executor, &given.pool).await;
    given.time.advance(minutes(10));
    let mut escalated = given.escalated(20).await;
    for policies in running {
        policies.stop().await;
    }
    assert_eq!(escalated.len(), 20);
    escalated.sort_unstable();
    escalated.dedup();
    assert_eq!(escalated.len(), 20);
}

#[tokio::test]
async fn a_timer_that_is_found_again_after_a_crash_repeats_nothing() {
    let given = given().await;
    let running = given.start();
    complete_pass(&given.executor, "1", 170.0).await;
    settled(&given.executor, &given.pool).await;
    // As it was before it fired, with what would have removed it lost.
    sqlx::query("create table kept as table policy_timer").execute(&given.pool).await.unwrap_err();
    let owner = testing::owner(&given.pool).await;
    sqlx::query("create table kept as table policy_timer").execute(&owner).await.unwrap();
    given.time.advance(minutes(10));
    given.escalated(1).await;
    running.stop().await;
    let head = given.executor.log().head().await.unwrap();
    sqlx::query("delete from policy_timer").execute(&owner).await.unwrap();
    sqlx::query("insert into policy_timer table kept").execute(&owner).await.unwrap();

    let running = given.start();
    while !given.timers().await.is_empty() {
        tokio::task::yield_now().await;
    }
    running.stop().await;
    assert_eq!(given.executor.log().head().await.unwrap(), head);
}

#[tokio::test]
async fn a_timer_that_fails_is_tried_again_later_and_keeps_no_other_waiting() {
    let given = given().await;
    let running = given.start();
    complete_pass(&given.executor, "1", 170.0).await;
    settled(&given.executor, &given.pool).await;
    sqlx::query(
        "insert into policy_timer (policy, key, due, next_try, command_id, reaction, event, correlation_id)
         select policy, 'alert:broken', due - interval '1 minute', next_try - interval '1 minute', gen_random_uuid(),
                '{\"command\": \"alerts.unheard_of\", \"says\": {}}', event, correlation_id from policy_timer",
    )
    .execute(&given.pool)
    .await
    .unwrap();
    given.time.advance(minutes(10));
    given.escalated(1).await;
    running.stop().await;
    let broken = given.timers().await.into_iter().find(|timer| timer.key == "alert:broken").unwrap();
    assert!(broken.attempts > 0, "{broken:?}");
    assert!(broken.error.unwrap().contains("alerts.unheard_of"));
}

#[tokio::test]
async fn what_a_timer_gives_follows_from_the_fact_that_set_it() {
    let given = given().await;
    let running = given.start();
    complete_pass(&given.executor, "1", 170.0).await;
    settled(&given.executor, &given.pool).await;
    let set_by = given.timers().await[0].event;
    given.time.advance(minutes(10));
    given.escalated(1).await;
    running.stop().await;
    let query = vigie_eventlog::Query::kinds(["alerts.alert_escalated"]);
    let escalated = given.executor.log().read(&query, vigie_eventlog::Read::after(0)).await.unwrap();
    let metadata = &escalated[0].metadata;
    assert_eq!((metadata.causation_id, metadata.actor.as_str()), (Some(set_by), "policy:alerts.escalation"));
    assert_eq!(escalated[0].occurred_at, spec::noon() + minutes(10));
}
