//! The one statement that appends a batch.

use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound, Utc};
use serde_json::value::RawValue;
use sqlx::PgPool;
use sqlx::types::Json;
use uuid::Uuid;

use super::batch::Batch;
use crate::{AppendError, Appended, Metadata};

const SEPARATOR: &str = "\u{1f}";

/// Columns for `log_append`; see there.
#[derive(Default)]
struct Columns<'a> {
    command_ids: Vec<Uuid>,
    command_names: Vec<&'a str>,
    answers: Vec<Option<Json<&'a RawValue>>>,
    criterion_requests: Vec<i32>,
    criterion_conditions: Vec<i32>,
    criterion_afters: Vec<i64>,
    criterion_kinds: Vec<String>,
    criterion_tags: Vec<String>,
    event_requests: Vec<i32>,
    event_ids: Vec<Uuid>,
    event_kinds: Vec<&'a str>,
    event_versions: Vec<i16>,
    event_sites: Vec<&'a str>,
    event_tags: Vec<String>,
    event_data: Vec<Json<&'a RawValue>>,
    event_metadata: Vec<Json<&'a Metadata>>,
    event_occurred_ats: Vec<DateTime<Utc>>,
}

fn columns(batch: &Batch) -> Result<Columns<'_>, sqlx::Error> {
    let mut columns = Columns::default();
    for (request, waiting) in (1..).zip(&batch.waiting) {
        let append = &waiting.append;
        columns.command_ids.push(append.metadata.command_id);
        columns.command_names.push(&append.metadata.command);
        columns.answers.push(append.answer.as_deref().map(Json));
        for (number, condition) in (1..).zip(&append.conditions) {
            for criterion in &condition.query.criteria {
                columns.criterion_requests.push(request);
                columns.criterion_conditions.push(number);
                columns.criterion_afters.push(condition.after);
                columns.criterion_kinds.push(criterion.kinds.join(SEPARATOR));
                columns.criterion_tags.push(criterion.tags.join(SEPARATOR));
            }
        }
        for event in &append.events {
            columns.event_requests.push(request);
            columns.event_ids.push(Uuid::now_v7());
            columns.event_kinds.push(&event.kind);
            columns.event_versions.push(i16::try_from(event.version).map_err(|e| sqlx::Error::Encode(e.into()))?);
            columns.event_sites.push(&event.site);
            columns.event_tags.push(event.tags.join(SEPARATOR));
            let data: &RawValue = serde_json::from_str(&event.data).map_err(|e| sqlx::Error::Encode(e.into()))?;
            columns.event_data.push(Json(data));
            columns.event_metadata.push(Json(&append.metadata));
            columns.event_occurred_ats.push(event.occurred_at.trunc_subsecs(6));
        }
    }
    Ok(columns)
}

/// Appends the batch; the outcome of each append, in their order.
async fn append(pool: &PgPool, batch: &Batch) -> Result<Vec<Result<Appended, AppendError>>, sqlx::Error> {
    let c = columns(batch)?;
    let rows = sqlx::query!(
        r#"select outcome as "outcome!", first_position as "first_position!", last_position, condition,
                  answer as "answer: Json<Box<RawValue>>", command
           from log_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"#,
        &c.command_ids,
        &c.command_names as &[&str],
        &c.answers as &[Option<Json<&RawValue>>],
        &c.criterion_requests,
        &c.criterion_conditions,
        &c.criterion_afters,
        &c.criterion_kinds,
        &c.criterion_tags,
        &c.event_requests,
        &c.event_ids,
        &c.event_kinds as &[&str],
        &c.event_versions,
        &c.event_sites as &[&str],
        &c.event_tags,
        &c.event_data as &[Json<&RawValue>],
        &c.event_metadata as &[Json<&Metadata>],
        &c.event_occurred_ats,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| match row.last_position {
            Some(last) => Ok(Appended {
                first: row.first_position,
                last,
                repeated: row.outcome == "repeated",
                answer: row.answer.map(|answer| answer.0),
                command: row.command.unwrap_or_default(),
            }),
            None => Err(AppendError::Conflict {
                condition: row.condition.and_then(|n| usize::try_from(n - 1).ok()).unwrap_or_default(),
                position: row.first_position,
            }),
        })
        .collect())
}

/// As [`append`]; a lost connection leaves the outcome unknown, and the command ids make it safe to send it again.
pub(super) async fn append_retrying(
    pool: &PgPool,
    batch: &Batch,
    patience: Duration,
) -> Result<Vec<Result<Appended, AppendError>>, sqlx::Error> {
    let since = Instant::now();
    let mut pause = Duration::from_millis(10);
    loop {
        match append(pool, batch).await {
            Err(error) if is_passing(&error) && since.elapsed() < patience => {
                tracing::warn!(error = %error, "the database did not answer an append; sending it again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(1));
            }
            outcome => return outcome,
        }
    }
}

/// Whether the same statement may succeed later: the connection failed, or the server is going down or coming up.
pub(crate) fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => {
            // 08 connection, 40 rolled back, 53 resources, 57P operator intervention (shutdown, crash, starting up).
            error.code().is_some_and(|code| ["08", "40", "53", "57P"].iter().any(|class| code.starts_with(class)))
        }
        _ => false,
    }
}

/// Whether Postgres refused the data itself (classes 22 and 23), or it could not even be sent.
pub(super) fn is_about_data(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Encode(_) => true,
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
        }
        _ => false,
    }
}
