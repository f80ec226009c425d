//! Operating read models: pausing, retrying, skipping, and rebuilds that outlive who asks for them.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use vigie_domain::support::{ConsumerKind, ConsumerName, EventSkipped};

use super::consumers::{assert_verified, names, start};
use crate::alerts::{AlertRow, Alerts};
use crate::control::*;
use crate::engine::Checkpoint;
use crate::samples::*;
use crate::spec::{Given, given};
use crate::{Model, ProjectionError, State, Status, rebuild, status};

const SOON: Duration = Duration::from_secs(20);

pub(super) fn by(reason: &str) -> By {
    By::new("operator:spec", reason)
}

pub(super) async fn status_of(given: &Given, name: &str) -> Status {
    status(&given.pool).await.unwrap().into_iter().find(|status| status.name == name).unwrap()
}

/// Asks again until it holds.
pub(super) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waited = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, waited).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}

fn refusal<T: std::fmt::Debug>(outcome: Result<T, ProjectionError>) -> Refusal {
    match outcome {
        Err(ProjectionError::Refused(refusal)) => refusal,
        other => panic!("it is not refused: {other:?}"),
    }
}

/// An acknowledgement of an alert that nobody has raised, about a flight.
pub(super) fn stray() -> vigie_domain::Event {
    acknowledged(2, vigie_domain::alerts::Subject::Flight { flight: arrival(860) })
}

/// What the log says is skipped, as the command would append it.
pub(super) fn skipped(name: &str, position: i64) -> vigie_domain::Event {
    EventSkipped {
        consumer: ConsumerName::new(name).unwrap(),
        kind: ConsumerKind::ReadModel,
        position,
        event: uuid::Uuid::from_u128(7),
        site: lome(),
        reason: note("nobody has raised it"),
    }
    .into()
}

#[tokio::test]
async fn a_paused_read_model_stands_still_says_who_and_why_and_goes_on_when_resumed() {
    let given = given([pass("p1"), raised(1, spring("p1"))]).await;
    let (running, shutdown) = start(&given).await;
    running.wait_for(&["alerts"], 2, SOON).await.unwrap();
    assert_eq!(pause(&given.pool, "alerts", &by("to look at it")).await.unwrap(), Changed::Now);
    assert_eq!(pause(&given.pool, "alerts", &by("again")).await.unwrap(), Changed::Already);
    let last = given.and([raised(2, spring("p1"))]).await;
    let behind = running.wait_for(&["alerts"], last, SOON).await.unwrap_err();
    let paused = behind.paused.as_ref().unwrap();
    assert_eq!((behind.position, paused.by.as_str(), paused.reason.as_str()), (2, "operator:spec", "to look at it"));
    assert!(behind.to_string().contains("operator:spec has paused it: to look at it"), "{behind}");
    let told = status_of(&given, "alerts").await;
    assert_eq!((told.state, told.position, told.paused.unwrap().reason), (State::Paused, 2, "to look at it".into()));
    assert_eq!(given.stored::<AlertRow>().await.len(), 1);
    running.wait_for(&["audit"], last, SOON).await.unwrap();
    assert_eq!(
        refusal(retry(&given.pool, "alerts", &by("")).await).to_string(),
        "alerts was paused by operator:spec: resume it"
    );
    assert_eq!(resume(&given.pool, "alerts", &by("")).await.unwrap(), Changed::Now);
    assert_eq!(resume(&given.pool, "alerts", &by("")).await.unwrap(), Changed::Already);
    running.wait_for(&["alerts"], last, SOON).await.unwrap();
    assert_verified(&given, &names()).await;
    let done = operations(&given.pool, Some("alerts"), 10).await.unwrap();
    let kinds: Vec<_> = done.iter().map(|done| (done.operation, done.reason.as_str(), done.position)).collect();
    assert_eq!(kinds, [(OperationKind::Resume, "", 2), (OperationKind::Pause, "to look at it", 2)]);
    shutdown.cancel();
    running.stopped().await;
}

#[tokio::test]
async fn a_pause_through_another_process_is_noticed_while_the_log_stands_still() {
    let given = given([site("Lomé"), stand("C03", 80)]).await;
    let (running, shutdown) = start(&given).await;
    running.wait_for(&names(), 2, SOON).await.unwrap();
    // Made anew until an earlier position, as another process would.
    let asked = Asked { until: Some(1), by: by("how it was") };
    let cancel = CancellationToken::new();
    rebuild_as(&given.pool, &given.log, "audit", &asked, &|_| {}, &cancel).await.unwrap();
    until("nobody takes it for further than it is", async || *running.watch("audit").borrow() == 1).await;
    resume(&given.pool, "audit", &by("")).await.unwrap();
    running.wait_for(&["audit"], 2, SOON).await.unwrap();
    assert_verified(&given, &["audit"]).await;
    shutdown.cancel();
    running.stopped().await;
}

