//! The process whose turn it is.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use metrics::counter;
use sqlx::{Connection, PgConnection};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::schedule::{due_between, next_after};
use super::table::{self, Due, Start};
use super::{Counts, Died, Job, Missed, Scheduler};
use crate::reason;

/// How often it looks for what people ask for, and whether it still owns the jobs.
const LOOK: Duration = Duration::from_secs(1);
/// After a run has died nothing begins for so long: should its process live on, it notices first.
const SETTLE: Duration = Duration::from_secs(2);
/// A run that begins later than this after its time has missed it.
const LATE: TimeDelta = TimeDelta::seconds(60);

/// Why a process does not work the jobs off.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    /// Another process owns them.
    #[error("another process owns them")]
    Owned,
    /// Another process has owned them since.
    #[error("another process has taken them over")]
    Fenced,
    /// The database failed.
    #[error("their state cannot be used")]
    Database(#[from] sqlx::Error),
}

type Ended = Result<Counts, Box<dyn std::error::Error + Send + Sync>>;

struct Owner<'a> {
    /// Holds the lock; everything that is recorded goes over it.
    connection: PgConnection,
    scheduler: &'a Scheduler,
    jobs: HashMap<&'static str, &'a Job>,
    fences: HashMap<&'static str, i64>,
    /// What runs; broken off when this is dropped.
    tasks: JoinSet<Ended>,
    runs: HashMap<Id, (&'static str, i64)>,
    settled: Instant,
}

/// Owns the jobs and works them off until told to stop.
pub(super) async fn own(scheduler: &Scheduler, jobs: &[Job], stop: &CancellationToken) -> Result<(), Lost> {
    let mut connection = PgConnection::connect_with(&scheduler.pool.connect_options()).await?;
    if !table::lock(&mut connection).await? {
        return Err(Lost::Owned);
    }
    let mut owner = Owner {
        connection,
        scheduler,
        jobs: jobs.iter().map(|job| (job.name, job)).collect(),
        fences: HashMap::new(),
        tasks: JoinSet::new(),
        runs: HashMap::new(),
        settled: Instant::now(),
    };
    owner.take_over().await?;
    let worked = owner.work(stop).await;
    owner.tasks.shutdown().await;
    worked?;
    owner.give_up().await
}

