//! Group commit: appends wait in a queue; one task takes all that wait and commits them together.
//!
//! A batch holds only appends that do not depend on each other, so that the database can check and insert it as a
//! whole. One that depends on a companion waits for the next batch, in its order.

mod batch;
mod statement;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics::{counter, histogram};
use sqlx::PgPool;
use tokio::sync::{mpsc, oneshot};

use crate::tail::Tail;
use crate::{Append, AppendError, Appended, LogError};
use batch::{Batch, Index};

/// The most appends and events in one commit.
const BATCH_APPENDS: usize = 1_024;
const BATCH_EVENTS: usize = 8_192;
/// Appends that may wait before callers are held back.
const QUEUE: usize = 4_096;
/// How long a lost connection is tried anew before callers are told; the command id makes the retry safe.
const RETRY: Duration = Duration::from_secs(10);

/// An append that waits for its answer.
pub(crate) struct Waiting {
    pub(crate) append: Append,
    pub(crate) since: Instant,
    pub(crate) reply: oneshot::Sender<Result<Appended, AppendError>>,
}

/// The way into the sequencer.
#[derive(Clone)]
pub(crate) struct Sequencer {
    queue: mpsc::Sender<Waiting>,
}

impl Sequencer {
    /// Starts the sequencer; it ends when every clone of the handle is gone and what waited is appended.
    pub(crate) fn start(pool: PgPool, tail: Arc<Tail>) -> (Self, tokio::task::JoinHandle<()>) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        (Self { queue }, tokio::spawn(run(pool, tail, waiting)))
    }

    /// Queues an append and waits until it is flushed.
    pub(crate) async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        append.check()?;
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting { append, since: Instant::now(), reply };
        self.queue.send(waiting).await.map_err(|_| LogError::Closed)?;
        answer.await.map_err(|_| LogError::Closed)?
    }
}

async fn run(pool: PgPool, tail: Arc<Tail>, mut queue: mpsc::Receiver<Waiting>) {
    let mut pending = VecDeque::new();
    loop {
        if pending.is_empty() {
            match queue.recv().await {
                Some(waiting) => pending.push_back(waiting),
                None => return,
            }
        }
        while pending.len() < BATCH_APPENDS {
            match queue.try_recv() {
                Ok(waiting) => pending.push_back(waiting),
                Err(_) => break,
            }
        }
        let batch = Batch::take(&mut pending, BATCH_APPENDS, BATCH_EVENTS);
        let mut appended = Index::default();
        commit(&pool, batch, &mut appended).await;
        tail.hint();
        refuse_overtaken(&mut pending, &appended);
    }
}

/// Answers those that stayed because they depend on a companion, now that it is known that the companion is in.
fn refuse_overtaken(pending: &mut VecDeque<Waiting>, appended: &Index) {
    for waiting in std::mem::take(pending) {
        match appended.conflict(&waiting.append) {
            Some(conflict) => answer(waiting, Err(conflict)),
            None => pending.push_back(waiting),
        }
    }
}

async fn commit(pool: &PgPool, batch: Batch, appended: &mut Index) {
    histogram!("vigie_log_batch_appends").record(u32::try_from(batch.waiting.len()).unwrap_or(u32::MAX));
    match statement::append_retrying(pool, &batch, RETRY).await {
        Ok(outcomes) => {
            for (waiting, outcome) in batch.waiting.into_iter().zip(outcomes) {
                if let Ok(Appended { first, repeated: false, .. }) = &outcome {
                    appended.add(&waiting.append, *first);
                }
                answer(waiting, outcome);
            }
        }
        // One append with data that Postgres refuses must not fail its companions.
        Err(error) if batch.waiting.len() > 1 && statement::is_about_data(&error) => {
            for waiting in batch.waiting {
                Box::pin(commit(pool, Batch::single(waiting), appended)).await;
            }
        }
        Err(error) => {
            tracing::error!(error = %error, appends = batch.waiting.len(), "append failed");
            let error = LogError::database("append events", error);
            for waiting in batch.waiting {
                answer(waiting, Err(error.clone().into()));
            }
        }
    }
}

fn answer(waiting: Waiting, outcome: Result<Appended, AppendError>) {
    let label = match &outcome {
        Ok(appended) if appended.repeated => "repeated",
        Ok(_) => {
            counter!("vigie_log_events_appended_total").increment(waiting.append.events.len() as u64);
            "appended"
        }
        Err(AppendError::Conflict { .. }) => "conflict",
        Err(_) => "failed",
    };
    counter!("vigie_log_appends_total", "outcome" => label).increment(1);
    histogram!("vigie_log_append_seconds").record(waiting.since.elapsed());
    // The caller may have gone; what is appended is appended.
    let _ = waiting.reply.send(outcome);
}
