//! Writes down what has happened: for all endpoints of the process together, off the way of what is sent.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde::Serialize;
use sqlx::types::Json;
use sqlx::{Connection, PgConnection, PgPool};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::changes::{AttemptRow, Changes, StateRow};

/// The most endpoints in one transaction.
const MOST: usize = 256;
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What an endpoint's owner wants recorded.
pub(super) struct Handed {
    pub(super) changes: Changes,
    pub(super) answer: mpsc::UnboundedSender<Answer>,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is in the database, up to this batch.
    Recorded(i64),
    /// Nothing of it is: somebody else owns the endpoint.
    Fenced,
    /// Nothing of it is: the database refuses it whenever it is tried.
    Refused,
}

/// Records until nobody can hand it anything more. A process that stands still amid a transaction keeps nobody out of its
/// endpoints for longer than `lease`: the database ends its connection.
pub(super) async fn record(pool: PgPool, lease: Duration, mut handed: mpsc::UnboundedReceiver<Handed>) {
    let mut recorder = Recorder { pool, lease, connection: None };
    let mut batch = Vec::new();
    while handed.recv_many(&mut batch, MOST).await > 0 {
        recorder.record(&batch).await;
        batch.clear();
    }
    if let Some(connection) = recorder.connection {
        // It ends with the process in any case.
        let _ = connection.close().await;
    }
}

struct Recorder {
    pool: PgPool,
    lease: Duration,
    connection: Option<PgConnection>,
}

