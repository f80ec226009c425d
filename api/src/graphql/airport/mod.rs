//! Stands, flights and who stands where.

mod allocation;
mod board;
mod changes;
mod enums;
mod flight;
mod inputs;
mod live;
mod mutations;
mod refusals;
mod results;
mod stand;

use std::sync::Arc;

use async_graphql::{Context, Data, Error, ID, InputObject, Object};
use chrono::{DateTime, Utc};
use sqlx::{Postgres, QueryBuilder};
use vigie_domain::airport::{AllocationId, FlightId, StandId};

pub(in crate::graphql) use allocation::{Allocation, AllocationRow, Candidate};
pub(in crate::graphql) use flight::{Flight, FlightRow};
pub(in crate::graphql) use live::AirportSubscription;
pub(in crate::graphql) use mutations::AirportMutation;
pub(in crate::graphql) use stand::{Stand, StandRow};

use allocation::{AllocationFilter, Allocations, allocations};
use board::Board;
use enums::{StandKind, StandStatus};
use flight::{FlightFilter, flights};

use super::context::Parts;
use super::error::argument;
use super::list::{Filter, List, equals, list};
use super::load::by_key;
use super::loader::Loader;
use super::page::Page;
use super::relation::View;
use super::snapshot::Snapshot;

pub(in crate::graphql) fn loaders(data: &mut Data, snapshot: &Snapshot) {
    data.insert(by_key::<StandRow>(snapshot));
    data.insert(by_key::<FlightRow>(snapshot));
    data.insert(by_key::<AllocationRow>(snapshot));
    data.insert(Loader::new(Board(snapshot.clone())));
}

/// Which stands.
#[derive(Debug, Clone, Default, InputObject)]
pub(crate) struct StandFilter {
    /// At this site.
    site: Option<ID>,
    /// Civil or military.
    kind: Option<StandKind>,
    /// That are this at the time `at`.
    status: Option<StandStatus>,
    /// The time for `status`; without it, now, or the moment that `at` looks at.
    at: Option<DateTime<Utc>>,
}

/// What the rows must satisfy; `at` is the time for the status.
fn filtered(filter: StandFilter, at: DateTime<Utc>) -> Filter {
    Arc::new(move |sql: &mut QueryBuilder<Postgres>, view: &View| {
        let filter = filter.clone();
        equals(sql, "site", filter.site.map(|id| id.0));
        equals(sql, "kind", filter.kind);
        if let Some(status) = filter.status {
            sql.push(" and stand in (select state.stand from (select ").push_bind(at);
            sql.push("::timestamptz as at) moment cross join lateral (").push(view.stand_states(false));
            sql.push(") state where state.status = ").push_bind(status).push(")");
        }
    })
}

/// Queries about the airport.
#[derive(Default)]
pub(crate) struct AirportQuery;

#[Object]
impl AirportQuery {
    /// Stands, by id: the board.
    async fn stands(
        &self,
        ctx: &Context<'_>,
        filter: Option<StandFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<List<Stand>, Error> {
        let page = Page::new(first, after, last, before)?;
        let filter = filter.unwrap_or_default();
        let at = match filter.at {
            Some(at) => at,
            None => ctx.now().await?,
        };
        list::<StandRow, Stand>(ctx, page, filtered(filter, at)).await
    }

    /// One stand.
    async fn stand(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Stand>, Error> {
        let id = argument("id", StandId::new(&id))?;
        Stand::find(ctx, Some(id.to_string())).await
    }

    /// Flights, in the order of their schedule.
    async fn flights(
        &self,
        ctx: &Context<'_>,
        filter: Option<FlightFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<List<Flight>, Error> {
        flights(ctx, filter.unwrap_or_default(), Page::new(first, after, last, before)?).await
    }

    /// One flight.
    async fn flight(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Flight>, Error> {
        let id = argument("id", FlightId::new(&id))?;
        Flight::find(ctx, Some(id.to_string())).await
    }

    /// Allocations, in the order of their start.
    async fn allocations(
        &self,
        ctx: &Context<'_>,
        filter: Option<AllocationFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Allocations, Error> {
        allocations(ctx, filter.unwrap_or_default(), Page::new(first, after, last, before)?).await
    }

    /// One allocation.
    async fn allocation(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Allocation>, Error> {
        let id = argument("id", AllocationId::new(&id))?;
        Allocation::find(ctx, Some(id.0)).await
    }
}
