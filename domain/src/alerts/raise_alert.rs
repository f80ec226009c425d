//! Raises an alert, once per cause.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::alert::Alert;
use super::{AlertId, AlertKind, AlertRaised, Severity, Subject};
use crate::kernel::{Context, Decided, Decision, Refused, Tag, Verdict, World, plain};
use crate::support::SiteId;

/// The most characters in an alert's message.
pub const MAX_MESSAGE: usize = 400;

/// Raises an alert. Its id follows from kind and cause key, so the same cause raises it once, however often it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaiseAlert {
    /// Where.
    pub site: SiteId,
    /// What kind.
    pub kind: AlertKind,
    /// How much it matters.
    pub severity: Severity,
    /// What it is about.
    pub subject: Subject,
    /// One sentence for the operator.
    pub message: String,
    /// The event that caused it.
    pub cause: Uuid,
    /// What tells the cause from others of the kind; usually more stable than the event.
    pub cause_key: String,
}

/// The alert of the cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raised {
    /// The alert.
    pub alert: AlertId,
    /// Whether it had been raised before, so that nothing was recorded.
    pub before: bool,
}

/// Why an alert cannot be raised.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "rule", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RaiseRefusal {
    /// The message is empty or too long.
    #[error("an alert's message has 1 to {max} characters, not {found}", max = MAX_MESSAGE)]
    AlertMessage {
        /// How many it has.
        found: usize,
    },
}

impl Refused for RaiseRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::AlertMessage { .. } => "ALERT_MESSAGE",
        }
    }
    fn details(&self) -> serde_json::Value {
        plain(self)
    }
}

impl RaiseAlert {
    /// The id of the alert.
    #[must_use]
    pub fn alert(&self) -> AlertId {
        AlertId::of(self.kind, &self.cause_key)
    }
}

impl Decision for RaiseAlert {
    const NAME: &'static str = "alerts.raise_alert";
    type Answer = Raised;
    type Refusal = RaiseRefusal;

    fn things(&self) -> Vec<Tag> {
        std::iter::once(self.site.tag()).chain(self.subject.tags()).collect()
    }

    fn decide(&self, world: &World, _context: &Context) -> Verdict<Raised, RaiseRefusal> {
        let found = self.message.chars().count();
        if self.message.trim().is_empty() || found > MAX_MESSAGE {
            return Err(RaiseRefusal::AlertMessage { found }.into());
        }
        let alert = self.alert();
        if world.guard::<Alert>(&alert)?.raised.is_some() {
            return Ok(Decided::nothing(Raised { alert, before: true }));
        }
        let raised = AlertRaised {
            alert,
            site: self.site.clone(),
            kind: self.kind,
            severity: self.severity,
            subject: self.subject.clone(),
            message: self.message.clone(),
            cause: self.cause,
        };
        Ok(Decided::events([raised.into()], Raised { alert, before: false }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::fixtures::{raise, raised};
    use crate::kernel::spec;

    #[test]
    fn a_cause_raises_its_alert() {
        let outcome = spec::given([]).when(raise("a")).then([raised("a").into()]);
        assert_eq!(outcome.answer(), &Raised { alert: AlertId::of(AlertKind::SpringOutOfLimits, "a"), before: false });
    }

    #[test]
    fn the_same_cause_raises_it_once_even_from_another_event() {
        let again = RaiseAlert { cause: Uuid::from_u128(99), ..raise("a") };
        let outcome = spec::given([raised("a").into()]).when(again).then_nothing();
        assert!(outcome.answer().before);
        spec::given([raised("a").into()]).when(raise("b")).then([raised("b").into()]);
    }

    #[test]
    fn two_who_raise_it_at_once_cannot_both() {
        let outcome = spec::given([]).when(raise("a"));
        assert!(outcome.guards_against(&raised("a").into()));
        assert!(!outcome.guards_against(&raised("b").into()));
    }

    #[test]
    fn an_alert_says_something() {
        for message in [" ".to_owned(), "é".repeat(401)] {
            spec::given([]).when(RaiseAlert { message, ..raise("a") }).then_refused("ALERT_MESSAGE");
        }
        let longest = "é".repeat(400);
        assert!(spec::given([]).when(RaiseAlert { message: longest, ..raise("a") }).result.is_ok());
    }
}
