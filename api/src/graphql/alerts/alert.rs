//! An alert, as it is answered.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Enum, Error, ID, InputObject, Object};
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{FromRow, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::graphql::airport::{Allocation, Flight, Stand};
use crate::graphql::audit::{Provenance, Table};
use crate::graphql::context::Parts;
use crate::graphql::days::times;
use crate::graphql::keyset::{Kind, Part};
use crate::graphql::list::{Filter, List, Row, between, equals, list};
use crate::graphql::load::{ByKey, Keyed, grouped};
use crate::graphql::loader::Load;
use crate::graphql::page::Page;
use crate::graphql::rail::Pass;
use crate::graphql::ready::{Leaves, Ready};
use crate::graphql::relation::View;
use crate::graphql::scalars::Position;
use crate::graphql::snapshot::{Snapshot, unreadable};

/// What an alert is about, in kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub(crate) enum AlertKind {
    /// A spring measured outside its limits.
    SpringOutOfLimits,
    /// An allocation that its stand cannot keep.
    StandConflict,
    /// A flight for which no stand is left.
    Saturation,
    /// An aircraft that is still on its stand when its stay should have ended.
    OverdueStay,
    /// A receiver of webhooks to which nothing is delivered any more.
    EndpointDown,
}

/// How much an alert matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub(crate) enum Severity {
    /// Good to know.
    Info,
    /// Look at it soon.
    Warning,
    /// Look at it now.
    Critical,
}

/// What has become of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub(crate) enum AlertStatus {
    /// Nobody has taken note of it.
    Raised,
    /// A person has taken note of it.
    Acknowledged,
    /// Its reason is gone.
    Resolved,
}

/// A row of `read.alerts`.
#[derive(Debug, Clone, FromRow)]
pub(in crate::graphql) struct AlertRow {
    pub(super) alert: Uuid,
    site: String,
    kind: AlertKind,
    severity: Severity,
    status: AlertStatus,
    message: String,
    cause: Uuid,
    pass: Option<String>,
    car: Option<i32>,
    spring: Option<String>,
    quantity: Option<String>,
    stand: Option<String>,
    flight: Option<String>,
    allocation: Option<Uuid>,
    raised_at: DateTime<Utc>,
    raised_by: String,
    acknowledged_at: Option<DateTime<Utc>>,
    acknowledged_by: Option<String>,
    acknowledged_note: Option<String>,
    resolved_at: Option<DateTime<Utc>>,
    resolved_by: Option<String>,
    resolved_reason: Option<String>,
    level: Option<i32>,
    escalated_at: Option<DateTime<Utc>>,
    position: i64,
    changed_at: DateTime<Utc>,
}

impl Row for AlertRow {
    const TABLE: &'static str = "alerts";
    const ORDER: &'static [(&'static str, Kind)] = &[("raised_at", Kind::Time), ("alert", Kind::Id)];
    const NEWEST_FIRST: bool = true;
    fn key(&self) -> Vec<Part> {
        vec![Part::Time(self.raised_at), Part::Id(self.alert)]
    }
}

impl Keyed for AlertRow {
    type Key = Uuid;
    const TABLE: &'static str = "alerts";
    const COLUMN: &'static str = "alert";
    fn key(&self) -> Uuid {
        self.alert
    }
}

/// Loads the alerts about passes.
pub(in crate::graphql) struct AlertsOfPass(pub(super) Snapshot);

impl Load for AlertsOfPass {
    type Key = String;
    type Value = Vec<Alert>;

    async fn load(&self, passes: &[String]) -> Result<HashMap<String, Vec<Alert>>, Error> {
        about(&self.0, "pass", passes, |row| row.pass.clone()).await
    }
}

/// Loads the alerts about flights.
pub(in crate::graphql) struct AlertsOfFlight(pub(super) Snapshot);

impl Load for AlertsOfFlight {
    type Key = String;
    type Value = Vec<Alert>;

