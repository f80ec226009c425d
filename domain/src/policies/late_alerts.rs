//! An alert about a pass that was confirmed before reopens it.

use super::{Policy, Reaction};
use crate::Event;
use crate::alerts::{AlertEvent, Subject, names};
use crate::kernel::Fact;
use crate::rail::ReopenPass;

/// Asks for every alert about a pass; the decision reopens the pass only if the alert came late.
pub(super) struct LateAlerts;

impl Policy for LateAlerts {
    fn name(&self) -> &'static str {
        "rail.reopen_on_late_alert"
    }
    fn kinds(&self) -> &'static [&'static str] {
        &[names::ALERT_RAISED]
    }
    fn react(&self, fact: &Fact) -> Vec<Reaction> {
        let Event::Alerts(AlertEvent::AlertRaised(raised)) = &fact.event else { return vec![] };
        match &raised.subject {
            Subject::Spring { pass, .. } => {
                vec![Reaction::ReopenPass(ReopenPass { pass: pass.clone(), alert: raised.alert })]
            }
            Subject::Allocation { .. } | Subject::Flight { .. } | Subject::Endpoint { .. } => vec![],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::fixtures::{conflict, id, raised, saturation};
    use crate::kernel::{Note, spec};
    use crate::policies::fixtures::fact;
    use crate::rail::ConfirmPass;
    use crate::rail::fixtures::{complete_pass, pass};

    fn reopen() -> ReopenPass {
        ReopenPass { pass: pass(), alert: id("late") }
    }

    #[test]
    fn an_alert_about_a_spring_asks_to_reopen_its_pass() {
        assert_eq!(LateAlerts.react(&fact(9, raised("late"))), [Reaction::ReopenPass(reopen())]);
    }

    #[test]
    fn alerts_about_other_things_do_not() {
        assert!(LateAlerts.react(&fact(9, conflict("c", 1))).is_empty());
        assert!(LateAlerts.react(&fact(9, saturation("s"))).is_empty());
    }

    #[test]
    fn a_replay_after_another_confirmation_leaves_the_pass_confirmed() {
        let confirm = || ConfirmPass { pass: pass(), note: Note::default() };
        let given = spec::given(complete_pass()).when(confirm()).recorded().and([raised("late").into()]);
        let given = given.when(reopen()).recorded();
        let given = given.and([crate::alerts::fixtures::acknowledged("late", "").into()]).when(confirm()).recorded();
        given.when(reopen()).then_nothing();
    }
}
