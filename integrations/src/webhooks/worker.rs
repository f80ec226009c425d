//! This process among those that deliver: seen by the others, and sure of itself only for as long as they are.
//!
//! A worker is a row and an advisory lock on one connection. The others take its endpoints over when the lock is free and two
//! beats are left out, which is soon after the process died, or when it was not seen for the length of a lease, which is what becomes visible of a
//! process that stands still. It believes in itself for two thirds of that, by its own monotonic clock, and until its
//! connection breaks. What keeps its writes out after that is the database: each names the owner and the epoch. When it is
//! sure of itself again, it does not know whether it still owns what it owned: it asks before it goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, PgPool};

/// First key of the advisory locks of workers.
const WORKING: i32 = 0x5649_4703;

/// Whether this process may still send. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Lease {
    base: Instant,
    /// Milliseconds after `base`.
    until: Arc<AtomicU64>,
    /// Counts how often it began anew after it had ended.
    term: Arc<AtomicU64>,
}

impl Lease {
    pub(super) fn new() -> Self {
        Self { base: Instant::now(), until: Arc::default(), term: Arc::default() }
    }

    /// Whether nobody can have taken over yet.
    pub(super) fn holds(&self) -> bool {
        self.base.elapsed().as_millis() < u128::from(self.until.load(Ordering::Acquire))
    }

    /// What [`Lease::holds_since`] asks for.
    pub(super) fn term(&self) -> u64 {
        self.term.load(Ordering::Acquire)
    }

    /// Whether nobody can have taken over since it was known, in that term, that nobody had.
    pub(super) fn holds_since(&self, term: u64) -> bool {
        self.holds() && self.term() == term
    }

    pub(super) fn extend(&self, from: Instant, by: Duration) {
        if !self.holds() {
            // Before anybody sees that it holds again.
            self.term.fetch_add(1, Ordering::AcqRel);
        }
        let until = from.duration_since(self.base) + by;
        self.until.store(u64::try_from(until.as_millis()).unwrap_or(u64::MAX), Ordering::Release);
    }

    pub(super) fn end(&self) {
        self.until.store(0, Ordering::Release);
    }
}

/// This process.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) id: i64,
    pub(super) lease: Lease,
    length: Duration,
    options: PgConnectOptions,
    connection: Option<PgConnection>,
}

impl Worker {
    /// Enters itself among the workers.
    pub(super) async fn enter(pool: &PgPool, length: Duration) -> Result<Self, sqlx::Error> {
        let options = pool.connect_options().as_ref().clone();
        let mut connection = PgConnection::connect_with(&options).await?;
        // Rows that nobody was seen in for a day are of processes that were killed.
        sqlx::query!("delete from webhook_worker where seen_at < clock_timestamp() - interval '1 day'")
            .execute(&mut connection)
            .await?;
        let id = sqlx::query_scalar!("insert into webhook_worker default values returning id")
            .fetch_one(&mut connection)
            .await?;
        let mut worker = Self { id, lease: Lease::new(), length, options, connection: Some(connection) };
        worker.lock().await?;
        worker.beat().await?;
        Ok(worker)
    }

    async fn lock(&mut self) -> Result<(), sqlx::Error> {
        let Some(connection) = self.connection.as_mut() else { return Ok(()) };
        // A worker's number is its own: the lock can only be held by an earlier connection of this process that the
        // server has not noticed the end of.
        sqlx::query!("select pg_advisory_lock($1, $2)", WORKING, i32::try_from(self.id).unwrap_or(i32::MAX))
            .execute(connection)
            .await?;
        Ok(())
    }

    /// Says that it is there. When that fails, it is sure of nothing until it has succeeded again.
    pub(super) async fn beat(&mut self) -> Result<(), sqlx::Error> {
        let outcome = tokio::time::timeout(self.length / 3, self.try_beat()).await;
        let outcome = outcome.unwrap_or(Err(sqlx::Error::PoolTimedOut));
        if outcome.is_err() {
            self.lease.end();
            self.connection = None;
        }
        outcome
    }

    async fn try_beat(&mut self) -> Result<(), sqlx::Error> {
        if self.connection.is_none() {
            self.connection = Some(PgConnection::connect_with(&self.options).await?);
            self.lock().await?;
        }
        let (Some(connection), from) = (self.connection.as_mut(), Instant::now()) else { return Ok(()) };
        sqlx::query!(
            "insert into webhook_worker (id) overriding system value values ($1)
             on conflict on constraint webhook_worker_pk do update set seen_at = clock_timestamp()",
            self.id
        )
        .execute(connection)
        .await?;
        self.lease.extend(from, self.length * 2 / 3);
        Ok(())
    }

    /// Leaves the workers, at once.
    pub(super) async fn leave(mut self) -> Result<(), sqlx::Error> {
        self.lease.end();
        let Some(mut connection) = self.connection.take() else { return Ok(()) };
        sqlx::query!("delete from webhook_worker where id = $1", self.id).execute(&mut connection).await?;
        connection.close().await
    }
}

/// The workers that live.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) workers: Vec<i64>,
    /// When that was so, by the database's clock.
    pub(super) at: DateTime<Utc>,
}

/// Looks who lives. Whose lock is free is given the time to notice, if it is only its connection that has ended.
pub(super) async fn live(lease: Duration, beat: Duration, pool: &PgPool) -> Result<Live, sqlx::Error> {
    sqlx::query_as!(
        Live,
        r#"select coalesce(array_agg(w.id), '{}') as "workers!", statement_timestamp() as "at!" from webhook_worker w
         where w.seen_at > clock_timestamp() - make_interval(secs => $1)
           and (w.seen_at > clock_timestamp() - make_interval(secs => $3)
             or exists (select from pg_locks l
                       where l.locktype = 'advisory' and l.granted and l.objsubid = 2
                         and l.classid::bigint = $2 and l.objid::bigint = w.id
                         and l.database = (select oid from pg_database where datname = current_database())))"#,
        lease.as_secs_f64(),
        i64::from(WORKING),
        2.0 * beat.as_secs_f64()
    )
    .fetch_one(pool)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_that_had_ended_is_another_when_it_begins_anew() {
        let (lease, hour) = (Lease::new(), Duration::from_secs(3_600));
        lease.extend(Instant::now(), hour);
        let term = lease.term();
        lease.extend(Instant::now(), hour);
        assert!(lease.holds_since(term), "it was made longer");
        lease.end();
        assert!(!lease.holds() && lease.term() == term);
        lease.extend(Instant::now(), hour);
        assert!(lease.holds() && !lease.holds_since(term) && lease.holds_since(lease.term()));
        // A process that has stood still.
        lease.extend(Instant::now(), Duration::ZERO);
        let term = lease.term();
        assert!(!lease.holds());
        lease.extend(Instant::now(), hour);
        assert!(!lease.holds_since(term));
    }
}
