//! Takes in that an aircraft has left its stand.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::checks::{known_flight, plausible};
use super::flight::Flight;
use super::refusal::Decides;
use super::stay::{Allocation, Standing, Stay};
use super::{AirportRefusal, AllocationId, Direction, FlightId, Progress, SHARD_LIMIT, StandFreed, StandId};
use crate::kernel::{Context, Decided, Decision, Need, Stop, Tag, World};

/// Whose stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StayOf {
    /// This allocation.
    Allocation(AllocationId),
    /// The last allocation of this flight or of the other leg of its turnaround.
    Flight(FlightId),
}

/// Says that an aircraft has left its stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreeStand {
    /// Whose stay ends.
    pub stay: StayOf,
    /// When the aircraft left; without it, when the departure is known to have left, else now.
    pub off_block_at: Option<DateTime<Utc>>,
}

/// A stay that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreedStand {
    /// The allocation.
    pub allocation: AllocationId,
    /// The stand that is free.
    pub stand: StandId,
    /// When the aircraft left; as first said.
    pub off_block_at: DateTime<Utc>,
}

impl Decision for FreeStand {
    const NAME: &'static str = "airport.free_stand";
    type Answer = FreedStand;
    type Refusal = AirportRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![match &self.stay {
            StayOf::Allocation(allocation) => allocation.tag(),
            StayOf::Flight(flight) => flight.tag(),
        }]
    }

    fn decide(&self, world: &World, context: &Context) -> Decides<FreedStand> {
        let allocation = self.allocation(world)?;
        let Some(stay) = &world.guard::<Allocation>(&allocation)?.stay else {
            return Err(AirportRefusal::AllocationUnknown { allocation }.into());
        };
        let stand = stay.stand.clone();
        match stay.standing {
            Standing::Freed(off_block_at) => {
                return Ok(Decided::nothing(FreedStand { allocation, stand, off_block_at }));
            }
            Standing::Cancelled => return Err(AirportRefusal::AllocationCancelled { allocation }.into()),
            Standing::Active => {}
        }
        let off_block_at = match self.off_block_at {
            Some(at) => at,
            None => departed_at(world, stay)?.unwrap_or(context.now),
        };
        check_time(stay, plausible(off_block_at)?)?;
        let answer = FreedStand { allocation, stand, off_block_at };
        Ok(Decided::events([freed(stay, off_block_at).into()], answer))
    }
}

impl FreeStand {
    fn allocation(&self, world: &World) -> Result<AllocationId, Stop<AirportRefusal>> {
        let id = match &self.stay {
            StayOf::Allocation(allocation) => return Ok(*allocation),
            StayOf::Flight(flight) => flight,
        };
        let flight = known_flight(world, id)?;
        let other = match flight.other_leg(id) {
            Some(other) => world.guard::<Flight>(other)?.stay.as_ref(),
            None => None,
        };
        let stays = [flight.stay.as_ref(), other];
        let last = stays.into_iter().flatten().find(|stay| stay.is_active()).or(flight.stay.as_ref()).or(other);
        last.map(|stay| stay.allocation).ok_or_else(|| AirportRefusal::FlightWithoutStand { flight: id.clone() }.into())
    }
}

/// When the departure of the stay left, if that is known.
fn departed_at(world: &World, stay: &Stay) -> Result<Option<DateTime<Utc>>, Need> {
    let mut legs = [Some(&stay.flight), stay.turnaround.as_ref()].into_iter().flatten();
    let Some(departure) = legs.find(|leg| leg.leg().direction == Direction::Departure) else { return Ok(None) };
    Ok(match world.consult::<Flight>(departure)?.progress {
        Progress::Departed(at) => Some(at),
        Progress::Scheduled
        | Progress::Estimated(_)
        | Progress::Landed(_)
        | Progress::Arrived(_)
        | Progress::Phase(_)
        | Progress::Cancelled => None,
    })
}

