//! An alert that was raised after the confirmation reopens the pass.

use std::convert::Infallible;

use serde::{Deserialize, Serialize};

use super::pass_review::PassReview;
use super::{PassId, PassReopened};
use crate::alerts::AlertId;
use crate::kernel::{Context, Decided, Decision, Tag, Verdict, World};

/// Reopens a pass that was confirmed before the alert was raised; any other pass stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReopenPass {
    /// The pass.
    pub pass: PassId,
    /// The alert that came late.
    pub alert: AlertId,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reopened {
    /// The pass.
    pub pass: PassId,
    /// Whether it was reopened now.
    pub reopened: bool,
}

impl Decision for ReopenPass {
    const NAME: &'static str = "rail.reopen_pass";
    type Answer = Reopened;
    type Refusal = Infallible;

    fn things(&self) -> Vec<Tag> {
        vec![self.pass.tag(), self.alert.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Verdict<Reopened, Infallible> {
        let review = world.guard::<PassReview>(&self.pass)?;
        let late = review.site().filter(|_| review.is_late(self.alert)).cloned();
        let reopened = late.map(|site| PassReopened { pass: self.pass.clone(), site, alert: self.alert }.into());
        let answer = Reopened { pass: self.pass.clone(), reopened: reopened.is_some() };
        Ok(Decided::events(reopened, answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;
    use crate::alerts::fixtures::{acknowledged, id, raised};
    use crate::kernel::{Note, spec};
    use crate::rail::ConfirmPass;
    use crate::rail::fixtures::{complete_pass, pass, site};

    fn reopen() -> ReopenPass {
        ReopenPass { pass: pass(), alert: id("late") }
    }

    fn reopened() -> Event {
        PassReopened { pass: pass(), site: site(), alert: id("late") }.into()
    }

    fn confirm() -> ConfirmPass {
        ConfirmPass { pass: pass(), note: Note::default() }
    }

    fn confirmed() -> spec::Given {
        spec::given(complete_pass()).when(confirm()).recorded()
    }

    #[test]
    fn an_alert_after_the_confirmation_reopens_the_pass_once() {
        let given = confirmed().and([raised("late").into()]);
        let given = given.when(reopen()).then([reopened()]).recorded();
        assert!(!given.when(reopen()).then_nothing().answer().reopened);
    }

    #[test]
    fn even_when_it_was_acknowledged_before_the_pass_was_reopened() {
        let given = confirmed().and([raised("late").into(), acknowledged("late", "").into()]);
        given.when(reopen()).then([reopened()]);
    }

    #[test]
    fn a_pass_that_is_not_confirmed_or_was_confirmed_after_the_alert_stays() {
        spec::given(complete_pass()).and([raised("late").into()]).when(reopen()).then_nothing();
        let before = [raised("late").into(), acknowledged("late", "").into()];
        let given = spec::given(complete_pass()).and(before).when(confirm()).recorded();
        given.when(reopen()).then_nothing();
        spec::given([]).when(reopen()).then_nothing();
        confirmed().when(reopen()).then_nothing();
    }

    #[test]
    fn reopened_it_is_confirmed_anew_when_the_late_alert_is_acknowledged() {
        let given = confirmed().and([raised("late").into()]).when(reopen()).recorded();
        given.clone().when(confirm()).then_refused("ALERTS_UNACKNOWLEDGED");
        let outcome = given.and([acknowledged("late", "").into()]).when(confirm());
        assert_eq!(outcome.answer().earlier, None);
        let names: Vec<_> = outcome.events().iter().map(Event::name).collect();
        assert_eq!(names, ["rail.pass_confirmed"]);
    }
}