    async fn load(&self, flights: &[String]) -> Result<HashMap<String, Vec<Alert>>, Error> {
        about(&self.0, "flight", flights, |row| row.flight.clone()).await
    }
}

async fn about(
    snapshot: &Snapshot,
    column: &'static str,
    ids: &[String],
    of: fn(&AlertRow) -> Option<String>,
) -> Result<HashMap<String, Vec<Alert>>, Error> {
    let view = snapshot.view();
    let mut sql = view.sql("select * from ");
    sql.push(view.rows("alerts")).push(" where ").push(column).push(" = any(").push_bind(ids);
    sql.push(") order by raised_at, alert");
    let mut reading = snapshot.read().await?;
    let rows: Vec<AlertRow> = sql.build_query_as().fetch_all(reading.connection()).await.map_err(unreadable)?;
    let alerts = rows.into_iter().map(Alert::from).collect();
    Ok(grouped(alerts, |alert: &Alert| of(&alert.0).unwrap_or_default()))
}

/// Something that needs a person's attention.
pub(crate) type Alert = Ready<AlertFields>;

/// Its fields.
#[derive(Clone)]
pub(crate) struct AlertFields(Arc<AlertRow>);

impl Leaves for AlertFields {}

impl From<AlertRow> for Alert {
    fn from(row: AlertRow) -> Self {
        Arc::new(row).into()
    }
}

impl From<Arc<AlertRow>> for Alert {
    fn from(row: Arc<AlertRow>) -> Self {
        Self::new(AlertFields(row))
    }
}

impl Alert {
    /// The alert of this id, if there is one.
    pub(in crate::graphql) async fn find(ctx: &Context<'_>, id: Option<Uuid>) -> Result<Option<Self>, Error> {
        let Some(id) = id else { return Ok(None) };
        Ok(ctx.loader::<ByKey<AlertRow>>().one(id).await?.map(Self::from))
    }
}

