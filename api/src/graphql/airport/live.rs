//! Stands, flights and allocations as lists that stay up to date.

use async_graphql::{Context, Error, MergedSubscription, Subscription};
use futures_util::stream::Stream;
use vigie_domain::airport::AirportEvent;

use super::allocation::{self, Allocation, AllocationFilter, AllocationRow};
use super::changes::{ABOUT_STANDS, AirportChanges};
use super::flight::{self, Flight, FlightFilter, FlightRow};
use super::stand::{Stand, StandRow};
use super::{StandFilter, filtered};
use crate::graphql::error::bad_input;
use crate::graphql::live::{Item, Live, LiveRow, Query, live};
use crate::graphql::page::Page;
use crate::graphql::scalars::Position;

impl LiveRow for StandRow {
    const TAG: &'static str = "stand:";
    fn kinds() -> Vec<&'static str> {
        ABOUT_STANDS.to_vec()
    }
    fn id(&self) -> String {
        self.stand.clone()
    }
}

/// Types of the events of the airport.
fn all() -> Vec<&'static str> {
    AirportEvent::TYPES.iter().map(|known| known.name).collect()
}

impl LiveRow for FlightRow {
    const TAG: &'static str = "flight:";
    fn kinds() -> Vec<&'static str> {
        all()
    }
    fn id(&self) -> String {
        self.flight.clone()
    }
}

impl LiveRow for AllocationRow {
    const TAG: &'static str = "allocation:";
    fn kinds() -> Vec<&'static str> {
        all()
    }
    fn id(&self) -> String {
        self.allocation.to_string()
    }
}

/// Subscriptions to the airport.
#[derive(MergedSubscription, Default)]
pub(crate) struct AirportSubscription(AirportChanges, AirportLive);

/// Lists of the airport that stay up to date.
#[derive(Default)]
pub(crate) struct AirportLive;

#[Subscription]
impl AirportLive {
    /// The list `stands` and what changes in it, also through allocations; or only what changes after a position. The
    /// filter `status` needs its time `at`. `cursor` is the list's `after`, with `last` its `before`.
    async fn live_stands(
        &self,
        ctx: &Context<'_>,
        filter: Option<StandFilter>,
        first: Option<i32>,
        last: Option<i32>,
        cursor: Option<String>,
        after: Option<Position>,
    ) -> Result<impl Stream<Item = Result<Item<Live<Stand>>, Error>> + use<>, Error> {
        let page = Page::at(first, last, cursor)?;
        let filter = filter.unwrap_or_default();
        if filter.status.is_some() && filter.at.is_none() {
            let problem = "is needed with status: as time goes by, stands change without an event";
            return Err(bad_input("filter.at", problem));
        }
        let query = Query::new::<StandRow>(&filter, page, filtered(filter.clone(), filter.at.unwrap_or_default()));
        live::<StandRow, Stand>(ctx, after, query).await
    }

    /// The list `flights` and what changes in it, also through allocations; or only what changes after a position.
    /// `cursor` is the list's `after`, with `last` its `before`.
    async fn live_flights(
        &self,
        ctx: &Context<'_>,
        filter: Option<FlightFilter>,
        first: Option<i32>,
        last: Option<i32>,
        cursor: Option<String>,
        after: Option<Position>,
    ) -> Result<impl Stream<Item = Result<Item<Live<Flight>>, Error>> + use<>, Error> {
        let page = Page::at(first, last, cursor)?;
        let filter = flight::settled(ctx, filter.unwrap_or_default()).await?;
        let query = Query::new::<FlightRow>(&filter.clone(), page, flight::filtered(filter));
        live::<FlightRow, Flight>(ctx, after, query).await
    }

    /// The list `allocations` and what changes in it; or only what changes after a position. `cursor` is the list's
    /// `after`, with `last` its `before`.
    async fn live_allocations(
        &self,
        ctx: &Context<'_>,
        filter: Option<AllocationFilter>,
        first: Option<i32>,
        last: Option<i32>,
        cursor: Option<String>,
        after: Option<Position>,
    ) -> Result<impl Stream<Item = Result<Item<Live<Allocation>>, Error>> + use<>, Error> {
        let page = Page::at(first, last, cursor)?;
        let filter = allocation::settled(ctx, filter.unwrap_or_default()).await?;
        let query = Query::new::<AllocationRow>(&filter.clone(), page, allocation::filtered(filter));
        live::<AllocationRow, Allocation>(ctx, after, query).await
    }
}
