//! Stands and the rules of their allocation.

use async_graphql::{Context, Error, Object};
use vigie_domain::airport::{
    AircraftType, CloseStand, DefineStand, ReopenStand, SetAllocationRules, SetTurnaroundRule, StandDefined, StandId,
    Turnaround, Weights,
};
use vigie_domain::support::SiteId;

use super::hit;
use crate::graphql::airport::inputs::{
    CloseStandInput, DefineStandInput, ReopenStandInput, SetAllocationRulesInput, SetTurnaroundRuleInput,
    TurnaroundInput,
};
use crate::graphql::airport::refusals::Refused;
use crate::graphql::airport::results::{RulesPayload, RulesResult, StandPayload, StandResult};
use crate::graphql::airport::stand::Stand;
use crate::graphql::command::{Receipt, carry_out, note};
use crate::graphql::context::Parts;
use crate::graphql::error::argument;
use crate::graphql::load::ByKey;
use crate::graphql::models::{ALLOCATIONS, SITES, STANDS, TURNAROUND_RULES};
use crate::graphql::support::{Site, SiteRow};

/// Mutations of stands.
#[derive(Default)]
pub(crate) struct StandMutation;

async fn stand(ctx: &Context<'_>, receipt: &Receipt, id: &StandId) -> Result<Option<Stand>, Error> {
    if receipt.is_readable() { Stand::find(ctx, Some(id.to_string())).await } else { Ok(None) }
}

async fn rules(ctx: &Context<'_>, receipt: Receipt, site: &SiteId) -> Result<RulesResult, Error> {
    let loader = ctx.loader::<ByKey<SiteRow>>();
    let site = if receipt.is_readable() { loader.one(site.to_string()).await?.map(Site) } else { None };
    Ok(RulesPayload { receipt, site }.into())
}

fn minutes(name: &str, input: &TurnaroundInput) -> Result<Turnaround, Error> {
    argument(name, Turnaround::minutes(input.min, input.typical, input.max))
}

#[Object]
impl StandMutation {
    /// Sets a stand up, or changes its description.
    async fn define_stand(&self, ctx: &Context<'_>, input: DefineStandInput) -> Result<StandResult, Error> {
        let id = argument("input.stand", StandId::new(&input.stand))?;
        let command = DefineStand(StandDefined {
            site: id.site(),
            stand: id.clone(),
            kind: input.kind.into(),
            code: input.code.into(),
            jetway: input.jetway,
            distance_m: input.distance_m,
        });
        match carry_out(ctx, command, input.command_id, &[STANDS]).await? {
            Ok((receipt, _)) => {
                let stand = stand(ctx, &receipt, &id).await?;
                Ok(StandPayload { receipt, stand, allocations: Vec::new() }.into())
            }
            Err(refusal) => Ok(Refused::from(refusal).into()),
        }
    }

    /// Sets the rules of allocation of a site, as a whole.
    async fn set_allocation_rules(
        &self,
        ctx: &Context<'_>,
        input: SetAllocationRulesInput,
    ) -> Result<RulesResult, Error> {
        let site = argument("input.site", SiteId::new(&input.site))?;
        let command = SetAllocationRules {
            site: site.clone(),
            buffer_minutes: input.buffer_minutes,
            default_turnaround: minutes("input.defaultTurnaround", &input.default_turnaround)?,
            weights: Weights {
                spare_letter: input.weights.spare_letter,
                no_jetway: input.weights.no_jetway,
                metre: input.weights.metre,
            },
        };
        match carry_out(ctx, command, input.command_id, &[SITES]).await? {
            Ok((receipt, _)) => rules(ctx, receipt, &site).await,
            Err(refusal) => Ok(Refused::from(refusal).into()),
        }
    }

    /// Sets the turnaround minutes of an aircraft type at a site.
    async fn set_turnaround_rule(
        &self,
        ctx: &Context<'_>,
        input: SetTurnaroundRuleInput,
    ) -> Result<RulesResult, Error> {
        let site = argument("input.site", SiteId::new(&input.site))?;
        let command = SetTurnaroundRule {
            site: site.clone(),
            aircraft_type: argument("input.aircraftType", AircraftType::new(&input.aircraft_type))?,
            turnaround: minutes("input.turnaround", &input.turnaround)?,
        };
        match carry_out(ctx, command, input.command_id, &[SITES, TURNAROUND_RULES]).await? {
            Ok((receipt, _)) => rules(ctx, receipt, &site).await,
            Err(refusal) => Ok(Refused::from(refusal).into()),
        }
    }

    /// Closes a stand for a time. Allocations that it hits become conflicts, which are alerts.
    async fn close_stand(&self, ctx: &Context<'_>, input: CloseStandInput) -> Result<StandResult, Error> {
        let id = argument("input.stand", StandId::new(&input.stand))?;
        let reason = note("input.reason", input.reason.as_deref())?;
        let command = CloseStand { stand: id.clone(), from: input.from, to: input.to, reason };
        match carry_out(ctx, command, input.command_id, &[STANDS, ALLOCATIONS]).await? {
            Ok((receipt, closure)) => {
                let stand = stand(ctx, &receipt, &id).await?;
                let allocations = hit(ctx, &receipt, &closure.hits).await?;
                Ok(StandPayload { receipt, stand, allocations }.into())
            }
            Err(refusal) => Ok(Refused::from(refusal).into()),
        }
    }

    /// Opens a stand again for a time, or for good.
    async fn reopen_stand(&self, ctx: &Context<'_>, input: ReopenStandInput) -> Result<StandResult, Error> {
        let id = argument("input.stand", StandId::new(&input.stand))?;
        let note = note("input.note", input.note.as_deref())?;
        let command = ReopenStand { stand: id.clone(), from: input.from, to: input.to, note };
        match carry_out(ctx, command, input.command_id, &[STANDS, ALLOCATIONS]).await? {
            Ok((receipt, reopening)) => {
                let stand = stand(ctx, &receipt, &id).await?;
                let allocations = hit(ctx, &receipt, &reopening.relieved).await?;
                Ok(StandPayload { receipt, stand, allocations }.into())
            }
            Err(refusal) => Ok(Refused::from(refusal).into()),
        }
    }
}
