//! What could not be done is kept, tried again, and discarded.

use chrono::Duration;
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;
use vigie_commands::Executor;
use vigie_commands::dead_letters::{
    DeadLetter, DeadLetterError, DeadLetterRefusal, Filter, Source, State, Undone, discard, list, prune, record, retry,
};
use vigie_commands::policies::Policies;
use vigie_commands::time::ManualTime;
use vigie_domain::alerts::{AlertId, AlertKind, EscalateAlert, RaiseAlert, Severity, Subject};
use vigie_domain::kernel::{Fact, spec};
use vigie_domain::policies::{Policy, Reaction, Timer, TimerChange};
use vigie_eventlog::{Query, Read, testing};

use crate::common::{complete_pass, executor, give, header, rail_site, set_up_rail, time};

const REFUSED: &str = "test.refused";

/// Escalates an alert that nobody has raised, at once.
struct AtOnce;

/// The same with a timer.
struct Later;

fn raise() -> RaiseAlert {
    RaiseAlert {
        site: rail_site(),
        kind: AlertKind::SpringOutOfLimits,
        severity: Severity::Warning,
        subject: Subject::Spring {
            pass: header("1", spec::noon()).pass,
            car: 1,
            spring: "L1".into(),
            quantity: "height".into(),
        },
        message: "a spring is out of its limits".into(),
        cause: Uuid::from_u128(1),
        cause_key: "the spring".into(),
    }
}

fn escalate() -> Reaction {
    let RaiseAlert { kind, cause_key, .. } = raise();
    Reaction::EscalateAlert(EscalateAlert { alert: AlertId::of(kind, &cause_key), level: 1 })
}

impl Policy for AtOnce {
    fn name(&self) -> &'static str {
        REFUSED
    }
    fn kinds(&self) -> &'static [&'static str] {
        &["rail.pass_completed"]
    }
    fn react(&self, _: &Fact) -> Vec<Reaction> {
        vec![escalate()]
    }
}

impl Policy for Later {
    fn name(&self) -> &'static str {
        "test.later"
    }
    fn kinds(&self) -> &'static [&'static str] {
        AtOnce.kinds()
    }
    fn react(&self, _: &Fact) -> Vec<Reaction> {
        Vec::new()
    }
    fn timers(&self, _: &Fact) -> Vec<TimerChange> {
        vec![TimerChange::Set(Timer { key: "it".into(), due: spec::noon(), reaction: escalate() })]
    }
}

static AT_ONCE: [&dyn Policy; 1] = [&AtOnce];
static LATER: [&dyn Policy; 1] = [&Later];

async fn given() -> (PgPool, Executor) {
    let pool = testing::database().await;
    let executor = executor(&pool).await;
    set_up_rail(&executor).await;
    (pool, executor)
}

async fn all(pool: &PgPool) -> Vec<DeadLetter> {
    list(pool, &Filter::default(), 1_000, None).await.unwrap()
}

