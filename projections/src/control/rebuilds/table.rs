//! The table `read.rebuild`.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};

use super::Asked;
use crate::control::By;
use crate::{Model, Progress};

/// What a rebuild has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum RebuildState {
    /// It waits for a process that carries it out.
    Asked,
    /// It is under way.
    Running,
    /// Its rows are what people read.
    Done,
    /// It ended with an error; the old rows are what people read.
    Failed,
    /// Somebody has ended it; the old rows are what people read.
    Cancelled,
}

impl RebuildState {
    /// As it is stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether it is still to be done.
    #[must_use]
    pub fn is_active(self) -> bool {
        match self {
            Self::Asked | Self::Running => true,
            Self::Done | Self::Failed | Self::Cancelled => false,
        }
    }
}

/// The rebuild of a read model: the one under way, or the last one.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Rebuild {
    /// The read model.
    pub name: String,
    /// The version that is made.
    pub version: i32,
    /// The position that it stops at, the read model being paused there; `None`: as far as the log goes.
    pub until: Option<i64>,
    /// What it has come to.
    pub state: RebuildState,
    /// Everything up to here is folded.
    pub position: i64,
    /// Where it is going, as far as is known yet.
    pub head: i64,
    /// Positions per second.
    pub rate: f64,
    /// The process that makes it, such as `host:4711`.
    pub owner: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Who has asked for it.
    pub asked_by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub asked_at: DateTime<Utc>,
    /// When it was begun.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was heard of last.
    pub updated_at: DateTime<Utc>,
    /// Who has ended it.
    pub cancel_by: Option<String>,
}

impl Rebuild {
    /// How long it goes on at this rate, in seconds; `None` when it is not under way or that cannot be said yet.
    #[must_use]
    pub fn seconds_left(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a guess is shown, not counted with")]
        let rest = (self.head - self.position).max(0) as f64;
        (self.state == RebuildState::Running && self.head > 0 && self.rate > 0.0).then(|| rest / self.rate)
    }
}

/// Every read model's rebuild.
pub(crate) async fn all(pool: &PgPool) -> Result<Vec<Rebuild>, sqlx::Error> {
    sqlx::query_as!(
        Rebuild,
        r#"select name, version, until, state as "state: RebuildState", position, head, rate, owner, error, asked_by,
                  reason, asked_at, started_at, updated_at, cancel_by
           from read.rebuild"#
    )
    .fetch_all(pool)
    .await
}

pub(super) async fn one(model: &Model, pool: &PgPool) -> Result<Option<Rebuild>, sqlx::Error> {
    sqlx::query_as!(
        Rebuild,
        r#"select name, version, until, state as "state: RebuildState", position, head, rate, owner, error, asked_by,
                  reason, asked_at, started_at, updated_at, cancel_by
           from read.rebuild where name = $1"#,
        model.name
    )
    .fetch_optional(pool)
    .await
}

/// Asks for one, unless one is still to be done.
pub(super) async fn ask(model: &Model, asked: &Asked, connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let asked = sqlx::query!(
        "insert into read.rebuild (name, version, until, state, asked_by, reason) values ($1, $2, $3, 'asked', $4, $5)
         on conflict (name) do update
         set version = excluded.version, until = excluded.until, state = 'asked', position = 0, head = 0, rate = 0,
             owner = null, error = null, asked_by = excluded.asked_by, reason = excluded.reason,
             asked_at = clock_timestamp(), started_at = null, updated_at = clock_timestamp(), cancel_by = null
         where rebuild.state not in ('asked', 'running')",
        model.name,
        model.version,
        asked.until,
        asked.by.actor,
        asked.by.reason
    );
    Ok(asked.execute(connection).await?.rows_affected() == 1)
}

