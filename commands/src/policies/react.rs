//! From a fact to the commands that a policy gives.

use vigie_domain::kernel::Decision;
use vigie_domain::policies::{Policy, Reaction, command_id};
use vigie_eventlog::Recorded;

use crate::views::fact;
use crate::{Executor, Failure, Order};

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Gives every command that the policy wants in answer to the fact.
pub(super) async fn to(policy: &'static dyn Policy, executor: &Executor, recorded: &Recorded) -> Result<(), Fault> {
    let metadata = &recorded.metadata;
    for (index, reaction) in policy.react(&fact(recorded)?).into_iter().enumerate() {
        let order = Order {
            command_id: command_id(policy.name(), recorded.id, index),
            actor: format!("policy:{}", policy.name()),
            correlation_id: Some(metadata.correlation_id),
            causation_id: Some(recorded.id),
            traceparent: metadata.traceparent.clone(),
        };
        match reaction {
            Reaction::RaiseAlert(command) => give(executor, &command, order).await?,
            Reaction::ResolveAlertsAbout(command) => give(executor, &command, order).await?,
            Reaction::ReopenPass(command) => give(executor, &command, order).await?,
        }
    }
    Ok(())
}

/// Carries the command out. A refusal is an answer: it is logged, and the policy goes on.
async fn give<D: Decision>(executor: &Executor, command: &D, order: Order) -> Result<(), Fault> {
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
