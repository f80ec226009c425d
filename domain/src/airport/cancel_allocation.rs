//! Cancels an allocation.

use serde::{Deserialize, Serialize};

use super::cancel_flight::cancelled;
use super::refusal::Decides;
use super::stay::{Allocation, Standing};
use super::{AirportRefusal, AllocationId, CancelCause, StandId};
use crate::kernel::{Context, Decided, Decision, Note, Tag, World};

/// Takes the stand of a flight back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelAllocation {
    /// The allocation.
    pub allocation: AllocationId,
    /// Why.
    pub note: Note,
}

/// An allocation that is cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelledAllocation {
    /// The allocation.
    pub allocation: AllocationId,
    /// The stand that it held.
    pub stand: StandId,
}

impl Decision for CancelAllocation {
    const NAME: &'static str = "airport.cancel_allocation";
    type Answer = CancelledAllocation;
    type Refusal = AirportRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.allocation.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Decides<CancelledAllocation> {
        let allocation = self.allocation;
        let Some(stay) = &world.guard::<Allocation>(&allocation)?.stay else {
            return Err(AirportRefusal::AllocationUnknown { allocation }.into());
        };
        let answer = CancelledAllocation { allocation, stand: stay.stand.clone() };
        match stay.standing {
            Standing::Active => {
                let cause = CancelCause::Operator { note: self.note.clone() };
                Ok(Decided::events([cancelled(stay, cause).into()], answer))
            }
            Standing::Freed(off_block_at) => Err(AirportRefusal::AllocationFreed { allocation, off_block_at }.into()),
            Standing::Cancelled => Ok(Decided::nothing(answer)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{allocated, at, lome};
    use super::super::{FreeStand, StayOf};
    use super::*;
    use crate::kernel::spec;

    fn cancel() -> CancelAllocation {
        let allocation = allocated("C01", "AF860", "12:00", "14:00").allocation;
        CancelAllocation { allocation, note: Note::new("aircraft change").unwrap() }
    }

    fn given() -> spec::Given {
        spec::given([lome(), allocated("C01", "AF860", "12:00", "14:00").into()])
    }

    #[test]
    fn an_allocation_is_cancelled_once() {
        let first = given().when(cancel());
        assert_eq!(first.events().len(), 1);
        first.recorded().when(cancel()).then_nothing();
    }

    #[test]
    fn what_has_been_flown_or_is_unknown_cannot_be_cancelled() {
        let off_block_at = Some(at("13:00"));
        let freed = given().when(FreeStand { stay: StayOf::Allocation(cancel().allocation), off_block_at });
        freed.recorded().when(cancel()).then_refused("ALLOCATION_FREED");
        spec::given([lome()]).when(cancel()).then_refused("ALLOCATION_UNKNOWN");
    }
}
