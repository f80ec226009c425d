//! The table `dead_letter`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::letter::{DeadLetter, DeadLetterError, DeadLetterRefusal, Filter, State};
use super::{Source, Undone};

/// Writes all of them. What is there already counts up; a row that was taken once and is set aside again is open again.
pub(super) async fn insert(pool: &PgPool, undone: &[Undone], at: DateTime<Utc>) -> Result<(), sqlx::Error> {
    // A statement cannot meet the same letter twice.
    let mut once: Vec<(&Undone, i32)> = Vec::with_capacity(undone.len());
    let mut places: HashMap<(Source, &str, Uuid), usize> = HashMap::new();
    for one in undone {
        match places.get(&(one.source, one.name.as_str(), one.command_id)) {
            Some(place) => once[*place] = (one, once[*place].1 + 1),
            None => {
                places.insert((one.source, &one.name, one.command_id), once.len());
                once.push((one, 1));
            }
        }
    }
    let all = |take: fn(&Undone) -> String| once.iter().map(|(one, _)| take(one)).collect::<Vec<_>>();
    sqlx::query!(
        "insert into dead_letter as was
                (source, name, command_id, payload, reason, code, attempts, first_at, last_at)
         select n.source, n.name, n.command_id, n.payload::json, n.reason, n.code, n.attempts, $8, $8
         from unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::int[]) with ordinality
              n (source, name, command_id, payload, reason, code, attempts, place)
         order by n.place
         on conflict (source, name, command_id) where command_id is not null do update
         set attempts = was.attempts + excluded.attempts, last_at = excluded.last_at, payload = excluded.payload,
             reason = excluded.reason, code = excluded.code,
             state = case when was.source = 'import' and was.state = 'done' then 'open' else was.state end",
        &all(|one| one.source.as_str().to_owned()),
        &all(|one| one.name.clone()),
        &once.iter().map(|(one, _)| one.command_id).collect::<Vec<_>>(),
        &all(|one| one.payload.to_string()),
        &all(|one| one.reason.replace('\0', "\u{fffd}")),
        &once.iter().map(|(one, _)| one.code.clone()).collect::<Vec<_>>() as &[Option<String>],
        &once.iter().map(|(_, attempts)| *attempts).collect::<Vec<_>>(),
        at
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Removes what is beyond `most`: the oldest closed letters, then the oldest open ones; how many there were.
///
/// # Errors
/// The database failed.
pub async fn prune(pool: &PgPool, most: i64) -> Result<u64, sqlx::Error> {
    // The span of the ids tells cheaply that there are few.
    let span = sqlx::query_scalar!("select coalesce(max(id) - min(id) + 1, 0) as \"span!\" from dead_letter");
    if span.fetch_one(pool).await? <= most {
        return Ok(0);
    }
    let pruned = sqlx::query!(
        "delete from dead_letter where id in (
             select id from dead_letter order by state = 'open', id
             limit (select greatest(count(*) - $1, 0) from dead_letter)
         )",
        most
    );
    Ok(pruned.execute(pool).await?.rows_affected())
}

/// The letters that are asked for, newest first, those with an id less than `before`.
///
/// # Errors
/// The database failed.
pub async fn list(
    pool: &PgPool,
    filter: &Filter,
    first: i64,
    before: Option<i64>,
) -> Result<Vec<DeadLetter>, sqlx::Error> {
    sqlx::query_as!(
        DeadLetter,
        r#"select id, source as "source: _", name, command_id, payload as "payload: _", reason, code, attempts,
                  first_at, last_at, state as "state: _", closed_by, closed_at, closed_reason
           from dead_letter
           where ($1::text is null or source = $1) and ($2::text is null or name = $2)
             and ($3::text is null or state = $3) and ($4::bigint is null or id < $4)
           order by id desc limit $5"#,
        filter.source.map(Source::as_str),
        filter.name,
        filter.state.map(State::as_str),
        before,
        first
    )
    .fetch_all(pool)
    .await
}

/// An open letter, held until the transaction ends.
pub(super) async fn hold(connection: &mut PgConnection, id: i64) -> Result<DeadLetter, DeadLetterError> {
    let letter = sqlx::query_as!(
        DeadLetter,
        r#"select id, source as "source: _", name, command_id, payload as "payload: _", reason, code, attempts,
                  first_at, last_at, state as "state: _", closed_by, closed_at, closed_reason
           from dead_letter where id = $1 for update"#,
        id
    );
    let letter = letter.fetch_optional(connection).await?;
    let letter = letter.ok_or_else(|| DeadLetterRefusal::DeadLetterUnknown { letter: id.to_string() })?;
    match letter.state {
        State::Open => Ok(letter),
        state @ (State::Done | State::Discarded) => {
            Err(DeadLetterRefusal::DeadLetterClosed { letter: id.to_string(), state, by: letter.closed_by }.into())
        }
    }
}

/// Writes what a letter has become.
pub(super) async fn update(connection: &mut PgConnection, letter: &DeadLetter) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update dead_letter
         set reason = $2, code = $3, attempts = $4, last_at = $5, state = $6, closed_by = $7, closed_at = $8,
             closed_reason = $9
         where id = $1",
        letter.id,
        letter.reason,
        letter.code,
        letter.attempts,
        letter.last_at,
        letter.state.as_str(),
        letter.closed_by,
        letter.closed_at,
        letter.closed_reason
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Closes an open letter whose work is not to be done.
///
/// # Errors
/// No such letter, closed before, no reason, or the database failed.
pub async fn discard(
    pool: &PgPool,
    id: i64,
    by: &str,
    reason: &str,
    at: DateTime<Utc>,
) -> Result<DeadLetter, DeadLetterError> {
    if reason.trim().is_empty() {
        return Err(DeadLetterRefusal::ReasonMissing.into());
    }
    let mut transaction = pool.begin().await?;
    let mut letter = hold(&mut transaction, id).await?;
    letter.close(State::Discarded, by, reason, at);
    update(&mut transaction, &letter).await?;
    transaction.commit().await?;
    Ok(letter)
}

impl DeadLetter {
    pub(super) fn close(&mut self, state: State, by: &str, reason: &str, at: DateTime<Utc>) {
        self.state = state;
        (self.closed_by, self.closed_reason) = (Some(by.to_owned()), Some(reason.to_owned()));
        self.closed_at = Some(at);
    }
}

/// Whether a feed has open letters.
///
/// # Errors
/// The database failed.
pub async fn has_open(pool: &PgPool, feed: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from dead_letter where source = 'import' and name = $1 and state = 'open') as "is!""#,
        feed
    )
    .fetch_one(pool)
    .await
}

/// Closes the open letters of rows that an import has taken now; how many there were.
///
/// # Errors
/// The database failed.
pub async fn close_imported(pool: &PgPool, feed: &str, rows: &[Uuid], at: DateTime<Utc>) -> Result<u64, sqlx::Error> {
    let closed = sqlx::query!(
        "update dead_letter
         set state = 'done', closed_by = 'feed:' || name, closed_at = $3, closed_reason = 'taken by a later import'
         where source = 'import' and name = $1 and command_id = any($2) and state = 'open'",
        feed,
        rows,
        at
    );
    Ok(closed.execute(pool).await?.rows_affected())
}
