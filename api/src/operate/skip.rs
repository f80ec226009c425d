//! Skipping the event that has stopped a read model or policy.

use sqlx::PgPool;
use vigie_commands::{Done, Executor, Failure, Order, policies};
use vigie_domain::kernel::Note;
use vigie_domain::support::{ConsumerKind, ConsumerName, SiteId, SkipEvent, SkipRefusal, Skipped};
use vigie_eventlog::Recorded;
use vigie_projections::control::{Held, hold};
use vigie_projections::{MODELS, ProjectionError};

/// Why an event was not skipped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SkipError {
    /// There is no read model or policy of that name.
    #[error("there is no read model or policy {name:?}; there are {}", known().join(", "))]
    Unknown {
        /// The name as given.
        name: String,
    },
    /// Nothing is stopped by the event.
    #[error("no read model or policy is stopped by the event at position {position}: there is nothing to skip")]
    NobodyStopped {
        /// The event.
        position: i64,
    },
    /// The rule forbids it.
    #[error("{0}")]
    Refused(SkipRefusal),
    /// The read side failed.
    #[error(transparent)]
    Projection(#[from] ProjectionError),
    /// The policies' checkpoints cannot be used.
    #[error("the policy's checkpoint cannot be used")]
    Policy(#[source] sqlx::Error),
    /// The command failed.
    #[error("the skip could not be recorded")]
    Command(#[source] Box<Failure<SkipRefusal>>),
}

/// Names of everything that can skip.
pub(crate) fn known() -> Vec<&'static str> {
    let policies = vigie_domain::policies::ALL.iter().map(|policy| policy.name());
    MODELS.iter().map(|model| model.name).chain(policies).collect()
}

/// The read model or policy of this name.
fn consumer(name: &str) -> Result<(ConsumerName, ConsumerKind), SkipError> {
    let unknown = || SkipError::Unknown { name: name.to_owned() };
    let consumer = ConsumerName::new(name).map_err(|_| unknown())?;
    if MODELS.iter().any(|model| model.name == name) {
        Ok((consumer, ConsumerKind::ReadModel))
    } else if vigie_domain::policies::ALL.iter().any(|policy| policy.name() == name) {
        Ok((consumer, ConsumerKind::Policy))
    } else {
        Err(unknown())
    }
}

/// The names of everything that the event has stopped, also of what is trying it again.
pub(crate) async fn stopped_by(pool: &PgPool, position: i64) -> Result<Vec<String>, SkipError> {
    let mut stopped: Vec<String> = Vec::new();
    for status in vigie_projections::status(pool).await? {
        if status.error_position == Some(position) {
            stopped.push(status.name);
        }
    }
    for status in policies::status(pool).await.map_err(SkipError::Policy)? {
        if status.error_position == Some(position) {
            stopped.push(status.name);
        }
    }
    if stopped.is_empty() { Err(SkipError::NobodyStopped { position }) } else { Ok(stopped) }
}

/// What is skipped, by whom and why.
pub(crate) struct Skipping<'a> {
    pub(crate) pool: &'a PgPool,
    pub(crate) executor: &'a Executor,
    pub(crate) event: &'a Recorded,
    pub(crate) reason: Note,
}

/// Skips the event for a read model or policy, which then goes on past it. While that is recorded nobody else moves the
/// read model or policy; if this process dies in between, the skip is in the log, and a retry or a second skip goes on.
pub(crate) async fn skip(skipping: &Skipping<'_>, name: &str, order: Order) -> Result<Done<Skipped>, SkipError> {
    let (consumer, kind) = consumer(name)?;
    match kind {
        ConsumerKind::ReadModel => {
            let held = hold(skipping.pool, name).await?;
            let done = record(skipping, consumer, kind, held.stopped_at(), order).await?;
            go_on(held, &done).await?;
            Ok(done)
        }
        ConsumerKind::Policy => {
            let held = policies::hold(skipping.pool, name).await.map_err(SkipError::Policy)?;
            let done = record(skipping, consumer, kind, held.stopped_at(), order).await?;
            held.release().await.map_err(SkipError::Policy)?;
            Ok(done)
        }
    }
}

/// A skip that was recorded before has nothing to do with what stops the read model now.
async fn go_on(held: Held, done: &Done<Skipped>) -> Result<(), ProjectionError> {
    if held.stopped_at() == Some(done.answer.position) { held.go_on().await } else { Ok(()) }
}

async fn record(
    skipping: &Skipping<'_>,
    consumer: ConsumerName,
    kind: ConsumerKind,
    stopped_at: Option<i64>,
    order: Order,
) -> Result<Done<Skipped>, SkipError> {
    let event = skipping.event;
    let command = SkipEvent {
        consumer,
        kind,
        position: event.position,
        event: event.id,
        // The event may be one that nobody can read, down to its site.
        site: SiteId::new(&event.site).unwrap_or_else(|_| SiteId::unknown()),
        stopped_at,
        reason: skipping.reason.clone(),
    };
    match skipping.executor.execute(&command, order).await {
        Ok(done) => Ok(done),
        Err(Failure::Refused(refusal)) => Err(SkipError::Refused(refusal)),
        Err(failure) => Err(SkipError::Command(Box::new(failure))),
    }
}