/// Begins one in this process, under the lock; what is to be done: the same, or what was left undone.
pub(super) async fn begin(
    model: &Model,
    asked: &Asked,
    by_person: bool,
    owner: &str,
    connection: &mut PgConnection,
) -> Result<Asked, sqlx::Error> {
    let row = sqlx::query!(
        r#"insert into read.rebuild as r (name, version, until, state, owner, asked_by, reason, started_at)
           values ($1, $2, $3, 'running', $4, $5, $6, clock_timestamp())
           on conflict (name) do update
           set version = excluded.version, state = 'running', owner = excluded.owner, error = null, rate = 0,
               position = 0, head = 0, started_at = clock_timestamp(), updated_at = clock_timestamp(),
               until = case when not $7 and r.state in ('asked', 'running') then r.until else excluded.until end,
               asked_by = case when not $7 and r.state in ('asked', 'running') then r.asked_by else excluded.asked_by end,
               reason = case when not $7 and r.state in ('asked', 'running') then r.reason else excluded.reason end,
               asked_at = case when not $7 and r.state in ('asked', 'running') then r.asked_at else clock_timestamp() end,
               cancel_by = case when not $7 and r.state in ('asked', 'running') then r.cancel_by end
           returning until, asked_by, reason"#,
        model.name,
        model.version,
        asked.until,
        owner,
        asked.by.actor,
        asked.by.reason,
        by_person
    )
    .fetch_one(connection)
    .await?;
    Ok(Asked { until: row.until, by: By { actor: row.asked_by, reason: row.reason } })
}

/// Takes up what is still to be done, under the lock.
pub(super) async fn take_up(model: &Model, owner: &str, pool: &PgPool) -> Result<Option<Asked>, sqlx::Error> {
    let row = sqlx::query!(
        "update read.rebuild set state = 'running', version = $3, owner = $2, updated_at = clock_timestamp(),
             started_at = coalesce(started_at, clock_timestamp())
         where name = $1 and state in ('asked', 'running') returning until, asked_by, reason",
        model.name,
        owner,
        model.version
    );
    let row = row.fetch_optional(pool).await?;
    Ok(row.map(|row| Asked { until: row.until, by: By { actor: row.asked_by, reason: row.reason } }))
}

/// Names of rebuilds that wait for a process, or whose process has not been heard of for a while.
pub(crate) async fn waiting(pool: &PgPool) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "select name from read.rebuild
         where state = 'asked' or state = 'running' and updated_at < clock_timestamp() - interval '3 seconds'"
    )
    .fetch_all(pool)
    .await
}

/// Tells how far it is, once that is known; whether somebody wants it to end.
pub(super) async fn tell(model: &Model, now: Progress, rate: f64, pool: &PgPool) -> Result<bool, sqlx::Error> {
    let cancelled = sqlx::query_scalar!(
        r#"update read.rebuild set position = case when $3::bigint > 0 then $2::bigint else position end,
                  head = greatest(head, $3),
                  rate = $4, updated_at = clock_timestamp()
           where name = $1 returning cancel_by is not null as "cancelled!""#,
        model.name,
        now.position,
        now.head,
        rate
    );
    Ok(cancelled.fetch_optional(pool).await?.unwrap_or(false))
}

/// Wants one to end that is still to be done, or to be forgotten that has failed.
pub(super) async fn ask_to_end(model: &Model, by: &By, connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let asked = sqlx::query!(
        "update read.rebuild set cancel_by = $2 where name = $1 and state in ('asked', 'running', 'failed')",
        model.name,
        by.actor
    );
    Ok(asked.execute(connection).await?.rows_affected() == 1)
}

pub(super) async fn done(model: &Model, position: i64, pool: &PgPool) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update read.rebuild set state = 'done', position = $2, head = $2, owner = null, error = null,
             updated_at = clock_timestamp()
         where name = $1",
        model.name,
        position
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Leaves it to the next process; false when somebody wants it to end.
pub(super) async fn leave(model: &Model, pool: &PgPool) -> Result<bool, sqlx::Error> {
    let left = sqlx::query!(
        "update read.rebuild set state = 'asked', owner = null, rate = 0, updated_at = clock_timestamp()
         where name = $1 and cancel_by is null",
        model.name
    );
    Ok(left.execute(pool).await?.rows_affected() == 1)
}

pub(super) async fn end(
    model: &Model,
    state: super::RebuildState,
    error: Option<&str>,
    pool: &PgPool,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update read.rebuild set state = $2, error = $3, owner = null, updated_at = clock_timestamp() where name = $1",
        model.name,
        state.as_str(),
        error
    )
    .execute(pool)
    .await?;
    Ok(())
}
