//! The one statement that appends a batch.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use sqlx::types::Json;
use sqlx::{PgConnection, query};
use uuid::Uuid;

use super::Waiting;
use super::batch::Batch;
use crate::{AppendError, Appended};

const SEPARATOR: &str = "\u{1f}";

/// What became of a batch.
pub(super) enum Sent {
    /// All is in, behind this position, recorded at this time; so long it waited for the head's lock, and was worked on.
    In { head: i64, recorded_at: DateTime<Utc>, waited: Duration, worked: Duration },
    /// Nothing is in. These, by their index in the batch, must be taken out before it is sent again.
    InTheWay(Vec<(usize, InTheWay)>),
}

/// Why a request cannot be appended.
pub(super) enum InTheWay {
    /// Its command is in the log.
    Repeated,
    /// One of its conditions does not hold.
    Conflict(AppendError),
}

/// Columns for `log_append`; see there.
#[derive(Default)]
struct Columns<'a> {
    command_ids: Vec<Uuid>,
    command_names: Vec<&'a str>,
    command_firsts: Vec<i32>,
    command_lasts: Vec<i32>,
    answers: Vec<Option<&'a str>>,
    least_after: Option<i64>,
    least_unchecked: Option<i64>,
    criterion_checked: Vec<bool>,
    criterion_requests: Vec<i32>,
    criterion_conditions: Vec<i32>,
    criterion_afters: Vec<i64>,
    criterion_kinds: Vec<String>,
    criterion_tags: Vec<&'a str>,
    criterion_more_tags: Vec<String>,
    occurred_ats: Vec<DateTime<Utc>>,
    ids: Vec<Uuid>,
    event_command_ids: Vec<Uuid>,
    correlation_ids: Vec<Uuid>,
    causation_ids: Vec<Option<Uuid>>,
    versions: Vec<i16>,
    kinds: Vec<&'a str>,
    sites: Vec<&'a str>,
    commands: Vec<&'a str>,
    actors: Vec<&'a str>,
    traceparents: Vec<Option<&'a str>>,
    tags: Vec<String>,
    data: Vec<&'a str>,
    tag_index: Vec<(&'a str, i32, &'a str)>,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a Batch) -> Result<Self, sqlx::Error> {
        let mut columns = Self::default();
        for ((request, waiting), checked) in (1..).zip(&batch.appends).zip(&batch.checked) {
            columns.add_request(request, waiting, *checked)?;
        }
        let afters = || columns.criterion_afters.iter().copied();
        columns.least_after = afters().min();
        let checked = columns.criterion_checked.iter();
        columns.least_unchecked = afters().zip(checked).filter(|(_, checked)| !**checked).map(|(after, _)| after).min();
        columns.tag_index.sort_unstable();
        Ok(columns)
    }

    fn add_request(&mut self, request: i32, waiting: &'a Waiting, checked: bool) -> Result<(), sqlx::Error> {
        let before = count(self.ids.len())?;
        self.command_ids.push(waiting.metadata.command_id);
        self.command_names.push(&waiting.metadata.command);
        self.command_firsts.push(before + 1);
        self.command_lasts.push(before + count(waiting.events.len())?);
        self.answers.push(waiting.answer.as_deref().map(RawValue::get));
        for (number, condition) in (1..).zip(&waiting.conditions) {
            for criterion in &condition.query.criteria {
                let (first, more) = criterion.tags.split_first().map_or(("", &[][..]), |(f, m)| (f.as_str(), m));
                self.criterion_checked.push(checked);
                self.criterion_requests.push(request);
                self.criterion_conditions.push(number);
                self.criterion_afters.push(condition.after);
                self.criterion_kinds.push(criterion.kinds.join(SEPARATOR));
                self.criterion_tags.push(first);
                self.criterion_more_tags.push(more.join(SEPARATOR));
            }
        }
        (1..).zip(&waiting.events).try_for_each(|(n, event)| self.add_event(before + n, event))
    }

    fn add_event(&mut self, number: i32, event: &'a crate::Recorded) -> Result<(), sqlx::Error> {
        let metadata = &event.metadata;
        self.occurred_ats.push(event.occurred_at);
        self.ids.push(event.id);
        self.event_command_ids.push(metadata.command_id);
        self.correlation_ids.push(metadata.correlation_id);
        self.causation_ids.push(metadata.causation_id);
        self.versions.push(i16::try_from(event.version).map_err(|e| sqlx::Error::Encode(e.into()))?);
        self.kinds.push(&event.kind);
        self.sites.push(&event.site);
        self.commands.push(&metadata.command);
        self.actors.push(&metadata.actor);
        self.traceparents.push(metadata.traceparent.as_deref());
        self.tags.push(event.tags.join(SEPARATOR));
        self.data.push(event.data.get());
        self.tag_index.extend(event.tags.iter().map(|tag| (tag.as_str(), number, event.kind.as_str())));
        Ok(())
    }
}

