//! Opens a closed stand again for a time.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::checks::interval;
use super::refusal::Decides;
use super::stand::Stand;
use super::stay::{Stay, StaysOfStand};
use super::{AirportRefusal, AllocationHit, StandId, StandReopened};
use crate::kernel::{Context, Decided, Decision, Note, Tag, World};

/// Opens a stand from a time to another, or for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReopenStand {
    /// The stand.
    pub stand: StandId,
    /// First moment.
    pub from: DateTime<Utc>,
    /// First moment after it; without one for good.
    pub to: Option<DateTime<Utc>>,
    /// Why.
    pub note: Note,
}

/// What a reopening means for allocations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reopening {
    /// The active allocations whose stay was, in part, in a closed time and is no longer.
    pub relieved: Vec<AllocationHit>,
}

impl Decision for ReopenStand {
    const NAME: &'static str = "airport.reopen_stand";
    type Answer = Reopening;
    type Refusal = AirportRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.stand.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Decides<Reopening> {
        let (stand, site) = (self.stand.clone(), self.stand.site());
        let interval = interval(self.from, self.to)?;
        let known = world.guard::<Stand>(&stand)?;
        if known.defined.is_none() {
            return Err(AirportRefusal::StandUnknown { stand, site }.into());
        }
        if known.closed.overlapping(interval).next().is_none() {
            return Ok(Decided::nothing(Reopening { relieved: Vec::new() }));
        }
        let mut closed = known.closed.clone();
        closed.subtract(interval);
        let relieved = |stay: &&Stay| {
            let hit_before = known.closed.overlapping(stay.planned).next().is_some();
            hit_before && closed.overlapping(stay.planned).next().is_none()
        };
        let stays = world.guard::<StaysOfStand>(&stand)?;
        let relieved: Vec<_> = stays.iter().filter(relieved).map(Stay::hit).collect();
        let answer = Reopening { relieved: relieved.clone() };
        Ok(Decided::events([StandReopened { stand, site, interval, note: self.note.clone(), relieved }.into()], answer))
    }
}

#[cfg(test)]
mod tests {
    use super::super::StandClosed;
    use super::super::testing::{allocated, at, civil, lome, stand};
    use super::*;
    use crate::kernel::{Interval, spec};

    fn reopen(from: &str, to: Option<&str>) -> ReopenStand {
        ReopenStand { stand: stand("C01"), from: at(from), to: to.map(at), note: Note::default() }
    }

    /// Taken from 12:00 to 14:00, closed from 13:00 to 16:00.
    fn given() -> spec::Given {
        let taken = allocated("C01", "AF860", "12:00", "14:00");
        let closed = StandClosed {
            stand: stand("C01"),
            site: stand("C01").site(),
            interval: Interval::new(at("13:00"), at("16:00")).unwrap(),
            reason: Note::default(),
            hits: vec![],
        };
        spec::given([lome(), civil("C01").into(), taken.into(), closed.into()])
    }

    #[test]
    fn a_stay_is_relieved_when_no_closed_part_is_left_in_it() {
        let partly = given().when(reopen("13:00", Some("13:30")));
        assert_eq!(partly.answer().relieved, []);
        let wholly = partly.recorded().when(reopen("13:15", Some("14:00")));
        let taken = allocated("C01", "AF860", "12:00", "14:00");
        assert_eq!(wholly.answer().relieved.iter().map(|hit| hit.allocation).collect::<Vec<_>>(), [taken.allocation]);
        assert_eq!(wholly.events().len(), 1);
    }

    #[test]
    fn opening_what_is_open_is_no_event() {
        given().when(reopen("16:00", None)).then_nothing();
        given().when(reopen("12:00", None)).recorded().when(reopen("12:00", None)).then_nothing();
    }

    #[test]
    fn the_stand_and_the_times_must_be_right() {
        spec::given([lome()]).when(reopen("12:00", None)).then_refused("STAND_UNKNOWN");
        given().when(reopen("12:00", Some("11:00"))).then_refused("INTERVAL_INVALID");
    }
}
