//! Moves an allocation to another stand.

use serde::{Deserialize, Serialize};

use super::apron::{Apron, Choice, Wish};
use super::refusal::Decides;
use super::site_rules::SiteRules;
use super::stay::{Allocation, Standing, Stay};
use super::{AirportRefusal, AllocationId, AllocationMoved, StandId};
use crate::kernel::{Context, Decided, Decision, Note, Tag, World};

/// Moves an allocation, with its stay, to the stand that is named, or else to the best other one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveAllocation {
    /// The allocation.
    pub allocation: AllocationId,
    /// The stand; without one the best other one is chosen.
    pub to: Option<StandId>,
    /// Why.
    pub note: Note,
}

/// Where an allocation is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedAllocation {
    /// The allocation.
    pub allocation: AllocationId,
    /// The stand.
    pub stand: StandId,
    /// Why it is a military stand, if this command chose one.
    pub overflow: Option<String>,
}

impl Decision for MoveAllocation {
    const NAME: &'static str = "airport.move_allocation";
    type Answer = MovedAllocation;
    type Refusal = AirportRefusal;

    fn things(&self) -> Vec<Tag> {
        [Some(self.allocation.tag()), self.to.as_ref().map(StandId::tag)].into_iter().flatten().collect()
    }

    fn decide(&self, world: &World, _context: &Context) -> Decides<MovedAllocation> {
        let allocation = self.allocation;
        let known = world.guard::<Allocation>(&allocation)?;
        let (Some(stay), Some(code)) = (&known.stay, known.code) else {
            return Err(AirportRefusal::AllocationUnknown { allocation }.into());
        };
        match stay.standing {
            Standing::Active => {}
            Standing::Freed(off_block_at) => {
                return Err(AirportRefusal::AllocationFreed { allocation, off_block_at }.into());
            }
            Standing::Cancelled => return Err(AirportRefusal::AllocationCancelled { allocation }.into()),
        }
        if self.to.as_ref() == Some(&stay.stand) {
            let stand = stay.stand.clone();
            return Ok(Decided::nothing(MovedAllocation { allocation, stand, overflow: None }));
        }
        let site = stay.stand.site();
        let rules = world.guard::<SiteRules>(&site)?;
        // Never a smaller buffer than before: see `stay`.
        let buffer_minutes = rules.buffer_minutes().max(stay.buffer_minutes);
        let wish = Wish { site, stay: stay.planned, buffer_minutes, code, except: Some(stay.stand.clone()) };
        let choice = self.choose(&Apron::look(world, wish)?, rules)?;
        let answer = MovedAllocation { allocation, stand: choice.stand.clone(), overflow: choice.overflow.clone() };
        Ok(Decided::events([self.moved(stay, buffer_minutes, choice).into()], answer))
    }
}

impl MoveAllocation {
    fn choose(&self, apron: &Apron<'_>, rules: &SiteRules) -> Result<Choice, crate::kernel::Stop<AirportRefusal>> {
        if let Some(named) = &self.to {
            return Ok(apron.named(named)??);
        }
        let (choice, candidates) = apron.best(rules)?;
        let nowhere = || AirportRefusal::NoOtherStand { allocation: self.allocation, candidates };
        Ok(choice.ok_or_else(nowhere)?)
    }

