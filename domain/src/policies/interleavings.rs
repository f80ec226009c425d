//! People and policies at work on one pass at once, every one of them on what was true a while ago.
//!
//! A log in memory keeps the promise of the real one: an append is refused if a fact that matches one of its guards was
//! added after the position at which the decision read it. Each view is read at a position of its own, so a decision
//! may even see a torn world.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::fixtures::fact;
use super::{ALL, Reaction};
use crate::Event;
use crate::alerts::fixtures::{id, raise};
use crate::alerts::{AcknowledgeAlert, AlertEvent, AlertId, ResolveAlert};
use crate::kernel::{Context, Decision, Fact, Note, Stop, World, derived_uuid, spec};
use crate::rail::fixtures::{limits, measured, noon_plus, pass, rail_site, reading};
use crate::rail::{CarPart, ConfirmPass, PassHeader, PassPart, RailEvent, RecordPassPart, names};

/// One step of somebody. Late alerts come from outside the policies of springs; `Policy` shows one policy a fact.
#[derive(Debug, Clone, Copy)]
enum Step {
    Car(u16),
    Mark,
    RaiseLate(u8),
    Acknowledge(usize),
    Resolve(usize),
    Confirm,
    Policy(usize, usize),
    CatchUp,
}

/// How many facts ago each view was read, in turn.
type Staleness = Vec<usize>;

#[derive(Default)]
struct Log {
    facts: Vec<Fact>,
    conflicts: usize,
}

impl Log {
    fn of(events: impl IntoIterator<Item = Event>) -> Self {
        let mut log = Self::default();
        log.append(events);
        log
    }

    fn head(&self) -> i64 {
        i64::try_from(self.facts.len()).expect("short")
    }

    fn append(&mut self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            self.facts.push(fact(self.head() + 1, event));
        }
    }

    /// Decides on a stale world and appends if its guards hold; tells whether it did not conflict.
    fn carry_out<D: Decision>(&mut self, command: &D, staleness: &[usize]) -> bool {
        let context = Context { command_id: derived_uuid("spec", "step"), now: spec::noon() };
        let (mut world, mut ages) = (World::new(), staleness.iter().copied().chain(std::iter::repeat(0)));
        let decided = loop {
            let _ = world.take_guards();
            match command.decide(&world, &context) {
                Ok(decided) => break decided,
                Err(Stop::Refused(_)) => return true,
                Err(Stop::Need(need)) => {
                    let seen = self.facts.len().saturating_sub(ages.next().unwrap_or(0));
                    let mut view = need.empty;
                    let matching = |fact: &&Fact| need.query.matches(fact.event.name(), &fact.event.tags());
                    self.facts[..seen].iter().filter(matching).for_each(|fact| view.evolve(fact));
                    world.insert(need.id, need.query, view, i64::try_from(seen).expect("short"));
                }
            }
        };
        let overtaken = world.take_guards().into_iter().any(|guard| {
            let since = usize::try_from(guard.after).expect("positions count from 1");
            self.facts[since..].iter().any(|fact| guard.query.matches(fact.event.name(), &fact.event.tags()))
        });
        if overtaken {
            self.conflicts += 1;
        } else {
            self.append(decided.events.into_iter().map(|(event, _)| event));
        }
        !overtaken
    }

    /// As the executor does: a conflict is decided again on a fresh world.
    fn execute<D: Decision>(&mut self, command: &D, staleness: &[usize]) {
        if !self.carry_out(command, staleness) {
            assert!(self.carry_out(command, &[]), "nothing was added since the fresh read");
        }
    }

    fn react(&mut self, reaction: &Reaction, staleness: &[usize]) {
        match reaction {
            Reaction::RaiseAlert(command) => self.execute(command, staleness),
            Reaction::ResolveAlertsAbout(command) => self.execute(command, staleness),
            Reaction::ReopenPass(command) => self.execute(command, staleness),
            Reaction::EscalateAlert(command) => self.execute(command, staleness),
            Reaction::RaiseOverdueStay(command) => self.execute(command, staleness),
            Reaction::RaiseEndpointDown(command) => self.execute(command, staleness),
        }
    }
}

const CARS: u16 = 2;

fn part(part: PassPart) -> RecordPassPart {
    let header = PassHeader { pass: pass(), track: "1".into(), passed_at: noon_plus(-5), train: None };
    RecordPassPart { header, part }
}

/// Both cars have a spring that is out of limits.
fn car(number: u16) -> RecordPassPart {
    let readings = vec![reading("L1", 170.0), reading("L2", 200.0)];
    let crate::rail::CarMeasured { car, vehicle, camera, readings, .. } = measured(number, readings);
    part(PassPart::Car(CarPart { car, vehicle, camera, readings }))
}

/// The alerts that may come to be: one per car, and two late ones.
fn alerts() -> [AlertId; 4] {
    let of_car = |number| crate::rail::fixtures::breach(number, "L1").alert();
    [of_car(1), of_car(2), id("late-0"), id("late-1")]
}

fn note() -> Note {
    Note::new("looked at").unwrap()
}

