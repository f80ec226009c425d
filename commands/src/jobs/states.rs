//! What people see of jobs and do to them.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use sqlx::PgPool;
use vigie_domain::kernel::{Refused, plain};

use super::Missed;

/// A job as it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// Its name.
    pub name: String,
    /// What it does.
    pub about: String,
    /// What happens about missed times.
    pub missed: Missed,
    /// When it runs, in words.
    pub schedule: String,
    /// The zone that it goes by.
    pub zone: String,
    /// When it is due next.
    pub next_at: DateTime<Utc>,
    /// Who holds it up, if somebody does.
    pub paused: Option<Pause>,
    /// Its newest run.
    pub last: Option<Run>,
}

/// That somebody holds a job up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pause {
    /// Who.
    pub by: String,
    /// Since when.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: String,
}

/// What has become of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum RunState {
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Trigger {
    /// Its time had come.
    Schedule,
    /// Somebody asked for it.
    Hand,
    /// An earlier run had died.
    TakenUp,
}

/// A run of a job.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Run {
    /// Counts them, with gaps.
    pub id: i64,
    /// Of which job.
    pub job: String,
    /// What has become of it.
    pub state: RunState,
    /// What began it.
    pub trigger: Trigger,
    /// When it was due, or asked for.
    pub scheduled_for: DateTime<Utc>,
    /// How many more due times, later ones, were missed with that one.
    pub missed: i64,
    /// Who asked for it.
    pub asked_by: Option<String>,
    /// Why they did.
    pub reason: Option<String>,
    /// The process that ran it.
    pub owner: Option<String>,
    /// Its beginning.
    pub started_at: Option<DateTime<Utc>>,
    /// Its end.
    pub ended_at: Option<DateTime<Utc>>,
    /// What it did, by name.
    pub counts: Option<serde_json::Value>,
    /// Why it could not.
    pub error: Option<String>,
}

/// The rule that forbids something about a job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "rule", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Refusal {
    /// There is none of that name.
    #[error("there is no job {job:?}; there are {}", known.join(", "))]
    JobUnknown {
        /// The name as given.
        job: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// A run waits already.
    #[error("a run of {job} waits already, since {since}")]
    RunWaits {
        /// The job.
        job: String,
        /// Since when.
        since: DateTime<Utc>,
    },
}

impl Refused for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::JobUnknown { .. } => "JOB_UNKNOWN",
            Self::RunWaits { .. } => "RUN_WAITS",
        }
    }

    fn details(&self) -> serde_json::Value {
        plain(self)
    }
}

/// Why something could not be done about a job.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// A rule forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database failed.
    #[error("the jobs cannot be used")]
    Database(#[from] sqlx::Error),
}

/// Whether there was anything to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// It is so now.
    Now,
    /// It was so before.
    Already,
}

/// Every job that a process of this database has owned, by name.
///
/// # Errors
/// The database failed.
pub async fn status(pool: &PgPool) -> Result<Vec<Status>, sqlx::Error> {
    let jobs = sqlx::query!(
        r#"select name, about, missed as "missed: Missed", schedule, zone, next_at, paused_by, paused_at, paused_reason
           from job order by name"#
    );
    let jobs = jobs.fetch_all(pool).await?;
    let last = sqlx::query_as!(
        Run,
        r#"select r.id, r.job, r.state as "state: RunState", r.trigger as "trigger: Trigger", r.scheduled_for, r.missed,
                  r.asked_by, r.reason, r.owner, r.started_at, r.ended_at, r.counts, r.error
           from job j cross join lateral (select * from job_run where job = j.name order by id desc limit 1) r"#
    );
    let mut last: std::collections::HashMap<String, Run> =
        last.fetch_all(pool).await?.into_iter().map(|run| (run.job.clone(), run)).collect();
    let status = jobs.into_iter().map(|job| Status {
        last: last.remove(&job.name),
        paused: job.paused_by.zip(job.paused_at).map(|(by, at)| Pause {
            by,
            at,
            reason: job.paused_reason.unwrap_or_default(),
        }),
        name: job.name,
        about: job.about,
        missed: job.missed,
        schedule: job.schedule,
        zone: job.zone,
        next_at: job.next_at,
    });
    Ok(status.collect())
}