    fn moved(&self, stay: &Stay, buffer_minutes: u32, choice: Choice) -> AllocationMoved {
        AllocationMoved {
            allocation: stay.allocation,
            site: stay.stand.site(),
            flight: stay.flight.clone(),
            turnaround: stay.turnaround.clone(),
            from: stay.stand.clone(),
            to: choice.stand,
            interval: stay.planned,
            buffer_minutes,
            overflow: choice.overflow,
            note: self.note.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{allocated, at, civil, lome, military, stand};
    use super::super::{AllocationCancelled, CancelCause, StandAllocated, StandDefined, StandFreed, stand_day};
    use super::*;
    use crate::Event;
    use crate::kernel::spec;

    fn to(name: Option<&str>) -> MoveAllocation {
        let allocation = allocated("C01", "AF860", "12:00", "14:00").allocation;
        MoveAllocation { allocation, to: name.map(stand), note: Note::default() }
    }

    fn given() -> spec::Given {
        let far = StandDefined { distance_m: 900, ..civil("C03") };
        let stands = [civil("C01"), civil("C02"), far, military("M01")].map(Event::from);
        spec::given([lome()]).and(stands).and([allocated("C01", "AF860", "12:00", "14:00").into()])
    }

    #[test]
    fn an_allocation_moves_to_the_named_stand_or_the_best_other_one() {
        assert_eq!(given().when(to(Some("C03"))).answer().stand, stand("C03"));
        assert_eq!(given().when(to(None)).answer().stand, stand("C02"));
        let military = given().when(to(Some("M01")));
        assert!(military.answer().overflow.is_some());
        assert_eq!(military.events().len(), 1);
    }

    #[test]
    fn moving_to_where_it_is_is_no_event() {
        given().when(to(Some("C01"))).then_nothing();
        given().when(to(Some("C02"))).recorded().when(to(Some("C02"))).then_nothing();
    }

    #[test]
    fn the_other_stand_must_be_free() {
        let taken = given().and([allocated("C02", "KP20", "14:10", "15:00").into()]);
        taken.clone().when(to(Some("C02"))).then_refused("STAND_OCCUPIED");
        assert_eq!(taken.when(to(None)).answer().stand, stand("C03"));
        given().when(to(Some("C09"))).then_refused("STAND_UNKNOWN");
        let only = spec::given([lome(), civil("C01").into(), allocated("C01", "AF860", "12:00", "14:00").into()]);
        only.when(to(None)).then_refused("NO_OTHER_STAND");
    }

    #[test]
    fn what_has_ended_does_not_move() {
        let stay = allocated("C01", "AF860", "12:00", "14:00");
        let freed = StandFreed {
            allocation: stay.allocation,
            site: stay.site.clone(),
            stand: stay.stand.clone(),
            flight: stay.flight.clone(),
            turnaround: None,
            planned: stay.interval,
            off_block_at: at("13:00"),
            buffer_minutes: 15,
        };
        given().and([freed.into()]).when(to(None)).then_refused("ALLOCATION_FREED");
        let cause = CancelCause::Operator { note: Note::default() };
        let cancelled: AllocationCancelled =
            super::super::cancel_flight::cancelled(&Stay::after(&stay.into()).unwrap(), cause);
        given().and([cancelled.into()]).when(to(None)).then_refused("ALLOCATION_CANCELLED");
        spec::given([lome()]).when(to(None)).then_refused("ALLOCATION_UNKNOWN");
    }

    #[test]
    fn a_move_tells_every_day_that_saw_the_stay() {
        let wide = StandAllocated { buffer_minutes: 60, ..allocated("C01", "AF860", "20:00", "23:30") };
        let given = spec::given([lome(), civil("C01").into(), civil("C02").into(), wide.into()]);
        let moved = given.when(to(None));
        let next_day = stand_day(&stand("C01"), "2026-01-02".parse().unwrap());
        assert!(moved.events()[0].tags().contains(&next_day), "the buffer of before touched it");
    }

    #[test]
    fn the_stand_that_is_left_is_free_and_only_the_new_one_is_guarded() {
        let moved = given().when(to(Some("C02")));
        assert!(moved.guards_against(&allocated("C02", "KP20", "15:00", "16:00").into()));
        assert!(!moved.guards_against(&allocated("C03", "KP20", "15:00", "16:00").into()));
        let back =
            MoveAllocation { allocation: allocated("C03", "KP20", "12:00", "14:00").allocation, ..to(Some("C01")) };
        let other = moved.recorded().and([allocated("C03", "KP20", "12:00", "14:00").into()]);
        assert_eq!(other.when(back).answer().stand, stand("C01"));
    }
}
