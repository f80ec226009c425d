//! A flight, as it is answered.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{FromRow, Postgres, QueryBuilder};
use uuid::Uuid;

use super::allocation::Allocation;
use super::enums::{CodeLetter, Direction, FlightStatus, Phase};
use super::stand::Stand;
use crate::graphql::alerts::{Alert, AlertsOfFlight};
use crate::graphql::audit::{Provenance, Table};
use crate::graphql::context::Parts;
use crate::graphql::days::times;
use crate::graphql::keyset::{Kind, Part};
use crate::graphql::list::{Filter, List, Row, between, equals, list};
use crate::graphql::load::{ByKey, Keyed};
use crate::graphql::loader::Loader;
use crate::graphql::page::Page;
use crate::graphql::ready::{Leaves, Ready};
use crate::graphql::relation::View;
use crate::graphql::scalars::Position;

/// A row of `read.flights`.
#[derive(Debug, Clone, FromRow)]
pub(in crate::graphql) struct FlightRow {
    pub(super) flight: String,
    site: String,
    carrier: String,
    number: String,
    date: NaiveDate,
    direction: Direction,
    airport: String,
    scheduled_at: DateTime<Utc>,
    progress: FlightStatus,
    progress_at: Option<DateTime<Utc>>,
    phase: Option<Phase>,
    best_at: DateTime<Utc>,
    cancelled: bool,
    gate: String,
    belt: String,
    terminal: String,
    aisle: String,
    hall: String,
    operator: Option<String>,
    codeshares: Vec<String>,
    via: Vec<String>,
    cargo: bool,
    aircraft_type: Option<String>,
    registration: Option<String>,
    code: Option<CodeLetter>,
    turnaround: Option<String>,
    allocation: Option<Uuid>,
    stand: Option<String>,
    no_stand: bool,
    source: String,
    position: i64,
    changed_at: DateTime<Utc>,
}

impl Row for FlightRow {
    const TABLE: &'static str = "flights";
    const ORDER: &'static [(&'static str, Kind)] = &[("scheduled_at", Kind::Time), ("flight", Kind::Text)];
    fn key(&self) -> Vec<Part> {
        vec![Part::Time(self.scheduled_at), Part::Text(self.flight.clone())]
    }
}

impl Keyed for FlightRow {
    type Key = String;
    const TABLE: &'static str = "flights";
    const COLUMN: &'static str = "flight";
    fn key(&self) -> String {
        self.flight.clone()
    }
}

/// Gate and ways through the terminal; empty texts are unknown.
#[derive(SimpleObject)]
pub(crate) struct Placement {
    /// Gate of a departure.
    gate: String,
    /// Baggage belt of an arrival.
    belt: String,
    /// Terminal.
    terminal: String,
    /// Check-in aisle of a departure.
    aisle: String,
    /// Hall of an arrival.
    hall: String,
}

/// A flight leg.
pub(crate) type Flight = Ready<FlightFields>;

/// Its fields.
#[derive(Clone)]
pub(crate) struct FlightFields(Arc<FlightRow>);

impl Leaves for FlightFields {}

impl From<FlightRow> for Flight {
    fn from(row: FlightRow) -> Self {
        Arc::new(row).into()
    }
}

impl From<Arc<FlightRow>> for Flight {
    fn from(row: Arc<FlightRow>) -> Self {
        Self::new(FlightFields(row))
    }
}

impl Flight {
    /// The flight of this id, if there is one.
    pub(in crate::graphql) async fn find(ctx: &Context<'_>, id: Option<String>) -> Result<Option<Self>, Error> {
        let Some(id) = id else { return Ok(None) };
        Ok(ctx.loader::<ByKey<FlightRow>>().one(id).await?.map(Self::from))
    }
}

