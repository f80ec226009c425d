//! Pausing read models and letting them go on.
//!
//! A state is a column of the checkpoint, whose compare-and-set asks for `running`: whoever folds a read model is held
//! up by the database with its next write, in whatever process, and looks for the state once a second from then on.

use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use super::operations::{OperationKind, note};
use super::{By, Refusal, failed};
use crate::engine::Checkpoint;
use crate::{Model, ProjectionError, State, model};

/// Whether something was to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// It is done.
    Now,
    /// It was so already; nothing was recorded.
    Already,
}

struct Locked {
    state: State,
    error_position: Option<i64>,
    paused_by: Option<String>,
}

/// Holds a read model up where it is. Its rows stay readable, as they are.
///
/// # Errors
/// An unknown name, no reason, or the database failed.
pub async fn pause(pool: &PgPool, name: &str, by: &By) -> Result<Changed, ProjectionError> {
    let model = model(name)?;
    if by.reason.trim().is_empty() {
        return Err(Refusal::ReasonMissing { projection: name.to_owned() }.into());
    }
    change(pool, &model, OperationKind::Pause, by, |locked| match locked.state {
        State::Paused => Ok(Changed::Already),
        State::Running | State::Stopped => Ok(Changed::Now),
    })
    .await
}

/// Lets a paused read model go on where it was.
///
/// # Errors
/// An unknown name, one that an event has stopped, or the database failed.
pub async fn resume(pool: &PgPool, name: &str, by: &By) -> Result<Changed, ProjectionError> {
    change(pool, &model(name)?, OperationKind::Resume, by, |locked| match locked.state {
        State::Paused => Ok(Changed::Now),
        State::Running => Ok(Changed::Already),
        State::Stopped => {
            let stopped_at = locked.error_position.unwrap_or_default();
            Err(Refusal::ProjectionStopped { projection: name.to_owned(), stopped_at })
        }
    })
    .await
}

/// Lets a read model that an event has stopped try that event again.
///
/// # Errors
/// An unknown name, one that is paused, or the database failed.
pub async fn retry(pool: &PgPool, name: &str, by: &By) -> Result<Changed, ProjectionError> {
    change(pool, &model(name)?, OperationKind::Retry, by, |locked| match locked.state {
        State::Stopped => Ok(Changed::Now),
        State::Running => Ok(Changed::Already),
        State::Paused => {
            let by = locked.paused_by.clone().unwrap_or_default();
            Err(Refusal::ProjectionPaused { projection: name.to_owned(), by })
        }
    })
    .await
}

async fn change(
    pool: &PgPool,
    model: &Model,
    kind: OperationKind,
    by: &By,
    rule: impl FnOnce(&Locked) -> Result<Changed, Refusal>,
) -> Result<Changed, ProjectionError> {
    let failed = failed("the read model's state could not be changed");
    Checkpoint::ensure(model, pool).await.map_err(&failed)?;
    let mut transaction = pool.begin().await.map_err(&failed)?;
    let locked = lock(model, &mut transaction).await.map_err(&failed)?;
    let changed = rule(&locked)?;
    if changed == Changed::Now {
        set(model, kind == OperationKind::Pause, by, &mut transaction).await.map_err(&failed)?;
        note(model, kind, by, None, &mut transaction).await.map_err(&failed)?;
        transaction.commit().await.map_err(&failed)?;
        tracing::info!(projection.name = model.name, operation = kind.as_str(), by.actor, by.reason, "read model");
    }
    Ok(changed)
}

async fn lock(model: &Model, connection: &mut PgConnection) -> Result<Locked, sqlx::Error> {
    sqlx::query_as!(
        Locked,
        r#"select state as "state: State", error_position, paused_by from read.checkpoint where name = $1 for update"#,
        model.name
    )
    .fetch_one(connection)
    .await
}

/// Pauses it, or lets it run. What stopped it last stays to be read until it has gone past it.
async fn set(model: &Model, pause: bool, by: &By, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let (actor, reason) = (pause.then_some(&by.actor), pause.then_some(&by.reason));
    sqlx::query!(
        "update read.checkpoint
         set state = case when $2 then 'paused' else 'running' end, paused_by = $3, paused_reason = $4,
             paused_at = case when $2 then clock_timestamp() end, updated_at = clock_timestamp()
         where name = $1",
        model.name,
        pause,
        actor,
        reason
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A read model that nobody moves until this is let go: for deciding on what stops it.
pub struct Held {
    model: Model,
    locked: Locked,
    transaction: Transaction<'static, Postgres>,
}

/// Holds a read model still where it is.
///
/// # Errors
/// An unknown name, or the database failed.
pub async fn hold(pool: &PgPool, name: &str) -> Result<Held, ProjectionError> {
    let model = model(name)?;
    let failed = failed("the read model could not be held");
    Checkpoint::ensure(&model, pool).await.map_err(&failed)?;
    let mut transaction = pool.begin().await.map_err(&failed)?;
    let locked = lock(&model, &mut transaction).await.map_err(&failed)?;
    Ok(Held { model, locked, transaction })
}

impl Held {
    /// The event that has stopped it, also while it tries that again: what stopped it is kept until it has gone past it.
    #[must_use]
    pub fn stopped_at(&self) -> Option<i64> {
        self.locked.error_position
    }

    /// Lets it go on, the event that stopped it being skipped; a paused one stays paused.
    ///
    /// # Errors
    /// The database failed; the read model stays as it was and can be retried.
    pub async fn go_on(mut self) -> Result<(), ProjectionError> {
        let failed = failed("the read model could not be let go on");
        sqlx::query!(
            "update read.checkpoint
             set state = case when state = 'stopped' then 'running' else state end, error = null, error_position = null,
                 attempts = 0, updated_at = clock_timestamp()
             where name = $1",
            self.model.name
        )
        .execute(&mut *self.transaction)
        .await
        .map_err(&failed)?;
        self.transaction.commit().await.map_err(&failed)
    }
}
