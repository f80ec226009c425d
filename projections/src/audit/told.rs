//! What an event says, in words and in fields.

use serde::Serialize;
use serde_json::Value;
use vigie_domain::Event;
use vigie_domain::kernel::{Interval, IntervalSet, Tag};

/// What an event says.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// In words, such as `allocated stand LFW/C03 to LFW/AF860/2026-01-15/A/CDG`.
    pub action: String,
    /// What was noted with it.
    pub note: String,
    /// The fields that it sets, by thing; each thing once.
    pub sets: Vec<(Tag, Vec<(String, After)>)>,
}

/// What a field is after an event.
#[derive(Debug, Clone, PartialEq)]
pub enum After {
    /// This.
    Is(Value),
    /// The times before, and these.
    With(Interval),
    /// The times before, without these.
    Without(Interval),
}

/// What an event says; follows from the event alone.
#[must_use]
pub fn describe(event: &Event) -> Told {
    match event {
        Event::Support(event) => super::support::describe(event),
        Event::Airport(event) => super::airport::describe(event),
        Event::Rail(event) => super::rail::describe(event),
        Event::Alerts(event) => super::alerts::describe(event),
        Event::Identity(event) => super::identity::describe(event),
        Event::Webhooks(event) => super::webhooks::describe(event),
    }
}

impl Told {
    pub(super) fn new(action: impl Into<String>) -> Self {
        Self { action: action.into(), note: String::new(), sets: Vec::new() }
    }

    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Fields of one more thing.
    pub(super) fn set<const N: usize>(mut self, thing: Tag, fields: [(&str, After); N]) -> Self {
        self.sets.push((thing, fields.into_iter().map(|(field, after)| (field.to_owned(), after)).collect()));
        self
    }
}

/// A field that is `value` afterwards; `None` when it is empty.
pub(super) fn is(value: impl Serialize) -> After {
    After::Is(serde_json::to_value(value).unwrap_or_else(|error| unreachable!("events hold plain data: {error}")))
}

impl After {
    /// The field afterwards.
    #[must_use]
    pub fn of(&self, before: &Value) -> Value {
        let times = |change: fn(&mut IntervalSet, Interval), interval: Interval| {
            let stored: Vec<Interval> = serde_json::from_value(before.clone()).unwrap_or_default();
            let mut set = IntervalSet::default();
            stored.into_iter().for_each(|part| set.add(part));
            change(&mut set, interval);
            serde_json::to_value(set.parts()).unwrap_or_else(|error| unreachable!("intervals are plain data: {error}"))
        };
        match self {
            Self::Is(value) => value.clone(),
            Self::With(interval) => times(IntervalSet::add, *interval),
            Self::Without(interval) => times(IntervalSet::subtract, *interval),
        }
    }
}
