//! What people do about alerts.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use uuid::Uuid;
use vigie_domain::alerts::{AcknowledgeAlert, AcknowledgeRefusal, AlertId, ResolveAlert, ResolveRefusal};

use super::Alert;
use crate::graphql::command::{Receipt, carry_out, note, told};
use crate::graphql::error::argument;
use crate::graphql::models::{ALERTS, PASSES};
use crate::graphql::refusal::{AlertRefusal, Earlier, Told, results};

/// The alert that somebody has taken note of.
#[derive(Debug, InputObject)]
pub(crate) struct AcknowledgeAlertInput {
    /// Sent again with the same id, the command gets its first answer.
    command_id: Option<Uuid>,
    /// The alert.
    alert: ID,
    /// What the person writes.
    note: Option<String>,
}

/// The alert whose reason is gone.
#[derive(Debug, InputObject)]
pub(crate) struct ResolveAlertInput {
    /// Sent again with the same id, the command gets its first answer.
    command_id: Option<Uuid>,
    /// The alert.
    alert: ID,
    /// Why.
    reason: String,
}

/// The alert is acknowledged or resolved.
#[derive(SimpleObject)]
pub(crate) struct AlertPayload {
    #[graphql(flatten)]
    receipt: Receipt,
    /// Who did it first, when it was done before: nothing was recorded now.
    earlier: Option<Earlier>,
    /// The alert.
    alert: Option<Alert>,
}

enum Refused {
    AlertRefusal(Told),
}

impl From<AcknowledgeRefusal> for Refused {
    fn from(refusal: AcknowledgeRefusal) -> Self {
        Self::AlertRefusal(told(&refusal))
    }
}

impl From<ResolveRefusal> for Refused {
    fn from(refusal: ResolveRefusal) -> Self {
        Self::AlertRefusal(told(&refusal))
    }
}

results! {
    /// The alert, or the rule that forbids it.
    AlertResult = AlertPayload, Refused [AlertRefusal];
}

/// Mutations of alerts.
#[derive(Default)]
pub(crate) struct AlertsMutation;

async fn done(
    ctx: &Context<'_>,
    receipt: Receipt,
    id: AlertId,
    earlier: Option<vigie_domain::kernel::Earlier>,
) -> Result<AlertResult, Error> {
    let alert = if receipt.is_readable() { Alert::find(ctx, Some(id.uuid())).await? } else { None };
    Ok(AlertPayload { receipt, earlier: earlier.map(Earlier::from), alert }.into())
}

#[Object]
impl AlertsMutation {
    /// A person takes note of an alert.
    async fn acknowledge_alert(&self, ctx: &Context<'_>, input: AcknowledgeAlertInput) -> Result<AlertResult, Error> {
        let id = argument("input.alert", AlertId::new(&input.alert))?;
        let command = AcknowledgeAlert { alert: id, note: note("input.note", input.note.as_deref())? };
        match carry_out(ctx, command, input.command_id, &[ALERTS, PASSES]).await? {
            Ok((receipt, answer)) => done(ctx, receipt, id, answer.earlier).await,
            Err(refusal) => Ok(Refused::from(refusal).into()),
        }
    }

    /// The reason of an alert is gone.
    async fn resolve_alert(&self, ctx: &Context<'_>, input: ResolveAlertInput) -> Result<AlertResult, Error> {
        let id = argument("input.alert", AlertId::new(&input.alert))?;
        let command = ResolveAlert { alert: id, reason: note("input.reason", Some(&input.reason))? };
        match carry_out(ctx, command, input.command_id, &[ALERTS, PASSES]).await? {
            Ok((receipt, answer)) => done(ctx, receipt, id, answer.earlier).await,
            Err(refusal) => Ok(Refused::from(refusal).into()),
        }
    }
}
