//! Raising, acknowledging and confirming against each other on one pass, with the policies at work.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::common::{complete_pass, executor, give, history, late_part, order, rail_site, set_up_rail, settled};
use uuid::Uuid;
use vigie_commands::policies::Policies;
use vigie_commands::{Executor, Failure};
use vigie_domain::Event;
use vigie_domain::alerts::{AcknowledgeAlert, AlertEvent, AlertId, AlertKind, RaiseAlert, Severity, Subject};
use vigie_domain::kernel::Note;
use vigie_domain::policies;
use vigie_domain::rail::{ConfirmPass, ConfirmRefusal, PassId, RailEvent};
use vigie_eventlog::testing;

fn alert(pass: &PassId, key: &str) -> RaiseAlert {
    let pass = pass.clone();
    RaiseAlert {
        site: rail_site(),
        kind: AlertKind::SpringOutOfLimits,
        severity: Severity::Warning,
        subject: Subject::Spring { pass, car: 1, spring: "L1".into(), quantity: "height".into() },
        message: "A spring is out of limits".into(),
        cause: Uuid::from_u128(7),
        cause_key: key.into(),
    }
}

/// The alerts that were open when a pass was confirmed, and the ones raised on a confirmed pass that did not reopen it.
fn violations(history: &[(i64, Event)]) -> (usize, usize, usize) {
    let (mut open, mut broken, mut confirmations) = (BTreeSet::new(), 0, 0);
    let (mut confirmed, mut late) = (false, BTreeSet::<AlertId>::new());
    for (_, event) in history {
        match event {
            Event::Alerts(AlertEvent::AlertRaised(e)) => {
                open.insert(e.alert);
                if confirmed {
                    late.insert(e.alert);
                }
            }
            Event::Alerts(AlertEvent::AlertAcknowledged(e)) => drop(open.remove(&e.alert)),
            Event::Alerts(AlertEvent::AlertResolved(e)) => drop(open.remove(&e.alert)),
            Event::Rail(RailEvent::PassConfirmed(_)) => {
                broken += open.len();
                confirmations += 1;
                confirmed = true;
            }
            Event::Rail(RailEvent::PassReopened(e)) => {
                confirmed = false;
                late.clear();
                assert!(
                    history
                        .iter()
                        .any(|(_, a)| matches!(a, Event::Alerts(AlertEvent::AlertRaised(r)) if r.alert == e.alert))
                );
            }
            _ => {}
        }
    }
    (broken, late.len(), confirmations)
}

#[derive(Clone, Default)]
struct Race {
    attempts: Arc<AtomicU32>,
    refused: Arc<AtomicU32>,
    retries: Arc<AtomicU32>,
    over: Arc<AtomicBool>,
}

/// Each alert is acknowledged soon, and the next one comes when the confirmers have had a few tries in between.
async fn raise_and_acknowledge(executor: Executor, pass: PassId, race: Race, raiser: u32) {
    for n in 0..40 {
        let raised = executor.execute(&alert(&pass, &format!("{raiser}/{n}")), order()).await.unwrap();
        let command = AcknowledgeAlert { alert: raised.answer.alert, note: Note::default() };
        let acknowledged = executor.execute(&command, order()).await.unwrap();
        race.retries.fetch_add(raised.retries + acknowledged.retries, Ordering::Relaxed);
        let tried = race.attempts.load(Ordering::Relaxed);
        while race.attempts.load(Ordering::Relaxed) < tried + 24 {
            tokio::task::yield_now().await;
        }
    }
}

