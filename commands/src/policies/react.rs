//! From a fact to the commands that a policy gives.

use vigie_domain::kernel::{Decision, Fact};
use vigie_domain::policies::{Policy, Reaction, command_id};
use vigie_eventlog::Recorded;

use crate::{Executor, Failure, Order};

pub(super) type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Gives every command that the policy wants in answer to the fact.
pub(super) async fn to(
    policy: &dyn Policy,
    executor: &Executor,
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
        };
        give(executor, reaction, order).await?;
    }
    Ok(())
}

/// Gives a command as the order says.
pub(super) async fn give(executor: &Executor, reaction: Reaction, order: Order) -> Result<(), Fault> {
    match reaction {
        Reaction::RaiseAlert(command) => carry_out(executor, &command, order).await,
        Reaction::ResolveAlertsAbout(command) => carry_out(executor, &command, order).await,
        Reaction::ReopenPass(command) => carry_out(executor, &command, order).await,
        Reaction::EscalateAlert(command) => carry_out(executor, &command, order).await,
        Reaction::RaiseOverdueStay(command) => carry_out(executor, &command, order).await,
    }
}

/// Carries the command out. A refusal is an answer: it is logged, and the policy goes on.
async fn carry_out<D: Decision>(executor: &Executor, command: &D, order: Order) -> Result<(), Fault> {
    let (actor, cause) = (order.actor.clone(), order.causation_id);
    match executor.execute(command, order).await {
        Ok(_) => Ok(()),
        Err(Failure::Refused(refusal)) => {
            tracing::warn!(command.name = D::NAME, actor, event.id = ?cause, %refusal, "a policy's command was refused");
            Ok(())
        }
        Err(failure) => Err(Box::new(failure)),
    }
}
