use super::*;
use crate::Event;
use crate::alerts::AlertRaised;
use crate::alerts::fixtures::{acknowledged, id, raised, resolved};
use crate::kernel::spec;
use crate::rail::fixtures::{
    breach, complete_pass, declared, limits, measured, pass, rail_site, reading, registered, site,
};

fn confirm(note: &str) -> ConfirmPass {
    ConfirmPass { pass: pass(), note: Note::new(note).unwrap() }
}

fn confirmed(note: &str, alerts: Vec<AlertId>) -> Event {
    PassConfirmed { pass: pass(), site: site(), note: Note::new(note).unwrap(), alerts }.into()
}

#[test]
fn a_complete_pass_without_alerts_is_confirmed() {
    spec::given(complete_pass()).when(confirm("all fine")).then([confirmed("all fine", vec![])]);
}

#[test]
fn alerts_must_be_acknowledged_or_resolved() {
    let given = spec::given(complete_pass()).and([raised("a").into(), raised("b").into(), raised("c").into()]);
    let given = given.and([acknowledged("a", "").into(), resolved("b").into()]);
    match given.clone().when(confirm("")).then_refused("ALERTS_UNACKNOWLEDGED") {
        ConfirmRefusal::AlertsUnacknowledged { alerts, .. } => assert_eq!(alerts, [id("c")]),
        other => panic!("{other}"),
    }
    let mut all = vec![id("a"), id("b"), id("c")];
    all.sort();
    given.and([acknowledged("c", "").into()]).when(confirm("")).then([confirmed("", all)]);
}

#[test]
fn a_confirmed_pass_answers_its_first_confirmation() {
    let given = spec::given(complete_pass()).when(confirm("first")).recorded();
    let outcome = given.when(confirm("second")).then_nothing();
    let earlier = outcome.answer().earlier.clone().expect("it was confirmed before");
    assert_eq!((earlier.position, earlier.note.as_str(), earlier.by.as_str()), (7, "first", "operator:spec"));
}

#[test]
fn a_late_alert_is_looked_at_before_the_first_confirmation_is_answered() {
    let given = spec::given(complete_pass()).when(confirm("")).recorded().and([raised("late").into()]);
    given.when(confirm("")).then_refused("ALERTS_UNACKNOWLEDGED");
}

#[test]
fn an_unknown_pass_is_refused() {
    spec::given([rail_site()]).when(confirm("")).then_refused("PASS_UNKNOWN");
}

#[test]
fn an_incomplete_pass_is_refused_with_what_is_missing() {
    let begun = [rail_site(), limits().into(), registered().into(), measured(2, vec![]).into()];
    let refusal = spec::given(begun.clone()).when(confirm("")).then_refused("PASS_INCOMPLETE");
    assert!(refusal.to_string().ends_with("1 cars were measured, and the camera system has not said that it sent all"));
    match spec::given(begun).and([declared(4).into()]).when(confirm("")).then_refused("PASS_INCOMPLETE") {
        ConfirmRefusal::PassIncomplete { declared, measured, missing, .. } => {
            assert_eq!((declared, measured, missing), (Some(4), 1, vec![1, 3, 4]));
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_breach_whose_alert_is_not_raised_yet_stops_the_confirmation() {
    let breach = breach(1, "L1");
    let out = [
        rail_site(),
        limits().into(),
        registered().into(),
        measured(1, vec![reading("L1", 170.0)]).into(),
        breach.clone().into(),
        declared(1).into(),
    ];
    match spec::given(out.clone()).when(confirm("")).then_refused("ALERTS_NOT_YET_RAISED") {
        ConfirmRefusal::AlertsNotYetRaised { springs, .. } => {
            assert_eq!(springs, [SpringRef { car: 1, spring: "L1".into(), quantity: "height".into() }]);
        }
        other => panic!("{other}"),
    }
    let alert = AlertRaised { alert: breach.alert(), ..raised("ignored") };
    spec::given(out).and([alert.into()]).when(confirm("")).then_refused("ALERTS_UNACKNOWLEDGED");
}

#[test]
fn everything_about_the_pass_is_guarded() {
    let outcome = spec::given(complete_pass()).when(confirm(""));
    let other_pass = crate::rail::PassId::at(&site(), "other").unwrap();
    let elsewhere = crate::rail::PassRegistered { pass: other_pass, ..registered() };
    assert!(outcome.guards_against(&raised("new").into()));
    assert!(outcome.guards_against(&breach(1, "L1").into()));
    assert!(!outcome.guards_against(&elsewhere.into()));
}
