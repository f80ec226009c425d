//! The recurring jobs of a server: each is one entry of [`all`]. What they do is in [`work`].

mod work;

use std::pin::Pin;
use std::sync::Arc;

use chrono::{NaiveTime, Weekday};
use chrono_tz::Tz;
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use vigie_commands::jobs::{Died, Job, Jobs, Missed, Schedule, Scheduler, Work, Zone};
use vigie_commands::refusals::Keep;
use vigie_commands::time::Time;
use vigie_eventlog::Log;

pub(crate) use work::readable;

/// What jobs work on. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Parts {
    /// The database.
    pub(crate) pool: PgPool,
    /// The log.
    pub(crate) log: Log,
    /// The owner's login to the same database.
    pub(crate) owner: PgConnectOptions,
    /// How much is kept of what was refused.
    pub(crate) refusals: Keep,
    /// How much is kept of sign-ins that failed.
    pub(crate) sign_ins: crate::accounts::Keep,
    /// How long is kept what was tried to deliver.
    pub(crate) deliveries: chrono::TimeDelta,
    /// The clock that jobs go by.
    pub(crate) time: Time,
}

/// Starts working the jobs off.
pub(crate) fn start(parts: &Parts) -> Jobs {
    let scheduler = Scheduler {
        pool: parts.pool.clone(),
        time: Arc::clone(&parts.time),
        zone: zone(&parts.pool),
        owner: process(),
    };
    Jobs::start(scheduler, all(parts))
}

/// Every job: one entry registers it.
fn all(parts: &Parts) -> Vec<Job> {
    use Died::{Leave, TakeUp};
    use Missed::{CatchUp, Skip};
    let at = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).expect("a time of day is written here");
    let job = |name, about, schedule, missed, died, work: Box<dyn Fn(Parts) -> Work + Send + Sync>| {
        let parts = parts.clone();
        Job { name, about, schedule, missed, died, work: Arc::new(move || work(parts.clone())) }
    };
    vec![
        job(
            "check_read_models",
            "Looks whether a read model is stopped, or more than a minute behind the log.",
            Schedule::Every(2),
            Skip,
            Leave,
            Box::new(|parts| Box::pin(work::check_read_models(parts))),
        ),
        job(
            "check_policies",
            "Looks whether a policy is stopped by an event.",
            Schedule::Every(5),
            Skip,
            Leave,
            Box::new(|parts| Box::pin(work::check_policies(parts))),
        ),
        job(
            "freeze_log",
            "Freezes ranges of the log that are full, so that they never need a vacuum again.",
            Schedule::Every(10),
            CatchUp,
            TakeUp,
            Box::new(|parts| Box::pin(work::freeze_log(parts))),
        ),
        job(
            "prune_refusals",
            "Removes refusals that are beyond the count or age that settings allow.",
            Schedule::Daily(at(3, 10)),
            CatchUp,
            TakeUp,
            Box::new(|parts| Box::pin(work::prune_refusals(parts))),
        ),
        job(
            "prune_job_runs",
            "Removes runs of jobs beyond the newest 1,000 of each, or older than 90 days.",
            Schedule::Daily(at(3, 20)),
            CatchUp,
            TakeUp,
            Box::new(|parts| Box::pin(work::prune_job_runs(parts))),
        ),
        job(
            "prune_accounts",
            "Removes sessions, links and signing keys that have ended, and failed sign-ins beyond the bound.",
            Schedule::Daily(at(3, 30)),
            CatchUp,
            TakeUp,
            Box::new(|parts| Box::pin(work::prune_accounts(parts))),
        ),
        job(
            "prune_webhooks",
            "Removes attempts of deliveries beyond their days, and what is left of endpoints that were removed.",
            Schedule::Every(10),
            Skip,
            TakeUp,
            Box::new(|parts| Box::pin(work::prune_webhooks(parts))),
        ),
        job(
            "verify_read_model",
            "Folds the log anew for one read model, another each week, and compares it row by row.",
            Schedule::Weekly(Weekday::Sun, at(4, 0)),
            CatchUp,
            Leave,
            Box::new(|parts| Box::pin(work::verify_read_model(parts))),
        ),
        job(
            "check_log",
            "Looks at every event of the log, as vigie log check does.",
            Schedule::Monthly(1, at(4, 30)),
            CatchUp,
            Leave,
            Box::new(|parts| Box::pin(work::check_log(parts))),
        ),
    ]
}

/// The zone of the site that was set up first; UTC before there is one.
fn zone(pool: &PgPool) -> Zone {
    let pool = pool.clone();
    Arc::new(move || -> Pin<Box<dyn Future<Output = Tz> + Send>> {
        let pool = pool.clone();
        Box::pin(async move {
            let first = sqlx::query_scalar!("select zone from read.sites order by created_at, site limit 1");
            match first.fetch_optional(&pool).await {
                Ok(zone) => zone.and_then(|zone| zone.parse().ok()).unwrap_or(Tz::UTC),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the zone of the jobs is taken for UTC");
                    Tz::UTC
                }
            }
        })
    })
}

/// Names this process for people.
fn process() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = if host.trim().is_empty() { "local" } else { host.trim() };
    format!("{host}:{}", std::process::id())
}

#[cfg(test)]
mod tests;
