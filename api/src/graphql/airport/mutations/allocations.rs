//! Who stands where.

use async_graphql::{Context, Error, ID, Object};
use vigie_domain::airport::{
    AllocateAnswer, AllocateStand, AllocationId, CancelAllocation, FlightId, FreeStand, MoveAllocation, StandId, StayOf,
};

use super::text;
use crate::graphql::airport::allocation::{Allocation, Candidate};
use crate::graphql::airport::flight::Flight;
use crate::graphql::airport::inputs::{AllocateStandInput, CancelAllocationInput, FreeStandInput, MoveAllocationInput};
use crate::graphql::airport::refusals::Refused;
use crate::graphql::airport::results::{
    AllocateOutcome, AllocateStandPayload, AllocateStandResult, AllocationPayload, AllocationResult,
};
use crate::graphql::command::{Receipt, carry_out, note};
use crate::graphql::error::{argument, bad_input, optional};
use crate::graphql::models::{ALLOCATIONS, FLIGHTS, STANDS};

/// Mutations of allocations.
#[derive(Default)]
pub(crate) struct AllocationMutation;

/// What an allocation is read from.
const READ: &[&str] = &[ALLOCATIONS, FLIGHTS, STANDS];

async fn done(ctx: &Context<'_>, receipt: Receipt, id: AllocationId) -> Result<AllocationResult, Error> {
    let allocation = if receipt.is_readable() { Allocation::find(ctx, Some(id.0)).await? } else { None };
    Ok(AllocationPayload { receipt, allocation }.into())
}

async fn searched(
    ctx: &Context<'_>,
    receipt: Receipt,
    flight: FlightId,
    answer: AllocateAnswer,
) -> Result<AllocateStandPayload, Error> {
    let (outcome, id, candidates) = match answer {
        AllocateAnswer::Allocated { allocation, .. } => (AllocateOutcome::Allocated, Some(allocation), Vec::new()),
        AllocateAnswer::Already { allocation, .. } => (AllocateOutcome::AlreadyAllocated, Some(allocation), Vec::new()),
        AllocateAnswer::NoStand { candidates } => (AllocateOutcome::NoStand, None, candidates),
    };
    let (allocation, flight) = if receipt.is_readable() {
        (Allocation::find(ctx, id.map(|id| id.0)).await?, Flight::find(ctx, Some(flight.to_string())).await?)
    } else {
        (None, None)
    };
    let allocation_id = id.map(|id| ID(id.to_string()));
    let candidates = candidates.into_iter().map(Candidate::from).collect();
    Ok(AllocateStandPayload { receipt, outcome, allocation_id, allocation, flight, candidates })
}

#[Object]
impl AllocationMutation {
    /// Gives a flight, with the other leg of its turnaround, the stand that is named, or else the best one.
    async fn allocate_stand(&self, ctx: &Context<'_>, input: AllocateStandInput) -> Result<AllocateStandResult, Error> {
        let flight = argument("input.flight", FlightId::new(&input.flight))?;
        let command = AllocateStand {
            flight: flight.clone(),
            stand: optional("input.stand", text(input.stand.as_ref()), StandId::new)?,
            from: input.from,
            to: input.to,
            note: note("input.note", input.note.as_deref())?,
        };
        match carry_out(ctx, command, input.command_id, READ).await? {
            Ok((receipt, answer)) => Ok(searched(ctx, receipt, flight, answer).await?.into()),
            Err(refusal) => Ok(Refused::from(refusal).into()),
        }
    }

    /// Moves an allocation to another stand.
    async fn move_allocation(&self, ctx: &Context<'_>, input: MoveAllocationInput) -> Result<AllocationResult, Error> {
        let id = argument("input.allocation", AllocationId::new(&input.allocation))?;
        let command = MoveAllocation {
            allocation: id,
            to: optional("input.to", text(input.to.as_ref()), StandId::new)?,
            note: note("input.note", input.note.as_deref())?,
        };
        match carry_out(ctx, command, input.command_id, READ).await? {
            Ok((receipt, _)) => done(ctx, receipt, id).await,
            Err(refusal) => Ok(Refused::from(refusal).into()),
        }
    }

    /// The aircraft has left its stand: the stay ends.
    async fn free_stand(&self, ctx: &Context<'_>, input: FreeStandInput) -> Result<AllocationResult, Error> {
        let allocation = optional("input.allocation", text(input.allocation.as_ref()), AllocationId::new)?;
        let flight = optional("input.flight", text(input.flight.as_ref()), FlightId::new)?;
        let stay = match (allocation, flight) {
            (Some(allocation), None) => StayOf::Allocation(allocation),
            (None, Some(flight)) => StayOf::Flight(flight),
            (Some(_), Some(_)) | (None, None) => {
                return Err(bad_input("input.allocation", "either allocation or flight is needed"));
            }
        };
        let command = FreeStand { stay, off_block_at: input.off_block_at };
        match carry_out(ctx, command, input.command_id, READ).await? {
            Ok((receipt, freed)) => done(ctx, receipt, freed.allocation).await,
            Err(refusal) => Ok(Refused::from(refusal).into()),
        }
    }

    /// Takes an allocation back before or during its stay.
    async fn cancel_allocation(
        &self,
        ctx: &Context<'_>,
        input: CancelAllocationInput,
    ) -> Result<AllocationResult, Error> {
        let id = argument("input.allocation", AllocationId::new(&input.allocation))?;
        let command = CancelAllocation { allocation: id, note: note("input.note", input.note.as_deref())? };
        match carry_out(ctx, command, input.command_id, READ).await? {
            Ok((receipt, _)) => done(ctx, receipt, id).await,
            Err(refusal) => Ok(Refused::from(refusal).into()),
        }
    }
}
