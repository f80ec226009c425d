//! Following the log: history, then what comes, without a seam.

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::ranges::require_page;
use crate::read::rows;
use crate::router::Waiter;
use crate::tail::Tail;
use crate::{LogError, Query, Read, Recorded};

/// Follows matching events. Slow followers read from the database and hold nobody up.
pub struct Follower {
    pool: PgPool,
    tail: Arc<Tail>,
    head: watch::Receiver<i64>,
    waiter: Arc<Waiter>,
    portion: Portion,
    position: i64,
    /// Whether it has had all that there was, so that reading from the database again means that it was too slow.
    kept_up: bool,
}

/// What a follower sees next.
#[derive(Debug, Clone)]
pub struct Step {
    /// Matching events in order; empty when the log has moved on without a match.
    pub events: Vec<Arc<Recorded>>,
    /// Everything up to this position has been looked at.
    pub position: i64,
}

/// How much a step brings at most: this bounds what a follower holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Portion {
    /// Events.
    pub events: u32,
    /// Bytes of their data and tags; the event that goes beyond is the last one in.
    pub bytes: usize,
}

impl Portion {
    /// Whatever there is.
    pub(crate) const ALL: Self = Self { events: u32::MAX, bytes: usize::MAX };

    pub(crate) fn taken(self) -> Taken {
        Taken { portion: self, events: 0, bytes: 0 }
    }
}

impl Default for Portion {
    /// A page, however large its events are.
    fn default() -> Self {
        Self { events: Read::PAGE, bytes: usize::MAX }
    }
}

/// What is in a portion so far.
pub(crate) struct Taken {
    portion: Portion,
    events: u32,
    bytes: usize,
}

impl Taken {
    /// Takes an event in; whether nothing more fits.
    pub(crate) fn fills(&mut self, event: &Recorded) -> bool {
        self.events += 1;
        self.bytes += event.data.get().len() + event.tags.iter().map(String::len).sum::<usize>();
        self.events >= self.portion.events || self.bytes >= self.portion.bytes
    }
}

/// Events that a follower did not take while they were in memory: it reads them from the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// The first position.
    pub from: i64,
    /// The last position that there was when this was noticed.
    pub to: i64,
}

impl Follower {
    pub(crate) fn new(pool: PgPool, tail: Arc<Tail>, query: Query, after: i64) -> Self {
        let (head, position) = (tail.head(), after.max(0));
        let waiter = tail.enter(query, position);
        Self { pool, tail, head, waiter, portion: Portion::default(), position, kept_up: false }
    }

    /// The same in portions.
    #[must_use]
    pub fn in_portions(mut self, portion: Portion) -> Self {
        self.portion = portion;
        self
    }

    /// Waits until the log has moved past what this follower has seen. Safe to cancel: nothing is lost.
    ///
    /// # Errors
    /// [`LogError::Closed`] when the log shuts down, [`LogError::Archived`] when what comes next is archived. A failing
    /// database is waited for.
    pub async fn next(&mut self) -> Result<Step, LogError> {
        let closed = self.tail.closed().clone();
        let head = tokio::select! {
            head = self.head.wait_for(|head| *head > self.position) => *head.map_err(|_| LogError::Closed)?,
            () = closed.cancelled() => return Err(LogError::Closed),
        };
        self.step(head).await
    }

    /// The same, but before `quiet` it is not woken by what does not match: a step without events is rare then.
    ///
    /// # Errors
    /// As [`Follower::next`].
    pub async fn next_or_quiet(&mut self, quiet: Instant) -> Result<Step, LogError> {
        while self.waiter.first().is_none() && !self.tail.closed().is_cancelled() {
            if timeout_at(quiet, self.waiter.woken()).await.is_err() {
                break;
            }
        }
        self.next().await
    }

    /// Passes over what does not match, without waiting: if nothing is left to look at, everything was looked at.
    pub fn pass(&mut self) {
        self.position = self.tail.quiet(&self.waiter, self.position).unwrap_or(self.position);
    }

    async fn step(&mut self, head: i64) -> Result<Step, LogError> {
        let step = match self.tail.next(&self.waiter, self.position, self.portion) {
            Some(recent) => {
                self.kept_up = true;
                recent
            }
            None => {
                let closed = self.tail.closed().clone();
                tokio::select! {
                    step = self.catch_up(head) => step?,
                    () = closed.cancelled() => return Err(LogError::Closed),
                }
            }
        };
        self.position = step.position;
        Ok(step)
    }

    /// What is no longer in memory although this follower had kept up before; told once, then it catches up.
    pub fn lagged(&mut self) -> Option<Lag> {
        if !self.kept_up {
            return None;
        }
        let from = self.tail.beyond(&self.waiter, self.position)?;
        self.kept_up = false;
        Some(Lag { from, to: *self.head.borrow() })
    }

    /// The position up to which this follower has looked at everything.
    #[must_use]
    pub fn position(&self) -> i64 {
        self.position
    }

    async fn catch_up(&self, head: i64) -> Result<Step, LogError> {
        let mut pause = Duration::from_millis(50);
        loop {
            match self.read(head).await {
                Ok(step) => return Ok(step),
                Err(archived @ LogError::Archived { .. }) => return Err(archived),
                Err(error) => {
                    tracing::warn!(error = %error, "a follower cannot read; trying again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
            }
        }
    }

    /// A portion from the database; what is more than that is not taken from the connection.
    async fn read(&self, head: i64) -> Result<Step, LogError> {
        let failed = |error| LogError::database("read events", error);
        let limit = self.portion.events.min(Read::PAGE);
        let read = Read::after(self.position).until(head).limit(limit);
        let mut taken = Portion { events: limit, ..self.portion }.taken();
        let (mut events, mut full) = (Vec::new(), false);
        {
            let mut rows = rows(&self.pool, self.waiter.query(), read);
            while !full && let Some(row) = rows.try_next().await.map_err(failed)? {
                let event = Recorded::from(row);
                full = taken.fills(&event);
                events.push(event);
            }
        }
        let read = if full { read.limit(u32::try_from(events.len()).unwrap_or(limit)) } else { read };
        require_page(&self.pool, self.waiter.query(), read, &events).await?;
        let position = events.last().map_or(head, |last| if full { last.position } else { head });
        Ok(Step { events: events.into_iter().map(Arc::new).collect(), position })
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.tail.leave(&self.waiter);
    }
}
