//! From the log to a file.

use std::collections::HashMap;
use std::io::Write;

use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::PgPool;
use sqlx::types::Json;
use uuid::Uuid;

use super::line::on_one_line;
use super::{Closing, Digest, End, FORMAT, Header, Line, TransferError, VERSION};
use crate::{Log, Query, Read, Recorded};

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// Number of events.
    pub events: i64,
    /// Position of the last one.
    pub last: i64,
    /// SHA-256 of what comes before the closing line, as that says it.
    pub sha256: String,
}

/// A row of `command`.
struct Command {
    id: Uuid,
    name: String,
    first_position: i64,
    last_position: i64,
    answer: Option<Json<Box<RawValue>>>,
}

/// Writes the events in `(after, until]`, up to the end of the log without `until`; tells `progress` the position.
/// Memory stays flat. What is appended meanwhile is left out.
///
/// # Errors
/// Bounds beyond the log or inside a command, a log that is not whole (or archived) there, or a failing database or
/// file. What was written before has no closing line, so it is refused by [`super::import()`].
pub async fn export(
    log: &Log,
    after: i64,
    until: Option<i64>,
    out: impl Write,
    progress: &(dyn Fn(i64) + Send + Sync),
) -> Result<Exported, TransferError> {
    let head = log.head().await?;
    let until = until.unwrap_or(head);
    if after < 0 || until > head || after > until {
        return Err(TransferError::Bounds { first: after + 1, last: until, head });
    }
    if after < until {
        not_inside_a_command(log, after, after + 1).await?;
        not_inside_a_command(log, until, until).await?;
    }
    let mut out = Out { out, digest: Digest::default() };
    out.line(&Header { format: FORMAT.to_owned(), version: VERSION, first: after + 1 })?;
    let mut position = after;
    while position < until {
        let events = log.read(&Query::all(), Read::after(position).until(until)).await?;
        if events.is_empty() {
            return Err(missing(position + 1));
        }
        let commands = commands(log.pool(), &events).await?;
        for event in events {
            if event.position != position + 1 {
                return Err(missing(position + 1));
            }
            position = event.position;
            out.line(&line(event, &commands)?)?;
        }
        progress(position);
    }
    out.close(until - after, until)
}

fn missing(position: i64) -> TransferError {
    TransferError::NotWhole { position: position - 1, problem: format!("there is no event at position {position}") }
}

/// The event with its command's answer, if it is the first one of it.
fn line(event: Recorded, commands: &HashMap<Uuid, Command>) -> Result<Line, TransferError> {
    let position = event.position;
    let not_whole = |problem| TransferError::NotWhole { position: position - 1, problem };
    let id = event.metadata.command_id;
    let Some(command) = commands.get(&id) else {
        return Err(not_whole(format!("its command {id} is not in the table of commands")));
    };
    let within = command.first_position <= position && position <= command.last_position;
    if !within || command.name != event.metadata.command {
        let (first, last, name) = (command.first_position, command.last_position, &command.name);
        return Err(not_whole(format!("its command {id} is {name} at positions {first} to {last}")));
    }
    let mut line = Line::from(event);
    if command.first_position == position {
        line.answer = command.answer.as_ref().map(|answer| on_one_line(answer.0.clone()));
    }
    Ok(line)
}

async fn commands(pool: &PgPool, events: &[Recorded]) -> Result<HashMap<Uuid, Command>, TransferError> {
    let mut ids: Vec<Uuid> = events.iter().map(|event| event.metadata.command_id).collect();
    ids.dedup();
    let rows = sqlx::query_as!(
        Command,
        r#"select id, name, first_position, last_position, answer as "answer: _" from command where id = any($1)"#,
        &ids
    )
    .fetch_all(pool)
    .await
    .map_err(TransferError::database("look commands up"))?;
    Ok(rows.into_iter().map(|command| (command.id, command)).collect())
}

/// Refuses a bound that has events of one command on both sides, by the event at `beside`, which is within the bounds:
/// what lies outside may be archived.
async fn not_inside_a_command(log: &Log, bound: i64, beside: i64) -> Result<(), TransferError> {
    let event = log.read(&Query::all(), Read::after(beside - 1).until(beside)).await?;
    let cut = |command: &Command| command.first_position <= bound && command.last_position > bound;
    match commands(log.pool(), &event).await?.into_values().find(cut) {
        Some(Command { first_position: first, last_position: last, .. }) => {
            Err(TransferError::CutsCommand { bound, first, last })
        }
        None => Ok(()),
    }
}

/// Writes lines and digests them.
struct Out<W> {
    out: W,
    digest: Digest,
}

impl<W: Write> Out<W> {
    fn line(&mut self, line: &impl Serialize) -> Result<(), TransferError> {
        let mut text = serde_json::to_vec(line).map_err(|error| TransferError::Write(error.into()))?;
        text.push(b'\n');
        self.digest.update(&text);
        self.out.write_all(&text).map_err(TransferError::Write)
    }

    fn close(mut self, events: i64, last: i64) -> Result<Exported, TransferError> {
        let sha256 = std::mem::take(&mut self.digest).hex();
        self.line(&Closing { end: End { events, last, sha256: sha256.clone() } })?;
        self.out.flush().map_err(TransferError::Write)?;
        Ok(Exported { events, last, sha256 })
    }
}
