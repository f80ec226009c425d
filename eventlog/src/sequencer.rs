//! Group commit: appends wait in a queue; one task takes all that wait and commits them together.
//!
//! A batch holds only appends that do not depend on each other, so that the database can check and insert it as a
//! whole. One that may depend on a companion waits for the next batch, in its order.

mod batch;
mod committed;
mod connection;
mod statement;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use metrics::{counter, histogram};
use serde_json::value::RawValue;
use sqlx::PgPool;
use tokio::sync::{mpsc, oneshot};

use crate::tail::Tail;
use crate::{Append, AppendError, Appended, Condition, LogError, Metadata, Recorded};
use committed::Committed;
use connection::Connection;
use statement::{InTheWay, Sent};

/// The most appends and events in one commit.
const BATCH_APPENDS: usize = 1_024;
const BATCH_EVENTS: usize = 8_192;
/// Appends that may wait before callers are held back.
const QUEUE: usize = 4_096;
/// How long a lost connection is tried anew before callers are told; the command id makes the retry safe.
const RETRY: Duration = Duration::from_secs(10);

/// An append that waits for its answer.
pub(crate) struct Waiting {
    /// As they will be recorded, but for position and time.
    events: Vec<Recorded>,
    metadata: Metadata,
    conditions: Vec<Condition>,
    answer: Option<Box<RawValue>>,
    since: Instant,
    reply: oneshot::Sender<Result<Appended, AppendError>>,
}

impl Waiting {
    /// What can be done before the append's turn is done here, by the caller's task.
    fn new(append: Append, reply: oneshot::Sender<Result<Appended, AppendError>>) -> Result<Self, AppendError> {
        append.check()?;
        let Append { events, metadata, conditions, answer } = append;
        let recorded = events.into_iter().enumerate().map(|(n, event)| event.into_recorded(n, &metadata));
        let events = recorded.collect::<Result<_, _>>()?;
        Ok(Self { events, metadata, conditions, answer, since: Instant::now(), reply })
    }
}

/// The way into the sequencer.
#[derive(Clone)]
pub(crate) struct Sequencer {
    queue: mpsc::Sender<Waiting>,
}

impl Sequencer {
    /// Starts the sequencer; it ends when every clone of the handle is gone and what waited is appended.
    pub(crate) fn start(pool: &PgPool, tail: Arc<Tail>) -> (Self, tokio::task::JoinHandle<()>) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let appending = Appending { connection: Connection::new(pool), tail };
        (Self { queue }, tokio::spawn(appending.run(waiting)))
    }

    /// Queues an append and waits until it is flushed.
    pub(crate) async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting::new(append, reply)?;
        self.queue.send(waiting).await.map_err(|_| LogError::Closed)?;
        answer.await.map_err(|_| LogError::Closed)?
    }
}

struct Appending {
    connection: Connection,
    tail: Arc<Tail>,
}

impl Appending {
    async fn run(mut self, mut queue: mpsc::Receiver<Waiting>) {
        let mut pending = VecDeque::new();
        loop {
            if pending.is_empty() {
                match queue.recv().await {
                    Some(waiting) => pending.push_back(waiting),
                    None => break,
                }
            }
            while pending.len() < BATCH_APPENDS {
                match queue.try_recv() {
                    Ok(waiting) => pending.push_back(waiting),
                    Err(_) => break,
                }
            }
            let batch = batch::take(&mut pending, BATCH_APPENDS, BATCH_EVENTS);
            let recorded = self.commit(batch).await;
            refuse_overtaken(&mut pending, &recorded);
        }
        self.connection.close().await;
    }

