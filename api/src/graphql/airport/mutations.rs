//! The airport's commands.

use async_graphql::{Context, Error, ID, MergedObject};

mod allocations;
mod flights;
mod stands;

use super::allocation::Allocation;
use crate::graphql::command::Receipt;
use vigie_domain::airport::AllocationHit;

/// Mutations of the airport.
#[derive(MergedObject, Default)]
pub(crate) struct AirportMutation(stands::StandMutation, flights::FlightMutation, allocations::AllocationMutation);

/// The allocations that a closure hits or relieves, once they can be read.
async fn hit(ctx: &Context<'_>, receipt: &Receipt, hits: &[AllocationHit]) -> Result<Vec<Allocation>, Error> {
    let mut found = Vec::new();
    if receipt.is_readable() {
        for hit in hits {
            found.extend(Allocation::find(ctx, Some(hit.allocation.0)).await?);
        }
    }
    Ok(found)
}

fn text(id: Option<&ID>) -> Option<&str> {
    id.map(|id| id.0.as_str())
}