#[tokio::test]
async fn a_pause_needs_a_reason_and_a_read_model() {
    let given = given([]).await;
    assert!(matches!(refusal(pause(&given.pool, "alerts", &by(" ")).await), Refusal::ReasonMissing { .. }));
    assert!(matches!(pause(&given.pool, "alarms", &by("x")).await, Err(ProjectionError::Unknown { .. })));
    assert_eq!(operations(&given.pool, None, 10).await.unwrap(), []);
}

#[tokio::test]
async fn a_stopped_read_model_counts_its_attempts_and_goes_on_past_what_is_skipped_also_when_rebuilt() {
    let given = given([pass("p1"), raised(1, spring("p1"))]).await;
    let bad = given.and([stray()]).await;
    let after = given.and([raised(3, spring("p1"))]).await;
    let (running, shutdown) = start(&given).await;
    running.wait_for(&["alerts"], after, SOON).await.unwrap_err();
    assert_eq!(status_of(&given, "alerts").await.attempts, 1);
    let stopped = refusal(resume(&given.pool, "alerts", &by("")).await);
    assert!(matches!(stopped, Refusal::ProjectionStopped { stopped_at, .. } if stopped_at == bad), "{stopped:?}");
    assert_eq!(retry(&given.pool, "alerts", &by("")).await.unwrap(), Changed::Now);
    until("it tries again and stops again", async || status_of(&given, "alerts").await.attempts == 2).await;
    assert!(rebuild(&given.pool, &given.log, "alerts", &|_| {}, &CancellationToken::new()).await.is_err());
    let failed = status_of(&given, "alerts").await.rebuild.unwrap();
    assert_eq!((failed.state, failed.error.unwrap().contains("no earlier event")), (RebuildState::Failed, true));

    let held = hold(&given.pool, "alerts").await.unwrap();
    assert_eq!(held.stopped_at(), Some(bad));
    let last = given.and([skipped("alerts", bad)]).await;
    held.go_on().await.unwrap();
    running.wait_for(&names(), last, SOON).await.unwrap();
    let told = status_of(&given, "alerts").await;
    assert_eq!((told.state, told.error, told.error_position, told.attempts), (State::Running, None, None, 0));
    assert_eq!(given.stored::<AlertRow>().await.len(), 2);
    assert_verified(&given, &names()).await;
    rebuild(&given.pool, &given.log, "alerts", &|_| {}, &CancellationToken::new()).await.unwrap();
    assert_eq!(given.stored::<AlertRow>().await.len(), 2);
    shutdown.cancel();
    running.stopped().await;
}

#[tokio::test]
async fn a_skip_is_for_the_read_model_that_it_names_and_is_in_the_audit_trail() {
    let given = given([raised(1, spring("p1"))]).await;
    let bad = given.and([stray()]).await;
    given.and([skipped("flights", bad)]).await;
    let (running, shutdown) = start(&given).await;
    running.wait_for(&["audit"], bad + 1, SOON).await.unwrap();
    running.wait_for(&["alerts"], bad + 1, SOON).await.unwrap_err();
    let told: Vec<_> = given.stored::<crate::audit::AuditRow>().await;
    let row = told.last().unwrap();
    assert_eq!(row.action, format!("made flights skip the event at position {bad}"));
    assert_eq!((row.note.as_str(), row.things[0].as_str()), ("nobody has raised it", "projection:flights"));
    shutdown.cancel();
    running.stopped().await;
}

#[tokio::test]
async fn a_rebuild_until_a_position_is_left_paused_there_and_catches_up_when_resumed() {
    let given = given((0..50).map(|cause| raised(cause, spring("p1")))).await;
    let (running, shutdown) = start(&given).await;
    running.wait_for(&["alerts"], 50, SOON).await.unwrap();
    let asked = |until| Asked { until: Some(until), by: by("before the storm") };
    let cancel = CancellationToken::new();
    for beyond in [0, 51] {
        let outcome = rebuild_as(&given.pool, &given.log, "alerts", &asked(beyond), &|_| {}, &cancel).await;
        assert!(matches!(refusal(outcome), Refusal::UntilOutOfRange { first: 1, last: 50, .. }));
    }
    let position = rebuild_as(&given.pool, &given.log, "alerts", &asked(20), &|_| {}, &cancel).await.unwrap();
    let told = status_of(&given, "alerts").await;
    assert_eq!((position, told.position, told.state), (20, 20, State::Paused));
    assert_eq!(told.paused.unwrap().reason, "before the storm");
    assert_eq!(given.stored::<AlertRow>().await.len(), 20);
    assert_verified(&given, &["alerts"]).await;
    resume(&given.pool, "alerts", &by("")).await.unwrap();
    until("it catches up", async || status_of(&given, "alerts").await.position == 50).await;
    assert_eq!(given.stored::<AlertRow>().await.len(), 50);
    assert_verified(&given, &["alerts"]).await;
    shutdown.cancel();
    running.stopped().await;
}