fn check_time(stay: &Stay, off_block_at: DateTime<Utc>) -> Result<(), AirportRefusal> {
    let earliest = stay.planned.from();
    let latest = earliest + SHARD_LIMIT;
    if (earliest..=latest).contains(&off_block_at) {
        Ok(())
    } else {
        Err(AirportRefusal::OffBlockTime { off_block_at, earliest, latest })
    }
}

fn freed(stay: &Stay, off_block_at: DateTime<Utc>) -> StandFreed {
    StandFreed {
        allocation: stay.allocation,
        site: stay.stand.site(),
        stand: stay.stand.clone(),
        flight: stay.flight.clone(),
        turnaround: stay.turnaround.clone(),
        planned: stay.planned,
        off_block_at,
        buffer_minutes: stay.buffer_minutes,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{allocated, arrival, at, civil, departure, linked, lome, registered};
    use super::super::{AllocationCancelled, CancelCause, stand_day};
    use super::*;
    use crate::kernel::spec;

    fn free(number: &str, at: Option<DateTime<Utc>>) -> FreeStand {
        FreeStand { stay: StayOf::Flight(arrival(number)), off_block_at: at }
    }

    fn given() -> spec::Given {
        let flight = registered(&arrival("AF860"), "12:00");
        spec::given([lome(), civil("C01").into(), flight, allocated("C01", "AF860", "12:00", "14:00").into()])
    }

    #[test]
    fn a_stay_ends_when_the_aircraft_leaves() {
        let freed = given().when(free("AF860", Some(at("13:40"))));
        assert_eq!(freed.answer().off_block_at, at("13:40"));
        assert_eq!(freed.events().len(), 1);
        let again = freed.recorded().when(free("AF860", Some(at("13:50"))));
        assert_eq!(again.answer().off_block_at, at("13:40"), "the first word holds");
        again.then_nothing();
    }

    #[test]
    fn either_leg_of_a_turnaround_frees_its_stand() {
        let (comes, goes) = (arrival("AF860"), departure("AF861"));
        let given = given().and([registered(&goes, "14:00"), linked(&comes, &goes)]);
        let freed = given.when(FreeStand { stay: StayOf::Flight(goes), off_block_at: Some(at("14:05")) });
        assert_eq!(freed.answer().stand, civil("C01").stand);
    }

    #[test]
    fn without_a_time_it_is_now() {
        assert_eq!(given().at(at("13:00")).when(free("AF860", None)).answer().off_block_at, at("13:00"));
        given().at(at("11:00")).when(free("AF860", None)).then_refused("OFF_BLOCK_TIME");
    }

    #[test]
    fn the_days_until_it_really_left_are_told() {
        let late = given().when(free("AF860", Some(at("03T01:00"))));
        let tags = late.events()[0].tags();
        for day in ["2026-01-01", "2026-01-02", "2026-01-03"] {
            assert!(tags.contains(&stand_day(&civil("C01").stand, day.parse().unwrap())), "{day}");
        }
    }

    #[test]
    fn what_is_not_held_cannot_be_freed() {
        given().when(free("KP20", None)).then_refused("FLIGHT_UNKNOWN");
        let idle = given().and([registered(&arrival("KP20"), "15:00")]);
        idle.when(free("KP20", None)).then_refused("FLIGHT_WITHOUT_STAND");
        let unknown = FreeStand { stay: StayOf::Allocation(AllocationId(uuid::Uuid::nil())), off_block_at: None };
        given().when(unknown).then_refused("ALLOCATION_UNKNOWN");
        given().when(free("AF860", Some(at("11:59")))).then_refused("OFF_BLOCK_TIME");
        given().when(free("AF860", Some(at("31T12:00")))).then_refused("OFF_BLOCK_TIME");
        let stay = Stay::after(&allocated("C01", "AF860", "12:00", "14:00").into()).unwrap();
        let cause = CancelCause::FlightCancelled { flight: stay.flight.clone() };
        let cancelled: AllocationCancelled = super::super::cancel_flight::cancelled(&stay, cause);
        given().and([cancelled.into()]).when(free("AF860", None)).then_refused("ALLOCATION_CANCELLED");
    }
}
