//! Policies are switched off and on, replaced by new versions, and tried dry.

use sqlx::PgPool;
use vigie_commands::Executor;
use vigie_commands::policies::{
    DryRun, Planned, PlannedKind, Policies, Switch, SwitchError, SwitchRefusal, Switched, switch, switches,
};
use vigie_domain::Event;
use vigie_domain::alerts::{AlertEvent, RaiseAlert};
use vigie_domain::kernel::{Fact, spec};
use vigie_domain::policies::{ALL, Policy, Reaction, named};
use vigie_eventlog::{Log, testing};

use crate::common::{complete_pass, executor, history, set_up_rail, settled, time};

const SPRINGS: &str = "alerts.spring_out_of_limits";

async fn given() -> (PgPool, Executor) {
    let pool = testing::database().await;
    let executor = executor(&pool).await;
    set_up_rail(&executor).await;
    (pool, executor)
}

fn by(reason: &str) -> Switched<'_> {
    Switched { actor: "operator:ama", reason, at: spec::noon() }
}

async fn messages(executor: &Executor) -> Vec<String> {
    let raised = history(executor.log()).await.into_iter().filter_map(|(_, event)| match event {
        Event::Alerts(AlertEvent::AlertRaised(raised)) => Some(raised.message),
        _ => None,
    });
    raised.collect()
}

/// Where a policy stands, whichever it is.
async fn position(pool: &PgPool, name: &str) -> i64 {
    let position = sqlx::query_scalar("select position from policy_checkpoint where name = $1").bind(name);
    position.fetch_optional(pool).await.unwrap().unwrap_or(0)
}

async fn reach(pool: &PgPool, name: &str, wanted: i64) {
    while position(pool, name).await < wanted {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_policy_that_is_off_does_nothing_and_catches_up_when_it_is_on_again() {
    let (pool, executor) = given().await;
    let running = Policies::start(&executor, &pool, ALL, &time());
    complete_pass(&executor, "1", 170.0).await;
    settled(&executor, &pool).await;
    assert!(switch(&pool, SPRINGS, Switch::Off, by("the camera is being repaired")).await.unwrap());
    assert!(!switch(&pool, SPRINGS, Switch::Off, by("again")).await.unwrap());
    let stood = position(&pool, SPRINGS).await;
    complete_pass(&executor, "2", 170.0).await;
    let head = executor.log().head().await.unwrap();
    // Others go on; this one would have been as fast.
    for policy in ALL.iter().filter(|policy| policy.name() != SPRINGS) {
        reach(&pool, policy.name(), head).await;
    }
    assert_eq!((messages(&executor).await.len(), position(&pool, SPRINGS).await), (1, stood));

    assert!(switch(&pool, SPRINGS, Switch::On, by("repaired")).await.unwrap());
    settled(&executor, &pool).await;
    assert_eq!(messages(&executor).await.len(), 2);
    running.stop().await;
    let told: Vec<_> = switches(&pool, Some(SPRINGS), 10).await.unwrap();
    let told: Vec<_> = told.iter().map(|one| (one.off, one.actor.as_str(), one.reason.as_str(), one.stood)).collect();
    assert_eq!(
        told,
        [(false, "operator:ama", "repaired", stood), (true, "operator:ama", "the camera is being repaired", stood)]
    );
}

#[tokio::test]
async fn what_came_while_it_was_off_can_be_left_out() {
    let (pool, executor) = given().await;
    switch(&pool, SPRINGS, Switch::Off, by("not yet")).await.unwrap();
    complete_pass(&executor, "1", 170.0).await;
    switch(&pool, SPRINGS, Switch::OnFromNow, by("from today on")).await.unwrap();
    let running = Policies::start(&executor, &pool, ALL, &time());
    complete_pass(&executor, "2", 170.0).await;
    settled(&executor, &pool).await;
    running.stop().await;
    let raised = messages(&executor).await;
    assert_eq!(raised.len(), 1, "{raised:?}");
}

#[tokio::test]
async fn a_switch_asks_for_a_known_policy_and_a_reason() {
    let (pool, _) = given().await;
    let unknown = switch(&pool, "alerts.none", Switch::Off, by("why not")).await.unwrap_err();
    assert!(unknown.to_string().contains(SPRINGS), "{unknown}");
    let silent = switch(&pool, SPRINGS, Switch::Off, by(" ")).await.unwrap_err();
    assert!(matches!(silent, SwitchError::Refused(SwitchRefusal::ReasonMissing)));
}

/// The springs' policy, whose alerts say which version raised them.
struct Versioned(i32);

impl Policy for Versioned {
    fn name(&self) -> &'static str {
        "test.versioned"
    }
    fn version(&self) -> i32 {
        self.0
    }
    fn kinds(&self) -> &'static [&'static str] {
        named(SPRINGS).unwrap().kinds()
    }
    fn react(&self, fact: &Fact) -> Vec<Reaction> {
        let mut reactions = named(SPRINGS).unwrap().react(fact);
        for reaction in &mut reactions {
            if let Reaction::RaiseAlert(RaiseAlert { message, .. }) = reaction {
                *message = format!("version {}", self.0);
            }
        }
        reactions
    }
}

