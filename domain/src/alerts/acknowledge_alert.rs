//! A person takes note of an alert.

use serde::{Deserialize, Serialize};

use super::alert::Alert;
use super::{AlertAcknowledged, AlertId};
use crate::kernel::{Context, Decided, Decision, Earlier, Note, Refused, Tag, Verdict, World, plain};

/// Acknowledges an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcknowledgeAlert {
    /// The alert.
    pub alert: AlertId,
    /// What the person writes; may be empty.
    pub note: Note,
}

/// The alert is acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// The alert.
    pub alert: AlertId,
    /// The first acknowledgement, if there was one before; nothing was recorded then.
    pub earlier: Option<Earlier>,
}

/// Why an alert cannot be acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "rule", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AcknowledgeRefusal {
    /// No such alert was raised.
    #[error("there is no alert {alert}")]
    AlertUnknown {
        /// The alert.
        alert: AlertId,
    },
    /// Its reason is gone: there is nothing to take note of.
    #[error("alert {alert} was resolved at {} by {}: {}", resolved.at.to_rfc3339(), resolved.by, resolved.note.as_str())]
    AlertResolved {
        /// The alert.
        alert: AlertId,
        /// When, by whom and why; the note is the reason.
        resolved: Earlier,
    },
}

impl Refused for AcknowledgeRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::AlertUnknown { .. } => "ALERT_UNKNOWN",
            Self::AlertResolved { .. } => "ALERT_RESOLVED",
        }
    }
    fn details(&self) -> serde_json::Value {
        plain(self)
    }
}

impl Decision for AcknowledgeAlert {
    const NAME: &'static str = "alerts.acknowledge_alert";
    type Answer = Acknowledged;
    type Refusal = AcknowledgeRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.alert.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Verdict<Acknowledged, AcknowledgeRefusal> {
        let alert = self.alert;
        let known = world.guard::<Alert>(&alert)?;
        let Some(raised) = &known.raised else {
            return Err(AcknowledgeRefusal::AlertUnknown { alert }.into());
        };
        if let Some(earlier) = known.acknowledged.clone() {
            return Ok(Decided::nothing(Acknowledged { alert, earlier: Some(earlier) }));
        }
        if let Some(resolved) = known.resolved.clone() {
            return Err(AcknowledgeRefusal::AlertResolved { alert, resolved }.into());
        }
        let (site, subject, note) = (raised.site.clone(), raised.subject.clone(), self.note.clone());
        let acknowledged = AlertAcknowledged { alert, site, subject, note };
        Ok(Decided::events([acknowledged.into()], Acknowledged { alert, earlier: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::fixtures::{acknowledged, id, raised, resolved};
    use crate::kernel::spec;

    fn command(note: &str) -> AcknowledgeAlert {
        AcknowledgeAlert { alert: id("a"), note: Note::new(note).unwrap() }
    }

    #[test]
    fn a_raised_alert_is_acknowledged_with_or_without_a_note() {
        for note in ["seen on site", ""] {
            let outcome = spec::given([raised("a").into()]).when(command(note));
            outcome.then([acknowledged("a", note).into()]);
        }
    }

    #[test]
    fn again_the_first_acknowledgement_is_the_answer() {
        let given = spec::given([raised("a").into(), acknowledged("a", "first").into()]);
        let outcome = given.when(command("second")).then_nothing();
        let earlier = outcome.answer().earlier.clone().expect("there was one before");
        let first = (earlier.position, earlier.at, earlier.by.as_str(), earlier.note.as_str());
        assert_eq!(first, (2, spec::noon(), "operator:spec", "first"));
    }

    #[test]
    fn an_acknowledged_alert_that_was_resolved_since_still_answers_its_first_acknowledgement() {
        let given = spec::given([raised("a").into(), acknowledged("a", "first").into(), resolved("a").into()]);
        assert!(given.when(command("second")).then_nothing().answer().earlier.is_some());
    }

    #[test]
    fn an_unknown_alert_is_refused() {
        spec::given([raised("b").into()]).when(command("")).then_refused("ALERT_UNKNOWN");
    }

    #[test]
    fn a_resolved_alert_is_refused_with_its_reason() {
        let refusal =
            spec::given([raised("a").into(), resolved("a").into()]).when(command("")).then_refused("ALERT_RESOLVED");
        assert!(refusal.to_string().ends_with("by operator:spec: no longer so"), "{refusal}");
    }
}
