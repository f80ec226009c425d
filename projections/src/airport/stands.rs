//! The stands and when they are closed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use vigie_domain::Event;
use vigie_domain::airport::{AirportEvent, CodeLetter, StandDefined, StandId, StandKind, names};
use vigie_domain::kernel::{Interval, IntervalSet};
use vigie_domain::support::SiteId;

use crate::engine::row;
use crate::{Entry, FoldError, ReadModel, Rows};

/// A time in which a stand is closed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Closure {
    /// First moment.
    pub from: DateTime<Utc>,
    /// First moment after it; unknown without.
    pub to: Option<DateTime<Utc>>,
    /// Why.
    pub reason: String,
}

/// A stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the columns are described in the migration")]
pub struct StandRow {
    pub stand: StandId,
    pub site: SiteId,
    pub name: String,
    pub kind: StandKind,
    pub code: CodeLetter,
    pub jetway: bool,
    pub distance_m: u32,
    pub closures: Vec<Closure>,
    pub position: i64,
    pub created_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
}
row!(StandRow in "stands" by stand: StandId);

/// Stands and their closures.
pub struct Stands;

impl ReadModel for Stands {
    const NAME: &'static str = "stands";
    const VERSION: i32 = 2;
    const EVENTS: &'static [&'static str] = &[names::STAND_DEFINED, names::STAND_CLOSED, names::STAND_REOPENED];
    type Rows = (StandRow,);

    fn keys(entry: &Entry, rows: &mut Rows) {
        if let Some(stand) = stand(entry) {
            rows.want::<StandRow>((stand.clone(),));
        }
    }

    fn fold(entry: &Entry, rows: &mut Rows) -> Result<(), FoldError> {
        let Event::Airport(event) = entry.event() else { return Ok(()) };
        match event {
            AirportEvent::StandDefined(stand) => {
                rows.put(&(stand.stand.clone(),), entry, |row| defined(row, stand, entry))
            }
            AirportEvent::StandClosed(closed) => rows.change(&(closed.stand.clone(),), entry, |row: &mut StandRow| {
                row.close(closed.interval, closed.reason.as_str());
            }),
            AirportEvent::StandReopened(reopened) => {
                rows.change(&(reopened.stand.clone(),), entry, |row: &mut StandRow| row.open(reopened.interval))
            }
            about_rules!() | about_stays!() | about_flights!() => Ok(()),
        }
    }
}

fn stand(entry: &Entry) -> Option<&StandId> {
    let Event::Airport(event) = entry.event() else { return None };
    match event {
        AirportEvent::StandDefined(event) => Some(&event.stand),
        AirportEvent::StandClosed(event) => Some(&event.stand),
        AirportEvent::StandReopened(event) => Some(&event.stand),
        about_rules!() | about_stays!() | about_flights!() => None,
    }
}

fn defined(row: Option<&StandRow>, stand: &StandDefined, entry: &Entry) -> StandRow {
    let recorded_at = entry.stamp().recorded_at;
    StandRow {
        stand: stand.stand.clone(),
        site: stand.site.clone(),
        name: stand.stand.name().to_owned(),
        kind: stand.kind,
        code: stand.code,
        jetway: stand.jetway,
        distance_m: stand.distance_m,
        closures: row.map(|row| row.closures.clone()).unwrap_or_default(),
        position: 0,
        created_at: row.map_or(recorded_at, |row| row.created_at),
        changed_at: recorded_at,
    }
}

impl StandRow {
    /// The newest closure rules where two overlap.
    fn close(&mut self, interval: Interval, reason: &str) {
        self.open(interval);
        let place = self.closures.partition_point(|closure| closure.from < interval.from());
        let closure = Closure { from: interval.from(), to: interval.to(), reason: reason.to_owned() };
        self.closures.insert(place, closure);
    }

    fn open(&mut self, interval: Interval) {
        let cut = |closure: &Closure| {
            let mut set = IntervalSet::default();
            set.add(match closure.to.map(|to| Interval::new(closure.from, to)) {
                Some(Ok(bounded)) => bounded,
                Some(Err(_)) | None => Interval::starting(closure.from),
            });
            set.subtract(interval);
            let part = |part: &Interval| Closure { from: part.from(), to: part.to(), reason: closure.reason.clone() };
            set.parts().iter().map(part).collect::<Vec<_>>()
        };
        self.closures = self.closures.iter().flat_map(cut).collect();
    }
}