static ONE: [&dyn Policy; 1] = [&Versioned(1)];
static TWO: [&dyn Policy; 1] = [&Versioned(2)];

#[tokio::test]
async fn a_new_version_goes_on_where_the_old_one_stood_and_the_old_one_is_fenced_off() {
    let (pool, executor) = given().await;
    let old = Policies::start(&executor, &pool, &ONE, &time());
    complete_pass(&executor, "1", 170.0).await;
    reach(&pool, "test.versioned", executor.log().head().await.unwrap()).await;
    // The old one loses its session without noticing, as a process does that is cut off: the new one takes over.
    let owner = testing::owner(&pool).await;
    sqlx::query(
        "select pg_terminate_backend(l.pid) from pg_locks l
         where l.locktype = 'advisory' and l.database = (select oid from pg_database where datname = current_database())
           and (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended('policy:test.versioned', 0)",
    )
    .execute(&owner)
    .await
    .unwrap();
    let log = Log::open(pool.clone()).await.unwrap();
    let other = Executor::new(log, std::sync::Arc::new(spec::noon));
    let new = Policies::start(&other, &pool, &TWO, &time());
    let version = "select version from policy_checkpoint where name = 'test.versioned'";
    while sqlx::query_scalar::<_, i32>(version).fetch_one(&pool).await.unwrap() < 2 {
        tokio::task::yield_now().await;
    }
    for n in 2..6 {
        complete_pass(&executor, &n.to_string(), 170.0).await;
    }
    reach(&pool, "test.versioned", other.log().head().await.unwrap()).await;
    old.stop().await;
    new.stop().await;
    // An old process that is started once more does nothing.
    complete_pass(&executor, "6", 170.0).await;
    let old = Policies::start(&executor, &pool, &ONE, &time());
    let new = Policies::start(&other, &pool, &TWO, &time());
    reach(&pool, "test.versioned", executor.log().head().await.unwrap()).await;
    old.stop().await;
    new.stop().await;
    let versions = messages(&executor).await;
    assert_eq!(versions, ["version 1", "version 2", "version 2", "version 2", "version 2", "version 2"]);
}

async fn dry(executor: &Executor, name: &str, after: i64) -> Vec<Planned> {
    let mut run = DryRun::new(named(name).unwrap(), executor.log().clone(), after, i64::MAX);
    let mut all = Vec::new();
    while let Some(planned) = run.next().await.unwrap() {
        all.extend(planned);
    }
    all
}

#[tokio::test]
async fn a_dry_run_says_what_would_follow_and_changes_nothing() {
    let (pool, executor) = given().await;
    complete_pass(&executor, "1", 170.0).await;
    let head = executor.log().head().await.unwrap();
    let planned = dry(&executor, SPRINGS, 0).await;
    let [Planned { kind: PlannedKind::Command, reaction: Some(Reaction::RaiseAlert(_)), recorded_at: None, .. }] =
        &planned[..]
    else {
        panic!("{planned:?}")
    };
    assert_eq!((executor.log().head().await.unwrap(), position(&pool, SPRINGS).await), (head, 0));

    let running = Policies::start(&executor, &pool, ALL, &time());
    settled(&executor, &pool).await;
    running.stop().await;
    let done = dry(&executor, SPRINGS, 0).await;
    assert_eq!(done[0].command_id, planned[0].command_id);
    assert_eq!(done[0].recorded_at, Some(head + 1));
    let escalation = dry(&executor, "alerts.escalation", 0).await;
    assert!(
        matches!(&escalation[..], [Planned { kind: PlannedKind::Timer { .. }, recorded_at: None, .. }]),
        "{escalation:?}"
    );
    assert_eq!(dry(&executor, SPRINGS, head).await, []);
}
