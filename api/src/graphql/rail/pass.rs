//! A pass, as it is answered.

use std::sync::Arc;

use async_graphql::{Context, Enum, Error, ID, InputObject, Object};
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{FromRow, Postgres, QueryBuilder};
use uuid::Uuid;

use super::measured::{Car, CarsOfPass, Level};
use crate::graphql::alerts::{Alert, AlertsOfPass};
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

/// How far a pass has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub(crate) enum PassStatus {
    /// Cars, or the mark that all were sent, are missing.
    Receiving,
    /// All of it is there.
    Complete,
    /// A person has confirmed it.
    Confirmed,
    /// An alert came after the confirmation.
    Reopened,
}

/// A row of `read.passes`.
#[derive(Debug, Clone, FromRow)]
pub(in crate::graphql) struct PassRow {
    pub(super) pass: String,
    site: String,
    track: String,
    passed_at: DateTime<Utc>,
    train: Option<String>,
    status: PassStatus,
    declared_cars: Option<i32>,
    measured_cars: i32,
    springs: i32,
    out_of_limits: i32,
    worst_level: Option<Level>,
    open_alerts: Vec<Uuid>,
    ready_to_confirm: bool,
    completed_at: Option<DateTime<Utc>>,
    confirmed_at: Option<DateTime<Utc>>,
    confirmed_by: Option<String>,
    confirmed_note: Option<String>,
    reopened_by: Option<Uuid>,
    position: i64,
    changed_at: DateTime<Utc>,
}

impl Row for PassRow {
    const TABLE: &'static str = "passes";
    const ORDER: &'static [(&'static str, Kind)] = &[("passed_at", Kind::Time), ("pass", Kind::Text)];
    const NEWEST_FIRST: bool = true;
    fn key(&self) -> Vec<Part> {
        vec![Part::Time(self.passed_at), Part::Text(self.pass.clone())]
    }
}

impl Keyed for PassRow {
    type Key = String;
    const TABLE: &'static str = "passes";
    const COLUMN: &'static str = "pass";
    fn key(&self) -> String {
        self.pass.clone()
    }
}

/// A train that has passed the cameras.
pub(crate) type Pass = Ready<PassFields>;

/// Its fields.
#[derive(Clone)]
pub(crate) struct PassFields(Arc<PassRow>);

impl Leaves for PassFields {}

impl From<PassRow> for Pass {
    fn from(row: PassRow) -> Self {
        Arc::new(row).into()
    }
}

impl From<Arc<PassRow>> for Pass {
    fn from(row: Arc<PassRow>) -> Self {
        Self::new(PassFields(row))
    }
}

impl Pass {
    /// The pass of this id, if there is one.
    pub(in crate::graphql) async fn find(ctx: &Context<'_>, id: Option<String>) -> Result<Option<Self>, Error> {
        let Some(id) = id else { return Ok(None) };
        Ok(ctx.loader::<ByKey<PassRow>>().one(id).await?.map(Self::from))
    }
}

