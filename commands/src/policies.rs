//! Policies: pure reactions to facts, each cause acted on once.
//!
//! A policy follows the log from its own checkpoint and gives the commands that its reactions ask for. Their ids follow
//! from the policy and the fact, so that a fact that is seen again, after a crash or by a second owner, repeats nothing.
//! One owner at a time works, by an advisory lock; a paused owner that comes back is fenced off by the checkpoint.

mod checkpoint;
mod react;
mod skip;

use std::time::Duration;

use metrics::counter;
use sqlx::PgPool;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use vigie_domain::policies::Policy;
use vigie_eventlog::{LogError, Query};

pub use checkpoint::{PolicyStatus, status};
pub use skip::{Held, hold};

use crate::{Executor, reason};
use checkpoint::{Checkpoint, Lost};

/// How long to wait before trying to own a policy again.
const AGAIN: Duration = Duration::from_secs(2);

/// The running policies of a process.
pub struct Policies {
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

/// Why a policy stopped working for now.
#[derive(Debug, thiserror::Error)]
enum Halt {
    /// The log is closed, or the policies are told to stop.
    #[error("told to stop")]
    Told,
    /// Another process owns it, or the database went away.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// What comes next cannot be read: it is archived.
    #[error(transparent)]
    Log(LogError),
    /// A fact cannot be read or acted on.
    #[error("the event at position {position} cannot be acted on")]
    Event {
        position: i64,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl From<LogError> for Halt {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Closed => Self::Told,
            error => Self::Log(error),
        }
    }
}

impl Policies {
    /// Starts every policy; each works on its own.
    #[must_use]
    pub fn start(executor: &Executor, pool: &PgPool, policies: &[&'static dyn Policy]) -> Self {
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        for policy in policies {
            tasks.spawn(keep_running(*policy, executor.clone(), pool.clone(), stop.clone()));
        }
        Self { tasks, stop }
    }

    /// Ends them; each finishes the fact that it is at.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(error = %error, "a policy ended badly");
            }
        }
    }
}

async fn keep_running(policy: &'static dyn Policy, executor: Executor, pool: PgPool, stop: CancellationToken) {
    loop {
        let halt = run(policy, &executor, &pool, &stop).await;
        match halt {
            Halt::Told => return,
            Halt::Lost(Lost::Owned) => {}
            Halt::Log(error) => tracing::warn!(policy.name = policy.name(), error = %error, "policy waits"),
            Halt::Lost(error) => tracing::warn!(policy.name = policy.name(), error = %error, "policy waits"),
            Halt::Event { position, source } => {
                let error = reason(source.as_ref());
                tracing::error!(policy.name = policy.name(), event.position = position, error, "policy stopped");
                counter!("vigie_policy_errors_total", "policy" => policy.name()).increment(1);
            }
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Owns the policy and reacts until something ends that.
async fn run(policy: &'static dyn Policy, executor: &Executor, pool: &PgPool, stop: &CancellationToken) -> Halt {
    let mut checkpoint = match Checkpoint::own(pool, policy.name()).await {
        Ok(checkpoint) => checkpoint,
        Err(lost) => return lost.into(),
    };
    let halt = follow(policy, executor, &mut checkpoint, stop).await;
    let said = match &halt {
        Halt::Event { position, source } => checkpoint.stopped_at(*position, &reason(source.as_ref())).await,
        Halt::Told | Halt::Lost(_) | Halt::Log(_) => Ok(()),
    };
    if let Err(error) = said {
        tracing::warn!(policy.name = policy.name(), error = %error, "cannot record why the policy stopped");
    }
    checkpoint.release().await;
    halt
}

async fn follow(
    policy: &'static dyn Policy,
    executor: &Executor,
    checkpoint: &mut Checkpoint,
    stop: &CancellationToken,
) -> Halt {
    let skips = match skip::skips_after(executor.log(), policy.name(), checkpoint.position()).await {
        Ok(skips) => skips,
        Err(halt) => return halt,
    };
    let query = Query::kinds(policy.kinds().iter().copied());
    let mut follower = executor.log().follow(query, checkpoint.position());
    loop {
        let step = tokio::select! {
            step = follower.next() => step,
            () = stop.cancelled() => return Halt::Told,
        };
        let step = match step {
            Ok(step) => step,
            Err(closed) => return closed.into(),
        };
        for recorded in step.events {
            let position = recorded.position;
            if !skips.contains(&position)
                && let Err(source) = react::to(policy, executor, &recorded).await
            {
                return Halt::Event { position, source };
            }
            if let Err(lost) = checkpoint.advance(position).await {
                return lost.into();
            }
            if stop.is_cancelled() {
                return Halt::Told;
            }
        }
        if let Err(lost) = checkpoint.advance(step.position).await {
            return lost.into();
        }
    }
}
