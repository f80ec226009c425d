//! Running jobs by hand, and holding them up.

use async_graphql::{Context, Error, InputObject, Object, SimpleObject};
use vigie_commands::jobs::{Changed, JobError, pause, resume, status, trigger};

use super::{Job, JobRun, unavailable};
use crate::clock;
use crate::graphql::command::{note, told};
use crate::graphql::context::Parts;
use crate::graphql::error::fault;
use crate::graphql::refusal::{JobRefusal, Told, results};

/// The job to run or to hold up.
#[derive(Debug, InputObject)]
pub(crate) struct OperateJobInput {
    /// The job, such as `prune_refusals`.
    job: String,
    /// Why. At most 500 characters.
    #[graphql(default)]
    reason: String,
}

/// A run is asked for.
#[derive(SimpleObject)]
pub(crate) struct JobRunPayload {
    /// It begins within about a second.
    run: JobRun,
}

/// It is done.
#[derive(SimpleObject)]
pub(crate) struct JobPayload {
    /// Whether there was anything to do.
    changed: bool,
    /// The job as it is now.
    job: Job,
}

enum Refused {
    JobRefusal(Told),
}

results! {
    /// The run, or the rule that forbids it.
    JobRunResult = JobRunPayload, Refused [JobRefusal];
    /// The job, or the rule that forbids it.
    #[expect(clippy::large_enum_variant, reason = "an answer lives for one request")]
    JobResult = JobPayload, Refused [JobRefusal];
}

/// Mutations of jobs.
#[derive(Default)]
pub(crate) struct JobsMutation;

#[Object]
impl JobsMutation {
    /// Runs a job now, also one that is held up. Answered at once; the run says what became of it.
    async fn trigger_job(&self, ctx: &Context<'_>, input: OperateJobInput) -> Result<JobRunResult, Error> {
        let (by, why) = operator(ctx, &input)?;
        match trigger(&ctx.services().pool, &input.job, &by, &why, clock::now()).await {
            Ok(run) => Ok(JobRunPayload { run: JobRun(run) }.into()),
            Err(error) => refused(error).map(Into::into),
        }
    }

    /// Holds a job up: it does not run by itself until it is resumed. A run that is under way goes on.
    async fn pause_job(&self, ctx: &Context<'_>, input: OperateJobInput) -> Result<JobResult, Error> {
        let (by, why) = operator(ctx, &input)?;
        let changed = pause(&ctx.services().pool, &input.job, &by, &why, clock::now()).await;
        answer(ctx, &input.job, changed).await
    }

    /// Lets a job go on. Times that it has missed are made up for or skipped, as the job declares.
    async fn resume_job(&self, ctx: &Context<'_>, input: OperateJobInput) -> Result<JobResult, Error> {
        operator(ctx, &input)?;
        let changed = resume(&ctx.services().pool, &input.job).await;
        answer(ctx, &input.job, changed).await
    }
}

/// Who asks, and why, if they may.
fn operator(ctx: &Context<'_>, input: &OperateJobInput) -> Result<(String, String), Error> {
    let why = note("input.reason", Some(&input.reason))?;
    Ok((ctx.caller().actor.as_str().to_owned(), why.as_str().to_owned()))
}

async fn answer(ctx: &Context<'_>, name: &str, changed: Result<Changed, JobError>) -> Result<JobResult, Error> {
    let changed = match changed {
        Ok(changed) => changed == Changed::Now,
        Err(error) => return refused(error).map(Into::into),
    };
    let all = status(&ctx.services().pool).await.map_err(|error| unavailable(&error))?;
    let job = all.into_iter().find(|job| job.name == name).map(Job);
    Ok(JobPayload { changed, job: job.ok_or_else(|| fault("UNAVAILABLE", "the job is gone"))? }.into())
}

/// A refusal is an answer; anything else is a fault.
fn refused(error: JobError) -> Result<Refused, Error> {
    match error {
        JobError::Refused(refusal) => Ok(Refused::JobRefusal(told(&refusal))),
        error @ JobError::Database(_) => Err(unavailable(&error)),
    }
}
