//! Given facts, when a command, then events: the way every rule is tested.
//!
//! ```text
//! spec::given([site(), stand("C03")]).when(AllocateStand { … }).then([StandAllocated { … }.into()]);
//! ```

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Context, Decided, Decision, Fact, Guard, Stamp, Stop, World, derived_uuid};
use crate::Event;

/// The time at which commands of a specification are carried out unless [`Given::at`] says otherwise.
#[must_use]
pub fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_268_800, 0).expect("2026-01-01T12:00Z is a time")
}

/// The facts that a specification starts from, recorded in this order from position 1 on.
pub fn given(events: impl IntoIterator<Item = Event>) -> Given {
    Given { facts: stamped(1, events), now: noon(), command_id: derived_uuid("spec", "command") }
}

fn stamped(first: i64, events: impl IntoIterator<Item = Event>) -> Vec<Fact> {
    let stamp = |position: i64| Stamp {
        position,
        id: derived_uuid("spec-event", &position.to_string()),
        occurred_at: noon(),
        recorded_at: noon(),
        actor: "operator:spec".to_owned(),
    };
    (first..).zip(events).map(|(position, event)| Fact { event, stamp: stamp(position) }).collect()
}

/// Facts and a clock, waiting for a command.
#[derive(Debug, Clone)]
pub struct Given {
    facts: Vec<Fact>,
    now: DateTime<Utc>,
    command_id: Uuid,
}

impl Given {
    /// Sets the time at which the command is carried out.
    #[must_use]
    pub fn at(mut self, now: DateTime<Utc>) -> Self {
        self.now = now;
        self
    }

    /// Sets the command's id, from which the ids that it makes follow.
    #[must_use]
    pub fn command(mut self, name: &str) -> Self {
        self.command_id = derived_uuid("spec", name);
        self
    }

    /// More facts.
    #[must_use]
    pub fn and(mut self, events: impl IntoIterator<Item = Event>) -> Self {
        let first = i64::try_from(self.facts.len()).expect("a specification is short") + 1;
        self.facts.extend(stamped(first, events));
        self
    }

    /// Decides on the command with these facts.
    #[must_use]
    pub fn when<D: Decision>(self, command: D) -> Outcome<D> {
        let context = Context { command_id: self.command_id, now: self.now };
        let mut world = World::new();
        let head = i64::try_from(self.facts.len()).expect("a specification is short");
        loop {
            let _ = world.take_guards();
            match command.decide(&world, &context) {
                Ok(decided) => return Outcome { given: self, guards: world.take_guards(), result: Ok(decided) },
                Err(Stop::Refused(refusal)) => {
                    return Outcome { given: self, guards: world.take_guards(), result: Err(refusal) };
                }
                Err(Stop::Need(need)) => {
                    let mut view = need.empty;
                    for fact in &self.facts {
                        if need.query.matches(fact.event.name(), &fact.event.tags()) {
                            view.evolve(fact);
                        }
                    }
                    world.insert(need.id, need.query, view, head);
                }
            }
        }
    }
}

/// What came of a command.
pub struct Outcome<D: Decision> {
    given: Given,
    /// The conditions under which the events would be appended.
    pub guards: Vec<Guard>,
    /// Events and answer, or the refusal.
    pub result: Result<Decided<D::Answer>, D::Refusal>,
}

impl<D: Decision> Outcome<D> {
    /// The events, in order, are exactly these.
    #[track_caller]
    pub fn then(self, expected: impl IntoIterator<Item = Event>) -> Self {
        let expected: Vec<Event> = expected.into_iter().collect();
        assert_eq!(self.events(), expected, "{} did not decide as specified", D::NAME);
        self
    }

    /// The wish was already true: no events.
    #[track_caller]
    pub fn then_nothing(self) -> Self {
        self.then([])
    }

    /// The command was refused with this code; the refusal is returned for a closer look.
    #[track_caller]
    pub fn then_refused(self, code: &str) -> D::Refusal {
        use super::Refused;
        match self.result {
            Ok(decided) => panic!("{} should be refused with {code}, and was accepted: {decided:?}", D::NAME),
            Err(refusal) => {
                assert_eq!(refusal.code(), code, "{} was refused for another reason: {refusal}", D::NAME);
                refusal
            }
        }
    }

    /// What the caller is told.
    #[track_caller]
    pub fn answer(&self) -> &D::Answer {
        match &self.result {
            Ok(decided) => &decided.answer,
            Err(refusal) => panic!("{} was refused: {refusal}", D::NAME),
        }
    }

    /// The events that were decided on.
    #[track_caller]
    pub fn events(&self) -> Vec<Event> {
        match &self.result {
            Ok(decided) => decided.events.iter().map(|(event, _)| event.clone()).collect(),
            Err(refusal) => panic!("{} was refused: {refusal}", D::NAME),
        }
    }

    /// Whether an event recorded after the facts would make the append fail.
    #[must_use]
    pub fn guards_against(&self, event: &Event) -> bool {
        let (name, tags) = (event.name(), event.tags());
        self.guards.iter().any(|guard| guard.query.matches(name, &tags))
    }

    /// The facts with the decided events appended, for the next command.
    #[track_caller]
    #[must_use]
    pub fn recorded(self) -> Given {
        let events = self.events();
        self.given.and(events)
    }
}
