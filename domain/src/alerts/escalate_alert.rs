//! Nobody has acknowledged an alert in time: it is escalated.

use chrono::Duration;
use serde::{Deserialize, Serialize};

use super::alert::Alert;
use super::{AlertEscalated, AlertId, Severity};
use crate::kernel::{Context, Decided, Decision, Refused, Tag, Verdict, World, plain};

/// The highest level.
pub const MAX_LEVEL: u8 = 2;

/// How long an alert may wait to be acknowledged before it is escalated to `level`: counted from when it was raised, or
/// from the level before. `None` if it never is.
///
/// What is only good to know waits for ever. Anything else is escalated after 10 minutes, and what is critical again
/// after 20 more.
#[must_use]
pub fn patience(severity: Severity, level: u8) -> Option<Duration> {
    match (severity, level) {
        (Severity::Warning | Severity::Critical, 1) => Some(Duration::minutes(10)),
        (Severity::Critical, 2) => Some(Duration::minutes(20)),
        (Severity::Info | Severity::Warning | Severity::Critical, _) => None,
    }
}

/// Escalates an alert to a level, if it is still open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscalateAlert {
    /// The alert.
    pub alert: AlertId,
    /// The level, from 1.
    pub level: u8,
}

/// How far an alert is escalated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalated {
    /// The alert.
    pub alert: AlertId,
    /// Its level now.
    pub level: u8,
    /// Whether this command has escalated it. Otherwise somebody has acknowledged or resolved it, or it was there before.
    pub escalated: bool,
}

/// Why an alert cannot be escalated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "rule", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EscalateRefusal {
    /// No such alert was raised.
    #[error("there is no alert {alert}")]
    AlertUnknown {
        /// The alert.
        alert: AlertId,
    },
    /// There is no such level.
    #[error("alert {alert} can be escalated to levels 1 to {max}, not {level}", max = MAX_LEVEL)]
    AlertLevel {
        /// The alert.
        alert: AlertId,
        /// What was asked for.
        level: u8,
    },
}

impl Refused for EscalateRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::AlertUnknown { .. } => "ALERT_UNKNOWN",
            Self::AlertLevel { .. } => "ALERT_LEVEL",
        }
    }

    fn details(&self) -> serde_json::Value {
        plain(self)
    }
}

impl Decision for EscalateAlert {
    const NAME: &'static str = "alerts.escalate_alert";
    type Answer = Escalated;
    type Refusal = EscalateRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.alert.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Verdict<Escalated, EscalateRefusal> {
        let Self { alert, level } = *self;
        if !(1..=MAX_LEVEL).contains(&level) {
            return Err(EscalateRefusal::AlertLevel { alert, level }.into());
        }
        let known = world.guard::<Alert>(&alert)?;
        let Some(raised) = &known.raised else {
            return Err(EscalateRefusal::AlertUnknown { alert }.into());
        };
        if known.acknowledged.is_some() || known.resolved.is_some() || known.level >= level {
            return Ok(Decided::nothing(Escalated { alert, level: known.level, escalated: false }));
        }
        let (site, subject) = (raised.site.clone(), raised.subject.clone());
        let escalated = AlertEscalated { alert, site, kind: raised.kind, severity: raised.severity, subject, level };
        Ok(Decided::events([escalated.into()], Escalated { alert, level, escalated: true }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::fixtures::{acknowledged, escalated, id, raised, resolved};
    use crate::kernel::spec;

    fn to(level: u8) -> EscalateAlert {
        EscalateAlert { alert: id("a"), level }
    }

    #[test]
    fn an_open_alert_is_escalated_level_by_level() {
        let given = spec::given([raised("a").into()]).when(to(1)).then([escalated("a", 1).into()]).recorded();
        let outcome = given.when(to(2)).then([escalated("a", 2).into()]);
        assert_eq!(outcome.answer(), &Escalated { alert: id("a"), level: 2, escalated: true });
    }

    #[test]
    fn a_level_is_reached_once() {
        let given = spec::given([raised("a").into(), escalated("a", 2).into()]);
        for level in [1, 2] {
            let outcome = given.clone().when(to(level)).then_nothing();
            assert_eq!(outcome.answer(), &Escalated { alert: id("a"), level: 2, escalated: false });
        }
    }

    #[test]
    fn what_somebody_has_looked_at_is_not_escalated() {
        spec::given([raised("a").into(), acknowledged("a", "").into()]).when(to(1)).then_nothing();
        spec::given([raised("a").into(), resolved("a").into()]).when(to(1)).then_nothing();
    }

    #[test]
    fn an_acknowledgement_at_the_last_moment_comes_before_the_escalation() {
        let outcome = spec::given([raised("a").into()]).when(to(1));
        assert!(outcome.guards_against(&acknowledged("a", "").into()));
        assert!(!outcome.guards_against(&acknowledged("b", "").into()));
    }

    #[test]
    fn an_unknown_alert_and_an_unknown_level_are_refused() {
        spec::given([raised("b").into()]).when(to(1)).then_refused("ALERT_UNKNOWN");
        for level in [0, 3] {
            spec::given([raised("a").into()]).when(to(level)).then_refused("ALERT_LEVEL");
        }
    }

    #[test]
    fn the_last_level_that_is_waited_for_is_the_highest() {
        let severities = [Severity::Info, Severity::Warning, Severity::Critical];
        let levels =
            severities.map(|severity| (1..=9).take_while(|level| patience(severity, *level).is_some()).count());
        assert_eq!(levels, [0, 1, usize::from(MAX_LEVEL)]);
    }
}