fn count(of: usize) -> Result<i32, sqlx::Error> {
    i32::try_from(of).map_err(|error| sqlx::Error::Encode(error.into()))
}

/// Appends the batch, or says what is in the way.
pub(super) async fn append(connection: &mut PgConnection, batch: &Batch) -> Result<Sent, sqlx::Error> {
    let c = Columns::of(batch)?;
    let tag_names: Vec<&str> = c.tag_index.iter().map(|(tag, ..)| *tag).collect();
    let tag_events: Vec<i32> = c.tag_index.iter().map(|(_, event, _)| *event).collect();
    let tag_kinds: Vec<&str> = c.tag_index.iter().map(|(.., kind)| *kind).collect();
    let rows = query!(
        r#"select request as "request!", outcome as "outcome!", at as "at!", moment, waited, worked, condition
           from log_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
                           $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31)"#,
        &c.command_ids,
        &c.command_names as &[&str],
        &c.command_firsts,
        &c.command_lasts,
        &c.answers as &[Option<&str>],
        batch.checked_until,
        c.least_after,
        c.least_unchecked,
        &c.criterion_checked,
        &c.criterion_requests,
        &c.criterion_conditions,
        &c.criterion_afters,
        &c.criterion_kinds,
        &c.criterion_tags as &[&str],
        &c.criterion_more_tags,
        &c.occurred_ats,
        &c.ids,
        &c.event_command_ids,
        &c.correlation_ids,
        &c.causation_ids as &[Option<Uuid>],
        &c.versions,
        &c.kinds as &[&str],
        &c.sites as &[&str],
        &c.commands as &[&str],
        &c.actors as &[&str],
        &c.traceparents as &[Option<&str>],
        &c.tags,
        &c.data as &[&str],
        &tag_names as &[&str],
        &tag_events,
        &tag_kinds as &[&str],
    )
    .fetch_all(connection)
    .await?;
    if let [row] = rows.as_slice()
        && let Some(recorded_at) = row.moment
    {
        let (waited, worked) = (micros(row.waited), micros(row.worked));
        return Ok(Sent::In { head: row.at, recorded_at, waited, worked });
    }
    let in_the_way = rows.into_iter().map(|row| {
        let why = match row.outcome.as_str() {
            "repeated" => InTheWay::Repeated,
            _ => InTheWay::Conflict(AppendError::Conflict { condition: index(row.condition), position: row.at }),
        };
        (index(Some(row.request)), why)
    });
    Ok(Sent::InTheWay(in_the_way.collect()))
}

fn micros(of: Option<i64>) -> Duration {
    of.and_then(|of| u64::try_from(of).ok()).map(Duration::from_micros).unwrap_or_default()
}

/// The database counts from 1.
fn index(number: Option<i32>) -> usize {
    number.and_then(|number| usize::try_from(number - 1).ok()).unwrap_or_default()
}

/// The appends of those commands that are in the log.
pub(super) async fn repeated(
    connection: &mut PgConnection,
    batch: &[Waiting],
) -> Result<HashMap<Uuid, Appended>, sqlx::Error> {
    let ids: Vec<Uuid> = batch.iter().map(|waiting| waiting.metadata.command_id).collect();
    let rows = query!(
        r#"select id, name, first_position, last_position, answer as "answer: Json<Box<RawValue>>"
           from command where id = any($1)"#,
        &ids
    );
    let rows = rows.fetch_all(connection).await?;
    let appended = rows.into_iter().map(|row| {
        let answer = row.answer.map(|answer| answer.0);
        let (first, last) = (row.first_position, row.last_position);
        (row.id, Appended { first, last, repeated: true, answer, command: row.name })
    });
    Ok(appended.collect())
}

/// Whether a command of the batch is in the log, with conditions that hold.
pub(super) fn is_repeated(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.constraint() == Some("command_pk"))
}

/// Whether the same statement may succeed later: the connection failed, or the server is going down or coming up.
pub(super) fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => {
            // 08 connection, 40 rolled back, 53 resources, 57 operator intervention (shutdown, crash, cancelled).
            error.code().is_some_and(|code| ["08", "40", "53", "57"].iter().any(|class| code.starts_with(class)))
        }
        _ => false,
    }
}

/// Whether it is this append's own doing: Postgres refused the data itself (classes 22 and 23, and 54: too large), it
/// could not even be sent, or a condition of it needs what is archived (VIG01).
pub(crate) fn is_about_data(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Encode(_) => true,
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| ["22", "23", "54", "VIG01"].iter().any(|class| code.starts_with(class)))
        }
        _ => false,
    }
}