fn take(log: &mut Log, step: Step, staleness: &[usize]) {
    match step {
        Step::Car(number) => log.execute(&car(number), staleness),
        Step::Mark => log.execute(&part(PassPart::Complete { cars: CARS }), staleness),
        Step::RaiseLate(number) => log.execute(&raise(&format!("late-{number}")), staleness),
        Step::Acknowledge(index) => {
            log.execute(&AcknowledgeAlert { alert: alerts()[index], note: note() }, staleness);
        }
        Step::Resolve(index) => log.execute(&ResolveAlert { alert: alerts()[index], reason: note() }, staleness),
        Step::Confirm => log.execute(&ConfirmPass { pass: pass(), note: note() }, staleness),
        Step::Policy(policy, back) => {
            // Any fact again, in any order: worse than a runner ever does.
            let Some(at) = log.facts.len().checked_sub(back + 1) else { return };
            let reactions = ALL[policy % ALL.len()].react(&log.facts[at]);
            reactions.iter().for_each(|reaction| log.react(reaction, staleness));
        }
        Step::CatchUp => settle(log, staleness),
    }
}

/// Runs every policy over the whole log until nothing follows any more.
fn settle(log: &mut Log, staleness: &[usize]) {
    let mut next = 0;
    while let Some(fact) = log.facts.get(next).cloned() {
        for reaction in ALL.iter().flat_map(|policy| policy.react(&fact)) {
            log.react(&reaction, staleness);
        }
        next += 1;
    }
}

/// What must hold of every prefix of the log.
fn check(facts: &[Fact]) -> Result<bool, TestCaseError> {
    let (mut open, mut raised, mut confirmed) = (HashMap::new(), HashSet::new(), None);
    for Fact { event, stamp } in facts {
        match event {
            Event::Alerts(AlertEvent::AlertRaised(alert)) => {
                prop_assert!(raised.insert(alert.alert), "{} was raised twice", alert.alert);
                open.insert(alert.alert, stamp.position);
            }
            Event::Alerts(AlertEvent::AlertAcknowledged(alert)) => {
                open.remove(&alert.alert);
            }
            Event::Alerts(AlertEvent::AlertResolved(alert)) => {
                open.remove(&alert.alert);
            }
            Event::Alerts(AlertEvent::AlertEscalated(alert)) => {
                prop_assert!(open.contains_key(&alert.alert), "{} was escalated and not open", alert.alert);
            }
            Event::Rail(RailEvent::PassConfirmed(_)) => {
                prop_assert!(open.is_empty(), "confirmed at {} with {open:?} open", stamp.position);
                prop_assert!(confirmed.replace(stamp.position).is_none(), "confirmed twice without a reopening");
            }
            Event::Rail(RailEvent::PassReopened(_)) => {
                prop_assert!(confirmed.take().is_some(), "reopened what was not confirmed");
            }
            Event::Rail(_) | Event::Airport(_) | Event::Support(_) | Event::Identity(_) | Event::Webhooks(_) => {}
        }
    }
    Ok(confirmed.is_some())
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (1..=CARS).prop_map(Step::Car),
        2 => Just(Step::Mark),
        2 => (0..2_u8).prop_map(Step::RaiseLate),
        6 => (0..4_usize).prop_map(Step::Acknowledge),
        1 => (0..4_usize).prop_map(Step::Resolve),
        6 => Just(Step::Confirm),
        8 => (0..2_usize, 0..20_usize).prop_map(|(policy, back)| Step::Policy(policy, back)),
        2 => Just(Step::CatchUp),
    ]
}

fn staleness() -> impl Strategy<Value = Staleness> {
    let age = prop_oneof![2 => Just(0_usize), 1 => 1..6_usize];
    proptest::collection::vec(age, 0..3)
}

/// Half of the time all parts have come when it begins.
fn steps() -> impl Strategy<Value = Vec<(Step, Staleness)>> {
    let parts = proptest::option::of(Just([Step::Car(2), Step::Mark, Step::Car(1), Step::CatchUp]));
    (parts, proptest::collection::vec((step(), staleness()), 0..80)).prop_map(|(parts, steps)| {
        let first = parts.into_iter().flatten().map(|step| (step, vec![]));
        first.chain(steps).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn no_interleaving_confirms_a_pass_over_an_alert_that_nobody_looked_at(steps in steps()) {
        let mut log = Log::of([rail_site(), limits().into()]);
        for (taken, staleness) in steps {
            take(&mut log, taken, &staleness);
        }
        check(&log.facts)?;
        settle(&mut log, &[]);
        let confirmed = check(&log.facts)?;
        // When all is quiet, what is confirmed has no late alert: each one has reopened the pass.
        let last = |name: &str| log.facts.iter().rposition(|fact| fact.event.name() == name);
        let late = last(crate::alerts::names::ALERT_RAISED) > last(names::PASS_CONFIRMED);
        prop_assert!(!(confirmed && late), "a late alert has not reopened the pass");
    }
}

/// The strategy must reach what it is about: otherwise the property above holds for want of trying.
#[test]
fn the_interleavings_reach_conflicts_confirmations_and_reopenings() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut conflicts, mut confirmed, mut reopened) = (0, 0, 0);
    for _ in 0..500 {
        let mut log = Log::of([rail_site(), limits().into()]);
        for (taken, staleness) in steps().new_tree(&mut runner).unwrap().current() {
            take(&mut log, taken, &staleness);
        }
        let count = |name: &str| log.facts.iter().filter(|fact| fact.event.name() == name).count();
        confirmed += count(names::PASS_CONFIRMED);
        reopened += count(names::PASS_REOPENED);
        conflicts += log.conflicts;
    }
    assert!(conflicts > 100 && confirmed > 50 && reopened > 10, "{conflicts} {confirmed} {reopened}");
}
