//! What people do about passes and limits.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use uuid::Uuid;
use vigie_domain::rail::{ConfirmPass, ConfirmRefusal, Limit, LimitsRefusal, PassId, SetLimits, Value};
use vigie_domain::support::SiteId;

use super::pass::Pass;
use crate::graphql::command::{Receipt, carry_out, note, told};
use crate::graphql::error::argument;
use crate::graphql::models::{ALERTS, PASSES, SPRING_LIMITS};
use crate::graphql::refusal::{Earlier, PassRefusal, SiteRefusal, Told, ValueRefusal, results};

/// The pass that a person confirms.
#[derive(Debug, InputObject)]
pub(crate) struct ConfirmPassInput {
    /// Sent again with the same id, the command gets its first answer.
    command_id: Option<Uuid>,
    /// The pass.
    pass: ID,
    /// What the person writes.
    note: Option<String>,
}

/// The bounds of one quantity.
#[derive(Debug, InputObject)]
pub(crate) struct LimitInput {
    /// What is measured.
    quantity: String,
    /// The unit of the bounds; readings must come in it.
    unit: String,
    /// Below this is an alarm.
    alarm_low: Option<f64>,
    /// Below this is a warning.
    warning_low: Option<f64>,
    /// Above this is a warning.
    warning_high: Option<f64>,
    /// Above this is an alarm.
    alarm_high: Option<f64>,
}

/// All limits of a site.
#[derive(Debug, InputObject)]
pub(crate) struct SetLimitsInput {
    /// Sent again with the same id, the command gets its first answer.
    command_id: Option<Uuid>,
    /// The site.
    site: ID,
    /// Passes from this time on are judged by them.
    valid_from: DateTime<Utc>,
    /// One per quantity.
    limits: Vec<LimitInput>,
}

/// The pass is confirmed.
#[derive(SimpleObject)]
pub(crate) struct PassPayload {
    #[graphql(flatten)]
    receipt: Receipt,
    /// Who confirmed it first, when that was done before: nothing was recorded now.
    earlier: Option<Earlier>,
    /// The pass.
    pass: Option<Pass>,
}

/// The limits are set.
#[derive(SimpleObject)]
pub(crate) struct LimitsPayload {
    #[graphql(flatten)]
    receipt: Receipt,
    /// Version of the site's limits.
    version: u32,
}

enum PassRefused {
    PassRefusal(Told),
}

impl From<ConfirmRefusal> for PassRefused {
    fn from(refusal: ConfirmRefusal) -> Self {
        Self::PassRefusal(told(&refusal))
    }
}

enum LimitsRefused {
    SiteRefusal(Told),
    ValueRefusal(Told),
}

impl From<LimitsRefusal> for LimitsRefused {
    fn from(refusal: LimitsRefusal) -> Self {
        let told = told(&refusal);
        match refusal {
            LimitsRefusal::SiteUnknown { .. } | LimitsRefusal::SiteNotRail { .. } => Self::SiteRefusal(told),
            LimitsRefusal::Text(_)
            | LimitsRefusal::TooManyLimits { .. }
            | LimitsRefusal::LimitTwice { .. }
            | LimitsRefusal::LimitUnbounded { .. }
            | LimitsRefusal::LimitOrder { .. } => Self::ValueRefusal(told),
        }
    }
}

results! {
    /// The pass, or the rule that forbids its confirmation.
    ConfirmPassResult = PassPayload, PassRefused [PassRefusal];
    /// The limits, or the rule that forbids them.
    SetLimitsResult = LimitsPayload, LimitsRefused [SiteRefusal, ValueRefusal];
}

fn limit(input: LimitInput) -> Result<Limit, Error> {
    let bound = |bound: Option<f64>| bound.map(|bound| argument("input.limits", Value::new(bound))).transpose();
    Ok(Limit {
        quantity: input.quantity,
        unit: input.unit,
        alarm_low: bound(input.alarm_low)?,
        warning_low: bound(input.warning_low)?,
        warning_high: bound(input.warning_high)?,
        alarm_high: bound(input.alarm_high)?,
    })
}

/// Mutations of train passes.
#[derive(Default)]
pub(crate) struct RailMutation;

#[Object]
impl RailMutation {
    /// A person confirms a pass: all of it is there, and every alert about it has been looked at.
    async fn confirm_pass(&self, ctx: &Context<'_>, input: ConfirmPassInput) -> Result<ConfirmPassResult, Error> {
        let id = argument("input.pass", PassId::new(&input.pass))?;
        let command = ConfirmPass { pass: id.clone(), note: note("input.note", input.note.as_deref())? };
        let (receipt, answer) = match carry_out(ctx, command, input.command_id, &[PASSES, ALERTS]).await? {
            Ok(done) => done,
            Err(refusal) => return Ok(PassRefused::from(refusal).into()),
        };
        let pass = if receipt.is_readable() { Pass::find(ctx, Some(id.to_string())).await? } else { None };
        Ok(PassPayload { receipt, earlier: answer.earlier.map(Earlier::from), pass }.into())
    }

    /// Sets all limits by which a site judges springs, for passes from a time on.
    async fn set_limits(&self, ctx: &Context<'_>, input: SetLimitsInput) -> Result<SetLimitsResult, Error> {
        let command = SetLimits {
            site: argument("input.site", SiteId::new(&input.site))?,
            valid_from: input.valid_from,
            limits: input.limits.into_iter().map(limit).collect::<Result<_, _>>()?,
        };
        match carry_out(ctx, command, input.command_id, &[SPRING_LIMITS]).await? {
            Ok((receipt, answer)) => Ok(LimitsPayload { receipt, version: answer.version }.into()),
            Err(refusal) => Ok(LimitsRefused::from(refusal).into()),
        }
    }
}
