//! The limits that springs are judged by.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use vigie_domain::Event;
use vigie_domain::rail::{Limit, LimitsSet, RailEvent, names};
use vigie_domain::support::SiteId;

use crate::engine::row;
use crate::{Entry, FoldError, ReadModel, Rows};

/// One version of a site's limits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the columns are described in the migration")]
pub struct SpringLimitsRow {
    pub site: SiteId,
    pub version: u32,
    pub valid_from: DateTime<Utc>,
    pub limits: Vec<Limit>,
    pub position: i64,
    pub changed_at: DateTime<Utc>,
}
row!(SpringLimitsRow in "spring_limits" by site: SiteId, version: u32);

/// Every version of every site's limits.
pub struct SpringLimits;

fn limits(entry: &Entry) -> Option<&LimitsSet> {
    let Event::Rail(event) = entry.event() else { return None };
    match event {
        RailEvent::LimitsSet(limits) => Some(limits),
        RailEvent::PassRegistered(_)
        | RailEvent::CarMeasured(_)
        | RailEvent::SpringOutOfLimits(_)
        | RailEvent::CompletenessDeclared(_)
        | RailEvent::PassCompleted(_)
        | RailEvent::PassConfirmed(_)
        | RailEvent::PassReopened(_) => None,
    }
}

impl ReadModel for SpringLimits {
    const NAME: &'static str = "spring_limits";
    const VERSION: i32 = 2;
    const EVENTS: &'static [&'static str] = &[names::LIMITS_SET];
    type Rows = (SpringLimitsRow,);

    fn keys(entry: &Entry, rows: &mut Rows) {
        if let Some(limits) = limits(entry) {
            rows.want::<SpringLimitsRow>((limits.site.clone(), limits.version));
        }
    }

    fn fold(entry: &Entry, rows: &mut Rows) -> Result<(), FoldError> {
        let Some(limits) = limits(entry) else { return Ok(()) };
        rows.put(&(limits.site.clone(), limits.version), entry, |_| SpringLimitsRow {
            site: limits.site.clone(),
            version: limits.version,
            valid_from: limits.valid_from,
            limits: limits.limits.clone(),
            position: 0,
            changed_at: entry.stamp().recorded_at,
        })
    }
}
