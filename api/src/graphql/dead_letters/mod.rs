//! Dead letters: what policies and imports could not do.

mod letter;
mod mutations;

use async_graphql::{Context, Error, ID, InputObject, Object};
use vigie_commands::dead_letters::{Filter, list};

use letter::{DeadLetter, DeadLetterSource, DeadLetterState};
pub(in crate::graphql) use mutations::DeadLettersMutation;

use super::context::Parts;
use super::error::{argument, bad_input, fault};
use super::page::MAX;

/// Which dead letters; all when nothing is said.
#[derive(Debug, Default, InputObject)]
pub(crate) struct DeadLetterFilter {
    /// Of policies, or of imports.
    source: Option<DeadLetterSource>,
    /// Of this policy or feed, such as `alerts.escalation` or `passes`.
    name: Option<String>,
    /// In this state.
    state: Option<DeadLetterState>,
}

impl From<DeadLetterFilter> for Filter {
    fn from(filter: DeadLetterFilter) -> Self {
        Self { source: filter.source.map(Into::into), name: filter.name, state: filter.state.map(Into::into) }
    }
}

/// Queries about dead letters.
#[derive(Default)]
pub(crate) struct DeadLettersQuery;

#[Object]
impl DeadLettersQuery {
    /// What policies, their timers and imports could not do, as it is at this moment, newest first. The next page is what
    /// comes `before` the last one of this page.
    async fn dead_letters(
        &self,
        ctx: &Context<'_>,
        #[graphql(default)] filter: DeadLetterFilter,
        #[graphql(default = 50)] first: i32,
        before: Option<ID>,
    ) -> Result<Vec<DeadLetter>, Error> {
        if !(0..=MAX).contains(&first) {
            return Err(bad_input("first", format!("0 to {MAX} can be asked for")));
        }
        let before = before.map(|before| argument("before", before.parse::<i64>())).transpose()?;
        let letters = list(&ctx.services().pool, &filter.into(), first.into(), before).await;
        Ok(letters.map_err(|error| unavailable(&error))?.into_iter().map(DeadLetter).collect())
    }
}

/// The caller is told that it failed; the cause is for our own log.
fn unavailable(error: &(dyn std::error::Error + 'static)) -> Error {
    tracing::error!(error, "the dead letters could not be operated");
    fault("UNAVAILABLE", "the dead letters could not be read or written")
}
