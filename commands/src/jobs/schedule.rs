//! When a job is due: pure arithmetic on the wall clock of a zone.

use std::fmt;

use chrono::{
    DateTime, Datelike, Days, MappedLocalTime, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc, Weekday,
};
use chrono_tz::Tz;

/// How often a job runs.
///
/// A time of day that a zone leaves out (clocks go forward) is the next one that it has; one that it has twice (clocks
/// go back) is the first of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// Every so many minutes, counted from midnight UTC of 1970; at least 1.
    Every(u32),
    /// Each day.
    Daily(NaiveTime),
    /// Each week.
    Weekly(Weekday, NaiveTime),
    /// Each month, on this day from 1, or on the last one where the month is shorter.
    Monthly(u32, NaiveTime),
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(1) => write!(f, "every minute"),
            Self::Every(minutes) => write!(f, "every {minutes} minutes"),
            Self::Daily(at) => write!(f, "daily at {}", at.format("%H:%M")),
            Self::Weekly(day, at) => write!(f, "weekly on {day} at {}", at.format("%H:%M")),
            Self::Monthly(day, at) => write!(f, "monthly on day {day} at {}", at.format("%H:%M")),
        }
    }
}

/// The first time after `t`, not `t` itself, at which a job is due.
#[must_use]
pub fn next_after(schedule: Schedule, zone: Tz, t: DateTime<Utc>) -> DateTime<Utc> {
    if let Schedule::Every(minutes) = schedule {
        let step = i64::from(minutes.max(1)) * 60;
        let next = (t.timestamp().div_euclid(step) + 1) * step;
        return DateTime::from_timestamp(next, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
    }
    // A time that is left out may fall on the next day, so the day before may still have something to come.
    let yesterday = t.with_timezone(&zone).date_naive() - Days::new(1);
    days(schedule, yesterday)
        .map(|(day, at)| instant(zone, day, at))
        .find(|due| *due > t)
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// How many times a job was due after `from` and not after `to`.
#[must_use]
pub fn due_between(schedule: Schedule, zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
    if let Schedule::Every(minutes) = schedule {
        let step = i64::from(minutes.max(1)) * 60;
        return (to.timestamp().div_euclid(step) - from.timestamp().div_euclid(step)).max(0);
    }
    let dues = std::iter::successors(Some(next_after(schedule, zone, from)), |t| Some(next_after(schedule, zone, *t)));
    i64::try_from(dues.take_while(|due| *due <= to).count()).unwrap_or(i64::MAX)
}

/// The days from `first` on at which it is due, and when.
fn days(schedule: Schedule, first: NaiveDate) -> impl Iterator<Item = (NaiveDate, NaiveTime)> {
    let (first, at) = match schedule {
        Schedule::Every(_) => (first, NaiveTime::MIN),
        Schedule::Daily(at) => (first, at),
        Schedule::Weekly(weekday, at) => {
            let ahead = (7 + weekday.num_days_from_monday() - first.weekday().num_days_from_monday()) % 7;
            (first + Days::new(ahead.into()), at)
        }
        Schedule::Monthly(_, at) => (first.with_day(1).unwrap_or(first), at),
    };
    (0_u32..).map_while(move |n| {
        let day = match schedule {
            Schedule::Every(_) | Schedule::Daily(_) => first.checked_add_days(Days::new(n.into()))?,
            Schedule::Weekly(..) => first.checked_add_days(Days::new(7 * u64::from(n)))?,
            Schedule::Monthly(day, _) => {
                let month = first.checked_add_months(Months::new(n))?;
                let last = month.num_days_in_month().into();
                month.with_day(day.clamp(1, last))?
            }
        };
        Some((day, at))
    })
}

fn instant(zone: Tz, day: NaiveDate, at: NaiveTime) -> DateTime<Utc> {
    /// No zone has left out more than a day.
    const LONGEST_GAP: i64 = 48 * 60;
    let wanted = day.and_time(at);
    let there =
        (0..=LONGEST_GAP).find_map(|minutes| match zone.from_local_datetime(&(wanted + TimeDelta::minutes(minutes))) {
            MappedLocalTime::Single(one) | MappedLocalTime::Ambiguous(one, _) => Some(one.to_utc()),
            MappedLocalTime::None => None,
        });
    there.unwrap_or_else(|| wanted.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn at(hour: u32, minute: u32) -> NaiveTime {
        NaiveTime::from_hms_opt(hour, minute, 0).unwrap()
    }

    /// The next times after `t`.
    fn next(schedule: Schedule, zone: Tz, t: &str, count: usize) -> Vec<String> {
        let first = next_after(schedule, zone, utc(t));
        let all = std::iter::successors(Some(first), |t| Some(next_after(schedule, zone, *t)));
        all.take(count).map(|t| t.format("%m-%dT%H:%M").to_string()).collect()
    }

    #[test]
    fn every_so_many_minutes_is_counted_from_a_fixed_time_and_does_not_drift() {
        assert_eq!(
            next(Schedule::Every(5), Tz::UTC, "2026-03-01T12:02:31Z", 3),
            ["03-01T12:05", "03-01T12:10", "03-01T12:15"]
        );
        assert_eq!(next(Schedule::Every(2), Tz::UTC, "2026-03-01T12:02:00Z", 1), ["03-01T12:04"]);
    }

    #[test]
    fn a_time_of_day_follows_the_zone_and_comes_strictly_later() {
        let hong_kong = next(Schedule::Daily(at(3, 0)), Tz::Asia__Hong_Kong, "2026-02-28T19:00:00Z", 2);
        assert_eq!(hong_kong, ["03-01T19:00", "03-02T19:00"]);
    }

    #[test]
    fn a_time_that_the_zone_leaves_out_is_the_next_that_it_has_and_one_that_it_has_twice_runs_once() {
        // In Paris clocks go from 02:00 to 03:00 on 29 March and from 03:00 back to 02:00 on 25 October 2026.
        let spring = next(Schedule::Daily(at(2, 30)), Tz::Europe__Paris, "2026-03-27T12:00:00Z", 3);
        assert_eq!(spring, ["03-28T01:30", "03-29T01:00", "03-30T00:30"]);
        let autumn = next(Schedule::Daily(at(2, 30)), Tz::Europe__Paris, "2026-10-23T12:00:00Z", 3);
        assert_eq!(autumn, ["10-24T00:30", "10-25T00:30", "10-26T01:30"]);
        let between = next(Schedule::Daily(at(2, 30)), Tz::Europe__Paris, "2026-10-25T00:45:00Z", 1);
        assert_eq!(between, ["10-26T01:30"], "the second 02:30 of the day is none");
    }

    #[test]
    fn where_clocks_go_forward_at_midnight_the_day_begins_with_its_first_minute() {
        let cairo = next(Schedule::Daily(at(0, 0)), Tz::Africa__Cairo, "2026-04-22T23:00:00Z", 2);
        assert_eq!(cairo, ["04-23T22:00", "04-24T21:00"]);
    }

    #[test]
    fn weeks_and_months_have_their_day_and_short_months_their_last() {
        let weekly = next(Schedule::Weekly(Weekday::Sun, at(4, 0)), Tz::UTC, "2026-03-01T04:00:00Z", 2);
        assert_eq!(weekly, ["03-08T04:00", "03-15T04:00"]);
        let monthly = next(Schedule::Monthly(31, at(4, 0)), Tz::UTC, "2026-01-31T04:00:00Z", 3);
        assert_eq!(monthly, ["02-28T04:00", "03-31T04:00", "04-30T04:00"]);
    }

    #[test]
    fn what_was_due_is_counted() {
        let (from, to) = (utc("2026-03-01T12:00:00Z"), utc("2026-03-04T12:00:00Z"));
        assert_eq!(due_between(Schedule::Every(5), Tz::UTC, from, to), 3 * 288);
        assert_eq!(due_between(Schedule::Daily(at(12, 0)), Tz::UTC, from, to), 3);
        assert_eq!(due_between(Schedule::Daily(at(12, 0)), Tz::UTC, to, from), 0);
    }
}