#[Object(name = "Flight")]
impl FlightFields {
    /// Site, number, date, direction and airport, such as `LFW/AF860/2026-01-15/A/CDG`.
    async fn id(&self) -> ID {
        ID(self.0.flight.clone())
    }
    /// Where.
    async fn site(&self) -> ID {
        ID(self.0.site.clone())
    }
    /// The operating airline.
    async fn carrier(&self) -> &str {
        &self.0.carrier
    }
    /// 1 to 4 digits and perhaps a letter.
    async fn number(&self) -> &str {
        &self.0.number
    }
    /// The scheduled date in the site's zone.
    async fn date(&self) -> NaiveDate {
        self.0.date
    }
    /// Arrival or departure.
    async fn direction(&self) -> Direction {
        self.0.direction
    }
    /// Where it comes from or goes to.
    async fn airport(&self) -> &str {
        &self.0.airport
    }
    /// Scheduled in-block or off-block time (SIBT or SOBT).
    async fn scheduled_at(&self) -> DateTime<Utc> {
        self.0.scheduled_at
    }
    /// How far it has come.
    async fn status(&self) -> FlightStatus {
        self.0.progress
    }
    /// The time that goes with the status.
    async fn status_at(&self) -> Option<DateTime<Utc>> {
        self.0.progress_at
    }
    /// The step on the way to departure, while that is the status.
    async fn phase(&self) -> Option<Phase> {
        self.0.phase
    }
    /// Best known time: actual, estimated, scheduled.
    async fn best_at(&self) -> DateTime<Utc> {
        self.0.best_at
    }
    /// Whether it does not take place.
    async fn cancelled(&self) -> bool {
        self.0.cancelled
    }
    /// Gate and ways through the terminal.
    async fn placement(&self) -> Placement {
        let row = &self.0;
        Placement {
            gate: row.gate.clone(),
            belt: row.belt.clone(),
            terminal: row.terminal.clone(),
            aisle: row.aisle.clone(),
            hall: row.hall.clone(),
        }
    }
    /// ICAO designator of the operator.
    async fn operator(&self) -> Option<&str> {
        self.0.operator.as_deref()
    }
    /// Flight numbers under which other airlines sell it.
    async fn codeshares(&self) -> &[String] {
        &self.0.codeshares
    }
    /// Further airports on the way.
    async fn via(&self) -> &[String] {
        &self.0.via
    }
    /// Whether it carries freight only.
    async fn cargo(&self) -> bool {
        self.0.cargo
    }
    /// ICAO designator of the aircraft type.
    async fn aircraft_type(&self) -> Option<&str> {
        self.0.aircraft_type.as_deref()
    }
    /// The aircraft's registration.
    async fn registration(&self) -> Option<&str> {
        self.0.registration.as_deref()
    }
    /// The aircraft's code letter, once an allocation was tried.
    async fn code(&self) -> Option<CodeLetter> {
        self.0.code
    }
    /// The other leg of its turnaround.
    async fn turnaround(&self, ctx: &Context<'_>) -> Result<Option<Flight>, Error> {
        Flight::find(ctx, self.0.turnaround.clone()).await
    }
    /// The active allocation, also when the other leg asked for it.
    async fn allocation(&self, ctx: &Context<'_>) -> Result<Option<Allocation>, Error> {
        Allocation::find(ctx, self.0.allocation).await
    }
    /// The stand of the active allocation.
    async fn stand(&self, ctx: &Context<'_>) -> Result<Option<Stand>, Error> {
        Stand::find(ctx, self.0.stand.clone()).await
    }
    /// Every alert about it, oldest first.
    async fn alerts(&self, ctx: &Context<'_>) -> Result<Vec<Alert>, Error> {
        let loader: &Loader<AlertsOfFlight> = ctx.loader();
        Ok(loader.one(self.0.flight.clone()).await?.unwrap_or_default())
    }
    /// Whether it asked for a stand and none was left.
    async fn no_stand(&self) -> bool {
        self.0.no_stand
    }
    /// Who reported it last.
    async fn source(&self) -> &str {
        &self.0.source
    }
    /// When it was changed last.
    async fn changed_at(&self) -> DateTime<Utc> {
        self.0.changed_at
    }
    /// The event that changed it last.
    async fn position(&self) -> Position {
        Position(self.0.position)
    }
    /// Why it is what it is: the events that made it, what lies behind them, and what they led to.
    async fn provenance(&self) -> Provenance {
        Provenance::of(&Table::FLIGHTS, [self.0.flight.clone()], self.0.position)
    }
    /// Who did what to it, newest first.
    async fn audit(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<crate::graphql::audit::Trail, Error> {
        crate::graphql::audit::trail(ctx, format!("flight:{}", self.0.flight), first, after).await
    }
}

/// Which flights.
#[derive(Debug, Clone, Default, InputObject)]
pub(crate) struct FlightFilter {
    /// At this site.
    site: Option<ID>,
    /// Arrivals or departures.
    direction: Option<Direction>,
    /// That have come so far.
    status: Option<FlightStatus>,
    /// From or to this airport.
    airport: Option<String>,
    /// Operated by this airline.
    carrier: Option<String>,
    /// With this number.
    number: Option<String>,
    /// Scheduled on this date in the site's zone.
    date: Option<NaiveDate>,
    /// Flown by this type, as its ICAO designator.
    aircraft_type: Option<String>,
    /// Scheduled from this time on.
    from: Option<DateTime<Utc>>,
    /// Scheduled before this time.
    to: Option<DateTime<Utc>>,
    /// Scheduled on this day in the zone of `site`, instead of `from` and `to`.
    day: Option<NaiveDate>,
    /// Without an active allocation and not cancelled; or the others.
    unallocated: Option<bool>,
    /// That asked for a stand when none was left; or the others.
    no_stand: Option<bool>,
}

/// The filter with the times of its day, if it has one.
pub(super) async fn settled(ctx: &Context<'_>, mut filter: FlightFilter) -> Result<FlightFilter, Error> {
    (filter.from, filter.to) = times(ctx, filter.site.as_ref(), filter.day.take(), (filter.from, filter.to)).await?;
    Ok(filter)
}

/// What the rows must satisfy.
pub(super) fn filtered(filter: FlightFilter) -> Filter {
    Arc::new(move |sql: &mut QueryBuilder<Postgres>, _: &View| {
        let filter = filter.clone();
        equals(sql, "site", filter.site.map(|id| id.0));
        equals(sql, "direction", filter.direction);
        equals(sql, "progress", filter.status);
        equals(sql, "airport", filter.airport);
        equals(sql, "carrier", filter.carrier);
        equals(sql, "number", filter.number);
        equals(sql, "date", filter.date);
        equals(sql, "aircraft_type", filter.aircraft_type);
        between(sql, "scheduled_at", filter.from, filter.to);
        equals(sql, "(allocation is null and not cancelled)", filter.unallocated);
        equals(sql, "no_stand", filter.no_stand);
    })
}

pub(super) async fn flights(ctx: &Context<'_>, filter: FlightFilter, page: Page) -> Result<List<Flight>, Error> {
    list::<FlightRow, Flight>(ctx, page, filtered(settled(ctx, filter).await?)).await
}