    /// Appends a batch and answers it; what was added.
    async fn commit(&mut self, mut batch: Vec<Waiting>) -> Vec<Arc<Recorded>> {
        histogram!("vigie_log_batch_appends").record(u32::try_from(batch.len()).unwrap_or(u32::MAX));
        let since = Instant::now();
        let mut pause = Duration::from_millis(5);
        while !batch.is_empty() {
            match self.send(&batch).await {
                Ok(Sent::In { head, recorded_at }) => return self.answer_appended(batch, head, recorded_at),
                Ok(Sent::InTheWay(found)) => match self.answer_in_the_way(&mut batch, found).await {
                    Ok(()) => {}
                    Err(error) => self.connection_failed(&error),
                },
                Err(error) if statement::is_repeated(&error) => {
                    if let Err(error) = self.answer_repeated(&mut batch).await {
                        self.connection_failed(&error);
                    }
                }
                Err(error) if statement::is_passing(&error) && since.elapsed() < RETRY => {
                    self.connection_failed(&error);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_millis(500));
                }
                // One append with data that Postgres refuses must not fail its companions.
                Err(error) if batch.len() > 1 && statement::is_about_data(&error) => {
                    let mut recorded = Vec::new();
                    for waiting in batch {
                        recorded.extend(Box::pin(self.commit(vec![waiting])).await);
                    }
                    return recorded;
                }
                Err(error) => {
                    tracing::error!(error = %error, appends = batch.len(), "append failed");
                    let error = LogError::database("append events", error);
                    batch.drain(..).for_each(|waiting| answer(waiting, Err(error.clone().into())));
                }
            }
        }
        Vec::new()
    }

    async fn send(&mut self, batch: &[Waiting]) -> Result<Sent, sqlx::Error> {
        statement::append(self.connection.get().await?, batch).await
    }

    /// A lost connection leaves the outcome unknown; the command ids make it safe to send the batch again.
    fn connection_failed(&mut self, error: &sqlx::Error) {
        tracing::warn!(error = %error, "the database did not answer an append; sending it again");
        self.connection.discard();
    }

    /// Gives the events their places, shows them to those who follow, and answers.
    fn answer_appended(&self, batch: Vec<Waiting>, head: i64, recorded_at: DateTime<Utc>) -> Vec<Arc<Recorded>> {
        let mut recorded = Vec::with_capacity(batch.iter().map(|waiting| waiting.events.len()).sum());
        let mut answers = Vec::with_capacity(batch.len());
        let mut position = head;
        for mut waiting in batch {
            let first = position + 1;
            for mut event in std::mem::take(&mut waiting.events) {
                position += 1;
                (event.position, event.recorded_at) = (position, recorded_at);
                recorded.push(Arc::new(event));
            }
            answers.push((waiting, first, position));
        }
        self.tail.appended(&recorded);
        counter!("vigie_log_events_appended_total").increment(recorded.len() as u64);
        for (mut waiting, first, last) in answers {
            let (kept, command) = (waiting.answer.take(), std::mem::take(&mut waiting.metadata.command));
            answer(waiting, Ok(Appended { first, last, repeated: false, answer: kept, command }));
        }
        recorded
    }

    /// Answers what cannot be appended and takes it out of the batch.
    async fn answer_in_the_way(
        &mut self,
        batch: &mut Vec<Waiting>,
        found: Vec<(usize, InTheWay)>,
    ) -> Result<(), sqlx::Error> {
        let mut repeated = false;
        // From behind, so that the indexes of those before stay what they are.
        for (index, why) in found.into_iter().rev() {
            match why {
                InTheWay::Conflict(conflict) => answer(batch.remove(index), Err(conflict)),
                InTheWay::Repeated => repeated = true,
            }
        }
        if repeated { self.answer_repeated(batch).await } else { Ok(()) }
    }

    /// Gives commands that are in the log their first answer, and takes them out of the batch.
    async fn answer_repeated(&mut self, batch: &mut Vec<Waiting>) -> Result<(), sqlx::Error> {
        for (command_id, appended) in statement::repeated(self.connection.get().await?, batch).await? {
            if let Some(index) = batch.iter().position(|waiting| waiting.metadata.command_id == command_id) {
                answer(batch.remove(index), Ok(appended));
            }
        }
        Ok(())
    }
}

/// Answers those that stayed because they depend on a companion, now that it is known that the companion is in.
fn refuse_overtaken(pending: &mut VecDeque<Waiting>, recorded: &[Arc<Recorded>]) {
    if pending.is_empty() || recorded.is_empty() {
        return;
    }
    let committed = Committed::new(recorded);
    for waiting in std::mem::take(pending) {
        match committed.conflict(&waiting) {
            Some(conflict) => answer(waiting, Err(conflict)),
            None => pending.push_back(waiting),
        }
    }
}

fn answer(waiting: Waiting, outcome: Result<Appended, AppendError>) {
    let label = match &outcome {
        Ok(appended) if appended.repeated => "repeated",
        Ok(_) => "appended",
        Err(AppendError::Conflict { .. }) => "conflict",
        Err(_) => "failed",
    };
    counter!("vigie_log_appends_total", "outcome" => label).increment(1);
    histogram!("vigie_log_append_seconds").record(waiting.since.elapsed());
    // The caller may have gone; what is appended is appended.
    let _ = waiting.reply.send(outcome);
}
