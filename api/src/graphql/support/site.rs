//! A site, as it is answered.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Enum, Error, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use sqlx::FromRow;
use sqlx::types::Json;

use crate::graphql::audit::{Provenance, Table};
use crate::graphql::context::Parts;
use crate::graphql::keyset::{Kind, Part};
use crate::graphql::list::Row;
use crate::graphql::load::Keyed;
use crate::graphql::scalars::Position;
use crate::graphql::snapshot::unreadable;

/// What moves at a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub(crate) enum SiteKind {
    /// Aircraft.
    Airport,
    /// Trains.
    Rail,
}

/// Minutes that an aircraft needs between arriving and leaving.
#[derive(Debug, Clone, Copy, Deserialize, SimpleObject)]
pub(crate) struct Turnaround {
    min: i32,
    typical: i32,
    max: i32,
}

/// The turnaround minutes of an aircraft type.
#[derive(Debug, Clone, FromRow, SimpleObject)]
#[graphql(complex)]
pub(crate) struct TurnaroundRule {
    #[graphql(skip)]
    site: String,
    #[graphql(skip)]
    position: i64,
    /// ICAO designator.
    aircraft_type: String,
    min: i32,
    typical: i32,
    max: i32,
}

#[ComplexObject]
impl TurnaroundRule {
    /// Why it is what it is: the events that set it, and the command of the last.
    async fn provenance(&self) -> Provenance {
        Provenance::of(&Table::RULES, [self.site.clone(), self.aircraft_type.clone()], self.position)
    }
}

/// What the choice of a stand weighs, in points of penalty; the fewest win.
#[derive(Debug, Clone, Copy, Deserialize, SimpleObject)]
pub(crate) struct Weights {
    /// For each code letter that the stand is larger than needed.
    spare_letter: i64,
    /// For a stand without jetway.
    no_jetway: i64,
    /// For each metre to the terminal.
    metre: i64,
}

/// A row of `read.sites`.
#[derive(Debug, Clone, FromRow)]
pub(in crate::graphql) struct SiteRow {
    site: String,
    name: String,
    kind: SiteKind,
    pub(in crate::graphql) zone: String,
    icao: Option<String>,
    rules_version: i32,
    buffer_minutes: Option<i32>,
    default_turnaround: Option<Json<Turnaround>>,
    weights: Option<Json<Weights>>,
    position: i64,
    changed_at: DateTime<Utc>,
}

impl Row for SiteRow {
    const TABLE: &'static str = "sites";
    const ORDER: &'static [(&'static str, Kind)] = &[("site", Kind::Text)];
    fn key(&self) -> Vec<Part> {
        vec![Part::Text(self.site.clone())]
    }
}

impl Keyed for SiteRow {
    type Key = String;
    const TABLE: &'static str = "sites";
    const COLUMN: &'static str = "site";
    fn key(&self) -> String {
        self.site.clone()
    }
}

/// A transport site.
#[derive(Clone)]
pub(crate) struct Site(pub(in crate::graphql) Arc<SiteRow>);

impl From<SiteRow> for Site {
    fn from(row: SiteRow) -> Self {
        Self(Arc::new(row))
    }
}

#[Object]
impl Site {
    /// Such as `LFW`.
    async fn id(&self) -> ID {
        ID(self.0.site.clone())
    }
    /// What people call it.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// What moves there.
    async fn kind(&self) -> SiteKind {
        self.0.kind
    }
    /// Its time zone, which days follow.
    async fn zone(&self) -> &str {
        &self.0.zone
    }
    /// ICAO location indicator of an airport.
    async fn icao(&self) -> Option<&str> {
        self.0.icao.as_deref()
    }
    /// Counts the changes of its allocation rules; 0 for the built-in ones.
    async fn rules_version(&self) -> i32 {
        self.0.rules_version
    }
    /// Minutes that a stand stays free between two stays, once rules were set.
    async fn buffer_minutes(&self) -> Option<i32> {
        self.0.buffer_minutes
    }
    /// For aircraft types without a rule of their own, once rules were set.
    async fn default_turnaround(&self) -> Option<Turnaround> {
        self.0.default_turnaround.as_ref().map(|turnaround| turnaround.0)
    }
    /// What the choice of a stand weighs, once rules were set.
    async fn weights(&self) -> Option<Weights> {
        self.0.weights.as_ref().map(|weights| weights.0)
    }
    /// Turnaround minutes of aircraft types that have a rule of their own, by type.
    async fn turnaround_rules(&self, ctx: &Context<'_>) -> Result<Vec<TurnaroundRule>, Error> {
        Box::pin(self.rules(ctx)).await
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
        Provenance::of(&Table::SITES, [self.0.site.clone()], self.0.position)
    }
    /// Who did what to it, newest first.
    async fn audit(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<crate::graphql::audit::Trail, Error> {
        crate::graphql::audit::trail(ctx, format!("site:{}", self.0.site), first, after).await
    }
}

impl Site {
    async fn rules(&self, ctx: &Context<'_>) -> Result<Vec<TurnaroundRule>, Error> {
        let view = ctx.snapshot().view();
        let mut sql = view.sql(
            "select site, position, aircraft_type, min_minutes as min, typical_minutes as typical, max_minutes as max from ",
        );
        sql.push(view.rows("turnaround_rules")).push(" where site = ").push_bind(&self.0.site);
        sql.push(" order by aircraft_type");
        let mut reading = ctx.snapshot().read().await?;
        sql.build_query_as().fetch_all(reading.connection()).await.map_err(unreadable)
    }
}
