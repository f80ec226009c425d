//! The sites with their settings.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use vigie_domain::Event;
use vigie_domain::airport::{self, AirportEvent, Turnaround, Weights};
use vigie_domain::support::{self, SiteDefined, SiteId, SiteKind, SupportEvent, Zone};

use crate::engine::row;
use crate::{Entry, FoldError, ReadModel, Rows};

/// A site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the columns are described in the migration")]
pub struct SiteRow {
    pub site: SiteId,
    pub name: String,
    pub kind: SiteKind,
    pub zone: Zone,
    pub icao: Option<String>,
    pub rules_version: u32,
    pub buffer_minutes: Option<u32>,
    pub default_turnaround: Option<Turnaround>,
    pub weights: Option<Weights>,
    pub position: i64,
    pub created_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
}
row!(SiteRow in "sites" by site: SiteId);

/// Sites and their allocation rules.
pub struct Sites;

impl ReadModel for Sites {
    const NAME: &'static str = "sites";
    const VERSION: i32 = 2;
    const EVENTS: &'static [&'static str] = &[support::names::SITE_DEFINED, airport::names::ALLOCATION_RULES_SET];
    type Rows = (SiteRow,);

    fn keys(entry: &Entry, rows: &mut Rows) {
        if let Some(site) = entry.event().site().filter(|_| concerns(entry.event())) {
            rows.want::<SiteRow>((site.clone(),));
        }
    }

    fn fold(entry: &Entry, rows: &mut Rows) -> Result<(), FoldError> {
        let Some(site) = entry.event().site() else { return Ok(()) };
        let key = (site.clone(),);
        match entry.event() {
            Event::Support(SupportEvent::SiteDefined(site)) => rows.put(&key, entry, |row| defined(row, site, entry)),
            Event::Airport(event) => match event {
                AirportEvent::AllocationRulesSet(rules) => rows.change(&key, entry, |row: &mut SiteRow| {
                    row.rules_version = rules.version;
                    row.buffer_minutes = Some(rules.buffer_minutes);
                    row.default_turnaround = Some(rules.default_turnaround);
                    row.weights = Some(rules.weights);
                }),
                AirportEvent::TurnaroundRuleSet(_) | about_stands!() | about_stays!() | about_flights!() => Ok(()),
            },
            Event::Support(SupportEvent::EventSkipped(_))
            | Event::Rail(_)
            | Event::Alerts(_)
            | Event::Identity(_)
            | Event::Webhooks(_) => Ok(()),
        }
    }
}

fn concerns(event: &Event) -> bool {
    match event {
        Event::Support(SupportEvent::SiteDefined(_)) => true,
        Event::Airport(event) => match event {
            AirportEvent::AllocationRulesSet(_) => true,
            AirportEvent::TurnaroundRuleSet(_) | about_stands!() | about_stays!() | about_flights!() => false,
        },
        Event::Support(SupportEvent::EventSkipped(_))
        | Event::Rail(_)
        | Event::Alerts(_)
        | Event::Identity(_)
        | Event::Webhooks(_) => false,
    }
}

fn defined(row: Option<&SiteRow>, site: &SiteDefined, entry: &Entry) -> SiteRow {
    let recorded_at = entry.stamp().recorded_at;
    SiteRow {
        site: site.site.clone(),
        name: site.name.clone(),
        kind: site.kind,
        zone: site.zone.clone(),
        icao: site.icao.clone(),
        rules_version: row.map_or(0, |row| row.rules_version),
        buffer_minutes: row.and_then(|row| row.buffer_minutes),
        default_turnaround: row.and_then(|row| row.default_turnaround),
        weights: row.and_then(|row| row.weights),
        position: 0,
        created_at: row.map_or(recorded_at, |row| row.created_at),
        changed_at: recorded_at,
    }
}
