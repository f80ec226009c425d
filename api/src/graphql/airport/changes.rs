//! Stands and flights as they change.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, SimpleObject, Subscription};
use futures_util::stream::Stream;
use vigie_domain::airport::names;

use super::flight::{Flight, FlightRow};
use super::stand::{Stand, StandRow};
use crate::graphql::follow::{Watched, changes};
use crate::graphql::models::{ALLOCATIONS, FLIGHTS, STANDS};
use crate::graphql::scalars::Position;
use crate::graphql::time::Tree;

/// Types of the events that change stands or who stands there.
pub(super) const ABOUT_STANDS: [&str; 7] = [
    names::STAND_DEFINED,
    names::STAND_CLOSED,
    names::STAND_REOPENED,
    names::STAND_ALLOCATED,
    names::ALLOCATION_MOVED,
    names::STAND_FREED,
    names::ALLOCATION_CANCELLED,
];

/// A stand that has changed, or whose allocations have.
#[derive(SimpleObject)]
pub(crate) struct StandChange {
    /// Resume after it.
    position: Position,
    /// How it is now; null for a heartbeat: nothing has changed up to here.
    stand: Option<Stand>,
}

/// A flight that has changed, or whose allocation has.
#[derive(SimpleObject)]
pub(crate) struct FlightChange {
    /// Resume after it.
    position: Position,
    /// How it is now; null for a heartbeat: nothing has changed up to here.
    flight: Option<Flight>,
}

/// Subscriptions to what changes at the airport.
#[derive(Default)]
pub(crate) struct AirportChanges;

#[Subscription]
impl AirportChanges {
    /// Stands as they change, after a position or from now on: all, those of a site, or one.
    async fn stand_changed(
        &self,
        ctx: &Context<'_>,
        id: Option<ID>,
        site: Option<ID>,
        after: Option<Position>,
    ) -> Result<impl Stream<Item = Result<Tree<StandChange>, Error>> + use<>, Error> {
        let watched = Watched::new(&[STANDS, ALLOCATIONS], id, site.as_ref())?;
        let make = |position, row: Option<Arc<StandRow>>| StandChange { position, stand: row.map(Into::into) };
        changes(ctx, after, watched, make).await
    }

    /// Flights as they change, after a position or from now on: all, those of a site, or one.
    async fn flight_changed(
        &self,
        ctx: &Context<'_>,
        id: Option<ID>,
        site: Option<ID>,
        after: Option<Position>,
    ) -> Result<impl Stream<Item = Result<Tree<FlightChange>, Error>> + use<>, Error> {
        let watched = Watched::new(&[FLIGHTS, ALLOCATIONS], id, site.as_ref())?;
        let make = |position, row: Option<Arc<FlightRow>>| FlightChange { position, flight: row.map(Into::into) };
        changes(ctx, after, watched, make).await
    }
}
