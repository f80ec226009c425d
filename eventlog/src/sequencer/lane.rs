//! One connection, and one batch at a time: sends it until it is in, and answers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use metrics::{counter, histogram};
use sqlx::PgPool;
use uuid::Uuid;

use super::batch::Batch;
use super::connection::Connection;
use super::marks::Marked;
use super::statement::{self, InTheWay, Sent};
use super::{Waiting, answer};
use crate::tail::Tail;
use crate::{AppendError, Appended, LogError, Recorded};

/// How long a lost connection is tried anew before callers are told; the command id makes the retry safe.
const RETRY: Duration = Duration::from_secs(10);

pub(super) struct Lane {
    connection: Connection,
    tail: Arc<Tail>,
}

/// What a lane has added to the log.
#[derive(Default)]
pub(super) struct Added {
    /// The last position before it.
    pub(super) head: i64,
    pub(super) events: Vec<Arc<Recorded>>,
    /// What its appends can be found by, each with the position of its last event.
    pub(super) marks: Vec<(Marked, i64)>,
    /// How long the database worked on it, and how long its flush and the way there and back took.
    pub(super) times: Option<(Duration, Duration)>,
}

impl Lane {
    pub(super) fn new(pool: &PgPool, tail: Arc<Tail>) -> Self {
        Self { connection: Connection::new(pool), tail }
    }

    pub(super) async fn close(self) {
        self.connection.close().await;
    }

    pub(super) async fn carry(mut self, batch: Batch) -> (Self, Vec<Added>) {
        let mut added = Vec::new();
        self.commit(batch, &mut added).await;
        (self, added)
    }

    /// The first appends of those commands that are in the log; none if the database does not answer.
    pub(super) async fn first_answers(&mut self, waiting: &[Waiting]) -> Option<HashMap<Uuid, Appended>> {
        let found = match self.connection.get().await {
            Ok(connection) => statement::repeated(connection, waiting).await,
            Err(error) => Err(error),
        };
        found.inspect_err(|_| self.connection.discard()).ok()
    }

    /// Appends a batch and answers it; what was added.
    async fn commit(&mut self, mut batch: Batch, added: &mut Vec<Added>) {
        histogram!("vigie_log_batch_appends").record(u32::try_from(batch.appends.len()).unwrap_or(u32::MAX));
        let since = Instant::now();
        let mut pause = Duration::from_millis(5);
        while !batch.appends.is_empty() {
            let sent = Instant::now();
            match self.send(&batch).await {
                Ok(Sent::In { head, recorded_at, waited, worked }) => {
                    let mut new = self.answer_appended(batch.appends, head, recorded_at);
                    new.times = Some((worked, sent.elapsed().saturating_sub(waited + worked)));
                    added.push(new);
                    return;
                }
                Ok(Sent::InTheWay(found)) => {
                    if let Err(error) = self.answer_in_the_way(&mut batch, found).await {
                        self.connection_failed(&error);
                    }
                }
                Err(error) if statement::is_repeated(&error) => {
                    if let Err(error) = self.answer_repeated(&mut batch).await {
                        self.connection_failed(&error);
                    }
                }
                Err(error) if statement::is_passing(&error) && since.elapsed() < RETRY => {
                    self.connection_failed(&error);
                    #[cfg(feature = "sabotage")]
                    send_as_new(&mut batch.appends);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_millis(500));
                }
                // One append with data that Postgres refuses must not fail its companions.
                Err(error) if batch.appends.len() > 1 && statement::is_about_data(&error) => {
                    for waiting in batch.appends {
                        let alone = Batch { appends: vec![waiting], checked: vec![false], checked_until: 0 };
                        Box::pin(self.commit(alone, added)).await;
                    }
                    return;
                }
                Err(error) => {
                    tracing::error!(error = %error, appends = batch.appends.len(), "append failed");
                    let error = LogError::database("append events", error);
                    batch.appends.drain(..).for_each(|waiting| answer(waiting, Err(error.clone().into())));
                }
            }
        }
    }

    async fn send(&mut self, batch: &Batch) -> Result<Sent, sqlx::Error> {
        statement::append(self.connection.get().await?, batch).await
    }

    /// A lost connection leaves the outcome unknown; the command ids make it safe to send the batch again.
    fn connection_failed(&mut self, error: &sqlx::Error) {
        tracing::warn!(error = %error, "the database did not answer an append; sending it again");
        self.connection.discard();
    }

    /// Gives the events their places, shows them to those who follow, and answers.
    fn answer_appended(&self, appends: Vec<Waiting>, head: i64, recorded_at: DateTime<Utc>) -> Added {
        let mut events = Vec::with_capacity(appends.iter().map(|waiting| waiting.events.len()).sum());
        let (mut marks, mut answers) = (Vec::with_capacity(appends.len()), Vec::with_capacity(appends.len()));
        let mut position = head;
        for mut waiting in appends {
            let first = position + 1;
            for mut event in std::mem::take(&mut waiting.events) {
                position += 1;
                (event.position, event.recorded_at) = (position, recorded_at);
                events.push(Arc::new(event));
            }
            marks.push((std::mem::take(&mut waiting.marked), position));
            answers.push((waiting, first, position));
        }
        self.tail.appended(&events);
        counter!("vigie_log_events_appended_total").increment(events.len() as u64);
        for (mut waiting, first, last) in answers {
            let (kept, command) = (waiting.answer.take(), std::mem::take(&mut waiting.metadata.command));
            answer(waiting, Ok(Appended { first, last, repeated: false, answer: kept, command }));
        }
        Added { head, events, marks, times: None }
    }

    /// Answers what cannot be appended and takes it out of the batch.
    async fn answer_in_the_way(&mut self, batch: &mut Batch, found: Vec<(usize, InTheWay)>) -> Result<(), sqlx::Error> {
        let mut repeated = false;
        // From behind, so that the indexes of those before stay what they are.
        for (index, why) in found.into_iter().rev() {
            match why {
                InTheWay::Conflict(conflict) => batch.answer(index, Err(conflict)),
                InTheWay::Repeated => repeated = true,
            }
        }
        if repeated { self.answer_repeated(batch).await } else { Ok(()) }
    }

    /// Gives commands that are in the log their first answer, and takes them out of the batch.
    async fn answer_repeated(&mut self, batch: &mut Batch) -> Result<(), sqlx::Error> {
        for (command_id, appended) in statement::repeated(self.connection.get().await?, &batch.appends).await? {
            if let Some(index) = batch.appends.iter().position(|waiting| waiting.metadata.command_id == command_id) {
                batch.answer(index, Ok(appended));
            }
        }
        Ok(())
    }
}

impl Batch {
    fn answer(&mut self, index: usize, outcome: Result<Appended, AppendError>) {
        self.checked.remove(index);
        answer(self.appends.remove(index), outcome);
    }
}

/// What is sent again is taken for something new, as if the outcome of the first time did not matter.
#[cfg(feature = "sabotage")]
fn send_as_new(batch: &mut [Waiting]) {
    if crate::sabotage::is("blind-retry") {
        for waiting in batch {
            waiting.metadata.command_id = uuid::Uuid::now_v7();
            waiting.events.iter_mut().for_each(|event| event.metadata.command_id = waiting.metadata.command_id);
        }
    }
}
