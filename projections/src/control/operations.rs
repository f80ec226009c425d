//! What people did to read models: who, when and why.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};

use super::{By, failed};
use crate::{Model, ProjectionError};

/// How many operations are kept.
const KEPT: i64 = 10_000;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum OperationKind {
    /// It was paused.
    Pause,
    /// It was let go on after a pause.
    Resume,
    /// It was let try again the event that had stopped it.
    Retry,
    /// It is made anew.
    Rebuild,
    /// That was ended before it was done.
    CancelRebuild,
}

impl OperationKind {
    /// As it is stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Retry => "retry",
            Self::Rebuild => "rebuild",
            Self::CancelRebuild => "cancel_rebuild",
        }
    }
}

/// Something that somebody did to a read model.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Operation {
    /// Counts them, with gaps.
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// The read model.
    pub name: String,
    /// What.
    pub operation: OperationKind,
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// The read model's position then.
    pub position: i64,
    /// The position that a rebuild was to stop at.
    pub until: Option<i64>,
    /// The last event that the log held then.
    pub log_position: i64,
}

/// Which operations, among other things that somebody did.
#[derive(Debug, Clone)]
pub struct OperationsBy<'a> {
    /// Who did them.
    pub actor: &'a str,
    /// To which read model; to any without.
    pub name: Option<&'a str>,
    /// From this time on.
    pub from: Option<DateTime<Utc>>,
    /// Before this time.
    pub to: Option<DateTime<Utc>>,
    /// While the log held at most this position.
    pub until: i64,
    /// Before this place in an order: the log's position, and the operation's id.
    pub before: (i64, i64),
}

/// Notes it, in the transaction that does it, and forgets the oldest.
pub(super) async fn note(
    model: &Model,
    kind: OperationKind,
    by: &By,
    until: Option<i64>,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    let id = sqlx::query_scalar!(
        "insert into projection_operation (name, operation, actor, reason, position, until, log_position)
         select $1, $2, $3, $4, coalesce((select position from read.checkpoint where name = $1), 0), $5, position
         from log_head
         returning id",
        model.name,
        kind.as_str(),
        by.actor,
        by.reason,
        until
    )
    .fetch_one(&mut *connection)
    .await?;
    sqlx::query!("delete from projection_operation where id <= $1", id - KEPT).execute(connection).await?;
    Ok(())
}

/// What was done last to the read model of this name, or to all, newest first; the last 10,000 are kept.
///
/// # Errors
/// The database failed.
pub async fn operations(pool: &PgPool, name: Option<&str>, limit: i64) -> Result<Vec<Operation>, ProjectionError> {
    sqlx::query_as!(
        Operation,
        r#"select id, at, name, operation as "operation: OperationKind", actor, reason, position, until,
                  coalesce(log_position, position) as "log_position!"
           from projection_operation where $1::text is null or name = $1 order by id desc limit $2"#,
        name,
        limit
    )
    .fetch_all(pool)
    .await
    .map_err(failed("the operations on read models could not be read"))
}

/// What somebody did to read models, newest first, at most `limit`.
///
/// # Errors
/// The database failed.
pub async fn operations_by(
    by: &OperationsBy<'_>,
    limit: i64,
    connection: &mut PgConnection,
) -> Result<Vec<Operation>, sqlx::Error> {
    sqlx::query_as!(
        Operation,
        r#"select id, at, name, operation as "operation: OperationKind", actor, reason, position, until,
                  coalesce(log_position, position) as "log_position!"
           from projection_operation
           where actor = $1 and ($2::text is null or name = $2) and ($3::timestamptz is null or at >= $3)
             and ($4::timestamptz is null or at < $4) and coalesce(log_position, position) <= $5
             and (coalesce(log_position, position), id) < ($6, $7)
           order by coalesce(log_position, position) desc, id desc limit $8"#,
        by.actor,
        by.name,
        by.from,
        by.to,
        by.until,
        by.before.0,
        by.before.1,
        limit
    )
    .fetch_all(connection)
    .await
}
