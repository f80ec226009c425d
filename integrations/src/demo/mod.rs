//! A demo day: two sites, and what happens there from midnight to midnight.
//!
//! Everything follows from a seed and a date: no clock, no chance of its own. The same seed and date give the same
//! steps, so that a day can be played, broken off and played on. The airport is Lomé with the airlines, routes and
//! aircraft types that fly there; its timetable, its stands and whatever happens on them are invented, and so is the
//! railway site with its trains and spring limits.

mod airport;
mod random;
mod step;
mod timetable;
mod trains;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

pub use airport::set_up_airport;
pub use step::{Command, Step};
pub use trains::set_up_rail;

use crate::zones;

/// The airport: Lomé–Tokoin.
pub const AIRPORT: &str = "LFW";
/// The railway site: the French portal of the Channel Tunnel.
pub const RAIL: &str = "SANGATTE";
/// The people of the demo.
pub const OPERATOR: &str = "operator:demo";
/// The systems of the demo.
pub const FEED: &str = "feed:demo";

/// Which day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// What chance follows from.
    pub seed: u64,
    /// The date at each site, in its own zone.
    pub date: NaiveDate,
}

impl Day {
    /// What happens on the day at both sites, in order of time.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        let mut steps = airport::steps(self);
        steps.extend(trains::steps(self));
        steps.sort_by_key(|step| step.at);
        steps
    }

    /// The moment at which clocks in `zone` show `minute` minutes after midnight of the day.
    fn at(&self, zone: Tz, minute: i64) -> DateTime<Utc> {
        zones::utc(zone, self.date.and_time(chrono::NaiveTime::MIN) + TimeDelta::minutes(minute))
    }
}

/// What sets both sites up. Sites that are set up already stay as they are.
#[must_use]
pub fn set_up() -> Vec<Step> {
    let mut steps = set_up_airport();
    steps.extend(set_up_rail());
    steps
}

#[cfg(test)]
mod tests;
