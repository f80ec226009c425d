//! A letter is tried again.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;
use vigie_domain::kernel::derived_uuid;
use vigie_domain::policies::Reaction;

use super::letter::{DeadLetter, DeadLetterError, DeadLetterRefusal, Source, State};
use super::{Undone, table};
use crate::policies::{Given, give};
use crate::{Executor, Order, reason};

/// A letter after another attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Retried {
    /// Whether it is done now.
    pub accepted: bool,
    /// The letter as it is now.
    pub letter: DeadLetter,
}

/// What a policy's letter holds.
#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    reaction: Reaction,
    event: Option<Uuid>,
    correlation_id: Option<Uuid>,
    traceparent: Option<String>,
}

impl Undone {
    /// A policy's command, given as the order says.
    pub(crate) fn reaction(policy: &str, reaction: &Reaction, order: &Order, code: &str, reason: String) -> Self {
        let Order { command_id, causation_id: event, correlation_id, traceparent, .. } = order;
        Self {
            source: Source::Policy,
            name: policy.to_owned(),
            command_id: *command_id,
            payload: json!({
                "reaction": reaction, "event": event, "correlation_id": correlation_id, "traceparent": traceparent
            }),
            reason,
            code: Some(code.to_owned()),
        }
    }
}

/// Gives a policy's command again, as the policy and caused by the same event, under an id of its own for each attempt;
/// closes the letter if it is accepted, and keeps the new reason if not. The letter is held meanwhile, so that two who
/// retry it do so one after the other, and a crash repeats the attempt, which repeats nothing.
///
/// # Errors
/// No such letter, closed before, a row of an import, or the database failed.
pub async fn retry(
    executor: &Executor,
    pool: &PgPool,
    id: i64,
    by: &str,
    at: DateTime<Utc>,
) -> Result<Retried, DeadLetterError> {
    let mut transaction = pool.begin().await?;
    let mut letter = table::hold(&mut transaction, id).await?;
    if letter.source == Source::Import {
        let how = by_import(&letter);
        return Err(DeadLetterRefusal::RetryByImport { letter: id.to_string(), how }.into());
    }
    // It may have been carried out since, as one that came again after a crash.
    let done = match letter.command_id {
        Some(command_id) => executor.log().appended(command_id).await?.is_some(),
        None => false,
    };
    letter.last_at = at;
    let accepted = if done { true } else { attempt(executor, &mut letter).await };
    if accepted {
        letter.close(State::Done, by, "accepted when it was retried", at);
    }
    table::update(&mut transaction, &letter).await?;
    transaction.commit().await?;
    Ok(Retried { accepted, letter })
}

/// Whether the command was accepted; the letter counts the attempt.
async fn attempt(executor: &Executor, letter: &mut DeadLetter) -> bool {
    let failed = match again(executor, letter).await {
        Ok(Given::Accepted) => None,
        Ok(Given::Dead { code, reason }) => Some((Some(code.to_owned()), reason)),
        Err(fault) => Some((None, reason(fault.as_ref()))),
    };
    letter.attempts = letter.attempts.saturating_add(1);
    let Some((code, reason)) = failed else { return true };
    (letter.code, letter.reason) = (code, reason.replace('\0', "\u{fffd}"));
    false
}

async fn again(executor: &Executor, letter: &DeadLetter) -> Result<Given, Box<dyn std::error::Error + Send + Sync>> {
    let Payload { reaction, event, correlation_id, traceparent } = serde_json::from_value(letter.payload.0.clone())?;
    // The first id follows from policy, event and place, which so tell this command from any other too.
    let first = letter.command_id.unwrap_or_default();
    let cause = format!("{}/{first}/{}", letter.name, letter.attempts);
    let order = Order {
        command_id: derived_uuid("policy-command-retry", &cause),
        actor: format!("policy:{}", letter.name),
        correlation_id,
        causation_id: event,
        traceparent,
        exact: false,
    };
    give(executor, &reaction, order).await
}

/// How a row is tried again.
fn by_import(letter: &DeadLetter) -> String {
    let file = letter.payload.get("file").and_then(Value::as_str).filter(|file| *file != "standard input");
    format!("vigie import {} {}", letter.name, file.unwrap_or("FILE"))
}
