//! What waits, in the database: written with the checkpoint, read back in pieces.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::changes::Changes;
use super::endpoint::Endpoint;
use super::record::rows;

/// Rows of a lane that are read at once.
pub(super) const PIECE: i64 = 64;

/// A delivery that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) seq: i64,
    pub(super) position: i64,
    pub(super) replay: i64,
    pub(super) attempts: i32,
    pub(super) next_try: Option<DateTime<Utc>>,
    pub(super) queued_at: DateTime<Utc>,
}

/// The first of a lane.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) lane: i64,
    pub(super) next_try: DateTime<Utc>,
}

/// Writes what has changed, in the transaction that moves the endpoints.
pub(super) async fn write(changes: &[&Changes], connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    if !changes.iter().any(|changes| changes.waiting()) {
        return Ok(());
    }
    put(changes, connection).await?;
    merge(changes, connection).await?;
    tried(changes, connection).await?;
    if let Some(rows) = rows(changes, |changes| &changes.gone) {
        let delete = sqlx::query!(
            "delete from webhook_waiting w using json_to_recordset($1::json) as r (endpoint uuid, seq bigint)
             where w.endpoint = r.endpoint and w.seq = r.seq",
            rows as _
        );
        delete.execute(&mut *connection).await?;
    }
    if let Some(rows) = rows(changes, |changes| &changes.ended) {
        let delete = sqlx::query!(
            "delete from webhook_lane l using json_to_recordset($1::json) as r (endpoint uuid, lane bigint)
             where l.endpoint = r.endpoint and l.lane = r.lane",
            rows as _
        );
        delete.execute(&mut *connection).await?;
    }
    Ok(())
}

