//! Retrying and discarding dead letters.

use async_graphql::{Context, Error, ID, Object, SimpleObject};
use vigie_commands::dead_letters::{DeadLetterError, DeadLetterRefusal as Rule, discard, retry};

use super::{DeadLetter, unavailable};
use crate::clock;
use crate::graphql::command::{note, told};
use crate::graphql::context::Parts;
use crate::graphql::refusal::{DeadLetterRefusal, Told, results};

/// It was tried again.
#[derive(SimpleObject)]
pub(crate) struct RetryDeadLetterPayload {
    /// Whether it is done now; otherwise the letter says why not.
    accepted: bool,
    /// The letter as it is now.
    letter: DeadLetter,
}

/// It is not to be done.
#[derive(SimpleObject)]
pub(crate) struct DiscardDeadLetterPayload {
    /// The letter as it is now.
    letter: DeadLetter,
}

enum Refused {
    DeadLetterRefusal(Told),
}

results! {
    /// The attempt, or the rule that forbids it.
    RetryDeadLetterResult = RetryDeadLetterPayload, Refused [DeadLetterRefusal];
    /// The letter, or the rule that forbids it.
    DiscardDeadLetterResult = DiscardDeadLetterPayload, Refused [DeadLetterRefusal];
}

/// Mutations of dead letters.
#[derive(Default)]
pub(crate) struct DeadLettersMutation;

#[Object]
impl DeadLettersMutation {
    /// Gives a policy's command again, as the policy. A row of an import is retried by importing its file again.
    async fn retry_dead_letter(&self, ctx: &Context<'_>, id: ID) -> Result<RetryDeadLetterResult, Error> {
        let letter = match number(&id) {
            Ok(letter) => letter,
            Err(refused) => return Ok(refused.into()),
        };
        // Nothing is held open while the command is carried out.
        ctx.snapshot().renew().await;
        let services = ctx.services();
        let by = ctx.caller().actor.as_str();
        match retry(&services.executor, &services.pool, letter, by, clock::now()).await {
            Ok(retried) => {
                Ok(RetryDeadLetterPayload { accepted: retried.accepted, letter: DeadLetter(retried.letter) }.into())
            }
            Err(error) => Ok(refused(error)?.into()),
        }
    }

    /// Closes a letter whose work is not to be done. The reason has at most 500 characters.
    async fn discard_dead_letter(
        &self,
        ctx: &Context<'_>,
        id: ID,
        reason: String,
    ) -> Result<DiscardDeadLetterResult, Error> {
        let reason = note("reason", Some(&reason))?;
        let letter = match number(&id) {
            Ok(letter) => letter,
            Err(refused) => return Ok(refused.into()),
        };
        let by = ctx.caller().actor.as_str();
        match discard(&ctx.services().pool, letter, by, reason.as_str(), clock::now()).await {
            Ok(letter) => Ok(DiscardDeadLetterPayload { letter: DeadLetter(letter) }.into()),
            Err(error) => Ok(refused(error)?.into()),
        }
    }
}

/// What is no number is no letter's id.
fn number(id: &ID) -> Result<i64, Refused> {
    let unknown = |_| Refused::DeadLetterRefusal(told(&Rule::DeadLetterUnknown { letter: id.to_string() }));
    id.parse().map_err(unknown)
}

fn refused(error: DeadLetterError) -> Result<Refused, Error> {
    match error {
        DeadLetterError::Refused(rule) => Ok(Refused::DeadLetterRefusal(told(&rule))),
        error @ (DeadLetterError::Log(_) | DeadLetterError::Database(_)) => Err(unavailable(&error)),
    }
}
