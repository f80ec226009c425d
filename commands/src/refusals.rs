//! What was refused, kept outside the log: who, what and why.
//!
//! A refused command waits until its refusal is written, at most `PATIENCE`: so a flood of refusals goes no faster than
//! the database takes them in, in batches over one connection of the process, and holds no more in memory than a queue
//! of `QUEUE`. An accepted command never comes here. A refusal that cannot be written stays a refusal: it is counted
//! (`vigie_refusals_lost_total`) and logged.

mod record;
mod table;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use metrics::counter;
use sqlx::PgPool;
use tokio::sync::{mpsc, oneshot};

pub use record::{Refusal, site};
pub use table::{forget, prune};

use crate::Clock;

/// How long a refused command waits for its refusal to be written.
const PATIENCE: Duration = Duration::from_secs(1);
/// The most refusals that wait to be written; one holds at most about 50 KB.
const QUEUE: usize = 1_024;
/// The most that are written with one statement.
const BATCH: usize = 256;
/// The table is pruned after so many, and when none came for so long.
const PRUNE_EVERY: usize = 1_000;
const PRUNE_AT_LEAST: Duration = Duration::from_secs(3_600);

/// How much is kept; the oldest goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// The most refusals.
    pub count: i64,
    /// The longest time.
    pub age: chrono::TimeDelta,
}

/// Takes refusals in. Clones share one writer, which ends with the last of them.
#[derive(Clone)]
pub struct Refusals {
    queue: mpsc::Sender<Waiting>,
    lost: Arc<AtomicU64>,
}

struct Waiting {
    refusal: Refusal,
    written: oneshot::Sender<()>,
}

impl Refusals {
    /// Writes into the table `refusal` of this database, and keeps it within bounds.
    #[must_use]
    pub fn start(pool: PgPool, keep: Keep, clock: Clock) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let lost = Arc::new(AtomicU64::new(0));
        tokio::spawn(write(Writer { pool, keep, clock, lost: Arc::clone(&lost) }, waiting));
        Self { queue, lost }
    }

    /// Returns once the refusal is written, or cannot be in time.
    pub async fn record(&self, refusal: Refusal) {
        let (written, done) = oneshot::channel();
        let queued = tokio::time::timeout(PATIENCE, self.queue.send(Waiting { refusal, written })).await;
        match queued {
            // The writer goes on after that, and counts what it cannot write.
            Ok(Ok(())) => drop(tokio::time::timeout(PATIENCE, done).await),
            Ok(Err(_)) | Err(_) => self.lose(1, &"the queue is full"),
        }
    }

    /// How many were not written since the start.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn lose(&self, count: usize, reason: &dyn std::fmt::Display) {
        lose(&self.lost, count, reason);
    }
}

fn lose(lost: &AtomicU64, count: usize, reason: &dyn std::fmt::Display) {
    let before = lost.fetch_add(count as u64, Ordering::Relaxed);
    counter!("vigie_refusals_lost_total").increment(count as u64);
    // A flood of losses is told once per thousand.
    if before == 0 || before / 1_000 != (before + count as u64) / 1_000 {
        tracing::error!(refusals.lost = before + count as u64, %reason, "refusals could not be recorded");
    }
}

struct Writer {
    pool: PgPool,
    keep: Keep,
    clock: Clock,
    lost: Arc<AtomicU64>,
}

/// Writes what waits, until nobody can send any more.
async fn write(writer: Writer, mut waiting: mpsc::Receiver<Waiting>) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut since_pruned = PRUNE_EVERY;
    loop {
        match tokio::time::timeout(PRUNE_AT_LEAST, waiting.recv_many(&mut batch, BATCH)).await {
            Ok(0) => return,
            Ok(_) => since_pruned += writer.write(&mut batch).await,
            Err(_) => since_pruned = PRUNE_EVERY,
        }
        if since_pruned >= PRUNE_EVERY {
            since_pruned = 0;
            match prune(&writer.pool, writer.keep, (writer.clock)()).await {
                // The program ends: the next one removes them.
                Ok(_) | Err(sqlx::Error::PoolClosed) => {}
                Err(error) => tracing::warn!(error = %error, "old refusals could not be removed"),
            }
        }
    }
}

impl Writer {
    /// Writes a batch and tells those who wait; how many were written.
    async fn write(&self, batch: &mut Vec<Waiting>) -> usize {
        let (refusals, told): (Vec<_>, Vec<_>) =
            batch.drain(..).map(|Waiting { refusal, written }| (refusal, written)).unzip();
        let written = match table::insert(&self.pool, &refusals).await {
            Ok(()) => refusals.len(),
            Err(error) => {
                lose(&self.lost, refusals.len(), &error);
                0
            }
        };
        for told in told {
            // Nobody may be waiting any more.
            let _ = told.send(());
        }
        written
    }
}
