//! A person confirms a pass: all of it is there, and every alert about it has been looked at.
//!
//! Guarded by everything about the pass, alerts included: whatever is added while a person confirms is looked at
//! before the confirmation is recorded. So no confirmation ever comes after an alert that nobody has looked at.

use serde::{Deserialize, Serialize};

use super::pass_review::{PassReview, SpringRef};
use super::{PassConfirmed, PassId};
use crate::alerts::AlertId;
use crate::kernel::{Context, Decided, Decision, Earlier, Note, Refused, Tag, Verdict, World, plain};

/// Confirms a pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmPass {
    /// The pass.
    pub pass: PassId,
    /// What the person writes; may be empty.
    pub note: Note,
}

/// The pass is confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// The pass.
    pub pass: PassId,
    /// The confirmation that was there before, if any; nothing was recorded then.
    pub earlier: Option<Earlier>,
}

/// Why a pass cannot be confirmed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "rule", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ConfirmRefusal {
    /// No part of such a pass has come.
    #[error("there is no pass {pass}")]
    PassUnknown {
        /// The pass.
        pass: PassId,
    },
    /// Cars are missing, or the mark that all were sent.
    #[error("pass {pass} is incomplete: {}", incomplete(*declared, missing, *measured))]
    PassIncomplete {
        /// The pass.
        pass: PassId,
        /// The number of cars, if the camera system has declared it.
        declared: Option<u16>,
        /// Number of cars that were measured.
        measured: usize,
        /// The cars that were not, as far as is known.
        missing: Vec<u16>,
    },
    /// Readings are out of limits and their alerts are about to be raised.
    #[error("the alerts of {} springs of pass {pass} are about to be raised: look at them first", springs.len())]
    AlertsNotYetRaised {
        /// The pass.
        pass: PassId,
        /// The readings.
        springs: Vec<SpringRef>,
    },
    /// Alerts about the pass are neither acknowledged nor resolved.
    #[error("{} alerts of pass {pass} are not acknowledged", alerts.len())]
    AlertsUnacknowledged {
        /// The pass.
        pass: PassId,
        /// The alerts.
        alerts: Vec<AlertId>,
    },
}

fn incomplete(declared: Option<u16>, missing: &[u16], measured: usize) -> String {
    match declared {
        Some(declared) => {
            let missing: Vec<_> = missing.iter().map(u16::to_string).collect();
            format!("{measured} of {declared} cars were measured; missing: {}", missing.join(", "))
        }
        None => format!("{measured} cars were measured, and the camera system has not said that it sent all"),
    }
}

impl Refused for ConfirmRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::PassUnknown { .. } => "PASS_UNKNOWN",
            Self::PassIncomplete { .. } => "PASS_INCOMPLETE",
            Self::AlertsNotYetRaised { .. } => "ALERTS_NOT_YET_RAISED",
            Self::AlertsUnacknowledged { .. } => "ALERTS_UNACKNOWLEDGED",
        }
    }
    fn details(&self) -> serde_json::Value {
        plain(self)
    }
}

impl ConfirmPass {
    fn check(&self, review: &PassReview) -> Result<(), ConfirmRefusal> {
        let pass = || self.pass.clone();
        let (declared, missing, measured) = (review.declared(), review.missing(), review.measured());
        if declared.is_none() || !missing.is_empty() {
            return Err(ConfirmRefusal::PassIncomplete { pass: pass(), declared, measured, missing });
        }
        let springs = review.not_yet_raised();
        if !springs.is_empty() {
            return Err(ConfirmRefusal::AlertsNotYetRaised { pass: pass(), springs });
        }
        let alerts = review.unacknowledged();
        if !alerts.is_empty() {
            return Err(ConfirmRefusal::AlertsUnacknowledged { pass: pass(), alerts });
        }
        Ok(())
    }
}

impl Decision for ConfirmPass {
    const NAME: &'static str = "rail.confirm_pass";
    type Answer = Confirmed;
    type Refusal = ConfirmRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.pass.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Verdict<Confirmed, ConfirmRefusal> {
        let review = world.guard::<PassReview>(&self.pass)?;
        let pass = self.pass.clone();
        let Some(site) = review.site().cloned() else {
            return Err(ConfirmRefusal::PassUnknown { pass }.into());
        };
        // A late alert is about to reopen a confirmed pass: then the earlier confirmation is no answer.
        self.check(review)?;
        if let Some(earlier) = review.confirmed().cloned() {
            return Ok(Decided::nothing(Confirmed { pass, earlier: Some(earlier) }));
        }
        let confirmed = PassConfirmed { pass, site, note: self.note.clone(), alerts: review.alerts() };
        let answer = Confirmed { pass: self.pass.clone(), earlier: None };
        Ok(Decided::events([confirmed.into()], answer))
    }
}

#[cfg(test)]
mod tests;
