//! An archived range comes back from its file.

use std::path::Path;

use serde_json::value::RawValue;
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use tokio::sync::mpsc;

use super::archive::{failed, owner_pool, patiently, read_whole};
use super::file::{Header, Problem, Writer, read};
use super::{ArchiveError, Moved, partition};
use crate::transfer::Line;
use crate::{Metadata, Recorded};

/// How many events go to the database together.
const BATCH: usize = 2_000;

/// Restores archived ranges from their files, as the owner of the log: each is read through and compared with the digest
/// that the database has noted, filled into tables, compared again, and attached. A file whose range is in the log, event
/// for event, is passed over, so that a restore that was broken off can be given again. `progress` is told positions.
///
/// # Errors
/// A file that is not whole or not the one that was archived, a range that is not archived, or a failing database. What
/// was restored before stays so.
pub async fn restore(
    owner: &PgConnectOptions,
    files: &[impl AsRef<Path>],
    progress: &(dyn Fn(i64) + Send + Sync),
) -> Result<Vec<Moved>, ArchiveError> {
    let pool = owner_pool(owner).await?;
    let mut moved = Vec::new();
    for path in files {
        let path = path.as_ref();
        let (header, sha256) = read_whole(path).await?;
        let mut connection = pool.acquire().await.map_err(failed("restore a range"))?;
        if !is_awaited(path, &header, &sha256, &mut connection).await? {
            compare(path, &header, &sha256, &mut connection).await?;
            continue;
        }
        restore_one(path, &header, &sha256, &mut connection, progress).await?;
        moved.push(Moved { number: header.number, first: header.first, last: header.last, path: path.into(), sha256 });
    }
    pool.close().await;
    Ok(moved)
}

/// Whether the file's range is archived; false if it is in the log.
async fn is_awaited(
    path: &Path,
    header: &Header,
    sha256: &str,
    connection: &mut PgConnection,
) -> Result<bool, ArchiveError> {
    let noted = sqlx::query_scalar!(
        "select sha256 from log_range where number = $1 and first_position = $2 and last_position = $3",
        header.number,
        header.first,
        header.last
    )
    .fetch_optional(connection)
    .await
    .map_err(failed("look the range up"))?;
    let (path, number) = (path.to_owned(), header.number);
    match noted {
        // Back already, by an earlier attempt.
        Some(None) => Ok(false),
        None => Err(ArchiveError::NotArchived { path, number, first: header.first, last: header.last }),
        Some(Some(noted)) if noted != sha256 => {
            Err(ArchiveError::Different { path, number, found: sha256.to_owned(), noted })
        }
        Some(Some(_)) => Ok(true),
    }
}

/// All of it in one transaction: a restore that is broken off leaves nothing.
async fn restore_one(
    path: &Path,
    header: &Header,
    sha256: &str,
    connection: &mut PgConnection,
    progress: &(dyn Fn(i64) + Send + Sync),
) -> Result<(), ArchiveError> {
    let filling = failed("fill the tables of the range");
    let mut transaction = connection.begin().await.map_err(&filling)?;
    sqlx::query!("select log_prepare_range($1)", header.number).execute(&mut *transaction).await.map_err(&filling)?;
    fill(path, header, &mut transaction, progress).await?;
    let tagged = sqlx::query_scalar!("select tagged from log_range where number = $1", header.number);
    if !tagged.fetch_one(&mut *transaction).await.map_err(&filling)? {
        fill_tags(header.number, &mut transaction).await.map_err(&filling)?;
    }
    compare(path, header, sha256, &mut transaction).await?;
    patiently(&mut transaction, "put the range back into the log", async |connection| {
        sqlx::query!("select log_restore_range($1)", header.number).execute(connection).await.map(drop)
    })
    .await?;
    transaction.commit().await.map_err(filling)
}

async fn fill(
    path: &Path,
    header: &Header,
    connection: &mut PgConnection,
    progress: &(dyn Fn(i64) + Send + Sync),
) -> Result<(), ArchiveError> {
    let (lines, mut waiting) = mpsc::channel(4);
    let of = path.to_owned();
    let reading = tokio::task::spawn_blocking(move || {
        let mut batch = Vec::with_capacity(BATCH);
        let gone = |_| Problem::Wrong("the database does not take it".to_owned());
        let read = read(&of, |line| {
            batch.push(line);
            if batch.len() < BATCH { Ok(()) } else { lines.blocking_send(std::mem::take(&mut batch)).map_err(gone) }
        })?;
        lines.blocking_send(batch).map_err(gone)?;
        Ok::<_, Problem>(read)
    });
    while let Some(batch) = waiting.recv().await {
        insert(header.number, &batch, connection).await.map_err(failed("fill the tables of the range"))?;
        if let Some(last) = batch.last() {
            progress(last.position);
        }
    }
    let read = reading.await.map_err(|error| Problem::Io(std::io::Error::other(error)).of(path))?;
    read.map(drop).map_err(|problem| problem.of(path))
}

