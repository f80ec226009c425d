//! Stands and flights as they change.

use async_graphql::{Context, Error, ID, SimpleObject, Subscription};
use futures_util::stream::{Stream, try_unfold};
use vigie_domain::airport::{AirportEvent, names};
use vigie_domain::support::SiteId;

use super::flight::{Flight, FlightRow};
use super::stand::{Stand, StandRow};
use crate::graphql::context::Parts;
use crate::graphql::error::optional;
use crate::graphql::follow::{Changes, Watched};
use crate::graphql::load::by_key;
use crate::graphql::models::{ALLOCATIONS, FLIGHTS, STANDS};
use crate::graphql::scalars::Position;

/// A stand that has changed, or whose allocations have.
#[derive(SimpleObject)]
pub(crate) struct StandChange {
    /// Resume after it.
    position: Position,
    /// How it is now.
    stand: Stand,
}

/// A flight that has changed, or whose allocation has.
#[derive(SimpleObject)]
pub(crate) struct FlightChange {
    /// Resume after it.
    position: Position,
    /// How it is now.
    flight: Flight,
}

/// Subscriptions to the airport.
#[derive(Default)]
pub(crate) struct AirportSubscription;

#[Subscription]
impl AirportSubscription {
    /// Stands as they change, after a position or from now on.
    async fn stand_changed(
        &self,
        ctx: &Context<'_>,
        site: Option<ID>,
        after: Option<Position>,
    ) -> Result<impl Stream<Item = Result<StandChange, Error>> + use<>, Error> {
        let site = optional("site", site.as_ref().map(|site| site.0.as_str()), SiteId::new)?;
        let kinds = vec![
            names::STAND_DEFINED,
            names::STAND_CLOSED,
            names::STAND_REOPENED,
            names::STAND_ALLOCATED,
            names::ALLOCATION_MOVED,
            names::STAND_FREED,
            names::ALLOCATION_CANCELLED,
        ];
        let watched = Watched { kinds, tag: "stand:", models: &[STANDS, ALLOCATIONS], site };
        let changes = Changes::after(ctx, after, watched).await?;
        let snapshot = ctx.snapshot().clone();
        Ok(try_unfold((changes, snapshot), |(mut changes, snapshot)| async move {
            while let Some((position, id)) = changes.next().await? {
                if let Some(row) = by_key::<StandRow>(&snapshot).load_one(id).await? {
                    return Ok(Some((StandChange { position, stand: Stand::from(row) }, (changes, snapshot))));
                }
            }
            Ok(None)
        }))
    }

    /// Flights as they change, after a position or from now on.
    async fn flight_changed(
        &self,
        ctx: &Context<'_>,
        site: Option<ID>,
        after: Option<Position>,
    ) -> Result<impl Stream<Item = Result<FlightChange, Error>> + use<>, Error> {
        let site = optional("site", site.as_ref().map(|site| site.0.as_str()), SiteId::new)?;
        let kinds = AirportEvent::TYPES.iter().map(|known| known.name).collect();
        let watched = Watched { kinds, tag: "flight:", models: &[FLIGHTS, ALLOCATIONS], site };
        let changes = Changes::after(ctx, after, watched).await?;
        let snapshot = ctx.snapshot().clone();
        Ok(try_unfold((changes, snapshot), |(mut changes, snapshot)| async move {
            while let Some((position, id)) = changes.next().await? {
                if let Some(row) = by_key::<FlightRow>(&snapshot).load_one(id).await? {
                    return Ok(Some((FlightChange { position, flight: Flight::from(row) }, (changes, snapshot))));
                }
            }
            Ok(None)
        }))
    }
}
