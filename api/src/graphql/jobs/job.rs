//! A job and its runs, as they are answered.

use async_graphql::{Context, Enum, Error, Object};
use chrono::{DateTime, Utc};
use serde_json::Value;
use vigie_commands::jobs::{Missed, Run, RunState, Status, Trigger};

use super::latest;

/// What happens about due times at which nobody was there to run a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Missed", name = "JobMissed")]
pub(crate) enum JobMissed {
    /// One run makes up for all of them.
    CatchUp,
    /// The next run is at its next time; how many were missed is recorded.
    Skip,
}

/// What has become of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "RunState")]
pub(crate) enum JobRunState {
    /// It begins as soon as the process that owns the jobs gets to it.
    Waiting,
    /// It runs.
    Running,
    /// It did what it had to.
    Done,
    /// It could not.
    Failed,
    /// Its process ended before it did.
    Died,
    /// It was missed, and is not made up for.
    Skipped,
}

/// What began a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Trigger")]
pub(crate) enum JobTrigger {
    /// Its time had come.
    Schedule,
    /// Somebody asked for it.
    Hand,
    /// An earlier run had died.
    TakenUp,
}

/// Something that the system does again and again.
pub(crate) struct Job(pub(super) Status);

#[Object]
impl Job {
    /// Its name, such as `prune_refusals`.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// What it does.
    async fn about(&self) -> &str {
        &self.0.about
    }
    /// When it runs, in words.
    async fn schedule(&self) -> &str {
        &self.0.schedule
    }
    /// The zone that it goes by.
    async fn zone(&self) -> &str {
        &self.0.zone
    }
    /// What happens about missed times.
    async fn missed(&self) -> JobMissed {
        self.0.missed.into()
    }
    /// When it is due next.
    async fn next_at(&self) -> DateTime<Utc> {
        self.0.next_at
    }
    /// Who holds it up; null when nobody does.
    async fn paused_by(&self) -> Option<&str> {
        self.0.paused.as_ref().map(|pause| pause.by.as_str())
    }
    /// Since when.
    async fn paused_at(&self) -> Option<DateTime<Utc>> {
        self.0.paused.as_ref().map(|pause| pause.at)
    }
    /// Why.
    async fn paused_reason(&self) -> Option<&str> {
        self.0.paused.as_ref().map(|pause| pause.reason.as_str())
    }
    /// Its newest run.
    async fn last_run(&self) -> Option<JobRun> {
        self.0.last.clone().map(JobRun)
    }
    /// Its runs, newest first. The next page is what comes before the last run's id.
    async fn runs(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 50)] first: i32,
        before: Option<i64>,
    ) -> Result<Vec<JobRun>, Error> {
        latest(ctx, Some(&self.0.name), first, before).await
    }
}

/// A run of a job.
pub(crate) struct JobRun(pub(super) Run);

#[Object]
impl JobRun {
    /// Counts runs, with gaps.
    async fn id(&self) -> i64 {
        self.0.id
    }
    /// Of which job.
    async fn job(&self) -> &str {
        &self.0.job
    }
    /// What has become of it.
    async fn state(&self) -> JobRunState {
        self.0.state.into()
    }
    /// What began it.
    async fn trigger(&self) -> JobTrigger {
        self.0.trigger.into()
    }
    /// When it was due, or asked for.
    async fn scheduled_for(&self) -> DateTime<Utc> {
        self.0.scheduled_for
    }
    /// How many more due times, later ones, were missed with that one.
    async fn missed(&self) -> i64 {
        self.0.missed
    }
    /// Who asked for it.
    async fn asked_by(&self) -> Option<&str> {
        self.0.asked_by.as_deref()
    }
    /// Why they did.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }
    /// The process that ran it.
    async fn owner(&self) -> Option<&str> {
        self.0.owner.as_deref()
    }
    /// Its beginning.
    async fn started_at(&self) -> Option<DateTime<Utc>> {
        self.0.started_at
    }
    /// Its end.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.0.ended_at
    }
    /// What it found and did, in numbers by name.
    async fn counts(&self) -> Option<async_graphql::Json<Value>> {
        self.0.counts.clone().map(async_graphql::Json)
    }
    /// Why it could not.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }
}