#[tokio::test]
async fn a_rebuild_that_is_asked_for_waits_for_a_server_and_is_refused_twice() {
    let given = given((0..50).map(|cause| raised(cause, spring("p1")))).await;
    Checkpoint::ensure(&Model::of::<Alerts>(), &given.pool).await.unwrap();
    let asked = Asked { until: None, by: by("new disks") };
    let rebuild = ask_for_rebuild(&given.pool, &given.log, "alerts", &asked).await.unwrap();
    assert_eq!((rebuild.state, rebuild.asked_by.as_str()), (RebuildState::Asked, "operator:spec"));
    let twice = refusal(ask_for_rebuild(&given.pool, &given.log, "alerts", &asked).await);
    assert!(matches!(twice, Refusal::RebuildUnderWay { .. }), "{twice:?}");
    let (running, shutdown) = start(&given).await;
    let state = async || status_of(&given, "alerts").await.rebuild.unwrap().state;
    until("a server carries it out", async || state().await == RebuildState::Done).await;
    running.wait_for(&["alerts"], 50, SOON).await.unwrap();
    assert_eq!(given.stored::<AlertRow>().await.len(), 50);
    assert!(matches!(refusal(cancel_rebuild(&given.pool, "alerts", &by("")).await), Refusal::NoRebuild { .. }));
    shutdown.cancel();
    running.stopped().await;
}

#[tokio::test]
async fn a_rebuild_that_a_dead_process_has_left_is_taken_up_or_cancelled() {
    let given = given([pass("p1")]).await;
    given.and((0..49).map(|cause| raised(cause, spring("p1")))).await;
    let asked = Asked { until: None, by: by("new disks") };
    ask_for_rebuild(&given.pool, &given.log, "alerts", &asked).await.unwrap();
    ask_for_rebuild(&given.pool, &given.log, "audit", &asked).await.unwrap();
    // As a process leaves it that was killed a while ago.
    let left = "update read.rebuild set state = 'running', owner = 'gone:1', updated_at = now() - interval '1 minute'";
    sqlx::query(left).execute(&given.pool).await.unwrap();
    let cancelled = cancel_rebuild(&given.pool, "audit", &by("not now")).await.unwrap();
    assert_eq!((cancelled.state, cancelled.cancel_by.as_deref()), (RebuildState::Cancelled, Some("operator:spec")));
    let (running, shutdown) = start(&given).await;
    let state = async |name| status_of(&given, name).await.rebuild.unwrap().state;
    until("a server takes it up", async || state("alerts").await == RebuildState::Done).await;
    assert_eq!(state("audit").await, RebuildState::Cancelled);
    running.wait_for(&names(), 50, SOON).await.unwrap();
    assert_verified(&given, &names()).await;
    shutdown.cancel();
    running.stopped().await;
}

#[tokio::test]
async fn a_running_rebuild_is_cancelled_from_elsewhere_and_the_old_rows_stay() {
    let given = given((0..50).map(|cause| raised(cause, spring("p1")))).await;
    let (running, shutdown) = start(&given).await;
    running.wait_for(&["alerts"], 50, SOON).await.unwrap();
    sqlx::query("update read.alerts set message = 'old'").execute(&given.pool).await.unwrap();
    // A reader stands in the way of the swap, for as long as the test wants.
    let mut reader = given.pool.begin().await.unwrap();
    sqlx::query("select from read.alerts limit 1").execute(&mut *reader).await.unwrap();
    let asked = Asked { until: None, by: by("") };
    ask_for_rebuild(&given.pool, &given.log, "alerts", &asked).await.unwrap();
    let rebuild = async || status_of(&given, "alerts").await.rebuild.unwrap();
    until("it is filled", async || rebuild().await.position == 50).await;
    let cancelled = cancel_rebuild(&given.pool, "alerts", &by("enough")).await.unwrap();
    assert_eq!(cancelled.state, RebuildState::Running);
    until("it is cancelled", async || rebuild().await.state == RebuildState::Cancelled).await;
    assert_eq!(rebuild().await.cancel_by.as_deref(), Some("operator:spec"));
    reader.commit().await.unwrap();
    let old = sqlx::query_scalar::<_, i64>("select count(*) from read.alerts where message = 'old'");
    assert_eq!(old.fetch_one(&given.pool).await.unwrap(), 50);
    shutdown.cancel();
    running.stopped().await;
}
