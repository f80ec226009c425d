//! A person resolves an alert: its reason is gone.

use serde::{Deserialize, Serialize};

use super::alert::Alert;
use super::{AlertId, AlertResolved};
use crate::kernel::{Context, Decided, Decision, Earlier, Note, Refused, Tag, Verdict, World, plain};

/// Resolves an alert, acknowledged or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolveAlert {
    /// The alert.
    pub alert: AlertId,
    /// Why; not empty.
    pub reason: Note,
}

/// The alert is resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// The alert.
    pub alert: AlertId,
    /// When, by whom and why it was resolved before, if it was; nothing was recorded then.
    pub earlier: Option<Earlier>,
}

/// Why an alert cannot be resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "rule", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ResolveRefusal {
    /// No such alert was raised.
    #[error("there is no alert {alert}")]
    AlertUnknown {
        /// The alert.
        alert: AlertId,
    },
    /// The reason is empty.
    #[error("say why alert {alert} is resolved")]
    ReasonMissing {
        /// The alert.
        alert: AlertId,
    },
}

impl Refused for ResolveRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::AlertUnknown { .. } => "ALERT_UNKNOWN",
            Self::ReasonMissing { .. } => "REASON_MISSING",
        }
    }
    fn details(&self) -> serde_json::Value {
        plain(self)
    }
}

impl Decision for ResolveAlert {
    const NAME: &'static str = "alerts.resolve_alert";
    type Answer = Resolved;
    type Refusal = ResolveRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.alert.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Verdict<Resolved, ResolveRefusal> {
        let alert = self.alert;
        let known = world.guard::<Alert>(&alert)?;
        let Some(raised) = &known.raised else {
            return Err(ResolveRefusal::AlertUnknown { alert }.into());
        };
        if let Some(earlier) = known.resolved.clone() {
            return Ok(Decided::nothing(Resolved { alert, earlier: Some(earlier) }));
        }
        if self.reason.is_empty() {
            return Err(ResolveRefusal::ReasonMissing { alert }.into());
        }
        let (site, subject, reason) = (raised.site.clone(), raised.subject.clone(), self.reason.clone());
        let resolved = AlertResolved { alert, site, subject, reason };
        Ok(Decided::events([resolved.into()], Resolved { alert, earlier: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::fixtures::{acknowledged, id, raised, resolved};
    use crate::kernel::spec;

    fn command(reason: &str) -> ResolveAlert {
        ResolveAlert { alert: id("a"), reason: Note::new(reason).unwrap() }
    }

    #[test]
    fn an_alert_is_resolved_acknowledged_or_not() {
        spec::given([raised("a").into()]).when(command("no longer so")).then([resolved("a").into()]);
        let given = spec::given([raised("a").into(), acknowledged("a", "").into()]);
        given.when(command("no longer so")).then([resolved("a").into()]);
    }

    #[test]
    fn again_the_first_reason_is_the_answer() {
        let given = spec::given([raised("a").into(), resolved("a").into()]);
        let outcome = given.when(command("another reason")).then_nothing();
        assert_eq!(outcome.answer().earlier.as_ref().map(|earlier| earlier.note.as_str()), Some("no longer so"));
    }

    #[test]
    fn an_unknown_alert_and_an_empty_reason_are_refused() {
        spec::given([]).when(command("x")).then_refused("ALERT_UNKNOWN");
        spec::given([raised("a").into()]).when(command(" ")).then_refused("REASON_MISSING");
    }
}