async fn keep_confirming(executor: Executor, pass: PassId, race: Race) {
    while !race.over.load(Ordering::Acquire) {
        let command = ConfirmPass { pass: pass.clone(), note: Note::default() };
        match executor.execute(&command, order()).await {
            Ok(done) => race.retries.fetch_add(done.retries, Ordering::Relaxed),
            Err(Failure::Refused(ConfirmRefusal::AlertsUnacknowledged { .. })) => {
                race.refused.fetch_add(1, Ordering::Relaxed)
            }
            Err(failure) => panic!("{failure:?}"),
        };
        race.attempts.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_interleaving_confirms_a_pass_over_an_unacknowledged_alert() {
    let pool = testing::database().await;
    let executor = executor(&pool).await;
    set_up_rail(&executor).await;
    let pass = complete_pass(&executor, "1", 200.0).await;
    let running = Policies::start(&executor, &pool, policies::ALL, &crate::common::time());

    let race = Race::default();
    let raisers = (0..2).map(|n| tokio::spawn(raise_and_acknowledge(executor.clone(), pass.clone(), race.clone(), n)));
    let raisers: Vec<_> = raisers.collect();
    let confirmers = (0..12).map(|_| tokio::spawn(keep_confirming(executor.clone(), pass.clone(), race.clone())));
    let confirmers: Vec<_> = confirmers.collect();
    for raiser in raisers {
        raiser.await.unwrap();
    }
    race.over.store(true, Ordering::Release);
    for confirmer in confirmers {
        confirmer.await.unwrap();
    }
    settled(&executor, &pool).await;
    running.stop().await;
    // Whatever the race left open, a last confirmation is possible and final.
    give(&executor, ConfirmPass { pass, note: Note::default() }).await;

    let history = history(executor.log()).await;
    let (broken, late, confirmations) = violations(&history);
    println!(
        "{} events, {confirmations} confirmations, {} refused, {} retries",
        history.len(),
        race.refused.load(Ordering::Relaxed),
        race.retries.load(Ordering::Relaxed)
    );
    assert_eq!((broken, late), (0, 0));
    assert!(confirmations > 3, "the race should often confirm");
    assert!(race.refused.load(Ordering::Relaxed) > 10, "the race should often be refused");
}

#[tokio::test]
async fn a_spring_out_of_limits_raises_one_alert_that_the_confirmation_waits_for() {
    let pool = testing::database().await;
    let executor = executor(&pool).await;
    set_up_rail(&executor).await;
    let pass = complete_pass(&executor, "1", 170.0).await;
    let confirm = ConfirmPass { pass: pass.clone(), note: Note::default() };
    let early = executor.execute(&confirm, order()).await.unwrap_err();
    assert!(matches!(early, Failure::Refused(ConfirmRefusal::AlertsNotYetRaised { .. })), "{early:?}");

    let first = Policies::start(&executor, &pool, policies::ALL, &crate::common::time());
    settled(&executor, &pool).await;
    first.stop().await;
    // A second run from the beginning gives the same commands again, and nothing comes of them.
    let before = executor.log().head().await.unwrap();
    sqlx::query("delete from policy_checkpoint").execute(&pool).await.unwrap();
    let second = Policies::start(&executor, &pool, policies::ALL, &crate::common::time());
    settled(&executor, &pool).await;
    second.stop().await;
    assert_eq!(executor.log().head().await.unwrap(), before);

    let refusal = executor.execute(&confirm, order()).await.unwrap_err();
    let Failure::Refused(ConfirmRefusal::AlertsUnacknowledged { alerts, .. }) = refusal else { panic!("{refusal:?}") };
    let [alert] = alerts[..] else { panic!("one alert, not {alerts:?}") };
    give(&executor, AcknowledgeAlert { alert, note: Note::new("seen").unwrap() }).await;
    give(&executor, confirm.clone()).await;
    let again = executor.execute(&confirm, order()).await.unwrap();
    assert_eq!(again.appended, 0);
    assert!(again.answer.earlier.is_some());
}

#[tokio::test]
async fn two_processes_share_the_policies_and_act_once_per_cause() {
    let pool = testing::database().await;
    let (one, two) = (executor(&pool).await, executor(&pool).await);
    set_up_rail(&one).await;
    let running = [
        Policies::start(&one, &pool, policies::ALL, &crate::common::time()),
        Policies::start(&two, &pool, policies::ALL, &crate::common::time()),
    ];
    for n in 0..20 {
        complete_pass(if n % 2 == 0 { &one } else { &two }, &n.to_string(), 170.0).await;
    }
    settled(&one, &pool).await;
    for policies in running {
        policies.stop().await;
    }
    let raised = history(one.log()).await;
    let raised = raised.iter().filter(|(_, e)| matches!(e, Event::Alerts(AlertEvent::AlertRaised(_)))).count();
    assert_eq!(raised, 20);
}

#[tokio::test]
async fn a_late_part_that_is_out_of_limits_reopens_a_confirmed_pass() {
    let pool = testing::database().await;
    let executor = executor(&pool).await;
    set_up_rail(&executor).await;
    let running = Policies::start(&executor, &pool, policies::ALL, &crate::common::time());
    let pass = complete_pass(&executor, "1", 200.0).await;
    let confirm = ConfirmPass { pass: pass.clone(), note: Note::default() };
    give(&executor, confirm.clone()).await;

    give(&executor, late_part("1", "R1", 170.0)).await;
    settled(&executor, &pool).await;
    let reopened = history(executor.log()).await.into_iter().find_map(|(_, event)| match event {
        Event::Rail(RailEvent::PassReopened(reopened)) => Some(reopened),
        _ => None,
    });
    let alert = reopened.expect("the late alert reopens the pass").alert;
    let refusal = executor.execute(&confirm, order()).await.unwrap_err();
    assert!(matches!(refusal, Failure::Refused(ConfirmRefusal::AlertsUnacknowledged { .. })), "{refusal:?}");
    give(&executor, AcknowledgeAlert { alert, note: Note::default() }).await;
    assert_eq!(executor.execute(&confirm, order()).await.unwrap().appended, 1);
    running.stop().await;
}
