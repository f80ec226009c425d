//! Operating read models: how far they are, holding them up, making them anew, skipping what stops them.

mod changed;
mod mutations;
mod projection;
mod verification;

use async_graphql::{Context, Error, Object};
use vigie_projections::control::operations;

pub(in crate::graphql) use changed::ProjectionsSubscription;
pub(in crate::graphql) use mutations::ProjectionsMutation;
pub(in crate::graphql) use projection::{Operation, Projection};

use verification::{ProjectionVerification, verification};

use super::context::Parts;
use super::error::{bad_input, fault};
use super::page::MAX;

/// Queries about read models.
#[derive(Default)]
pub(crate) struct ProjectionsQuery;

#[Object]
impl ProjectionsQuery {
    /// The read models as they are at this moment: how far, whether they go on, and what stands in their way.
    async fn projections(&self, ctx: &Context<'_>, names: Option<Vec<String>>) -> Result<Vec<Projection>, Error> {
        let all = ctx.services().projections.status().await.map_err(|error| unavailable(&error))?;
        let all = all.into_iter().filter(|one| names.as_ref().is_none_or(|names| names.contains(&one.name)));
        Ok(all.map(Projection).collect())
    }

    /// Whether rows of a read model are what the log says: so many random ones of each table with everything that they
    /// were before, and those that as many random events should have left. At most 200; one at a time.
    async fn projection_verification(
        &self,
        ctx: &Context<'_>,
        projection: String,
        #[graphql(default = 50)] sample: i32,
    ) -> Result<ProjectionVerification, Error> {
        verification(ctx, &projection, sample).await
    }

    /// What people did to read models, or to one of them, newest first: who, when and why. What was skipped is in the
    /// log, and so in the audit trail.
    async fn projection_operations(
        &self,
        ctx: &Context<'_>,
        projection: Option<String>,
        #[graphql(default = 50)] first: i32,
    ) -> Result<Vec<Operation>, Error> {
        recent(ctx, projection.as_deref(), first).await
    }
}

async fn recent(ctx: &Context<'_>, name: Option<&str>, first: i32) -> Result<Vec<Operation>, Error> {
    if !(0..=MAX).contains(&first) {
        return Err(bad_input("first", format!("0 to {MAX} can be asked for")));
    }
    let done = operations(&ctx.services().pool, name, first.into()).await.map_err(|error| unavailable(&error))?;
    Ok(done.into_iter().map(Operation).collect())
}

/// The caller is told that it failed; the cause is for our own log.
fn unavailable(error: &(dyn std::error::Error + 'static)) -> Error {
    tracing::error!(error, "the read models could not be operated");
    fault("UNAVAILABLE", error.to_string())
}
