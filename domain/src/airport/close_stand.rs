//! Closes a stand for a time.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::checks::interval;
use super::refusal::Decides;
use super::stand::Stand;
use super::stay::{Stay, StaysOfStand};
use super::{AirportRefusal, AllocationHit, StandClosed, StandId};
use crate::kernel::{Context, Decided, Decision, Note, Tag, World};

/// Closes a stand from a time to another, or until further notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseStand {
    /// The stand.
    pub stand: StandId,
    /// First moment.
    pub from: DateTime<Utc>,
    /// First moment after it; without one until further notice.
    pub to: Option<DateTime<Utc>>,
    /// Why.
    pub reason: Note,
}

/// What a closure means for allocations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closure {
    /// The active allocations whose stay is, in part, in the closed time.
    pub hits: Vec<AllocationHit>,
}

impl Decision for CloseStand {
    const NAME: &'static str = "airport.close_stand";
    type Answer = Closure;
    type Refusal = AirportRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.stand.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Decides<Closure> {
        let (stand, site) = (self.stand.clone(), self.stand.site());
        let interval = interval(self.from, self.to)?;
        let known = world.guard::<Stand>(&stand)?;
        if known.defined.is_none() {
            return Err(AirportRefusal::StandUnknown { stand, site }.into());
        }
        let stays = world.guard::<StaysOfStand>(&stand)?;
        let hits: Vec<_> = stays.iter().filter(|stay| stay.planned.overlaps(&interval)).map(Stay::hit).collect();
        let answer = Closure { hits: hits.clone() };
        if known.closed.covers(interval) {
            return Ok(Decided::nothing(answer));
        }
        Ok(Decided::events([StandClosed { stand, site, interval, reason: self.reason.clone(), hits }.into()], answer))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{allocated, at, civil, lome, stand};
    use super::*;
    use crate::Event;
    use crate::kernel::{Interval, spec};

    fn close(from: &str, to: Option<&str>) -> CloseStand {
        let reason = Note::new("works").unwrap();
        CloseStand { stand: stand("C01"), from: at(from), to: to.map(at), reason }
    }

    fn given() -> spec::Given {
        let taken = allocated("C01", "AF860", "12:00", "14:00");
        spec::given([lome(), civil("C01").into(), civil("C02").into(), taken.into()])
    }

    #[test]
    fn a_closure_names_the_allocations_that_it_hits() {
        let hit = close("13:00", Some("15:00"));
        let closed = given().when(hit.clone());
        let taken = allocated("C01", "AF860", "12:00", "14:00");
        let hits = vec![AllocationHit {
            allocation: taken.allocation,
            flight: taken.flight.clone(),
            interval: taken.interval,
        }];
        let interval = Interval::new(at("13:00"), at("15:00")).unwrap();
        let (stand, site) = (stand("C01"), stand("C01").site());
        closed.then([StandClosed { stand, site, interval, reason: hit.reason, hits }.into()]);
    }

    #[test]
    fn a_closure_in_the_buffer_hits_nothing() {
        assert_eq!(given().when(close("14:00", Some("15:00"))).answer().hits, []);
    }

    #[test]
    fn closing_what_is_closed_is_no_event() {
        let closed = given().when(close("14:00", None)).recorded();
        closed.clone().when(close("15:00", Some("16:00"))).then_nothing();
        closed.clone().when(close("14:00", None)).then_nothing();
        assert_eq!(closed.when(close("13:59", None)).events().len(), 1);
    }

    #[test]
    fn the_stand_and_the_times_must_be_right() {
        spec::given([lome()]).when(close("12:00", None)).then_refused("STAND_UNKNOWN");
        given().when(close("12:00", Some("12:00"))).then_refused("INTERVAL_INVALID");
    }

    #[test]
    fn an_allocation_of_this_stand_disturbs_a_closure_and_one_of_another_does_not() {
        let closed = given().when(close("12:00", None));
        let on = |stand| Event::from(allocated(stand, "KP20", "18:00", "19:00"));
        assert!(closed.guards_against(&on("C01")));
        assert!(!closed.guards_against(&on("C02")));
    }
}
