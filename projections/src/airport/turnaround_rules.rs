//! The turnaround minutes of aircraft types.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use vigie_domain::Event;
use vigie_domain::airport::{AircraftType, AirportEvent, TurnaroundRuleSet, names};
use vigie_domain::support::SiteId;

use crate::engine::row;
use crate::{Entry, FoldError, ReadModel, Rows};

/// The minutes of one type at one site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the columns are described in the migration")]
pub struct TurnaroundRuleRow {
    pub site: SiteId,
    pub aircraft_type: AircraftType,
    pub min_minutes: u32,
    pub typical_minutes: u32,
    pub max_minutes: u32,
    pub position: i64,
    pub changed_at: DateTime<Utc>,
}
row!(TurnaroundRuleRow in "turnaround_rules" by site: SiteId, aircraft_type: AircraftType);

/// Turnaround minutes by site and aircraft type.
pub struct TurnaroundRules;

fn rule(entry: &Entry) -> Option<&TurnaroundRuleSet> {
    let Event::Airport(event) = entry.event() else { return None };
    match event {
        AirportEvent::TurnaroundRuleSet(rule) => Some(rule),
        AirportEvent::AllocationRulesSet(_) | about_stands!() | about_stays!() | about_flights!() => None,
    }
}

impl ReadModel for TurnaroundRules {
    const NAME: &'static str = "turnaround_rules";
    const VERSION: i32 = 2;
    const EVENTS: &'static [&'static str] = &[names::TURNAROUND_RULE_SET];
    type Rows = (TurnaroundRuleRow,);

    fn keys(entry: &Entry, rows: &mut Rows) {
        if let Some(rule) = rule(entry) {
            rows.want::<TurnaroundRuleRow>((rule.site.clone(), rule.aircraft_type.clone()));
        }
    }

    fn fold(entry: &Entry, rows: &mut Rows) -> Result<(), FoldError> {
        let Some(rule) = rule(entry) else { return Ok(()) };
        let key = (rule.site.clone(), rule.aircraft_type.clone());
        rows.put(&key, entry, |_| TurnaroundRuleRow {
            site: rule.site.clone(),
            aircraft_type: rule.aircraft_type.clone(),
            min_minutes: rule.turnaround.min(),
            typical_minutes: rule.turnaround.typical_minutes(),
            max_minutes: rule.turnaround.max(),
            position: 0,
            changed_at: entry.stamp().recorded_at,
        })
    }
}
