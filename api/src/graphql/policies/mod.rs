//! Policies: how far they are, switching them off and on, and the timers that wait.

mod mutations;
mod policy;

use async_graphql::{Context, Error, Object};
use vigie_commands::policies::{status, waiting};

pub(in crate::graphql) use mutations::PoliciesMutation;
pub(in crate::graphql) use policy::{Policy, Timer};

use super::context::Parts;
use super::error::{bad_input, fault};
use super::page::MAX;

/// Queries about policies.
#[derive(Default)]
pub(crate) struct PoliciesQuery;

#[Object]
impl PoliciesQuery {
    /// The policies as they are at this moment: what reacts to facts, how far, and whether it is switched on.
    async fn policies(&self, ctx: &Context<'_>) -> Result<Vec<Policy>, Error> {
        let all = status(&ctx.services().pool).await.map_err(|error| unavailable(&error))?;
        Ok(all.into_iter().map(Policy).collect())
    }

    /// What policies will do unless something happens before, soonest first; of one policy, or of all.
    async fn timers(
        &self,
        ctx: &Context<'_>,
        policy: Option<String>,
        #[graphql(default = 50)] first: i32,
    ) -> Result<Vec<Timer>, Error> {
        timers(ctx, policy.as_deref(), first).await
    }
}

async fn timers(ctx: &Context<'_>, policy: Option<&str>, first: i32) -> Result<Vec<Timer>, Error> {
    bounded(first)?;
    let all = waiting(&ctx.services().pool, policy, first.into()).await.map_err(|error| unavailable(&error))?;
    Ok(all.into_iter().map(Timer).collect())
}

fn bounded(first: i32) -> Result<(), Error> {
    if (0..=MAX).contains(&first) {
        return Ok(());
    }
    Err(bad_input("first", format!("0 to {MAX} can be asked for")))
}

/// The caller is told that it failed; the cause is for our own log.
fn unavailable(error: &(dyn std::error::Error + 'static)) -> Error {
    tracing::error!(error, "the policies could not be operated");
    fault("UNAVAILABLE", "the policies could not be read or switched")
}
