//! From a fact to the commands that a policy gives.

use sqlx::PgPool;
use vigie_domain::kernel::{Decision, Fact, Refused as _};
use vigie_domain::policies::{Policy, Reaction, command_id};
use vigie_eventlog::Recorded;

use crate::dead_letters::{self, Undone};
use crate::{Executor, Failure, Order, reason};

pub(super) type Fault = Box<dyn std::error::Error + Send + Sync>;

/// What became of a command that needs no second try as it is.
pub(crate) enum Given {
    /// It was accepted.
    Accepted,
    /// A rule has refused it, or it can never be carried out.
    Dead {
        /// The rule.
        code: &'static str,
        /// In words.
        reason: String,
    },
}

/// Gives every command that the policy wants in answer to the fact.
pub(super) async fn to(
    policy: &dyn Policy,
    executor: &Executor,
    pool: &PgPool,
    fact: &Fact,
    recorded: &Recorded,
) -> Result<(), Fault> {
    let metadata = &recorded.metadata;
    for (index, reaction) in policy.react(fact).into_iter().enumerate() {
        let order = Order {
            command_id: command_id(policy.name(), recorded.id, index),
            actor: format!("policy:{}", policy.name()),
            correlation_id: Some(metadata.correlation_id),
            causation_id: Some(recorded.id),
            traceparent: metadata.traceparent.clone(),
            exact: false,
        };
        give_or_keep(policy.name(), executor, pool, &reaction, order).await?;
    }
    Ok(())
}

/// Gives a command. A refusal is an answer: it becomes a dead letter, and the policy goes on.
pub(super) async fn give_or_keep(
    policy: &str,
    executor: &Executor,
    pool: &PgPool,
    reaction: &Reaction,
    order: Order,
) -> Result<(), Fault> {
    if let Given::Dead { code, reason } = give(executor, reaction, order.clone()).await? {
        let (command, cause) = (reaction.name(), order.causation_id);
        tracing::warn!(command.name = command, order.actor, event.id = ?cause, code, reason, "a policy's command is dead");
        let undone = Undone::reaction(policy, reaction, &order, code, reason);
        dead_letters::record(pool, &[undone], executor.now()).await;
    }
    Ok(())
}

/// Gives a command as the order says.
pub(crate) async fn give(executor: &Executor, reaction: &Reaction, order: Order) -> Result<Given, Fault> {
    match reaction {
        Reaction::RaiseAlert(command) => carry_out(executor, command, order).await,
        Reaction::ResolveAlertsAbout(command) => carry_out(executor, command, order).await,
        Reaction::ReopenPass(command) => carry_out(executor, command, order).await,
        Reaction::EscalateAlert(command) => carry_out(executor, command, order).await,
        Reaction::RaiseOverdueStay(command) => carry_out(executor, command, order).await,
        Reaction::RaiseEndpointDown(command) => carry_out(executor, command, order).await,
    }
}

async fn carry_out<D: Decision>(executor: &Executor, command: &D, order: Order) -> Result<Given, Fault> {
    let failure = match executor.execute(command, order).await {
        Ok(_) => return Ok(Given::Accepted),
        Err(Failure::Refused(refusal)) => {
            return Ok(Given::Dead { code: refusal.code(), reason: refusal.to_string() });
        }
        Err(failure) => failure,
    };
    // The same command would fail in the same way every time; anything else may pass.
    let code = match &failure {
        Failure::Malformed { .. } => "MALFORMED",
        Failure::CommandIdReused { .. } => "COMMAND_ID_REUSED",
        Failure::Refused(_) | Failure::Contended { .. } | Failure::Log(_) | Failure::Unreadable { .. } => {
            return Err(Box::new(failure));
        }
    };
    Ok(Given::Dead { code, reason: reason(&failure) })
}
