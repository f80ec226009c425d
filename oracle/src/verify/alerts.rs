//! Alerts and passes: raised once per cause, none forgotten, and no pass confirmed over an open one.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use uuid::Uuid;
use vigie_domain::Event;
use vigie_domain::alerts::{AlertEvent, AlertId, Subject};
use vigie_domain::rail::{PassId, RailEvent};
use vigie_eventlog::Recorded;

use super::history::reactions;
use super::{Checked, Violation};

/// What is known of the alerts, as the log goes on.
#[derive(Default)]
pub(super) struct Alerts {
    /// Status and the position of the event that raised it.
    pub(super) all: BTreeMap<AlertId, (&'static str, i64)>,
    causes: BTreeMap<String, i64>,
    /// Alerts of a pass that nobody has looked at.
    open: BTreeMap<PassId, BTreeSet<AlertId>>,
    /// Springs out of limits, by the alert that each must raise.
    due: BTreeMap<AlertId, i64>,
    reactions: HashSet<Uuid>,
}

impl Alerts {
    /// Takes the next event in.
    pub(super) fn take(&mut self, recorded: &Recorded, event: &Event, checked: &mut Checked) {
        let position = recorded.position;
        if recorded.metadata.actor.starts_with("policy:")
            && let Some(cause) = recorded.metadata.causation_id
            && reactions(cause).any(|id| id == recorded.metadata.command_id)
        {
            self.reactions.insert(recorded.metadata.command_id);
        }
        match event {
            Event::Alerts(event) => self.alert(event, position, checked),
            Event::Rail(RailEvent::SpringOutOfLimits(breach)) => {
                self.due.entry(breach.alert()).or_insert(position);
            }
            Event::Rail(RailEvent::PassConfirmed(confirmed)) => {
                let open = self.open.get(&confirmed.pass).into_iter().flatten();
                let open: Vec<_> = open.map(ToString::to_string).collect();
                checked.count("confirmed passes, none over an open alert", 1);
                if !open.is_empty() {
                    let says = format!("{position} confirms {} over {}", confirmed.pass, open.join(", "));
                    checked.broken(Violation::new("no pass is confirmed over an open alert", position, says));
                }
            }
            Event::Rail(_) | Event::Airport(_) | Event::Support(_) | Event::Identity(_) | Event::Webhooks(_) => {}
        }
    }

    fn alert(&mut self, event: &AlertEvent, position: i64, checked: &mut Checked) {
        match event {
            AlertEvent::AlertRaised(raised) => {
                checked.count("alerts, each raised once", 1);
                let cause = format!("{:?} about {:?} because of {}", raised.kind, raised.subject, raised.cause);
                let earlier = self.all.insert(raised.alert, ("raised", position)).map(|(_, at)| at);
                let earlier = earlier.or(self.causes.insert(cause.clone(), position));
                if let Some(earlier) = earlier {
                    let violation = Violation::new("no alert is raised twice", position, cause);
                    checked.broken(violation.with_all("event", [earlier, position]));
                }
                if let Subject::Spring { pass, .. } = &raised.subject {
                    self.open.entry(pass.clone()).or_default().insert(raised.alert);
                }
            }
            AlertEvent::AlertAcknowledged(e) => self.look_at(e.alert, &e.subject, "acknowledged"),
            AlertEvent::AlertResolved(e) => self.look_at(e.alert, &e.subject, "resolved"),
            AlertEvent::AlertEscalated(_) => {}
        }
    }

    fn look_at(&mut self, alert: AlertId, subject: &Subject, status: &'static str) {
        if let Some(known) = self.all.get_mut(&alert) {
            known.0 = status;
        }
        if let Subject::Spring { pass, .. } = subject
            && let Some(open) = self.open.get_mut(pass)
        {
            open.remove(&alert);
        }
    }

    /// At the end of the log.
    pub(super) fn finish(&self, checked: &mut Checked) {
        for (alert, position) in self.due.iter().filter(|(alert, _)| !self.all.contains_key(alert)) {
            let says = format!("{position} is a spring out of limits, and alert {alert} was not raised");
            checked.broken(Violation::new("every cause raises its alert", *position, says));
        }
    }

    /// Whether a policy has given this command, in answer to a fact that it reacts to.
    pub(super) fn is_reaction(&self, command: Uuid) -> bool {
        self.reactions.contains(&command)
    }
}
