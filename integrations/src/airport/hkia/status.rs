//! The status text of a row.
//!
//! Forms: `At gate HH:MM` and `Landed HH:MM` of arrivals, `Dep HH:MM` of departures, `Est at HH:MM` of both, each
//! perhaps followed by ` (DD/MM/YYYY)`; `Cancelled`, `Delayed`, `Boarding Soon`, `Boarding`, `Final Call`,
//! `Gate Closed`, or nothing at all.
//!
//! A time without a date is on the scheduled date, also when that is many hours off the schedule: the feed writes
//! the date whenever it is another one (a landing at 23:53 for 00:05 carries it), and freighters do leave half a day early.

use chrono::{Duration, NaiveDate, NaiveDateTime, NaiveTime};
use chrono_tz::Tz;
use vigie_domain::airport::{Direction, Phase, Progress};

use crate::zones;

/// Further than this from the schedule, a stated time is taken for an error of the source.
pub const FURTHEST: Duration = Duration::days(14);

/// Why a status cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatusError {
    /// None of the known forms.
    #[error("{0:?} is not a known status")]
    Unknown(String),
    /// A known form with a time or date that does not exist.
    #[error("{0:?} holds no time as HH:MM, perhaps with a date as (DD/MM/YYYY)")]
    Time(String),
    /// A departure that lands, or an arrival that departs.
    #[error("{status:?} cannot be said of {of}")]
    Direction {
        /// The status as given.
        status: String,
        /// `an arrival` or `a departure`.
        of: &'static str,
    },
    /// Two weeks or more from the schedule.
    #[error("{0:?} is more than 14 days from the schedule")]
    TooFar(String),
}

/// Reads the status of a flight that is scheduled at `scheduled`, local time in `zone`.
///
/// # Errors
/// An unknown form, a time that does not exist or is far off, or a status that does not fit the direction.
pub fn parse(text: &str, direction: Direction, scheduled: NaiveDateTime, zone: Tz) -> Result<Progress, StatusError> {
    let only = |wanted: Direction, progress: Progress| {
        let of = match direction {
            Direction::Arrival => "an arrival",
            Direction::Departure => "a departure",
        };
        let wrong = || StatusError::Direction { status: shown(text), of };
        if direction == wanted { Ok(progress) } else { Err(wrong()) }
    };
    let time = |stated: &str| stated_time(text, stated, scheduled).map(|local| zones::utc(zone, local));
    let phase = |phase| only(Direction::Departure, Progress::Phase(phase));
    match text {
        "" => Ok(Progress::Scheduled),
        "Cancelled" => Ok(Progress::Cancelled),
        "Delayed" => Ok(Progress::Phase(Phase::Delayed)),
        "Boarding Soon" => phase(Phase::BoardingSoon),
        "Boarding" => phase(Phase::Boarding),
        "Final Call" => phase(Phase::FinalCall),
        "Gate Closed" => phase(Phase::GateClosed),
        _ => {
            if let Some(stated) = text.strip_prefix("At gate ") {
                only(Direction::Arrival, Progress::Arrived(time(stated)?))
            } else if let Some(stated) = text.strip_prefix("Landed ") {
                only(Direction::Arrival, Progress::Landed(time(stated)?))
            } else if let Some(stated) = text.strip_prefix("Dep ") {
                only(Direction::Departure, Progress::Departed(time(stated)?))
            } else if let Some(stated) = text.strip_prefix("Est at ") {
                Ok(Progress::Estimated(time(stated)?))
            } else {
                Err(StatusError::Unknown(shown(text)))
            }
        }
    }
}

/// `HH:MM`, or `HH:MM (DD/MM/YYYY)`.
fn stated_time(text: &str, stated: &str, scheduled: NaiveDateTime) -> Result<NaiveDateTime, StatusError> {
    let wrong = || StatusError::Time(shown(text));
    let (time, date) = match stated.split_once(' ') {
        None => (stated, scheduled.date()),
        Some((time, date)) => {
            let date = date.strip_prefix('(').and_then(|d| d.strip_suffix(')')).ok_or_else(wrong)?;
            let digits = date.len() == 10;
            let date = NaiveDate::parse_from_str(date, "%d/%m/%Y").ok().filter(|_| digits).ok_or_else(wrong)?;
            (time, date)
        }
    };
    let local = date.and_time(clock_time(time).ok_or_else(wrong)?);
    if (local - scheduled).abs() > FURTHEST {
        return Err(StatusError::TooFar(shown(text)));
    }
    Ok(local)
}