impl Recorder {
    async fn record(&mut self, batch: &[Handed]) {
        let mut pause = PAUSE;
        loop {
            let error = match self.try_record(batch).await {
                Ok(()) => return,
                Err(error) => error,
            };
            self.connection = None;
            if is_about_the_data(&error) {
                // One of them; the others must not wait for it.
                if let [one] = batch {
                    tracing::error!(endpoint = %one.changes.state.endpoint, error = %error, "what an endpoint's deliveries came to cannot be recorded");
                    let _ = one.answer.send(Answer::Refused);
                    return;
                }
                for one in batch.chunks(1) {
                    Box::pin(self.record(one)).await;
                }
                return;
            }
            tracing::warn!(error = %error, "what deliveries came to cannot be recorded; trying again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn try_record(&mut self, batch: &[Handed]) -> Result<(), sqlx::Error> {
        if self.connection.is_none() {
            // What is lost with the last moments before a crash of the server is sent again: no need to wait for the disk.
            let options = self.pool.connect_options().as_ref().clone();
            let lease = self.lease.as_millis().to_string();
            let options = options
                .options([("synchronous_commit", "off"), ("idle_in_transaction_session_timeout", lease.as_str())]);
            self.connection = Some(PgConnection::connect_with(&options).await?);
        }
        let Some(connection) = self.connection.as_mut() else { return Ok(()) };
        let (moved, before) = write(batch, connection).await?;
        for one in batch {
            let state = &one.changes.state;
            let done = moved.contains(&state.owned()) || before.contains(&state.owned());
            // Whoever does not want to know any more has ended.
            let _ = one.answer.send(if done { Answer::Recorded(state.batch) } else { Answer::Fenced });
        }
        Ok(())
    }
}

/// 22: data, 23: constraints. Everything else may pass.
fn is_about_the_data(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
}

/// Endpoints, each with the epoch of an owner: of one that was replaced something may be left to be recorded.
type Owned = HashSet<(Uuid, i64)>;

/// Those whose changes are in now, and those whose were in already: the last answer of the server was lost.
async fn write(batch: &[Handed], connection: &mut PgConnection) -> Result<(Owned, Owned), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let moved = advance(batch, &mut transaction).await?;
    let mut before = HashSet::new();
    if moved.len() < batch.len() {
        before = recorded(batch, &mut transaction).await?;
    }
    let changes: Vec<&Changes> =
        batch.iter().map(|one| &one.changes).filter(|changes| moved.contains(&changes.state.owned())).collect();
    attempts(&changes, &mut transaction).await?;
    replays(&changes, &mut transaction).await?;
    super::waiting::write(&changes, &mut transaction).await?;
    transaction.commit().await?;
    Ok((moved, before))
}

/// All rows of one kind, as one parameter.
pub(super) fn rows<'a, T: Serialize>(
    changes: &[&'a Changes],
    of: impl Fn(&'a Changes) -> &'a [T],
) -> Option<Json<Vec<&'a T>>> {
    let rows: Vec<&T> = changes.iter().flat_map(|changes| of(changes)).collect();
    (!rows.is_empty()).then_some(Json(rows))
}

/// Moves each endpoint that is its owner's still, in the order of batches; which.
async fn advance(batch: &[Handed], connection: &mut PgConnection) -> Result<Owned, sqlx::Error> {
    // In one order everywhere.
    let mut states: Vec<_> = batch.iter().map(|one| &one.changes.state).collect();
    states.sort_by_key(|state| state.endpoint);
    let moved = sqlx::query!(
        "update webhook_state s set recorded = r.batch, position = r.position, ahead = r.ahead, ordering = r.ordering,
                succeeded_at = r.succeeded_at, failing_since = r.failing_since, breaker = r.breaker,
                breaker_until = r.breaker_until, breaker_opened = r.breaker_opened, throttled_until = r.throttled_until,
                error = null, updated_at = clock_timestamp()
         from json_to_recordset($1::json) as r (endpoint uuid, owner bigint, epoch bigint, batch bigint, position bigint,
                ahead bigint[], ordering text, succeeded_at timestamptz, failing_since timestamptz, breaker text,
                breaker_until timestamptz, breaker_opened integer, throttled_until timestamptz)
         where s.endpoint = r.endpoint and s.owner = r.owner and s.epoch = r.epoch and s.recorded = r.batch - 1
         returning s.endpoint, s.epoch",
        Json(states) as _
    )
    .fetch_all(connection)
    .await?;
    Ok(moved.into_iter().map(|row| (row.endpoint, row.epoch)).collect())
}

async fn recorded(batch: &[Handed], connection: &mut PgConnection) -> Result<Owned, sqlx::Error> {
    let endpoints: Vec<Uuid> = batch.iter().map(|one| one.changes.state.endpoint).collect();
    let rows =
        sqlx::query!("select endpoint, owner, epoch, recorded from webhook_state where endpoint = any($1)", &endpoints)
            .fetch_all(connection)
            .await?;
    let rows: HashMap<Uuid, _> = rows.into_iter().map(|row| (row.endpoint, row)).collect();
    let is_in = |state: &&StateRow| {
        rows.get(&state.endpoint).is_some_and(|row| {
            row.owner == Some(state.owner) && row.epoch == state.epoch && row.recorded >= state.batch
        })
    };
    Ok(batch.iter().map(|one| &one.changes.state).filter(is_in).map(StateRow::owned).collect())
}

async fn attempts(changes: &[&Changes], connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    match rows(changes, |changes| &changes.attempts) {
        Some(rows) => insert(rows, connection).await,
        None => Ok(()),
    }
}

/// Notes one attempt that belongs to no delivery.
pub(super) async fn note(attempt: &AttemptRow, pool: &PgPool) -> Result<(), sqlx::Error> {
    insert(Json(vec![attempt]), &mut *pool.acquire().await?).await
}

async fn insert(rows: Json<Vec<&AttemptRow>>, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into webhook_attempt (endpoint, event, position, kind, replay, attempt, at, latency_us, outcome, status,
                                      error, request_head, response_head, response_body, next_try, worker)
         select endpoint, event, position, kind, replay, attempt, at, latency_us, outcome, status,
                error, request_head, response_head, response_body, next_try, worker
         from json_to_recordset($1::json) as r (endpoint uuid, event uuid, position bigint, kind text, replay bigint,
                attempt integer, at timestamptz, latency_us bigint, outcome text, status integer, error text,
                request_head text, response_head text, response_body text, next_try timestamptz, worker bigint)",
        rows as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn replays(changes: &[&Changes], connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let Some(rows) = rows(changes, |changes| changes.replay.as_slice()) else { return Ok(()) };
    sqlx::query!(
        "update webhook_replay p set position = r.position, ahead = r.ahead, sent = p.sent + r.sent,
                state = case when r.over then 'done' else 'running' end,
                started_at = coalesce(p.started_at, clock_timestamp()),
                ended_at = case when r.over then clock_timestamp() end
         from json_to_recordset($1::json) as r (id bigint, position bigint, ahead bigint[], sent bigint, over boolean)
         where p.id = r.id and p.state in ('asked', 'running')",
        rows as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::store;
    use super::super::testing::endpoint;
    use super::*;

    fn handed(endpoint: Uuid, epoch: i64, outcome: &'static str) -> (Handed, mpsc::UnboundedReceiver<Answer>) {
        let (answer, answers) = mpsc::unbounded_channel();
        let state = StateRow { endpoint, owner: 1, epoch, batch: 1, breaker: "closed", ..StateRow::default() };
        let attempt = AttemptRow {
            endpoint,
            event: Uuid::nil(),
            position: None,
            kind: String::new(),
            replay: 0,
            attempt: 1,
            at: chrono::DateTime::UNIX_EPOCH,
            latency_us: 0,
            outcome,
            status: None,
            error: None,
            request_head: String::new(),
            response_head: None,
            response_body: None,
            next_try: None,
            worker: None,
        };
        (Handed { changes: Changes { state, attempts: vec![attempt], ..Changes::default() }, answer }, answers)
    }

    #[tokio::test]
    async fn what_an_owner_has_left_behind_is_not_recorded_with_what_the_next_one_hands_over() {
        let (pool, endpoint) = (vigie_eventlog::testing::database().await, endpoint("http://localhost/"));
        store::ensure(&[&endpoint], &pool).await.unwrap();
        sqlx::query("update webhook_state set owner = 1, epoch = 2").execute(&pool).await.unwrap();
        let (old, mut old_answers) = handed(endpoint.id, 1, "failed");
        let (new, mut new_answers) = handed(endpoint.id, 2, "delivered");
        let mut recorder = Recorder { pool: pool.clone(), lease: Duration::from_secs(60), connection: None };
        recorder.record(&[old, new]).await;
        assert_eq!(old_answers.recv().await, Some(Answer::Fenced));
        assert_eq!(new_answers.recv().await, Some(Answer::Recorded(1)));
        let kept: Vec<String> =
            sqlx::query_scalar("select outcome from webhook_attempt").fetch_all(&pool).await.unwrap();
        assert_eq!(kept, ["delivered"]);
    }
}
