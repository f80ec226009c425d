//! Rows of the log with given positions and times.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use sqlx::{Acquire, PgConnection, PgTransaction};
use uuid::Uuid;

use super::{Line, TransferError};
use crate::sequencer::is_about_data;

const SEPARATOR: &str = "\u{1f}";
/// How many ranges of positions wait for events.
const AHEAD: i32 = 2;

/// A command whose events are all read.
pub(super) struct Command {
    /// The line of its first event.
    pub(super) line: u64,
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) answer: Option<Box<RawValue>>,
}

/// What goes to the database together.
pub(super) struct Batch<'a> {
    file: &'a str,
    /// Events with their lines.
    pub(super) events: Vec<(u64, Line)>,
    pub(super) commands: Vec<Command>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(file: &'a str) -> Self {
        Self { file, events: Vec::new(), commands: Vec::new() }
    }

    /// Inserts everything and moves the head; leaves the batch empty.
    pub(super) async fn insert(&mut self, transaction: &mut PgTransaction<'_>) -> Result<(), TransferError> {
        let (events, commands) = (std::mem::take(&mut self.events), std::mem::take(&mut self.commands));
        match attempt(&events, &commands, transaction).await {
            Ok(()) => {}
            Err(error) if is_about_data(&error) => {
                return Err(self.blame(&events, &commands, error, transaction).await);
            }
            Err(error) => return Err(TransferError::database("insert events")(error)),
        }
        if let Some((_, last)) = events.last() {
            move_head(last, transaction).await?;
        }
        Ok(())
    }

    /// Inserts them one by one to find the one that Postgres refuses.
    async fn blame(
        &self,
        events: &[(u64, Line)],
        commands: &[Command],
        refused: sqlx::Error,
        transaction: &mut PgTransaction<'_>,
    ) -> TransferError {
        let wrong = |line: u64, error: &sqlx::Error| TransferError::Line {
            file: self.file.to_owned(),
            line,
            problem: format!("it cannot be stored: {error}"),
        };
        for (line, event) in events {
            match insert_events(&[event], transaction).await {
                Err(error) if is_about_data(&error) => return wrong(*line, &error),
                Err(error) => return TransferError::database("insert an event")(error),
                Ok(()) => {}
            }
        }
        for command in commands {
            match insert_commands(std::slice::from_ref(command), transaction).await {
                Err(error) if is_about_data(&error) => return wrong(command.line, &error),
                Err(error) => return TransferError::database("insert a command")(error),
                Ok(()) => {}
            }
        }
        TransferError::database("insert events")(refused)
    }
}

/// Inserts all, or leaves the transaction as it was.
async fn attempt(
    events: &[(u64, Line)],
    commands: &[Command],
    transaction: &mut PgTransaction<'_>,
) -> Result<(), sqlx::Error> {
    let mut inner = transaction.begin().await?;
    let lines: Vec<&Line> = events.iter().map(|(_, line)| line).collect();
    insert_events(&lines, &mut inner).await?;
    insert_commands(commands, &mut inner).await?;
    inner.commit().await
}

#[derive(Default)]
struct Columns<'a> {
    positions: Vec<i64>,
    ids: Vec<Uuid>,
    kinds: Vec<&'a str>,
    versions: Vec<i16>,
    sites: Vec<&'a str>,
    tags: Vec<String>,
    data: Vec<&'a str>,
    command_ids: Vec<Uuid>,
    commands: Vec<&'a str>,
    correlation_ids: Vec<Uuid>,
    causation_ids: Vec<Option<Uuid>>,
    actors: Vec<&'a str>,
    traceparents: Vec<Option<&'a str>>,
    occurred_ats: Vec<DateTime<Utc>>,
    recorded_ats: Vec<DateTime<Utc>>,
}

