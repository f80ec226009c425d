//! The open log.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::value::RawValue;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use sqlx::types::Json;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::follow::Portion;
use crate::ranges::{as_archived, keep_ahead, require};
use crate::read::{at, page};
use crate::sequencer::Sequencer;
use crate::tail::Tail;
use crate::{Append, AppendError, Appended, Follower, History, Query, Read, Recorded, Step, reading};

/// Every migration of Vigie, in order.
pub static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// The database failed, or what it holds cannot be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogError {
    /// A statement failed.
    #[error("cannot {attempt}")]
    Database {
        /// What was attempted.
        attempt: &'static str,
        /// What Postgres or the connection said.
        source: Arc<sqlx::Error>,
    },
    /// What was asked for is archived, at least in part: read or decided without it, the answer could be wrong.
    #[error("the events from {first} to {last} are archived: `vigie log restore` brings them back from their files")]
    Archived {
        /// The first position that is missing.
        first: i64,
        /// The last one.
        last: i64,
    },
    /// The log is shutting down.
    #[error("the log is closed")]
    Closed,
}

impl LogError {
    pub(crate) fn database(attempt: &'static str, source: sqlx::Error) -> Self {
        as_archived(&source).unwrap_or_else(|| Self::Database { attempt, source: Arc::new(source) })
    }
}

/// The event log of a database. Cheap to clone; all clones share one sequencer and one tail.
#[derive(Clone)]
pub struct Log {
    pool: PgPool,
    reading: PgPool,
    shared: Arc<Shared>,
}

struct Shared {
    sequencer: Mutex<Option<Sequencer>>,
    tail: Arc<Tail>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Log {
    /// Opens the log of a migrated database and starts its sequencer and tail.
    ///
    /// # Errors
    /// The database cannot be reached or is not migrated.
    pub async fn open(pool: PgPool) -> Result<Self, LogError> {
        let head = head(&pool).await?;
        let tail = Tail::new(head, CancellationToken::new());
        let (sequencer, appending) = Sequencer::start(&pool, Arc::clone(&tail));
        let reading = reading::pool(&pool);
        let following = tokio::spawn(Arc::clone(&tail).run(reading.clone()));
        let extending = tokio::spawn(keep_ahead(pool.clone(), tail.head(), tail.closed().clone()));
        let tasks = Mutex::new(vec![appending, following, extending]);
        let shared = Shared { sequencer: Mutex::new(Some(sequencer)), tail, tasks };
        Ok(Self { pool, reading, shared: Arc::new(shared) })
    }

    /// Appends events; returns when they are flushed.
    ///
    /// # Errors
    /// A condition does not hold, or the database failed.
    pub async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let sequencer = self.shared.sequencer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        sequencer.ok_or(LogError::Closed)?.append(append).await
    }

    /// The append of this command, if it is in the log.
    ///
    /// # Errors
    /// The database failed.
    pub async fn appended(&self, command_id: Uuid) -> Result<Option<Appended>, LogError> {
        let row = sqlx::query!(
            r#"select name, first_position, last_position, answer as "answer: Json<Box<RawValue>>"
               from command where id = $1"#,
            command_id
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(|error| LogError::database("look a command up", error))?;
        Ok(row.map(|row| Appended {
            first: row.first_position,
            last: row.last_position,
            repeated: true,
            answer: row.answer.map(|answer| answer.0),
            command: row.name,
        }))
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The last position; 0 when empty.
    ///
    /// # Errors
    /// The database failed.
    pub async fn head(&self) -> Result<i64, LogError> {
        head(&self.reading).await
    }

    /// One page of matching events, in the order and bounds of `read`. Ask again from the last position for more.
    ///
    /// # Errors
    /// The database failed.
    pub async fn read(&self, query: &Query, read: Read) -> Result<Vec<Recorded>, LogError> {
        page(&self.reading, query, read).await
    }

    /// The events at these positions, oldest first.
    ///
    /// # Errors
    /// [`LogError::Archived`] when one of them is, or the database failed.
    pub async fn at(&self, positions: &[i64]) -> Result<Vec<Recorded>, LogError> {
        let events = at(&self.reading, positions).await?;
        if let Some(missing) = positions.iter().find(|position| events.iter().all(|event| event.position != **position))
        {
            require(&self.pool, missing - 1, *missing).await?;
        }
        Ok(events)
    }

    /// The matching events in `(after, until]`, read ahead of whoever takes them; `i64::MAX` for all that there are.
    #[must_use]
    pub fn history(&self, query: Query, after: i64, until: i64) -> History {
        History::new(self.reading.clone(), query, after, until)
    }

    /// Fails if any event in `(after, until]` is archived.
    ///
    /// # Errors
    /// [`LogError::Archived`], or the database failed.
    pub async fn require(&self, after: i64, until: i64) -> Result<(), LogError> {
        require(&self.pool, after, until).await
    }

    /// Matching events after `after`: first those there are, then those to come, each once, in order.
    #[must_use]
    pub fn follow(&self, query: Query, after: i64) -> Follower {
        Follower::new(self.reading.clone(), Arc::clone(&self.shared.tail), query, after)
    }

    /// The matching events after `after` up to [`Log::seen`], without asking the database; `None` if they are not all in
    /// memory. Other processes may have appended more.
    #[must_use]
    pub fn recent(&self, query: &Query, after: i64) -> Option<Step> {
        self.shared.tail.matching(query, after, Portion::ALL)
    }

    /// The last position that followers of this process can see, now and as it moves.
    #[must_use]
    pub fn seen(&self) -> watch::Receiver<i64> {
        self.shared.tail.head()
    }

    /// Says that another process may have appended, so that followers look at once instead of at the next poll.
    pub fn hint(&self) {
        self.shared.tail.hint();
    }

    /// Stops the sequencer, once what waits is appended, and the tail. Followers end with [`LogError::Closed`].
    pub async fn close(&self) {
        drop(self.shared.sequencer.lock().unwrap_or_else(PoisonError::into_inner).take());
        let mut tasks = std::mem::take(&mut *self.shared.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        // The sequencer ends by itself, and the others see what it appends until then.
        let others = tasks.split_off(tasks.len().min(1));
        for task in tasks {
            wait_for(task).await;
        }
        self.shared.tail.close();
        for task in others {
            wait_for(task).await;
        }
    }
}

async fn wait_for(task: JoinHandle<()>) {
    if let Err(error) = task.await {
        tracing::error!(error = %error, "a task of the log ended badly");
    }
}

async fn head(pool: &PgPool) -> Result<i64, LogError> {
    sqlx::query_scalar!("select position from log_head")
        .fetch_one(pool)
        .await
        .map_err(|error| LogError::database("read the log's head", error))
}
