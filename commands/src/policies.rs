//! Policies: pure reactions to facts, each cause acted on once.
//!
//! A policy follows the log from its own checkpoint and gives the commands that its reactions ask for. Their ids follow
//! from the policy and the fact, so that a fact that is seen again, after a crash or by a second owner, repeats nothing.
//! One owner at a time works, by an advisory lock; a paused owner that comes back is fenced off by the checkpoint. So is
//! one of an older version: a policy's version counts what follows from a fact, and a new one takes over from where the
//! old one has come to. What is to follow later waits in timers.

mod checkpoint;
mod dry_run;
mod react;
mod skip;
mod status;
mod switch;
mod timers;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use metrics::counter;
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use vigie_domain::policies::Policy;
use vigie_eventlog::{LogError, Query, Recorded};

pub(crate) use react::{Given, give};

pub use dry_run::{DryRun, DryRunError, Planned, PlannedKind};
pub use skip::{Held, hold};
pub use status::{PolicyStatus, status};
pub use switch::{PolicySwitch, Switch, SwitchError, SwitchRefusal, Switched, known, switch, switches};
pub use timers::{Waiting, waiting};

use crate::time::Time;
use crate::views::fact;
use crate::{Executor, reason};
use checkpoint::{Checkpoint, Lost};
use timers::{Setting, Timers};

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
    /// Starts every policy, each on its own, and the timers of all; timers fall due by `time`.
    #[must_use]
    pub fn start(executor: &Executor, pool: &PgPool, policies: &[&'static dyn Policy], time: &Time) -> Self {
        let (stop, set) = (CancellationToken::new(), Arc::new(Notify::new()));
        let mut tasks = JoinSet::new();
        for policy in policies {
            let running =
                Running { policy: *policy, executor: executor.clone(), pool: pool.clone(), set: Arc::clone(&set) };
            tasks.spawn(running.keep(stop.clone()));
        }
        let timers = Timers { executor: executor.clone(), pool: pool.clone(), time: Arc::clone(time), set };
        tasks.spawn(timers.run(stop.clone()));
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

/// A policy that runs.
struct Running {
    policy: &'static dyn Policy,
    executor: Executor,
    pool: PgPool,
    /// Told when a timer was set.
    set: Arc<Notify>,
}

impl Running {
    async fn keep(self, stop: CancellationToken) {
        let name = self.policy.name();
        loop {
            match self.run(&stop).await {
                Halt::Told => return,
                Halt::Lost(Lost::Owned | Lost::Off) => {}
                Halt::Log(error) => tracing::warn!(policy.name = name, error = %error, "policy waits"),
                Halt::Lost(error) => tracing::warn!(policy.name = name, error = %error, "policy waits"),
                Halt::Event { position, source } => {
                    let error = reason(source.as_ref());
                    tracing::error!(policy.name = name, event.position = position, error, "policy stopped");
                    counter!("vigie_policy_errors_total", "policy" => name).increment(1);
                }
            }
            tokio::select! {
                () = tokio::time::sleep(AGAIN) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Owns the policy and reacts until something ends that.
    async fn run(&self, stop: &CancellationToken) -> Halt {
        let mut checkpoint = match Checkpoint::own(&self.pool, self.policy).await {
            Ok(checkpoint) => checkpoint,
            Err(lost) => return lost.into(),
        };
        let halt = match self.follow(&mut checkpoint, stop).await {
            Ok(never) => match never {},
            Err(halt) => halt,
        };
        let said = match &halt {
            Halt::Event { position, source } => checkpoint.stopped_at(*position, &reason(source.as_ref())).await,
            Halt::Told | Halt::Lost(_) | Halt::Log(_) => Ok(()),
        };
        if let Err(error) = said {
            tracing::warn!(policy.name = self.policy.name(), error = %error, "cannot record why the policy stopped");
        }
        checkpoint.release().await;
        halt
    }

    async fn follow(&self, checkpoint: &mut Checkpoint, stop: &CancellationToken) -> Result<Infallible, Halt> {
        let log = self.executor.log();
        let skips = skip::skips_after(log, self.policy.name(), checkpoint.position()).await?;
        let query = Query::kinds(self.policy.kinds().iter().copied());
        let mut follower = log.follow(query, checkpoint.position());
        loop {
            let step = tokio::select! {
                step = follower.next() => step?,
                () = stop.cancelled() => return Err(Halt::Told),
            };
            for recorded in step.events {
                let timers = if skips.contains(&recorded.position) {
                    Vec::new()
                } else {
                    // Whoever was switched off or replaced while it waited must give no command any more.
                    checkpoint.is_ours().await?;
                    let position = recorded.position;
                    self.react(&recorded).await.map_err(|source| Halt::Event { position, source })?
                };
                checkpoint.advance(recorded.position, &timers).await?;
                if !timers.is_empty() {
                    self.set.notify_one();
                }
                if stop.is_cancelled() {
                    return Err(Halt::Told);
                }
            }
            checkpoint.advance(step.position, &[]).await?;
        }
    }

    /// Gives the commands that follow from a fact; the timers that it sets.
    async fn react(&self, recorded: &Recorded) -> Result<Vec<Setting>, react::Fault> {
        let fact = fact(recorded)?;
        react::to(self.policy, &self.executor, &self.pool, &fact, recorded).await?;
        Ok(Setting::all(self.policy, self.policy.timers(&fact), recorded))
    }
}
