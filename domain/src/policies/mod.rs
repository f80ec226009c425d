//! Policies: what follows from a fact without a person. Pure: a fact in, commands out.
//!
//! A policy sees the facts of its types in the order of the log, one after the other. What one policy raises and
//! resolves stays in order, so a reaction that undoes another one belongs to the same policy. A fact may be shown to a
//! policy again: the ids of its commands follow from policy, fact and place, and the commands are idempotent besides.
//!
//! What a policy does is counted by its version. A new version replaces the old one from the position on that the old
//! one has come to; each fact is reacted to by one version, so command ids do not depend on it. A timer that an old
//! version has set keeps what that version wanted.
//!
//! To add one: a file with a [`Policy`], and a line in [`ALL`].

#[cfg(test)]
pub(crate) mod airport_fixtures;
mod endpoints_down;
mod escalation;
mod late_alerts;
mod overdue_stays;
mod saturation;
mod spring_alerts;
mod stand_conflicts;
mod timer;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use timer::{Timer, TimerChange, timer_command_id};

use crate::alerts::{EscalateAlert, RaiseAlert, RaiseEndpointDown, RaiseOverdueStay, ResolveAlertsAbout};
use crate::kernel::{Decision, Fact, Interval, Note, derived_uuid};
use crate::rail::ReopenPass;

/// A pure reaction to facts.
pub trait Policy: Send + Sync {
    /// Stable name, such as `alerts.spring_out_of_limits`. The ids of its commands follow from it.
    fn name(&self) -> &'static str;
    /// Counts the changes of what follows from a fact, from 1.
    fn version(&self) -> i32 {
        1
    }
    /// The stored names of the event types that it reacts to.
    fn kinds(&self) -> &'static [&'static str];
    /// The commands that follow from a fact, in order; none for other types of fact.
    fn react(&self, fact: &Fact) -> Vec<Reaction>;
    /// What a fact does to the timers, in order.
    fn timers(&self, _fact: &Fact) -> Vec<TimerChange> {
        Vec::new()
    }
}

/// A command that a policy gives. Its stored form waits in timers, in reactions that are under way and among what could
/// not be done: a field that is added later needs a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", content = "says")]
pub enum Reaction {
    /// Raises an alert.
    #[serde(rename = "alerts.raise_alert")]
    RaiseAlert(RaiseAlert),
    /// Resolves alerts whose reason is gone.
    #[serde(rename = "alerts.resolve_alerts_about")]
    ResolveAlertsAbout(ResolveAlertsAbout),
    /// Reopens a pass.
    #[serde(rename = "rail.reopen_pass")]
    ReopenPass(ReopenPass),
    /// Raises an alert one level, as nobody has acknowledged it.
    #[serde(rename = "alerts.escalate_alert")]
    EscalateAlert(EscalateAlert),
    /// Raises an alert about a stay that should have ended.
    #[serde(rename = "alerts.raise_overdue_stay")]
    RaiseOverdueStay(RaiseOverdueStay),
    /// Raises alerts about an endpoint that was disabled because it does not answer.
    #[serde(rename = "alerts.raise_endpoint_down")]
    RaiseEndpointDown(RaiseEndpointDown),
}

impl Reaction {
    /// The name of the command.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::RaiseAlert(_) => RaiseAlert::NAME,
            Self::ResolveAlertsAbout(_) => ResolveAlertsAbout::NAME,
            Self::ReopenPass(_) => ReopenPass::NAME,
            Self::EscalateAlert(_) => EscalateAlert::NAME,
            Self::RaiseOverdueStay(_) => RaiseOverdueStay::NAME,
            Self::RaiseEndpointDown(_) => RaiseEndpointDown::NAME,
        }
    }
}

/// Every policy.
pub static ALL: &[&dyn Policy] = &[
    &spring_alerts::SpringAlerts,
    &late_alerts::LateAlerts,
    &stand_conflicts::StandConflicts,
    &saturation::Saturation,
    &escalation::Escalation,
    &overdue_stays::OverdueStays,
    &endpoints_down::EndpointsDown,
];

/// The policy of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static dyn Policy> {
    ALL.iter().find(|policy| policy.name() == name).copied()
}

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
    fn a_reaction_is_stored_under_the_name_of_its_command() {
        let reaction = Reaction::EscalateAlert(EscalateAlert { alert: crate::alerts::fixtures::id("a"), level: 1 });
        let stored = serde_json::to_value(&reaction).unwrap();
        assert_eq!(stored["command"], reaction.name());
        assert_eq!(serde_json::from_value::<Reaction>(stored).unwrap(), reaction);
    }

    #[test]
    fn a_fact_of_another_type_does_nothing_to_any_timer() {
        let registered = || fixtures::fact(1, crate::rail::fixtures::registered());
        assert!(ALL.iter().all(|policy| policy.timers(&registered()).is_empty()));
    }

    #[test]
    fn command_ids_follow_from_policy_event_and_place() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let ids = [
            command_id("a", one, 0),
            command_id("a", one, 1),
            command_id("a", two, 0),
            command_id("b", one, 0),
            timer_command_id("a", one, 0),
            timer_command_id("a", one, 1),
        ];
        assert_eq!(ids[0], command_id("a", one, 0));
        assert!(ids.iter().enumerate().all(|(index, id)| !ids[..index].contains(id)));
    }
}
