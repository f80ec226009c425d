//! The id of a site, its time zone, and the name of what follows the log.

use chrono::{DateTime, MappedLocalTime, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};

use crate::kernel::text_id;

text_id!(
    /// A transport site: `LFW`, `HKG`, `SANGATTE`.
    SiteId,
    "site id",
    "2 to 16 capital letters, digits or hyphens, such as LFW",
    |text| (2..=16).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-')
);

text_id!(
    /// The name of a time zone of the IANA database, such as `Africa/Lome`.
    Zone,
    "time zone",
    "a name of the IANA time zone database, such as Africa/Lome",
    |text| text.parse::<chrono_tz::Tz>().is_ok()
);

text_id!(
    /// The name of a read model or policy: `flights`, `alerts.spring_out_of_limits`.
    ConsumerName,
    "name of a read model or policy",
    "1 to 64 small letters, digits, underscores or dots, such as flights",
    |text| (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'.')
);

impl SiteId {
    /// Where an event happened whose own site cannot be read.
    #[must_use]
    pub fn unknown() -> Self {
        Self::new("UNKNOWN").expect("it follows the rule of site ids")
    }
}

impl Zone {
    /// The zone's rules.
    #[must_use]
    pub fn tz(&self) -> chrono_tz::Tz {
        self.as_str().parse().expect("a zone is checked when it is made")
    }

    /// From the first moment of a day to the first of the next; `None` beyond the calendar. Where clocks change, a day
    /// has 23 or 25 hours, and one that a zone left out has none.
    #[must_use]
    pub fn day(&self, day: NaiveDate) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        Some((self.first_moment(day)?, self.first_moment(day.succ_opt()?)?))
    }

    /// Where clocks go forward at midnight, the day starts with its first minute that there is.
    fn first_moment(&self, day: NaiveDate) -> Option<DateTime<Utc>> {
        /// No zone has left out more than a day.
        const LONGEST_GAP: i64 = 48 * 60;
        let (zone, midnight) = (self.tz(), day.and_time(NaiveTime::MIN));
        (0..=LONGEST_GAP).find_map(|minutes| {
            let local = midnight.checked_add_signed(TimeDelta::minutes(minutes))?;
            match zone.from_local_datetime(&local) {
                MappedLocalTime::Single(one) | MappedLocalTime::Ambiguous(one, _) => Some(one.to_utc()),
                MappedLocalTime::None => None,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Start, end and hours of a day.
    fn day(zone: &str, day: &str) -> (String, String, i64) {
        let (from, to) = Zone::new(zone).unwrap().day(day.parse().unwrap()).unwrap();
        let text = |time: DateTime<Utc>| time.format("%dT%H:%M").to_string();
        (text(from), text(to), (to - from).num_hours())
    }

    #[test]
    fn a_day_goes_from_midnight_to_midnight_of_its_zone_however_long_that_is() {
        for (zone, date, from, to, hours) in [
            ("Africa/Lome", "2026-03-29", "29T00:00", "30T00:00", 24),
            ("Asia/Hong_Kong", "2026-03-29", "28T16:00", "29T16:00", 24),
            ("Europe/Paris", "2026-03-28", "27T23:00", "28T23:00", 24),
            ("Europe/Paris", "2026-03-29", "28T23:00", "29T22:00", 23),
            ("Europe/Paris", "2026-10-25", "24T22:00", "25T23:00", 25),
            // Clocks go forward at midnight, and back to before it.
            ("Africa/Cairo", "2026-04-24", "23T22:00", "24T21:00", 23),
            ("America/Havana", "2026-11-01", "01T04:00", "02T05:00", 25),
            // Samoa went over the date line: there was no such day.
            ("Pacific/Apia", "2011-12-30", "30T10:00", "30T10:00", 0),
        ] {
            assert_eq!(day(zone, date), (from.to_owned(), to.to_owned(), hours), "{zone} {date}");
        }
    }

    #[test]
    fn the_last_day_of_the_calendar_has_no_end() {
        assert_eq!(Zone::new("Europe/Paris").unwrap().day(NaiveDate::MAX), None);
    }
}
