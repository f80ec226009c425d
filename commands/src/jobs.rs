//! Recurring jobs.
//!
//! A [`Job`] knows when it is due and what to do; it is registered where it can reach what it works on. What must stay
//! true:
//! - One process at a time works the jobs off, by an advisory lock on a connection of its own. One that has lost it, and
//!   does not know yet, is fenced off: neither a start nor an end of a run can be recorded by it.
//! - No job has two runs at the same time; the database refuses the second.
//! - Every due time is accounted for: by a run, or by the record of what was skipped.
//! - A run whose process is gone is marked so by the next owner, and taken up where the job wants that.

mod owner;
pub mod schedule;
mod states;
mod table;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use sqlx::PgPool;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use schedule::Schedule;
pub use states::{
    Changed, JobError, Pause, Refusal, Run, RunState, Status, Trigger, pause, prune_runs, resume, runs, status, trigger,
};

use crate::time::Time;
use owner::{Lost, own};

/// How long to wait before trying to own the jobs again.
const AGAIN: Duration = Duration::from_secs(2);

/// What a run did, by name.
pub type Counts = BTreeMap<String, i64>;
/// What a job does: counts, or why it could not.
pub type Work = Pin<Box<dyn Future<Output = Result<Counts, Box<dyn std::error::Error + Send + Sync>>> + Send>>;
/// The zone that wall-clock schedules go by.
pub type Zone = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Tz> + Send>> + Send + Sync>;

/// What happens about due times at which nobody was there to run the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Missed {
    /// One run makes up for all of them.
    CatchUp,
    /// The next run is at its next time; how many were missed is recorded.
    Skip,
}

/// What happens about a run whose process ended before it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Died {
    /// The next owner runs it again, at most [`Died::TIMES`] times.
    TakeUp,
    /// Its next time is soon enough.
    Leave,
}

impl Died {
    /// A run that has died so often is left alone: it may be what ends its process.
    pub const TIMES: i64 = 3;
}

/// Something to do again and again.
#[derive(Clone)]
pub struct Job {
    /// Stable name, such as `prune_refusals`.
    pub name: &'static str,
    /// What it does, for people.
    pub about: &'static str,
    /// When.
    pub schedule: Schedule,
    /// What happens about missed times.
    pub missed: Missed,
    /// What happens about a run that dies with its process.
    pub died: Died,
    /// Begins a run. Dropped when the process stops or has lost the jobs, so it must leave things sound at every await.
    pub work: Arc<dyn Fn() -> Work + Send + Sync>,
}

/// The jobs of a process: works them off while it owns them, waits for its turn otherwise.
pub struct Jobs {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

/// What the jobs of a process work with.
#[derive(Clone)]
pub struct Scheduler {
    /// The database that says whose turn it is.
    pub pool: PgPool,
    /// The clock that they go by.
    pub time: Time,
    /// The zone that they go by.
    pub zone: Zone,
    /// Names this process for people.
    pub owner: String,
}

impl Jobs {
    /// Starts working them off.
    #[must_use]
    pub fn start(scheduler: Scheduler, jobs: Vec<Job>) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(keep_running(scheduler, jobs, stop.clone()));
        Self { task, stop }
    }

    /// Ends it; what runs is broken off and recorded so.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(error = %error, "the jobs ended badly");
        }
    }
}

async fn keep_running(scheduler: Scheduler, jobs: Vec<Job>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match own(&scheduler, &jobs, &stop).await {
            Ok(()) => return,
            Err(Lost::Owned) => {}
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "jobs wait"),
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            () = stop.cancelled() => return,
        }
    }
}

#[cfg(test)]
mod tests;
