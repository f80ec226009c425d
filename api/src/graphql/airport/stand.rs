//! A stand, as it is answered.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, Object, SimpleObject};
use chrono::{DateTime, Duration, NaiveDate, Utc};
use serde::Deserialize;
use sqlx::FromRow;
use sqlx::types::Json;
use vigie_domain::support::Zone;

use super::allocation::{Allocation, AllocationRow};
use super::board::{Board, StandAt, State};
use super::enums::{CodeLetter, StandKind, StandStatus};
use crate::graphql::audit::{Provenance, Table};
use crate::graphql::context::Parts;
use crate::graphql::error::{bad_input, fault};
use crate::graphql::keyset::{Kind, Part};
use crate::graphql::list::Row;
use crate::graphql::load::{ByKey, Keyed};
use crate::graphql::ready::{Leaves, Ready};
use crate::graphql::scalars::Position;
use crate::graphql::snapshot::unreadable;
use crate::graphql::support::{Site, SiteRow};

/// A time in which a stand is closed.
#[derive(Debug, Clone, Deserialize, SimpleObject)]
pub(crate) struct Closure {
    /// From then on.
    from: DateTime<Utc>,
    /// Until then, if that is known.
    to: Option<DateTime<Utc>>,
    /// Why.
    #[serde(default)]
    reason: String,
}

/// A row of `read.stands`.
#[derive(Debug, Clone, FromRow)]
pub(in crate::graphql) struct StandRow {
    pub(super) stand: String,
    site: String,
    name: String,
    kind: StandKind,
    code: CodeLetter,
    jetway: bool,
    distance_m: i32,
    closures: Json<Vec<Closure>>,
    position: i64,
    changed_at: DateTime<Utc>,
}

impl Row for StandRow {
    const TABLE: &'static str = "stands";
    const ORDER: &'static [(&'static str, Kind)] = &[("stand", Kind::Text)];
    fn key(&self) -> Vec<Part> {
        vec![Part::Text(self.stand.clone())]
    }
}

impl Keyed for StandRow {
    type Key = String;
    const TABLE: &'static str = "stands";
    const COLUMN: &'static str = "stand";
    fn key(&self) -> String {
        self.stand.clone()
    }
}

/// An aircraft stand.
pub(crate) type Stand = Ready<StandFields>;

/// Its fields.
#[derive(Clone)]
pub(crate) struct StandFields(Arc<StandRow>);

impl Leaves for StandFields {
    const WAITING: &'static [&'static str] = &["status"];
}

impl From<StandRow> for Stand {
    fn from(row: StandRow) -> Self {
        Arc::new(row).into()
    }
}

impl From<Arc<StandRow>> for Stand {
    fn from(row: Arc<StandRow>) -> Self {
        Self::new(StandFields(row))
    }
}

/// What happens on a stand on a day.
#[derive(SimpleObject)]
pub(crate) struct Occupancy {
    /// The start of the day in the site's zone.
    from: DateTime<Utc>,
    /// Its end.
    to: DateTime<Utc>,
    /// Stays that touch the day, in order, without cancelled ones.
    allocations: Vec<Allocation>,
    /// Closures that touch the day, in order.
    closures: Vec<Closure>,
}

