//! Policies: what follows from a fact without a person. Pure: a fact in, commands out.
//!
//! A policy sees the facts of its types in the order of the log, one after the other. What one policy raises and
//! resolves stays in order, so a reaction that undoes another one belongs to the same policy. A fact may be shown to a
//! policy again: the ids of its commands follow from policy, fact and place, and the commands are idempotent besides.
//!
//! To add one: a file with a [`Policy`], and a line in [`ALL`].

#[cfg(test)]
mod airport_fixtures;
mod late_alerts;
mod saturation;
mod spring_alerts;
mod stand_conflicts;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::alerts::{RaiseAlert, ResolveAlertsAbout};
use crate::kernel::{Fact, Interval, Note, derived_uuid};
use crate::rail::ReopenPass;

/// A pure reaction to facts.
pub trait Policy: Send + Sync {
    /// Stable name, such as `alerts.spring_out_of_limits`. The ids of its commands follow from it.
    fn name(&self) -> &'static str;
    /// The stored names of the event types that it reacts to.
    fn kinds(&self) -> &'static [&'static str];
    /// The commands that follow from a fact, in order; none for other types of fact.
    fn react(&self, fact: &Fact) -> Vec<Reaction>;
}

/// A command that a policy gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reaction {
    /// Raises an alert.
    RaiseAlert(RaiseAlert),
    /// Resolves alerts whose reason is gone.
    ResolveAlertsAbout(ResolveAlertsAbout),
    /// Reopens a pass.
    ReopenPass(ReopenPass),
}

/// Every policy.
pub static ALL: &[&dyn Policy] = &[
    &spring_alerts::SpringAlerts,
    &late_alerts::LateAlerts,
    &stand_conflicts::StandConflicts,
    &saturation::Saturation,
];

/// The id of the command at `index` of the reactions of `policy` to `event`: the same on every replay.
#[must_use]
pub fn command_id(policy: &str, event: Uuid, index: usize) -> Uuid {
    derived_uuid("policy-command", &format!("{policy}/{event}/{index}"))
}

/// A text of our own as a note.
fn note(text: &str) -> Note {
    Note::new(text).expect("reasons are short and of one line")
}

/// A moment for a person who reads an alert, in UTC to the minute.
fn clock(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%MZ").to_string()
}

/// A stay for a person who reads an alert.
fn stay(interval: Interval) -> String {
    match interval.to() {
        Some(to) => format!("from {} to {}", clock(interval.from()), clock(to)),
        None => format!("from {} on", clock(interval.from())),
    }
}

#[cfg(test)]
mod interleavings;

#[cfg(test)]
pub(crate) mod fixtures {
    use super::*;
    use crate::Event;
    use crate::kernel::{Stamp, spec};

    /// The fact of an event at a position.
    pub(crate) fn fact(position: i64, event: impl Into<Event>) -> Fact {
        let stamp = Stamp {
            position,
            id: derived_uuid("spec-event", &position.to_string()),
            occurred_at: spec::noon(),
            recorded_at: spec::noon(),
            actor: "operator:spec".into(),
        };
        Fact { event: event.into(), stamp }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;

    #[test]
    fn policies_have_names_of_their_own_and_react_to_types_that_exist() {
        let known: Vec<_> = Event::types().map(|info| info.name).collect();
        for (index, policy) in ALL.iter().enumerate() {
            assert!(ALL[..index].iter().all(|other| other.name() != policy.name()), "{}", policy.name());
            assert!(!policy.kinds().is_empty(), "{}", policy.name());
            for kind in policy.kinds() {
                assert!(known.contains(kind), "{} reacts to {kind}", policy.name());
            }
        }
    }

    #[test]
    fn command_ids_follow_from_policy_event_and_place() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let ids = [command_id("a", one, 0), command_id("a", one, 1), command_id("a", two, 0), command_id("b", one, 0)];
        assert_eq!(ids[0], command_id("a", one, 0));
        assert!(ids.iter().enumerate().all(|(index, id)| !ids[..index].contains(id)));
    }
}