#[Object(name = "Pass")]
impl PassFields {
    /// Site and the id that the camera system gave it, such as `SANGATTE/20260115-0412`.
    async fn id(&self) -> ID {
        ID(self.0.pass.clone())
    }
    /// Where.
    async fn site(&self) -> ID {
        ID(self.0.site.clone())
    }
    /// On which track.
    async fn track(&self) -> &str {
        &self.0.track
    }
    /// When the train passed.
    async fn passed_at(&self) -> DateTime<Utc> {
        self.0.passed_at
    }
    /// The train's number, if known.
    async fn train(&self) -> Option<&str> {
        self.0.train.as_deref()
    }
    /// How far it has come.
    async fn status(&self) -> PassStatus {
        self.0.status
    }
    /// The number of cars that the camera system has declared.
    async fn declared_cars(&self) -> Option<i32> {
        self.0.declared_cars
    }
    /// The number of cars that were measured.
    async fn measured_cars(&self) -> i32 {
        self.0.measured_cars
    }
    /// The number of springs that were measured.
    async fn spring_count(&self) -> i32 {
        self.0.springs
    }
    /// Readings out of limits.
    async fn out_of_limits(&self) -> i32 {
        self.0.out_of_limits
    }
    /// The worst of them.
    async fn worst_level(&self) -> Option<Level> {
        self.0.worst_level
    }
    /// Its cars, in the train's order.
    async fn cars(&self, ctx: &Context<'_>) -> Result<Vec<Car>, Error> {
        let loader: &Loader<CarsOfPass> = ctx.loader();
        Ok(loader.one(self.0.pass.clone()).await?.unwrap_or_default())
    }
    /// Every alert about it, oldest first.
    async fn alerts(&self, ctx: &Context<'_>) -> Result<Vec<Alert>, Error> {
        let loader: &Loader<AlertsOfPass> = ctx.loader();
        Ok(loader.one(self.0.pass.clone()).await?.unwrap_or_default())
    }
    /// The number of alerts that are neither acknowledged nor resolved.
    async fn open_alerts(&self) -> usize {
        self.0.open_alerts.len()
    }
    /// Whether it would be confirmed: it is complete, and every alert has been looked at.
    async fn ready_to_confirm(&self) -> bool {
        self.0.ready_to_confirm
    }
    /// When the last missing car came.
    async fn completed_at(&self) -> Option<DateTime<Utc>> {
        self.0.completed_at
    }
    /// When it was confirmed.
    async fn confirmed_at(&self) -> Option<DateTime<Utc>> {
        self.0.confirmed_at
    }
    /// Who confirmed it.
    async fn confirmed_by(&self) -> Option<&str> {
        self.0.confirmed_by.as_deref()
    }
    /// What was written then.
    async fn confirmed_note(&self) -> Option<&str> {
        self.0.confirmed_note.as_deref()
    }
    /// The alert that came after the confirmation.
    async fn reopened_by(&self, ctx: &Context<'_>) -> Result<Option<Alert>, Error> {
        Alert::find(ctx, self.0.reopened_by).await
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
        Provenance::of(&Table::PASSES, [self.0.pass.clone()], self.0.position)
    }
    /// Who did what to it, newest first.
    async fn audit(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<crate::graphql::audit::Trail, Error> {
        crate::graphql::audit::trail(ctx, format!("pass:{}", self.0.pass), first, after).await
    }
}

/// Which passes.
#[derive(Debug, Clone, Default, InputObject)]
pub(crate) struct PassFilter {
    /// At this site.
    site: Option<ID>,
    /// In this state.
    status: Option<PassStatus>,
    /// On this track.
    track: Option<String>,
    /// Of this train.
    train: Option<String>,
    /// That would be confirmed, or not.
    ready_to_confirm: Option<bool>,
    /// Passed from this time on.
    from: Option<DateTime<Utc>>,
    /// Passed before this time.
    to: Option<DateTime<Utc>>,
    /// Passed on this day in the zone of `site`, instead of `from` and `to`.
    day: Option<NaiveDate>,
}

/// The filter with the times of its day, if it has one.
pub(super) async fn settled(ctx: &Context<'_>, mut filter: PassFilter) -> Result<PassFilter, Error> {
    (filter.from, filter.to) = times(ctx, filter.site.as_ref(), filter.day.take(), (filter.from, filter.to)).await?;
    Ok(filter)
}

/// What the rows must satisfy.
pub(super) fn filtered(filter: PassFilter) -> Filter {
    Arc::new(move |sql: &mut QueryBuilder<Postgres>, _: &View| {
        let filter = filter.clone();
        equals(sql, "site", filter.site.map(|id| id.0));
        equals(sql, "status", filter.status);
        equals(sql, "track", filter.track);
        equals(sql, "train", filter.train);
        equals(sql, "ready_to_confirm", filter.ready_to_confirm);
        between(sql, "passed_at", filter.from, filter.to);
    })
}

pub(super) async fn passes(ctx: &Context<'_>, filter: PassFilter, page: Page) -> Result<List<Pass>, Error> {
    list::<PassRow, Pass>(ctx, page, filtered(settled(ctx, filter).await?)).await
}