#[Object(name = "Stand")]
impl StandFields {
    /// Site and name, such as `LFW/C03`.
    async fn id(&self) -> ID {
        ID(self.0.stand.clone())
    }
    /// Where.
    async fn site(&self, ctx: &Context<'_>) -> Result<Option<Site>, Error> {
        Ok(ctx.loader::<ByKey<SiteRow>>().one(self.0.site.clone()).await?.map(Site))
    }
    /// What it is called at its site.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// Civil or military.
    async fn kind(&self) -> StandKind {
        self.0.kind
    }
    /// The largest aircraft that it takes.
    async fn code(&self) -> CodeLetter {
        self.0.code
    }
    /// Whether passengers board through a jetway.
    async fn jetway(&self) -> bool {
        self.0.jetway
    }
    /// Way to the terminal, in metres.
    async fn distance_m(&self) -> i32 {
        self.0.distance_m
    }
    /// What it is now, or at another time.
    async fn status(&self, ctx: &Context<'_>, at: Option<DateTime<Utc>>) -> Result<StandStatus, Error> {
        Ok(self.state(ctx, at, false).await?.status)
    }
    /// The stay that is running now, or at another time.
    async fn current(&self, ctx: &Context<'_>, at: Option<DateTime<Utc>>) -> Result<Option<Allocation>, Error> {
        let state = self.state(ctx, at, false).await?;
        Allocation::find(ctx, state.current).await
    }
    /// The stay that starts next.
    async fn next(&self, ctx: &Context<'_>, at: Option<DateTime<Utc>>) -> Result<Option<Allocation>, Error> {
        let state = self.state(ctx, at, true).await?;
        Allocation::find(ctx, state.next).await
    }
    /// What happens on it on a day, in the site's zone.
    async fn occupancy(&self, ctx: &Context<'_>, day: NaiveDate) -> Result<Occupancy, Error> {
        Box::pin(self.occupied(ctx, day)).await
    }
    /// All times in which it is or was closed, in order.
    async fn closures(&self) -> &[Closure] {
        &self.0.closures.0
    }
    /// Stays on it, oldest first.
    async fn allocations(
        &self,
        ctx: &Context<'_>,
        status: Option<super::enums::AllocationStatus>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<super::allocation::Allocations, Error> {
        let page = crate::graphql::page::Page::new(first, after, last, before)?;
        super::allocation::of_stand(ctx, self.0.stand.clone(), status, page).await
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
        Provenance::of(&Table::STANDS, [self.0.stand.clone()], self.0.position)
    }
    /// Who did what to it, newest first.
    async fn audit(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<crate::graphql::audit::Trail, Error> {
        crate::graphql::audit::trail(ctx, format!("stand:{}", self.0.stand), first, after).await
    }
}

impl Stand {
    /// The stand of this id, if there is one.
    pub(in crate::graphql) async fn find(ctx: &Context<'_>, id: Option<String>) -> Result<Option<Self>, Error> {
        let Some(id) = id else { return Ok(None) };
        Ok(ctx.loader::<ByKey<StandRow>>().one(id).await?.map(Self::from))
    }
}

impl StandFields {
    async fn occupied(&self, ctx: &Context<'_>, day: NaiveDate) -> Result<Occupancy, Error> {
        let (from, to) = self.day(ctx, day).await?;
        let view = ctx.snapshot().view();
        let mut sql = view.sql("select * from ");
        sql.push(view.table("allocations")).push(" where status <> 'cancelled' and stand = ").push_bind(&self.0.stand);
        sql.push(" and from_at < ").push_bind(to).push(" and from_at > ").push_bind(from - Duration::days(15));
        sql.push(" and (to_at is null or to_at > ").push_bind(from).push(") order by from_at, allocation");
        let mut reading = ctx.snapshot().read().await?;
        let rows: Result<Vec<AllocationRow>, _> = sql.build_query_as().fetch_all(reading.connection()).await;
        let touches = |closure: &&Closure| closure.from < to && closure.to.is_none_or(|end| end > from);
        Ok(Occupancy {
            from,
            to,
            allocations: rows.map_err(unreadable)?.into_iter().map(Allocation::from).collect(),
            closures: self.0.closures.iter().filter(touches).cloned().collect(),
        })
    }

    async fn state(&self, ctx: &Context<'_>, at: Option<DateTime<Utc>>, with_next: bool) -> Result<State, Error> {
        let at = match at {
            Some(at) => at,
            None => ctx.now().await?,
        };
        let key = StandAt { stand: self.0.stand.clone(), at, with_next };
        let state = ctx.loader::<Board>().one(key).await?;
        state.ok_or_else(|| fault("INTERNAL", format!("stand {} has no state", self.0.stand)))
    }

    async fn day(&self, ctx: &Context<'_>, day: NaiveDate) -> Result<(DateTime<Utc>, DateTime<Utc>), Error> {
        let site = ctx.loader::<ByKey<SiteRow>>().one(self.0.site.clone()).await?;
        let zone = site.and_then(|site| Zone::new(&site.zone).ok());
        let zone = zone.ok_or_else(|| fault("INTERNAL", format!("site {} has no zone", self.0.site)))?;
        zone.day(day).ok_or_else(|| bad_input("day", "is beyond the calendar"))
    }
}