/// Reads exactly `HH:MM`.
pub(super) fn clock_time(text: &str) -> Option<NaiveTime> {
    let exact = text.len() == 5;
    NaiveTime::parse_from_str(text, "%H:%M").ok().filter(|_| exact)
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Utc};

    fn read(text: &str, direction: Direction) -> Result<Progress, StatusError> {
        parse(text, direction, "2025-12-26T23:40:00".parse().unwrap(), Tz::Asia__Hong_Kong)
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn every_form_of_an_arrival_is_read() {
        let arrival = |text| read(text, Direction::Arrival).unwrap();
        assert_eq!(arrival("At gate 23:53"), Progress::Arrived(at("2025-12-26T15:53:00Z")));
        assert_eq!(arrival("At gate 01:20 (27/12/2025)"), Progress::Arrived(at("2025-12-26T17:20:00Z")));
        assert_eq!(arrival("Landed 23:58"), Progress::Landed(at("2025-12-26T15:58:00Z")));
        assert_eq!(arrival("Est at 23:59"), Progress::Estimated(at("2025-12-26T15:59:00Z")));
        assert_eq!(arrival("Est at 00:10 (27/12/2025)"), Progress::Estimated(at("2025-12-26T16:10:00Z")));
        assert_eq!(arrival("Cancelled"), Progress::Cancelled);
        assert_eq!(arrival("Delayed"), Progress::Phase(Phase::Delayed));
        assert_eq!(arrival(""), Progress::Scheduled);
    }

    #[test]
    fn every_form_of_a_departure_is_read() {
        let departure = |text| read(text, Direction::Departure).unwrap();
        assert_eq!(departure("Dep 23:45"), Progress::Departed(at("2025-12-26T15:45:00Z")));
        assert_eq!(departure("Dep 05:04 (27/12/2025)"), Progress::Departed(at("2025-12-26T21:04:00Z")));
        assert_eq!(departure("Est at 11:30 (28/12/2025)"), Progress::Estimated(at("2025-12-28T03:30:00Z")));
        assert_eq!(departure("Boarding Soon"), Progress::Phase(Phase::BoardingSoon));
        assert_eq!(departure("Boarding"), Progress::Phase(Phase::Boarding));
        assert_eq!(departure("Final Call"), Progress::Phase(Phase::FinalCall));
        assert_eq!(departure("Gate Closed"), Progress::Phase(Phase::GateClosed));
    }

    #[test]
    fn a_time_without_date_is_on_the_scheduled_date_also_half_a_day_early() {
        assert_eq!(read("Dep 12:18", Direction::Departure), Ok(Progress::Departed(at("2025-12-26T04:18:00Z"))));
    }

    #[test]
    fn what_is_no_status_is_refused_with_its_reason() {
        let arrival = |text| read(text, Direction::Arrival).unwrap_err();
        assert_eq!(arrival("Diverted"), StatusError::Unknown("Diverted".into()));
        for text in [
            "At gate 24:10",
            "At gate 9:10",
            "At gate 09:10 27/12/2025",
            "At gate 09:10 (31/02/2026)",
            "At gate 09:10 (1/1/2026)",
        ] {
            assert_eq!(arrival(text), StatusError::Time(text.into()));
        }
        assert_eq!(arrival("Dep 09:10"), StatusError::Direction { status: "Dep 09:10".into(), of: "an arrival" });
        assert!(read("At gate 09:10", Direction::Departure).is_err());
        assert!(read("Boarding", Direction::Arrival).is_err());
        assert_eq!(arrival("At gate 09:10 (11/01/2026)"), StatusError::TooFar("At gate 09:10 (11/01/2026)".into()));
    }
}
