//! Lists that people read by day: a day of a site becomes the times at which it starts and ends there.

use async_graphql::{Context, Error, ID};
use chrono::{DateTime, NaiveDate, Utc};

use super::context::Parts;
use super::error::bad_input;
use super::snapshot::unreadable;
use crate::audit::{FilterError, check_day, day};

/// From a time on, and before another.
pub(super) type Times = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// The times that a filter asks for: those it gives, or those of its day in the zone that its site has in the state
/// that is read.
///
/// # Errors
/// A day without a site, beside times, or of a site that is not set up; the read models cannot be read.
pub(super) async fn times(
    ctx: &Context<'_>,
    site: Option<&ID>,
    date: Option<NaiveDate>,
    times: Times,
) -> Result<Times, Error> {
    check_day(date, site, times.0.is_some() || times.1.is_some()).map_err(|error| bad_filter(&error))?;
    let Some((site, date)) = site.zip(date) else { return Ok(times) };
    let mut reading = ctx.snapshot().read().await?;
    let found = day(site, date, ctx.snapshot().view(), reading.connection()).await.map_err(unreadable)?;
    found.map(|(from, to)| (Some(from), Some(to))).map_err(|error| bad_filter(&error))
}

/// A part of the argument `filter` that cannot be used.
pub(super) fn bad_filter(error: &FilterError) -> Error {
    bad_input(&format!("filter.{}", error.field), &error.problem)
}
