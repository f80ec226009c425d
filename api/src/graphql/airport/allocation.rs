//! An allocation, as it is answered.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use sqlx::types::Json;
use sqlx::{FromRow, Postgres, QueryBuilder};
use uuid::Uuid;

use super::enums::{AllocationStatus, CodeLetter};
use super::flight::Flight;
use super::stand::Stand;
use crate::graphql::audit::{Provenance, Table};
use crate::graphql::context::Parts;
use crate::graphql::days::times;
use crate::graphql::keyset::{Kind, Part};
use crate::graphql::list::{Filter, List, Row, between, equals, list};
use crate::graphql::load::{ByKey, Keyed};
use crate::graphql::page::Page;
use crate::graphql::ready::{Leaves, Ready};
use crate::graphql::relation::View;
use crate::graphql::scalars::Position;

/// A stand that was looked at.
#[derive(Debug, Clone, Deserialize, SimpleObject)]
pub(crate) struct Candidate {
    /// The stand.
    stand: ID,
    /// Its points of penalty, if it was suitable; the fewest win.
    points: Option<i64>,
    /// Why it lost, as `{why, …}`; the chosen one has none.
    rejected: Option<async_graphql::Json<serde_json::Value>>,
}

impl From<vigie_domain::airport::Candidate> for Candidate {
    fn from(candidate: vigie_domain::airport::Candidate) -> Self {
        let rejected = candidate.rejected.and_then(|why| serde_json::to_value(why).ok()).map(async_graphql::Json);
        Self { stand: ID(candidate.stand.into()), points: candidate.points.map(i64::from), rejected }
    }
}

/// A move to another stand.
#[derive(Debug, Clone, Deserialize, SimpleObject)]
pub(crate) struct Move {
    /// The stand before.
    from: ID,
    /// The stand after.
    to: ID,
    /// When.
    at: DateTime<Utc>,
    /// Who moved it.
    by: String,
    /// What was written beside it.
    #[serde(default)]
    note: String,
}

/// A row of `read.allocations`.
#[derive(Debug, Clone, FromRow)]
pub(in crate::graphql) struct AllocationRow {
    pub(super) allocation: Uuid,
    site: String,
    stand: String,
    flight: String,
    turnaround: Option<String>,
    from_at: DateTime<Utc>,
    to_at: Option<DateTime<Utc>>,
    planned_to: Option<DateTime<Utc>>,
    buffer_minutes: i32,
    aircraft_type: String,
    code: CodeLetter,
    status: AllocationStatus,
    overflow: Option<String>,
    requested: bool,
    rules_version: i32,
    candidates: Json<Vec<Candidate>>,
    note: String,
    moves: Json<Vec<Move>>,
    conflict: Option<String>,
    cancelled_by: Option<String>,
    cancel_note: Option<String>,
    actor: String,
    ended_at: Option<DateTime<Utc>>,
    position: i64,
    created_at: DateTime<Utc>,
    changed_at: DateTime<Utc>,
}

impl Row for AllocationRow {
    const TABLE: &'static str = "allocations";
    const ORDER: &'static [(&'static str, Kind)] = &[("from_at", Kind::Time), ("allocation", Kind::Id)];
    fn key(&self) -> Vec<Part> {
        vec![Part::Time(self.from_at), Part::Id(self.allocation)]
    }
}

impl Keyed for AllocationRow {
    type Key = Uuid;
    const TABLE: &'static str = "allocations";
    const COLUMN: &'static str = "allocation";
    fn key(&self) -> Uuid {
        self.allocation
    }
}

/// One stay of one flight on a stand, wherever it is moved to.
pub(crate) type Allocation = Ready<AllocationFields>;

/// Its fields.
#[derive(Clone)]
pub(crate) struct AllocationFields(Arc<AllocationRow>);

impl Leaves for AllocationFields {}

/// A list of allocations.
pub(super) type Allocations = List<Allocation>;

impl From<AllocationRow> for Allocation {
    fn from(row: AllocationRow) -> Self {
        Arc::new(row).into()
    }
}

impl From<Arc<AllocationRow>> for Allocation {
    fn from(row: Arc<AllocationRow>) -> Self {
        Self::new(AllocationFields(row))
    }
}

impl Allocation {
    /// The allocation of this id, if there is one.
    pub(in crate::graphql) async fn find(ctx: &Context<'_>, id: Option<Uuid>) -> Result<Option<Self>, Error> {
        let Some(id) = id else { return Ok(None) };
        Ok(ctx.loader::<ByKey<AllocationRow>>().one(id).await?.map(Self::from))
    }
}