/// Runs, newest first: of one job or of all, at most `first`, older than the run `before` if there is one.
///
/// # Errors
/// The database failed.
pub async fn runs(pool: &PgPool, job: Option<&str>, first: i64, before: Option<i64>) -> Result<Vec<Run>, sqlx::Error> {
    sqlx::query_as!(
        Run,
        r#"select id, job, state as "state: RunState", trigger as "trigger: Trigger", scheduled_for, missed, asked_by,
                  reason, owner, started_at, ended_at, counts, error
           from job_run where ($1::text is null or job = $1) and id < coalesce($3, 9223372036854775807)
           order by id desc limit $2"#,
        job,
        first,
        before
    )
    .fetch_all(pool)
    .await
}

/// Asks for a run now; the process that owns the jobs begins it within about a second, also of a paused job.
///
/// # Errors
/// Unknown, waiting already, or the database failed.
pub async fn trigger(pool: &PgPool, job: &str, by: &str, why: &str, now: DateTime<Utc>) -> Result<Run, JobError> {
    known(pool, job).await?;
    let asked = sqlx::query_as!(
        Run,
        r#"insert into job_run (job, state, trigger, scheduled_for, asked_by, reason)
           values ($1, 'waiting', 'hand', $2, $3, $4) on conflict do nothing
           returning id, job, state as "state: RunState", trigger as "trigger: Trigger", scheduled_for, missed, asked_by,
                     reason, owner, started_at, ended_at, counts, error"#,
        job,
        now,
        by,
        why
    );
    if let Some(run) = asked.fetch_optional(pool).await? {
        return Ok(run);
    }
    let since = sqlx::query_scalar!("select scheduled_for from job_run where job = $1 and state = 'waiting'", job);
    // It may have begun since then.
    let since = since.fetch_optional(pool).await?.unwrap_or(now);
    Err(Refusal::RunWaits { job: job.to_owned(), since }.into())
}

/// Holds a job up: it does not run by itself until it is resumed. A run that is under way goes on.
///
/// # Errors
/// Unknown, or the database failed.
pub async fn pause(pool: &PgPool, job: &str, by: &str, why: &str, now: DateTime<Utc>) -> Result<Changed, JobError> {
    known(pool, job).await?;
    let paused = sqlx::query!(
        "update job set paused_by = $2, paused_reason = $3, paused_at = $4 where name = $1 and paused_by is null",
        job,
        by,
        why,
        now
    );
    Ok(changed(paused.execute(pool).await?.rows_affected()))
}

/// Lets a paused job go on. Times that it has missed are made up for or skipped, as with those of a server that was down.
///
/// # Errors
/// Unknown, or the database failed.
pub async fn resume(pool: &PgPool, job: &str) -> Result<Changed, JobError> {
    known(pool, job).await?;
    let resumed = sqlx::query!(
        "update job set paused_by = null, paused_reason = null, paused_at = null
         where name = $1 and paused_by is not null",
        job
    );
    Ok(changed(resumed.execute(pool).await?.rows_affected()))
}

fn changed(rows: u64) -> Changed {
    if rows > 0 { Changed::Now } else { Changed::Already }
}

async fn known(pool: &PgPool, job: &str) -> Result<(), JobError> {
    let known = sqlx::query_scalar!("select name from job order by name").fetch_all(pool).await?;
    if known.iter().any(|name| name == job) {
        return Ok(());
    }
    Err(Refusal::JobUnknown { job: job.to_owned(), known }.into())
}

/// Removes runs that have ended, beyond the newest `count` of each job or older than `age`; how many.
///
/// # Errors
/// The database failed.
pub async fn prune_runs(pool: &PgPool, count: i64, age: TimeDelta, now: DateTime<Utc>) -> Result<u64, sqlx::Error> {
    let pruned = sqlx::query!(
        "delete from job_run where id in (
             select id from (select id, state, coalesce(ended_at, scheduled_for) as at,
                                    row_number() over (partition by job order by id desc) as place from job_run) run
             where state not in ('waiting', 'running') and (place > $1 or at < $2))",
        count,
        now - age
    );
    Ok(pruned.execute(pool).await?.rows_affected())
}