async fn insert(number: i32, lines: &[Line], connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let events = partition("event", number);
    let insert = format!(
        "insert into {events} (position, id, kind, version, site, tags, data, command_id, command, correlation_id,
                               causation_id, actor, traceparent, occurred_at, recorded_at)
         select e.position, e.id, e.kind, e.version, e.site, array(select json_array_elements_text(e.tags)),
                e.data::json, e.command_id, e.command, e.correlation_id, e.causation_id, e.actor, e.traceparent,
                e.occurred_at, e.recorded_at
         from unnest($1::bigint[], $2::uuid[], $3::text[], $4::smallint[], $5::text[], $6::json[], $7::text[],
                     $8::uuid[], $9::text[], $10::uuid[], $11::uuid[], $12::text[], $13::text[], $14::timestamptz[],
                     $15::timestamptz[])
              e(position, id, kind, version, site, tags, data, command_id, command, correlation_id, causation_id, actor,
                traceparent, occurred_at, recorded_at)"
    );
    fn column<'a, T>(lines: &'a [Line], of: impl FnMut(&'a Line) -> T) -> Vec<T> {
        lines.iter().map(of).collect()
    }
    sqlx::query(AssertSqlSafe(insert))
        .bind(column(lines, |line| line.position))
        .bind(column(lines, |line| line.id))
        .bind(column(lines, |line| line.kind.as_str()))
        .bind(column(lines, |line| i16::try_from(line.version).unwrap_or_default()))
        .bind(column(lines, |line| line.site.as_str()))
        .bind(column(lines, |line| Json(&line.tags)))
        .bind(column(lines, |line| line.data.get()))
        .bind(column(lines, |line| line.metadata.command_id))
        .bind(column(lines, |line| line.metadata.command.as_str()))
        .bind(column(lines, |line| line.metadata.correlation_id))
        .bind(column(lines, |line| line.metadata.causation_id))
        .bind(column(lines, |line| line.metadata.actor.as_str()))
        .bind(column(lines, |line| line.metadata.traceparent.as_deref()))
        .bind(column(lines, |line| line.occurred_at))
        .bind(column(lines, |line| line.recorded_at))
        .execute(&mut *connection)
        .await?;
    Ok(())
}

/// The tags of a range that was archived with them.
async fn fill_tags(number: i32, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let (events, tags) = (partition("event", number), partition("event_tag", number));
    let insert = format!(
        "insert into {tags} (tag, position, kind)
         select t.tag, e.position, e.kind from {events} e cross join lateral unnest(e.tags) t(tag)
         order by t.tag, e.position"
    );
    sqlx::query(AssertSqlSafe(insert)).execute(connection).await.map(drop)
}

/// What the tables hold now gives the file's digest again, and each tag has its row.
async fn compare(
    path: &Path,
    header: &Header,
    sha256: &str,
    connection: &mut PgConnection,
) -> Result<(), ArchiveError> {
    let comparing = failed("compare the tables with the file");
    let unsound = |problem| ArchiveError::Unsound { path: path.into(), problem };
    let (events, tags) = (partition("event", header.number), partition("event_tag", header.number));
    let select = format!(
        "select position, id, kind, version, site, tags, data, command_id, command, correlation_id, causation_id, actor,
                traceparent, occurred_at, recorded_at from {events} where position > $1 order by position limit $2"
    );
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let mut digest = Writer::new(header.clone(), std::io::sink()).map_err(|error| Problem::Io(error).of(path))?;
    let (mut position, mut tagged) = (header.first - 1, 0);
    while position < header.last {
        let rows = sqlx::query(AssertSqlSafe(select.as_str())).bind(position).bind(limit);
        let rows = rows.fetch_all(&mut *connection).await.map_err(&comparing)?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            let event = event(row).map_err(&comparing)?;
            position = event.position;
            tagged += i64::try_from(event.tags.len()).unwrap_or(i64::MAX);
            digest.add(&Line::from(event)).map_err(|problem| problem.of(path))?;
        }
    }
    let (found, _) = digest.finish().map_err(|problem| problem.of(path))?;
    if found != sha256 {
        return Err(unsound(format!("in the tables it has the digest {found} instead of {sha256}")));
    }
    let count = format!(
        "select count(*), count(*) filter (where e.kind = t.kind and t.tag = any (e.tags))
         from {tags} t left join {events} e using (position)"
    );
    let counted = sqlx::query_as::<_, (i64, i64)>(AssertSqlSafe(count)).fetch_one(connection).await;
    let (all, fitting) = counted.map_err(&comparing)?;
    if (all, fitting) == (tagged, tagged) {
        return Ok(());
    }
    Err(unsound(format!("it has {tagged} tags, and the tag table has {all} for it, of which {fitting} are the same")))
}

fn event(row: &PgRow) -> Result<Recorded, sqlx::Error> {
    Ok(Recorded {
        position: row.try_get("position")?,
        id: row.try_get("id")?,
        kind: row.try_get("kind")?,
        version: u16::try_from(row.try_get::<i16, _>("version")?).unwrap_or_default(),
        site: row.try_get("site")?,
        tags: row.try_get("tags")?,
        data: row.try_get::<Json<Box<RawValue>>, _>("data")?.0,
        metadata: Metadata {
            command_id: row.try_get("command_id")?,
            command: row.try_get("command")?,
            correlation_id: row.try_get("correlation_id")?,
            causation_id: row.try_get("causation_id")?,
            actor: row.try_get("actor")?,
            traceparent: row.try_get("traceparent")?,
        },
        occurred_at: row.try_get("occurred_at")?,
        recorded_at: row.try_get("recorded_at")?,
    })
}
