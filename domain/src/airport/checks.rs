//! What many decisions of the airport ask first.

use chrono::{DateTime, Datelike, Utc};

use super::AirportRefusal;
use super::flight::Flight;
use crate::kernel::{Interval, Stop, World};
use crate::support::{Site, SiteId, SiteKind};

/// The site is set up and an airport; guarded.
pub(super) fn airport(world: &World, site: &SiteId) -> Result<(), Stop<AirportRefusal>> {
    match world.guard::<Site>(site)?.defined.as_ref().map(|defined| defined.kind) {
        Some(SiteKind::Airport) => Ok(()),
        Some(SiteKind::Rail) => Err(AirportRefusal::SiteNotAirport { site: site.clone() }.into()),
        None => Err(AirportRefusal::SiteUnknown { site: site.clone() }.into()),
    }
}

/// The flight, if a report of it is recorded; guarded.
pub(super) fn known_flight<'a>(world: &'a World, id: &super::FlightId) -> Result<&'a Flight, Stop<AirportRefusal>> {
    let flight = world.guard::<Flight>(id)?;
    if flight.is_known() { Ok(flight) } else { Err(AirportRefusal::FlightUnknown { flight: id.clone() }.into()) }
}

/// A time that schedules, text and the database can hold, with room for buffers around it.
pub(super) fn plausible(at: DateTime<Utc>) -> Result<DateTime<Utc>, AirportRefusal> {
    if (1970..=9998).contains(&at.year()) { Ok(at) } else { Err(AirportRefusal::TimeOutOfRange { at }) }
}

/// `[from, to)`, or from `from` on.
pub(super) fn interval(from: DateTime<Utc>, to: Option<DateTime<Utc>>) -> Result<Interval, AirportRefusal> {
    let from = plausible(from)?;
    match to.map(plausible).transpose()? {
        None => Ok(Interval::starting(from)),
        Some(to) => Interval::new(from, to).map_err(|_| AirportRefusal::IntervalInvalid { from, to }),
    }
}