fn columns<'a>(events: &[&'a Line]) -> Columns<'a> {
    let mut columns = Columns::default();
    for line in events {
        columns.positions.push(line.position);
        columns.ids.push(line.id);
        columns.kinds.push(&line.kind);
        columns.versions.push(i16::try_from(line.version).unwrap_or_default());
        columns.sites.push(&line.site);
        columns.tags.push(line.tags.join(SEPARATOR));
        columns.data.push(line.data.get());
        columns.command_ids.push(line.metadata.command_id);
        columns.commands.push(&line.metadata.command);
        columns.correlation_ids.push(line.metadata.correlation_id);
        columns.causation_ids.push(line.metadata.causation_id);
        columns.actors.push(&line.metadata.actor);
        columns.traceparents.push(line.metadata.traceparent.as_deref());
        columns.occurred_ats.push(line.occurred_at);
        columns.recorded_ats.push(line.recorded_at);
    }
    columns
}

async fn insert_events(events: &[&Line], connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(()) };
    let c = columns(events);
    sqlx::query!(
        "insert into event (position, id, kind, version, site, tags, data, command_id, command, correlation_id,
                            causation_id, actor, traceparent, occurred_at, recorded_at)
         select e.position, e.id, e.kind, e.version, e.site, string_to_array(e.tags, e'\\x1f'), e.data::json,
                e.command_id, e.command, e.correlation_id, e.causation_id, e.actor, e.traceparent, e.occurred_at,
                e.recorded_at
         from unnest($1::bigint[], $2::uuid[], $3::text[], $4::smallint[], $5::text[], $6::text[], $7::text[],
                     $8::uuid[], $9::text[], $10::uuid[], $11::uuid[], $12::text[], $13::text[], $14::timestamptz[],
                     $15::timestamptz[])
              e(position, id, kind, version, site, tags, data, command_id, command, correlation_id, causation_id, actor,
                traceparent, occurred_at, recorded_at)",
        &c.positions,
        &c.ids,
        &c.kinds as &[&str],
        &c.versions,
        &c.sites as &[&str],
        &c.tags,
        &c.data as &[&str],
        &c.command_ids,
        &c.commands as &[&str],
        &c.correlation_ids,
        &c.causation_ids as &[Option<Uuid>],
        &c.actors as &[&str],
        &c.traceparents as &[Option<&str>],
        &c.occurred_ats,
        &c.recorded_ats,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "insert into event_tag (tag, position, kind)
         select t.tag, e.position, e.kind from event e cross join lateral unnest(e.tags) t(tag)
         where e.position between $1 and $2
         order by t.tag, e.position",
        first.position,
        last.position
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert_commands(commands: &[Command], connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = commands.iter().map(|command| command.id).collect();
    let names: Vec<&str> = commands.iter().map(|command| command.name.as_str()).collect();
    let firsts: Vec<i64> = commands.iter().map(|command| command.first).collect();
    let lasts: Vec<i64> = commands.iter().map(|command| command.last).collect();
    let answers: Vec<Option<&str>> =
        commands.iter().map(|command| command.answer.as_deref().map(RawValue::get)).collect();
    sqlx::query!(
        "insert into command (id, name, first_position, last_position, answer)
         select c.id, c.name, c.first, c.last, c.answer::json
         from unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::text[]) c(id, name, first, last, answer)",
        &ids,
        &names as &[&str],
        &firsts,
        &lasts,
        &answers as &[Option<&str>],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Moves the head behind `last` and makes the ranges that follow it.
async fn move_head(last: &Line, connection: &mut PgConnection) -> Result<(), TransferError> {
    sqlx::query!(
        "update log_head set position = $1, recorded_at = greatest(recorded_at, $2)",
        last.position,
        last.recorded_at
    )
    .execute(&mut *connection)
    .await
    .map_err(TransferError::database("move the log's head"))?;
    loop {
        let more = sqlx::query_scalar!(r#"select log_extend($1) as "more!""#, AHEAD)
            .fetch_one(&mut *connection)
            .await
            .map_err(TransferError::database("make ranges for the events to come"))?;
        if !more {
            return Ok(());
        }
        // Somebody else may be at it, and gives up soon, since this transaction holds the head.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
