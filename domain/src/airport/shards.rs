//! Allocations are tagged with the days that they touch.
//!
//! A stand sees thousands of allocations a year, and a decision about tomorrow depends on few of them. Tags by stand
//! and UTC day, over the stay with its buffer, keep a decision's boundary to those days; they are a technical division
//! of time, not the site's calendar.

use chrono::{Duration, NaiveDate};

use super::StandId;
use crate::kernel::{Interval, Tag};
use crate::support::SiteId;

/// The longest stay that can be allocated.
pub const SHARD_LIMIT: Duration = Duration::days(14);

/// The tag of allocations on `stand` that touch `day`.
#[must_use]
pub fn stand_day(stand: &StandId, day: NaiveDate) -> Tag {
    Tag::new("stand_day", format_args!("{stand}/{day}"))
}

/// The tag of allocations at `site` that touch `day`.
#[must_use]
pub fn site_day(site: &SiteId, day: NaiveDate) -> Tag {
    Tag::new("site_day", format_args!("{site}/{day}"))
}

/// Both tags for every day that the stay touches, `buffer_minutes` added at each end.
pub(super) fn day_tags(stand: &StandId, stay: Interval, buffer_minutes: u32) -> impl Iterator<Item = Tag> {
    let site = stand.site();
    let stand = stand.clone();
    stay.padded(Duration::minutes(buffer_minutes.into()))
        .days(SHARD_LIMIT)
        .flat_map(move |day| [stand_day(&stand, day), site_day(&site, day)])
}