#[Object(name = "Alert")]
impl AlertFields {
    /// Its id, which follows from its kind and cause.
    async fn id(&self) -> ID {
        ID(self.0.alert.to_string())
    }
    /// Where.
    async fn site(&self) -> ID {
        ID(self.0.site.clone())
    }
    /// What kind.
    async fn kind(&self) -> AlertKind {
        self.0.kind
    }
    /// How much it matters.
    async fn severity(&self) -> Severity {
        self.0.severity
    }
    /// What has become of it.
    async fn status(&self) -> AlertStatus {
        self.0.status
    }
    /// One sentence for the operator.
    async fn message(&self) -> &str {
        &self.0.message
    }
    /// The event that caused it.
    async fn cause(&self) -> ID {
        ID(self.0.cause.to_string())
    }
    /// The pass that it is about.
    async fn pass(&self, ctx: &Context<'_>) -> Result<Option<Pass>, Error> {
        Pass::find(ctx, self.0.pass.clone()).await
    }
    /// Place of the car in the train, from 1.
    async fn car(&self) -> Option<i32> {
        self.0.car
    }
    /// Place of the spring in the car.
    async fn spring(&self) -> Option<&str> {
        self.0.spring.as_deref()
    }
    /// What was measured.
    async fn quantity(&self) -> Option<&str> {
        self.0.quantity.as_deref()
    }
    /// The stand that it is about.
    async fn stand(&self, ctx: &Context<'_>) -> Result<Option<Stand>, Error> {
        Stand::find(ctx, self.0.stand.clone()).await
    }
    /// The flight that it is about.
    async fn flight(&self, ctx: &Context<'_>) -> Result<Option<Flight>, Error> {
        Flight::find(ctx, self.0.flight.clone()).await
    }
    /// The allocation that it is about.
    async fn allocation(&self, ctx: &Context<'_>) -> Result<Option<Allocation>, Error> {
        Allocation::find(ctx, self.0.allocation).await
    }
    /// When it was raised.
    async fn raised_at(&self) -> DateTime<Utc> {
        self.0.raised_at
    }
    /// What raised it.
    async fn raised_by(&self) -> &str {
        &self.0.raised_by
    }
    /// When it was acknowledged.
    async fn acknowledged_at(&self) -> Option<DateTime<Utc>> {
        self.0.acknowledged_at
    }
    /// Who acknowledged it.
    async fn acknowledged_by(&self) -> Option<&str> {
        self.0.acknowledged_by.as_deref()
    }
    /// What was written then.
    async fn acknowledged_note(&self) -> Option<&str> {
        self.0.acknowledged_note.as_deref()
    }
    /// When it was resolved.
    async fn resolved_at(&self) -> Option<DateTime<Utc>> {
        self.0.resolved_at
    }
    /// Who or what resolved it.
    async fn resolved_by(&self) -> Option<&str> {
        self.0.resolved_by.as_deref()
    }
    /// Why.
    async fn resolved_reason(&self) -> Option<&str> {
        self.0.resolved_reason.as_deref()
    }
    /// How often it was escalated because nobody had acknowledged it in time.
    async fn level(&self) -> i32 {
        self.0.level.unwrap_or_default()
    }
    /// When it was escalated last.
    async fn escalated_at(&self) -> Option<DateTime<Utc>> {
        self.0.escalated_at
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
        Provenance::of(&Table::ALERTS, [self.0.alert.to_string()], self.0.position)
    }
    /// Who did what to it, newest first.
    async fn audit(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<crate::graphql::audit::Trail, Error> {
        crate::graphql::audit::trail(ctx, format!("alert:{}", self.0.alert), first, after).await
    }
}

/// Which alerts.
#[derive(Debug, Clone, Default, InputObject)]
pub(crate) struct AlertFilter {
    /// At this site.
    site: Option<ID>,
    /// In this state.
    status: Option<AlertStatus>,
    /// Of this kind.
    kind: Option<AlertKind>,
    /// That matter so much.
    severity: Option<Severity>,
    /// Escalated at least once, or never.
    escalated: Option<bool>,
    /// About this pass.
    pass: Option<ID>,
    /// About this stand.
    stand: Option<ID>,
    /// About this flight.
    flight: Option<ID>,
    /// Raised from this time on.
    from: Option<DateTime<Utc>>,
    /// Raised before this time.
    to: Option<DateTime<Utc>>,
    /// Raised on this day in the zone of `site`, instead of `from` and `to`.
    day: Option<NaiveDate>,
}

/// The filter with the times of its day, if it has one.
pub(super) async fn settled(ctx: &Context<'_>, mut filter: AlertFilter) -> Result<AlertFilter, Error> {
    (filter.from, filter.to) = times(ctx, filter.site.as_ref(), filter.day.take(), (filter.from, filter.to)).await?;
    Ok(filter)
}

/// What the rows must satisfy.
pub(super) fn filtered(filter: AlertFilter) -> Filter {
    Arc::new(move |sql: &mut QueryBuilder<Postgres>, _: &View| {
        let filter = filter.clone();
        equals(sql, "site", filter.site.map(|id| id.0));
        equals(sql, "status", filter.status);
        equals(sql, "kind", filter.kind);
        equals(sql, "severity", filter.severity);
        if let Some(escalated) = filter.escalated {
            sql.push(if escalated { " and level is not null" } else { " and level is null" });
        }
        equals(sql, "pass", filter.pass.map(|id| id.0));
        equals(sql, "stand", filter.stand.map(|id| id.0));
        equals(sql, "flight", filter.flight.map(|id| id.0));
        between(sql, "raised_at", filter.from, filter.to);
    })
}

pub(super) async fn alerts(ctx: &Context<'_>, filter: AlertFilter, page: Page) -> Result<List<Alert>, Error> {
    list::<AlertRow, Alert>(ctx, page, filtered(settled(ctx, filter).await?)).await
}