/// The letters, once there are as many attempts and the policy has gone on to the log's end.
async fn attempted(pool: &PgPool, executor: &Executor, policy: &str, attempts: i32) -> Vec<DeadLetter> {
    let head = executor.log().head().await.unwrap();
    loop {
        let position = sqlx::query_scalar::<_, i64>("select position from policy_checkpoint where name = $1");
        let position = position.bind(policy).fetch_optional(pool).await.unwrap().unwrap_or(0);
        let letters = all(pool).await;
        if position >= head && letters.iter().map(|letter| letter.attempts).sum::<i32>() >= attempts {
            return letters;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_refused_command_of_a_policy_is_kept_and_the_policy_goes_on() {
    let (pool, executor) = given().await;
    let running = Policies::start(&executor, &pool, &AT_ONCE, &time());
    complete_pass(&executor, "1", 200.0).await;
    complete_pass(&executor, "2", 200.0).await;
    let letters = attempted(&pool, &executor, REFUSED, 2).await;
    running.stop().await;
    assert_eq!(letters.len(), 2);
    let letter = &letters[1];
    assert_eq!((letter.source, letter.name.as_str(), letter.state), (Source::Policy, REFUSED, State::Open));
    assert_eq!((letter.code.as_deref(), letter.attempts), (Some("ALERT_UNKNOWN"), 1));
    assert!(letter.reason.contains("there is no alert"), "{}", letter.reason);
    assert_eq!(letter.payload["reaction"], serde_json::to_value(escalate()).unwrap());

    // The fact is seen again, as after a crash: the same letter.
    sqlx::query("update policy_checkpoint set position = 0").execute(&pool).await.unwrap();
    let running = Policies::start(&executor, &pool, &AT_ONCE, &time());
    let letters = attempted(&pool, &executor, REFUSED, 4).await;
    running.stop().await;
    assert_eq!(letters.iter().map(|letter| letter.attempts).collect::<Vec<_>>(), [2, 2]);
}

#[tokio::test]
async fn a_retry_counts_and_closes_the_letter_when_it_is_accepted() {
    let (pool, executor) = given().await;
    let running = Policies::start(&executor, &pool, &AT_ONCE, &time());
    complete_pass(&executor, "1", 200.0).await;
    let letter = attempted(&pool, &executor, REFUSED, 1).await.remove(0);
    running.stop().await;

    let later = spec::noon() + Duration::hours(1);
    let again = retry(&executor, &pool, letter.id, "operator:ama", later).await.unwrap();
    assert_eq!((again.accepted, again.letter.attempts, again.letter.state), (false, 2, State::Open));
    assert_eq!((again.letter.last_at, again.letter.first_at), (later, letter.first_at));

    give(&executor, raise()).await;
    let head = executor.log().head().await.unwrap();
    let done = retry(&executor, &pool, letter.id, "operator:ama", later).await.unwrap();
    assert_eq!((done.accepted, done.letter.attempts, done.letter.state), (true, 3, State::Done));
    assert_eq!(done.letter.closed_by.as_deref(), Some("operator:ama"));
    let escalated = executor.log().read(&Query::all(), Read::after(head)).await.unwrap();
    let [event] = &escalated[..] else { panic!("{escalated:?}") };
    assert_eq!(event.metadata.actor, "policy:test.refused");
    assert_eq!(json!(event.metadata.causation_id), letter.payload["event"]);
    assert_ne!(Some(event.metadata.command_id), letter.command_id);

    let closed = retry(&executor, &pool, letter.id, "operator:ama", later).await.unwrap_err();
    assert!(matches!(closed, DeadLetterError::Refused(DeadLetterRefusal::DeadLetterClosed { .. })), "{closed:?}");
}

#[tokio::test]
async fn two_who_retry_one_letter_do_it_once() {
    let (pool, executor) = given().await;
    let running = Policies::start(&executor, &pool, &AT_ONCE, &time());
    complete_pass(&executor, "1", 200.0).await;
    let letter = attempted(&pool, &executor, REFUSED, 1).await.remove(0);
    running.stop().await;
    give(&executor, raise()).await;
    let head = executor.log().head().await.unwrap();
    let one = retry(&executor, &pool, letter.id, "operator:ama", spec::noon());
    let other = retry(&executor, &pool, letter.id, "operator:zoe", spec::noon());
    let (one, other) = tokio::join!(one, other);
    assert_eq!([one.is_ok(), other.is_ok()].iter().filter(|done| **done).count(), 1, "{one:?} {other:?}");
    assert_eq!(executor.log().head().await.unwrap(), head + 1);
}

#[tokio::test]
async fn a_refused_command_of_a_timer_is_kept_and_the_timer_is_gone() {
    let (pool, executor) = given().await;
    let time = ManualTime::at(spec::noon() + Duration::minutes(1));
    let running = Policies::start(&executor, &pool, &LATER, &time.time());
    complete_pass(&executor, "1", 200.0).await;
    let letters = attempted(&pool, &executor, "test.later", 1).await;
    running.stop().await;
    assert_eq!((letters.len(), letters[0].name.as_str()), (1, "test.later"));
    let timers = sqlx::query_scalar::<_, i64>("select count(*) from policy_timer").fetch_one(&pool).await.unwrap();
    assert_eq!(timers, 0);
}

fn row(number: u128, reason: &str) -> Undone {
    Undone {
        source: Source::Import,
        name: "passes".into(),
        command_id: Uuid::from_u128(number),
        payload: json!({ "file": "a.jsonl", "place": 7, "row": "{\u{0}" }),
        reason: reason.into(),
        code: None,
    }
}

#[tokio::test]
async fn a_row_is_retried_by_its_import_and_can_be_discarded_for_a_reason() {
    let (pool, executor) = given().await;
    record(&pool, &[row(1, "first"), row(2, "other"), row(1, "second")], spec::noon()).await;
    let letters = all(&pool).await;
    let told: Vec<_> = letters.iter().rev().map(|letter| (letter.reason.as_str(), letter.attempts)).collect();
    assert_eq!(told, [("second", 2), ("other", 1)]);

    let id = letters[1].id;
    let refused = retry(&executor, &pool, id, "operator:ama", spec::noon()).await.unwrap_err();
    assert!(refused.to_string().ends_with("vigie import passes a.jsonl"), "{refused}");
    let silent = discard(&pool, id, "operator:ama", " ", spec::noon()).await.unwrap_err();
    assert!(matches!(silent, DeadLetterError::Refused(DeadLetterRefusal::ReasonMissing)));
    let discarded = discard(&pool, id, "operator:ama", "a broken camera", spec::noon()).await.unwrap();
    assert_eq!((discarded.state, discarded.closed_reason.as_deref()), (State::Discarded, Some("a broken camera")));
    // What is not to be done comes again: it is counted, and stays discarded.
    record(&pool, &[row(1, "third")], spec::noon()).await;
    let again = all(&pool).await.remove(1);
    assert_eq!((again.state, again.attempts, again.reason.as_str()), (State::Discarded, 3, "third"));
    let unknown = discard(&pool, i64::MAX, "operator:ama", "why not", spec::noon()).await.unwrap_err();
    assert!(matches!(unknown, DeadLetterError::Refused(DeadLetterRefusal::DeadLetterUnknown { .. })));
}

#[tokio::test]
async fn the_oldest_closed_letters_go_first_and_then_the_oldest_open_ones() {
    let (pool, _) = given().await;
    let rows: Vec<_> = (0..6).map(|number| row(number, &number.to_string())).collect();
    record(&pool, &rows, spec::noon()).await;
    let ids: Vec<i64> = all(&pool).await.iter().rev().map(|letter| letter.id).collect();
    discard(&pool, ids[3], "operator:ama", "not needed", spec::noon()).await.unwrap();
    assert_eq!(prune(&pool, 6).await.unwrap(), 0);
    assert_eq!(prune(&pool, 4).await.unwrap(), 2);
    let left: Vec<String> = all(&pool).await.into_iter().rev().map(|letter| letter.reason).collect();
    assert_eq!(left, ["1", "2", "4", "5"]);
}

#[tokio::test]
async fn a_letter_that_cannot_be_written_does_not_stop_the_policy() {
    let (pool, executor) = given().await;
    let owner = testing::owner(&pool).await;
    sqlx::query("drop table dead_letter").execute(&owner).await.unwrap();
    let running = Policies::start(&executor, &pool, &AT_ONCE, &time());
    complete_pass(&executor, "1", 200.0).await;
    let head = executor.log().head().await.unwrap();
    let reached = || async {
        let position = sqlx::query_scalar::<_, i64>("select position from policy_checkpoint where name = $1");
        position.bind(REFUSED).fetch_optional(&pool).await.unwrap()
    };
    while reached().await.unwrap_or(0) < head {
        tokio::task::yield_now().await;
    }
    running.stop().await;
}
