//! One step of the demo, carried out.

use std::time::Duration;

use vigie_commands::{Executor, Failure, Order};
use vigie_domain::airport::{AllocateAnswer, Rejection};
use vigie_domain::alerts;
use vigie_domain::kernel::{Decision, Refused};
use vigie_eventlog::Query;
use vigie_integrations::demo::{Command, Step};

use super::PlayError;

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// It was carried out.
    Done {
        /// Events that were appended; none if it was so already.
        appended: usize,
        /// What came of it, for people; empty where there is nothing to tell.
        says: String,
    },
    /// A rule refused it.
    Refused {
        /// The rule.
        code: &'static str,
        /// In words.
        reason: String,
    },
}

/// How long to wait for a policy to raise the alert that a step is about.
const PATIENCE: Duration = Duration::from_secs(10);

/// Refusals that end when policies have caught up.
const TOO_EARLY: &[&str] = &["ALERT_UNKNOWN", "ALERTS_NOT_YET_RAISED"];

pub(super) async fn step(executor: &Executor, step: &Step, order: Order) -> Result<Came, PlayError> {
    let fault = |source| PlayError::Fault { says: step.says.clone(), source };
    // Followed from before the first try, so that an alert raised meanwhile is not missed.
    let head = executor.log().head().await?;
    let mut alerts = executor.log().follow(Query::kinds([alerts::names::ALERT_RAISED]), head);
    let patience = tokio::time::Instant::now() + PATIENCE;
    loop {
        let came = once(executor, &step.command, order.clone()).await.map_err(fault)?;
        match &came {
            Came::Refused { code, .. } if TOO_EARLY.contains(code) => {}
            Came::Refused { .. } | Came::Done { .. } => return Ok(came),
        }
        match tokio::time::timeout_at(patience, alerts.next()).await {
            Ok(step) => drop(step?),
            Err(_) => return Ok(came),
        }
    }
}

type Fault = Box<dyn std::error::Error + Send + Sync>;

async fn once(executor: &Executor, command: &Command, order: Order) -> Result<Came, Fault> {
    match command {
        Command::AllocateStand(command) => give(executor, &**command, order, allocated).await,
        Command::CloseStand(command) => {
            let hits = |closure: &vigie_domain::airport::Closure| match closure.hits.len() {
                0 => String::new(),
                hits => format!("{hits} allocation(s) in conflict"),
            };
            give(executor, &**command, order, hits).await
        }
        Command::RecordPassPart(command) => {
            let out = |part: &vigie_domain::rail::PartRecorded| match part.out_of_limits {
                0 => String::new(),
                springs => format!("{springs} reading(s) out of limits"),
            };
            give(executor, &**command, order, out).await
        }
        Command::DefineSite(command) => give(executor, &**command, order, nothing).await,
        Command::DefineStand(command) => give(executor, &**command, order, nothing).await,
        Command::SetAllocationRules(command) => give(executor, &**command, order, nothing).await,
        Command::SetTurnaroundRule(command) => give(executor, &**command, order, nothing).await,
        Command::SetLimits(command) => give(executor, &**command, order, nothing).await,
        Command::ObserveFlight(command) => give(executor, &**command, order, nothing).await,
        Command::LinkTurnaround(command) => give(executor, &**command, order, nothing).await,
        Command::ReopenStand(command) => give(executor, &**command, order, nothing).await,
        Command::FreeStand(command) => give(executor, &**command, order, nothing).await,
        Command::AcknowledgeAlert(command) => give(executor, &**command, order, nothing).await,
        Command::ConfirmPass(command) => give(executor, &**command, order, nothing).await,
    }
}

fn nothing<A>(_: &A) -> String {
    String::new()
}

fn allocated(answer: &AllocateAnswer) -> String {
    match answer {
        AllocateAnswer::Allocated { stand, overflow: None, .. } => format!("stand {}", stand.name()),
        AllocateAnswer::Allocated { stand, overflow: Some(why), .. } => {
            format!("stand {}, military: {why}", stand.name())
        }
        AllocateAnswer::Already { stand, .. } => format!("has stand {} already", stand.name()),
        AllocateAnswer::NoStand { candidates } => {
            let closed = candidates.iter().filter(|one| matches!(one.rejected, Some(Rejection::Closed { .. }))).count();
            format!("no stand is left, of {}; {closed} closed", candidates.len())
        }
    }
}

async fn give<D: Decision>(
    executor: &Executor,
    command: &D,
    order: Order,
    says: impl Fn(&D::Answer) -> String,
) -> Result<Came, Fault>
where
    Failure<D::Refusal>: std::error::Error,
{
    match executor.execute(command, order).await {
        Ok(done) => Ok(Came::Done { appended: done.appended, says: says(&done.answer) }),
        Err(Failure::Refused(refusal)) => Ok(Came::Refused { code: refusal.code(), reason: refusal.to_string() }),
        Err(failure) => Err(Box::new(failure)),
    }
}
