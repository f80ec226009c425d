//! Local times of a feed, in UTC.

use chrono::{DateTime, Duration, LocalResult, NaiveDateTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;

/// The moment at which clocks in `zone` show `local`.
///
/// Where clocks go back, a time is shown twice: the first of the two is taken. Where clocks go forward, a time is
/// left out: it is read as if they had not gone forward yet, so 02:30 in a gap from 02:00 to 03:00 is 03:30.
#[must_use]
pub fn utc(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.to_utc(),
        LocalResult::None => {
            let before = zone.offset_from_local_datetime(&(local - Duration::days(1)));
            let offset =
                before.earliest().map_or(Duration::zero(), |o| Duration::seconds(o.fix().local_minus_utc().into()));
            (local - offset).and_utc()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(zone: Tz, local: &str) -> String {
        utc(zone, local.parse().unwrap()).to_rfc3339()
    }

    #[test]
    fn a_time_shown_twice_is_the_first_of_the_two() {
        assert_eq!(at(Tz::Europe__Paris, "2025-10-26T02:30:00"), "2025-10-26T00:30:00+00:00");
    }

    #[test]
    fn a_time_left_out_is_read_by_the_clock_before() {
        assert_eq!(at(Tz::Europe__Paris, "2025-03-30T02:30:00"), "2025-03-30T01:30:00+00:00");
        assert_eq!(
            utc(Tz::Europe__Paris, "2025-03-30T03:30:00".parse().unwrap()).to_rfc3339(),
            "2025-03-30T01:30:00+00:00"
        );
    }

    #[test]
    fn an_ordinary_time_is_what_it_is() {
        assert_eq!(at(Tz::Asia__Hong_Kong, "2025-12-20T00:05:00"), "2025-12-19T16:05:00+00:00");
    }
}