#[Object(name = "Allocation")]
impl AllocationFields {
    /// Its id.
    async fn id(&self) -> ID {
        ID(self.0.allocation.to_string())
    }
    /// Where.
    async fn site(&self) -> ID {
        ID(self.0.site.clone())
    }
    /// The stand.
    async fn stand(&self, ctx: &Context<'_>) -> Result<Option<Stand>, Error> {
        Stand::find(ctx, Some(self.0.stand.clone())).await
    }
    /// The flight that asked for it.
    async fn flight(&self, ctx: &Context<'_>) -> Result<Option<Flight>, Error> {
        Flight::find(ctx, Some(self.0.flight.clone())).await
    }
    /// The other leg of its turnaround.
    async fn turnaround(&self, ctx: &Context<'_>) -> Result<Option<Flight>, Error> {
        Flight::find(ctx, self.0.turnaround.clone()).await
    }
    /// The stay starts.
    async fn from(&self) -> DateTime<Utc> {
        self.0.from_at
    }
    /// The stay ends: as planned, or when the aircraft left.
    async fn to(&self) -> Option<DateTime<Utc>> {
        self.0.to_at
    }
    /// The end that was planned.
    async fn planned_to(&self) -> Option<DateTime<Utc>> {
        self.0.planned_to
    }
    /// Minutes that the stand stays free around it.
    async fn buffer_minutes(&self) -> i32 {
        self.0.buffer_minutes
    }
    /// ICAO designator of the aircraft type.
    async fn aircraft_type(&self) -> &str {
        &self.0.aircraft_type
    }
    /// The aircraft's code letter.
    async fn code(&self) -> CodeLetter {
        self.0.code
    }
    /// Whether it holds its stand.
    async fn status(&self) -> AllocationStatus {
        self.0.status
    }
    /// Why a civil flight stands on a military stand, if it does.
    async fn overflow(&self) -> Option<&str> {
        self.0.overflow.as_deref()
    }
    /// Whether the stand was asked for by name.
    async fn requested(&self) -> bool {
        self.0.requested
    }
    /// Version of the site's allocation rules; 0 for the built-in ones.
    async fn rules_version(&self) -> i32 {
        self.0.rules_version
    }
    /// The stands that were looked at.
    async fn candidates(&self) -> &[Candidate] {
        &self.0.candidates.0
    }
    /// What the operator wrote.
    async fn note(&self) -> &str {
        &self.0.note
    }
    /// Moves to other stands, oldest first.
    async fn moves(&self) -> &[Move] {
        &self.0.moves.0
    }
    /// Why its stand cannot keep it, if that is so.
    async fn conflict(&self) -> Option<&str> {
        self.0.conflict.as_deref()
    }
    /// Why it was cancelled: `operator` or `flight_cancelled`.
    async fn cancelled_by(&self) -> Option<&str> {
        self.0.cancelled_by.as_deref()
    }
    /// What was written when it was cancelled.
    async fn cancel_note(&self) -> Option<&str> {
        self.0.cancel_note.as_deref()
    }
    /// Who allocated.
    async fn actor(&self) -> &str {
        &self.0.actor
    }
    /// When it was freed or cancelled, by the source's clock.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.0.ended_at
    }
    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
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
        Provenance::of(&Table::ALLOCATIONS, [self.0.allocation.to_string()], self.0.position)
    }
    /// Who did what to it, newest first.
    async fn audit(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<crate::graphql::audit::Trail, Error> {
        crate::graphql::audit::trail(ctx, format!("allocation:{}", self.0.allocation), first, after).await
    }
}

/// Which allocations.
#[derive(Debug, Clone, Default, InputObject)]
pub(crate) struct AllocationFilter {
    /// At this site.
    site: Option<ID>,
    /// On this stand.
    stand: Option<ID>,
    /// Asked for by this flight.
    flight: Option<ID>,
    /// In this state.
    status: Option<AllocationStatus>,
    /// That their stand cannot keep, or that it can.
    conflict: Option<bool>,
    /// On a military stand for want of a civil one, or not.
    overflow: Option<bool>,
    /// Starting from this time on.
    from: Option<DateTime<Utc>>,
    /// Starting before this time.
    to: Option<DateTime<Utc>>,
    /// Starting on this day in the zone of `site`, instead of `from` and `to`.
    day: Option<NaiveDate>,
}

/// The filter with the times of its day, if it has one.
pub(super) async fn settled(ctx: &Context<'_>, mut filter: AllocationFilter) -> Result<AllocationFilter, Error> {
    (filter.from, filter.to) = times(ctx, filter.site.as_ref(), filter.day.take(), (filter.from, filter.to)).await?;
    Ok(filter)
}

/// What the rows must satisfy.
pub(super) fn filtered(filter: AllocationFilter) -> Filter {
    Arc::new(move |sql: &mut QueryBuilder<Postgres>, _: &View| {
        let filter = filter.clone();
        equals(sql, "site", filter.site.map(|id| id.0));
        equals(sql, "stand", filter.stand.map(|id| id.0));
        equals(sql, "flight", filter.flight.map(|id| id.0));
        equals(sql, "status", filter.status);
        equals(sql, "(conflict is not null)", filter.conflict);
        equals(sql, "(overflow is not null)", filter.overflow);
        between(sql, "from_at", filter.from, filter.to);
    })
}

pub(super) async fn allocations(ctx: &Context<'_>, filter: AllocationFilter, page: Page) -> Result<Allocations, Error> {
    list::<AllocationRow, Allocation>(ctx, page, filtered(settled(ctx, filter).await?)).await
}

pub(super) async fn of_stand(
    ctx: &Context<'_>,
    stand: String,
    status: Option<AllocationStatus>,
    page: Page,
) -> Result<Allocations, Error> {
    let filter = AllocationFilter { stand: Some(ID(stand)), status, ..AllocationFilter::default() };
    Box::pin(allocations(ctx, filter, page)).await
}
