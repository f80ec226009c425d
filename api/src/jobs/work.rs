//! What the jobs do. Each says in counts what it found and did, and fails where a person has to look.

use chrono::{DateTime, TimeDelta};
use tokio_util::sync::CancellationToken;
use vigie_commands::jobs::{Counts, prune_runs};
use vigie_commands::{policies, reason, refusals};
use vigie_domain::Event;
use vigie_eventlog::Recorded;
use vigie_eventlog::check::{STRETCH, check};
use vigie_eventlog::ranges::freeze;
use vigie_projections::{MODELS, ProjectionError, State, status, verify};

use crate::webhooks::{clear, sweep};

use super::Parts;

type Outcome = Result<Counts, Box<dyn std::error::Error + Send + Sync>>;

/// A read model that is further behind than this is told of.
const BEHIND_SECONDS: f64 = 60.0;
/// The most runs of each job that are kept, and how long.
const KEPT_RUNS: i64 = 1_000;
const KEPT_RUN_AGE: TimeDelta = TimeDelta::days(90);

fn counts<const N: usize>(counts: [(&str, i64); N]) -> Counts {
    counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
}

fn whole(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

pub(super) async fn check_read_models(parts: Parts) -> Outcome {
    let all = status(&parts.pool).await?;
    let mut found =
        counts([("read_models", whole(all.len())), ("stopped", 0), ("behind", 0), ("most_events_behind", 0)]);
    let mut count = |name: &str| *found.entry(name.to_owned()).or_default() += 1;
    for one in &all {
        let (name, lag) = (&one.name, one.lag_seconds);
        match one.state {
            State::Stopped => {
                count("stopped");
                tracing::warn!(read_model.name = name, event.position = one.error_position, "a read model is stopped");
            }
            State::Running if lag > BEHIND_SECONDS => {
                count("behind");
                tracing::warn!(read_model.name = name, lag.seconds = lag, "a read model is behind the log");
            }
            State::Running | State::Paused => {}
        }
    }
    found.insert("most_events_behind".to_owned(), all.iter().map(|one| one.lag_events).max().unwrap_or_default());
    Ok(found)
}

pub(super) async fn check_policies(parts: Parts) -> Outcome {
    let all = policies::status(&parts.pool).await?;
    let stopped: Vec<_> = all.iter().filter(|one| one.error.is_some()).collect();
    for one in &stopped {
        tracing::warn!(policy.name = one.name, event.position = one.error_position, "a policy is stopped");
    }
    Ok(counts([("policies", whole(all.len())), ("stopped", whole(stopped.len()))]))
}

pub(super) async fn freeze_log(parts: Parts) -> Outcome {
    Ok(counts([("ranges", freeze(&parts.owner).await?.into())]))
}

pub(super) async fn prune_refusals(parts: Parts) -> Outcome {
    let pruned = refusals::prune(&parts.pool, parts.refusals, parts.time.now()).await?;
    Ok(counts([("refusals", whole(pruned))]))
}

pub(super) async fn prune_accounts(parts: Parts) -> Outcome {
    let pruned = crate::accounts::prune(&parts.pool, parts.sign_ins, parts.time.now()).await?;
    Ok(counts([("rows", whole(pruned))]))
}

pub(super) async fn prune_webhooks(parts: Parts) -> Outcome {
    let pruned = vigie_integrations::webhooks::prune(parts.time.now() - parts.deliveries, &parts.pool).await?;
    let (secrets, endpoints) = (sweep(&parts.pool).await?, clear(&parts.pool).await?);
    Ok(counts([
        ("attempts", whole(pruned.attempts)),
        ("letters", whole(pruned.letters)),
        ("replays", whole(pruned.orders)),
        ("secrets", whole(secrets)),
        ("endpoints", whole(endpoints)),
    ]))
}

pub(super) async fn prune_job_runs(parts: Parts) -> Outcome {
    let pruned = prune_runs(&parts.pool, KEPT_RUNS, KEPT_RUN_AGE, parts.time.now()).await?;
    Ok(counts([("runs", whole(pruned))]))
}

/// One read model each week, in turn; one that is being rebuilt at the moment is left for its next turn.
pub(super) async fn verify_read_model(parts: Parts) -> Outcome {
    let weeks = parts.time.now().signed_duration_since(DateTime::UNIX_EPOCH).num_weeks();
    let turn = usize::try_from(weeks).unwrap_or_default() % MODELS.len();
    let name = MODELS[turn].name;
    let cancel = CancellationToken::new();
    let verified = match verify(&parts.pool, &parts.log, name, &|_| {}, &cancel).await {
        Ok(verified) => verified,
        Err(ProjectionError::Busy { .. }) => return Ok(counts([("busy", 1)])),
        Err(error) => return Err(error.into()),
    };
    match verified.differing_rows {
        0 => Ok(counts([("rows", verified.rows), ("position", verified.position)])),
        differing => Err(format!(
            "{differing} of {} rows of {name} are not what the log says: vigie projections verify {name} lists them",
            verified.rows
        )
        .into()),
    }
}

pub(super) async fn check_log(parts: Parts) -> Outcome {
    let checked = check(&parts.pool, STRETCH, &readable, &|_| {}).await?;
    match checked.findings.first() {
        None => Ok(counts([("events", checked.events), ("head", checked.head)])),
        Some(first) => Err(format!("{} findings, first {first}: vigie log check lists them", checked.found).into()),
    }
}

/// Whether this build can read the event.
pub(crate) fn readable(event: &Recorded) -> Result<(), String> {
    match Event::decode(&event.kind, event.version, event.data.get()) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("it cannot be read: {}", reason(&error))),
    }
}