async fn put(changes: &[&Changes], connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    if let Some(rows) = rows(changes, |changes| &changes.put) {
        sqlx::query!(
            "insert into webhook_waiting (endpoint, seq, lane, position, replay, attempts, next_try, queued_at)
             select endpoint, seq, lane, position, replay, attempts, next_try, queued_at
             from json_to_recordset($1::json) as r (endpoint uuid, seq bigint, lane bigint, position bigint, replay bigint,
                    attempts integer, next_try timestamptz, queued_at timestamptz)",
            rows as _
        )
        .execute(&mut *connection)
        .await?;
    }
    if let Some(rows) = rows(changes, |changes| &changes.keys) {
        // The last that was said of a key counts.
        sqlx::query!(
            "insert into webhook_lane (endpoint, key, lane)
             select distinct on (endpoint, key) endpoint, key, lane
             from rows from (json_to_recordset($1::json) as (endpoint uuid, key text, lane bigint)) with ordinality
                  as r (endpoint, key, lane, n)
             order by endpoint, key, n desc
             on conflict on constraint webhook_lane_pk do update set lane = excluded.lane",
            rows as _
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// One after the other: a lane that took another one in may have become part of a third.
async fn merge(changes: &[&Changes], connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    for merged in changes.iter().flat_map(|changes| &changes.merged) {
        sqlx::query!(
            "update webhook_waiting set lane = $3 where endpoint = $1 and lane = $2 and state = 'waiting'",
            merged.endpoint,
            merged.from,
            merged.into
        )
        .execute(&mut *connection)
        .await?;
        sqlx::query!(
            "update webhook_lane set lane = $3 where endpoint = $1 and lane = $2",
            merged.endpoint,
            merged.from,
            merged.into
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn tried(changes: &[&Changes], connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let Some(rows) = rows(changes, |changes| &changes.tried) else { return Ok(()) };
    sqlx::query!(
        "update webhook_waiting w set attempts = r.attempts, next_try = r.next_try, reason = r.reason,
                failed_at = r.failed_at, state = case when r.next_try is null then 'set_aside' else 'waiting' end
         from json_to_recordset($1::json) as r (endpoint uuid, seq bigint, attempts integer, next_try timestamptz,
                reason text, failed_at timestamptz)
         where w.endpoint = r.endpoint and w.seq = r.seq",
        rows as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The lanes of these keys of which something waits, with all keys of each.
pub(super) async fn lanes(endpoint: Uuid, keys: &[String], pool: &PgPool) -> Result<Vec<(String, i64)>, sqlx::Error> {
    let rows = sqlx::query!(
        "select key, lane from webhook_lane
         where endpoint = $1 and lane in (select lane from webhook_lane where endpoint = $1 and key = any($2))",
        endpoint,
        keys
    );
    Ok(rows.fetch_all(pool).await?.into_iter().map(|row| (row.key, row.lane)).collect())
}

/// The next deliveries of a lane, in order.
pub(super) async fn of_lane(endpoint: Uuid, lane: i64, pool: &PgPool) -> Result<Vec<Waiting>, sqlx::Error> {
    sqlx::query_as!(
        Waiting,
        "select seq, position, replay, attempts, next_try, queued_at from webhook_waiting
         where endpoint = $1 and lane = $2 and state = 'waiting' order by seq limit $3",
        endpoint,
        lane,
        PIECE
    )
    .fetch_all(pool)
    .await
}

/// The keys of a lane.
pub(super) async fn keys(endpoint: Uuid, lane: i64, pool: &PgPool) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!("select key from webhook_lane where endpoint = $1 and lane = $2", endpoint, lane)
        .fetch_all(pool)
        .await
}

/// The lanes that are due first, whether already or later.
pub(super) async fn due(endpoint: Uuid, most: i64, pool: &PgPool) -> Result<Vec<Head>, sqlx::Error> {
    sqlx::query_as!(
        Head,
        r#"select lane, next_try as "next_try!" from webhook_waiting
           where endpoint = $1 and next_try is not null order by next_try limit $2"#,
        endpoint,
        most
    )
    .fetch_all(pool)
    .await
}

/// Dead letters of positions in `(after, until]`, oldest first.
pub(super) async fn letters(
    endpoint: Uuid,
    after: i64,
    until: i64,
    most: i64,
    pool: &PgPool,
) -> Result<Vec<Waiting>, sqlx::Error> {
    sqlx::query_as!(
        Waiting,
        "select seq, position, replay, attempts, next_try, queued_at from webhook_waiting
         where endpoint = $1 and state = 'set_aside' and position > $2 and position <= $3
         order by position, seq limit $4",
        endpoint,
        after,
        until,
        most
    )
    .fetch_all(pool)
    .await
}

/// The last number that was given to anything that is still there.
pub(super) async fn last(endpoint: Uuid, pool: &PgPool) -> Result<i64, sqlx::Error> {
    // Lanes are named by the number of their first delivery, which may be gone.
    let last = sqlx::query_scalar!(
        "select greatest((select max(seq) from webhook_waiting where endpoint = $1),
                         (select max(lane) from webhook_lane where endpoint = $1))",
        endpoint
    );
    Ok(last.fetch_one(pool).await?.unwrap_or(0))
}

/// Gives the first of each lane a next try: a process that was killed may have been about to send it.
pub(super) async fn repair(
    endpoint: Uuid,
    (worker, epoch): (i64, i64),
    now: DateTime<Utc>,
    pool: &PgPool,
) -> Result<(), sqlx::Error> {
    // From lane to lane along the index, however long they are.
    sqlx::query!(
        "with recursive head as (
             (select lane, seq, next_try from webhook_waiting
              where endpoint = $1 and state = 'waiting' order by lane, seq limit 1)
             union all
             select n.lane, n.seq, n.next_try from head h cross join lateral (
                 select lane, seq, next_try from webhook_waiting
                 where endpoint = $1 and state = 'waiting' and lane > h.lane order by lane, seq limit 1) n)
         update webhook_waiting w set next_try = $2
         from head where head.next_try is null and w.endpoint = $1 and w.seq = head.seq
           and exists (select from webhook_state s where s.endpoint = $1 and s.owner = $3 and s.epoch = $4 for share)",
        endpoint,
        now,
        worker,
        epoch
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Forgets lanes in which nothing waits: their owner was gone before it could say that they had ended. What came of their keys
/// would wait behind nothing. Nobody becomes the owner while that is looked at.
pub(super) async fn forget_ended(endpoint: Uuid, worker: i64, epoch: i64, pool: &PgPool) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from webhook_lane l
         where l.endpoint = $1
           and not exists (select from webhook_waiting w
                           where w.endpoint = l.endpoint and w.lane = l.lane and w.state = 'waiting')
           and exists (select from webhook_state s where s.endpoint = $1 and s.owner = $2 and s.epoch = $3 for share)",
        endpoint,
        worker,
        epoch
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Puts everything that waits into one lane, after the endpoint's ordering was changed: what was put down by the old one
/// stays in its order, and what follows in any of the new keys comes after all of it. As with what is recorded, who stands
/// still meanwhile is cut off after `lease`.
pub(super) async fn reorder(
    endpoint: &Endpoint,
    worker: i64,
    epoch: i64,
    lease: Duration,
    pool: &PgPool,
) -> Result<(), sqlx::Error> {
    let kind = endpoint.ordering.as_deref();
    let mut transaction = pool.begin().await?;
    let lease = lease.as_millis().to_string();
    sqlx::query_scalar!("select set_config('idle_in_transaction_session_timeout', $1, true)", lease)
        .fetch_one(&mut *transaction)
        .await?;
    let own = sqlx::query!(
        "update webhook_state set ordering = $2 where endpoint = $1 and owner = $3 and epoch = $4",
        endpoint.id,
        kind,
        worker,
        epoch
    );
    if own.execute(&mut *transaction).await?.rows_affected() == 0 {
        return Ok(());
    }
    sqlx::query!("delete from webhook_lane where endpoint = $1", endpoint.id).execute(&mut *transaction).await?;
    sqlx::query!(
        "with first as (select min(seq) seq from webhook_waiting where endpoint = $1 and state = 'waiting')
         insert into webhook_lane (endpoint, key, lane)
         select distinct $1::uuid, tag, first.seq
         from first, webhook_waiting w join event e on e.position = w.position, unnest(e.tags) tag
         where w.endpoint = $1 and w.state = 'waiting' and split_part(tag, ':', 1) = $2",
        endpoint.id,
        kind
    )
    .execute(&mut *transaction)
    .await?;
    sqlx::query!(
        "update webhook_waiting w set lane = first.seq, next_try = case when w.seq = first.seq then w.next_try end
         from (select min(seq) seq from webhook_waiting where endpoint = $1 and state = 'waiting') first
         where w.endpoint = $1 and w.state = 'waiting'",
        endpoint.id
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await
}
