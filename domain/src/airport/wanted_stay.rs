//! The stay that a flight needs, where nobody says otherwise.

use chrono::{DateTime, Duration, Utc};

use super::checks::{interval, plausible};
use super::flight::Flight;
use super::{AirportRefusal, Direction, FlightId, SHARD_LIMIT};
use crate::kernel::Interval;

/// The two ends of a stay: the leg that comes and the leg that goes, as far as there are such.
pub(super) struct Legs<'a> {
    arrival: Option<&'a Flight>,
    departure: Option<&'a Flight>,
}

impl<'a> Legs<'a> {
    /// The legs of a flight and the other leg of its turnaround.
    pub(super) fn of(id: &FlightId, flight: &'a Flight, other: Option<&'a Flight>) -> Self {
        match id.leg().direction {
            Direction::Arrival => Self { arrival: Some(flight), departure: other },
            Direction::Departure => Self { arrival: other, departure: Some(flight) },
        }
    }

    /// From the arrival to the departure by the best known times; a leg that is missing is `typical` away. A departure
    /// that is not after the start (the arrival is very late) counts as missing. `from` and `to` replace the ends.
    pub(super) fn stay(
        &self,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
        typical: Duration,
    ) -> Result<Interval, AirportRefusal> {
        let (from, to) = (from.map(plausible).transpose()?, to.map(plausible).transpose()?);
        let comes = self.arrival.and_then(Flight::best_known);
        let goes = self.departure.and_then(Flight::best_known);
        let start = from
            .or(comes)
            .or_else(|| Some(to.or(goes)? - typical))
            .expect("a stay is asked for by a known leg, which has a time");
        let end = to.or(goes.filter(|goes| *goes > start)).unwrap_or(start + typical);
        let stay = interval(start, Some(end))?;
        if end - start > SHARD_LIMIT {
            return Err(AirportRefusal::StayTooLong { interval: stay, max_days: SHARD_LIMIT.num_days() });
        }
        Ok(stay)
    }
}
