//! Recurring jobs: when they are due, what their runs came to, and running them by hand.

mod job;
mod mutations;

use async_graphql::{Context, Error, Object};
use vigie_commands::jobs::{runs, status};

pub(in crate::graphql) use job::{Job, JobRun};
pub(in crate::graphql) use mutations::JobsMutation;

use super::context::Parts;
use super::error::{bad_input, fault};
use super::page::MAX;

/// Queries about jobs.
#[derive(Default)]
pub(crate) struct JobsQuery;

#[Object]
impl JobsQuery {
    /// The recurring jobs, by name: when they are due next, and how their last runs ended.
    async fn jobs(&self, ctx: &Context<'_>) -> Result<Vec<Job>, Error> {
        let all = status(&ctx.services().pool).await.map_err(|error| unavailable(&error))?;
        Ok(all.into_iter().map(Job).collect())
    }

    /// Runs of jobs, newest first; of one job, or of all. The next page is what comes before the last run's id.
    async fn job_runs(
        &self,
        ctx: &Context<'_>,
        job: Option<String>,
        #[graphql(default = 50)] first: i32,
        before: Option<i64>,
    ) -> Result<Vec<JobRun>, Error> {
        latest(ctx, job.as_deref(), first, before).await
    }
}

async fn latest(ctx: &Context<'_>, job: Option<&str>, first: i32, before: Option<i64>) -> Result<Vec<JobRun>, Error> {
    if !(0..=MAX).contains(&first) {
        return Err(bad_input("first", format!("0 to {MAX} can be asked for")));
    }
    let all = runs(&ctx.services().pool, job, first.into(), before).await.map_err(|error| unavailable(&error))?;
    Ok(all.into_iter().map(JobRun).collect())
}

/// The caller is told that it failed; the cause is for our own log.
fn unavailable(error: &(dyn std::error::Error + 'static)) -> Error {
    tracing::error!(error, "the jobs could not be operated");
    fault("UNAVAILABLE", "the jobs could not be read or changed")
}
