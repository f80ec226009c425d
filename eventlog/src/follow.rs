//! Following the log: history, then what comes, without a seam.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::watch;

use crate::read::page;
use crate::tail::Tail;
use crate::{LogError, Query, Read, Recorded};

/// Follows matching events. Slow followers read from the database and hold nobody up.
pub struct Follower {
    pool: PgPool,
    tail: Arc<Tail>,
    head: watch::Receiver<i64>,
    query: Query,
    position: i64,
}

/// What a follower sees next.
#[derive(Debug, Clone)]
pub struct Step {
    /// Matching events in order; empty when the log has moved on without a match.
    pub events: Vec<Arc<Recorded>>,
    /// Everything up to this position has been looked at.
    pub position: i64,
}

impl Follower {
    pub(crate) fn new(pool: PgPool, tail: Arc<Tail>, query: Query, after: i64) -> Self {
        let head = tail.head();
        Self { pool, tail, head, query, position: after.max(0) }
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
        let step = match self.tail.recent(self.position) {
            Some(recent) => self.pick(recent),
            None => tokio::select! {
                step = self.catch_up(head) => step?,
                () = closed.cancelled() => return Err(LogError::Closed),
            },
        };
        self.position = step.position;
        Ok(step)
    }

    /// The position up to which this follower has looked at everything.
    #[must_use]
    pub fn position(&self) -> i64 {
        self.position
    }

    fn pick(&self, recent: Vec<Arc<Recorded>>) -> Step {
        let position = recent.last().map_or(self.position, |event| event.position);
        let events = recent.into_iter().filter(|event| self.query.matches(&event.kind, &event.tags)).collect();
        Step { events, position }
    }

    async fn catch_up(&self, head: i64) -> Result<Step, LogError> {
        let mut pause = Duration::from_millis(50);
        loop {
            match page(&self.pool, &self.query, Read::after(self.position).until(head)).await {
                Ok(events) => {
                    let full = events.len() >= Read::PAGE as usize;
                    let position = events.last().map_or(head, |last| if full { last.position } else { head });
                    return Ok(Step { events: events.into_iter().map(Arc::new).collect(), position });
                }
                Err(archived @ LogError::Archived { .. }) => return Err(archived),
                Err(error) => {
                    tracing::warn!(error = %error, "a follower cannot read; trying again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
            }
        }
    }
}