impl Owner<'_> {
    async fn take_over(&mut self) -> Result<(), Lost> {
        let (now, zone) = (self.scheduler.time.now(), (self.scheduler.zone)().await);
        let mut transaction = self.connection.begin().await?;
        for job in self.jobs.values() {
            let next = next_after(job.schedule, zone, now);
            let fence = table::register(&mut transaction, job, zone, next).await?;
            self.fences.insert(job.name, fence);
        }
        transaction.commit().await?;
        if self.bury(None, "its process ended before it did").await? {
            self.settled = Instant::now() + SETTLE;
        }
        Ok(())
    }

    /// Records that runs have died with their process, `owner` or any, and puts down what is to be taken up.
    async fn bury(&mut self, owner: Option<&str>, error: &str) -> Result<bool, sqlx::Error> {
        let mut transaction = self.connection.begin().await?;
        let died = table::bury(&mut transaction, owner, self.scheduler.time.now(), error).await?;
        for run in &died {
            tracing::warn!(job.name = run.job, job.run = run.id, error, "a run of a job has died");
            let takes_up = self.jobs.get(run.job.as_str()).is_some_and(|job| job.died == Died::TakeUp);
            if takes_up && run.deaths < Died::TIMES {
                table::take_up(&mut transaction, run).await?;
            }
        }
        transaction.commit().await?;
        Ok(!died.is_empty())
    }

    async fn work(&mut self, stop: &CancellationToken) -> Result<(), Lost> {
        loop {
            let wake = self.start_due().await?;
            let time = &self.scheduler.time;
            tokio::select! {
                Some(ended) = self.tasks.join_next_with_id() => self.ended(ended).await?,
                () = time.sleep_until(wake.unwrap_or(DateTime::<Utc>::MAX_UTC)), if wake.is_some() => {}
                () = tokio::time::sleep(LOOK) => {}
                () = stop.cancelled() => return Ok(()),
            }
        }
    }

    /// Starts what is due or asked for; when the next job is due.
    async fn start_due(&mut self) -> Result<Option<DateTime<Utc>>, Lost> {
        let names: Vec<String> = self.jobs.keys().map(|name| (*name).to_owned()).collect();
        let mut wake = None;
        for due in table::due(&mut self.connection, &names).await? {
            let Some(job) = self.jobs.get(due.name.as_str()).copied() else { continue };
            if self.fences.get(job.name) != Some(&due.fence) {
                return Err(Lost::Fenced);
            }
            if self.runs.values().any(|(name, _)| *name == job.name) || Instant::now() < self.settled {
                continue;
            }
            let next = self.start(job, &due).await?;
            if let Some(next) = next {
                wake = Some(wake.map_or(next, |wake: DateTime<Utc>| wake.min(next)));
            }
        }
        Ok(wake)
    }

    /// Starts the job if it is due or asked for; when it is due by itself, unless it runs now or is paused.
    async fn start(&mut self, job: &Job, due: &Due) -> Result<Option<DateTime<Utc>>, Lost> {
        let now = self.scheduler.time.now();
        if let Some(waiting) = due.waiting
            && (due.by_hand || !due.paused)
        {
            self.begin(job, Start::Waiting { id: waiting, next: due.next_at }, now).await?;
            return Ok(None);
        }
        if due.paused {
            return Ok(None);
        }
        if due.next_at > now {
            return Ok(Some(due.next_at));
        }
        let zone = (self.scheduler.zone)().await;
        let missed = due_between(job.schedule, zone, due.next_at, now);
        let next = next_after(job.schedule, zone, now);
        let late = missed > 0 || now - due.next_at > LATE;
        let skipped = late && job.missed == Missed::Skip;
        self.begin(job, Start::Due { at: due.next_at, missed, next, zone, skipped }, now).await?;
        Ok(skipped.then_some(next))
    }

    async fn begin(&mut self, job: &Job, start: Start, now: DateTime<Utc>) -> Result<(), Lost> {
        let fence = self.fences.get(job.name).copied().unwrap_or_default();
        let begun = table::begin(&mut self.connection, job.name, fence, &self.scheduler.owner, now, &start).await?;
        let run = begun.ok_or(Lost::Fenced)?;
        self.fences.insert(job.name, fence + 1);
        if start.runs() {
            let task = self.tasks.spawn((job.work)());
            self.runs.insert(task.id(), (job.name, run));
        } else {
            counter!("vigie_job_runs_total", "job" => job.name, "outcome" => "skipped").increment(1);
        }
        Ok(())
    }

    async fn ended(&mut self, ended: Result<(Id, Ended), JoinError>) -> Result<(), Lost> {
        let (id, outcome) = match ended {
            Ok((id, Ok(counts))) => (id, Ok(counts)),
            Ok((id, Err(error))) => (id, Err(reason(error.as_ref()))),
            Err(error) => (error.id(), Err(error.to_string())),
        };
        let Some((name, run)) = self.runs.remove(&id) else { return Ok(()) };
        let label = if outcome.is_ok() { "done" } else { "failed" };
        counter!("vigie_job_runs_total", "job" => name, "outcome" => label).increment(1);
        if let Err(error) = &outcome {
            tracing::error!(job.name = name, job.run = run, error, "a job failed");
        }
        let (owner, now) = (&self.scheduler.owner, self.scheduler.time.now());
        if table::end(&mut self.connection, run, owner, now, &outcome).await? { Ok(()) } else { Err(Lost::Fenced) }
    }

    /// Records what was broken off, and leaves the jobs to whoever comes next.
    async fn give_up(mut self) -> Result<(), Lost> {
        let owner = self.scheduler.owner.clone();
        self.bury(Some(&owner), "its server was stopped while it ran").await?;
        self.connection.close().await?;
        Ok(())
    }
}
