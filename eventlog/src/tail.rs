//! One tail per process feeds everybody inside it.
//!
//! It takes what this process appends from the sequencer, once that is flushed, and reads from the database what other
//! processes append: woken by a hint, or by polling. Whatever the source, events come in the order of positions.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::follow::Portion;
use crate::read::page;
use crate::recent::Recent;
use crate::router::{Router, Waiter};
use crate::{LogError, Query, Read, Recorded, Step};

/// How often to look for what other processes have appended.
const POLL: Duration = Duration::from_millis(50);

pub(crate) struct Tail {
    recent: RwLock<Recent>,
    router: Router,
    head: watch::Sender<i64>,
    hint: Notify,
    closed: CancellationToken,
}

impl Tail {
    pub(crate) fn new(head: i64, closed: CancellationToken) -> Arc<Self> {
        let head = watch::Sender::new(head);
        Arc::new(Self { recent: RwLock::default(), router: Router::default(), head, hint: Notify::new(), closed })
    }

    /// Something may have been appended.
    pub(crate) fn hint(&self) {
        self.hint.notify_one();
    }

    /// The last position that followers may see, now and as it moves.
    pub(crate) fn head(&self) -> watch::Receiver<i64> {
        self.head.subscribe()
    }

    pub(crate) fn closed(&self) -> &CancellationToken {
        &self.closed
    }

    /// Followers end.
    pub(crate) fn close(&self) {
        self.closed.cancel();
        self.router.wake_all();
    }

    /// Lets somebody wait for what matches after `after`.
    pub(crate) fn enter(&self, query: Query, after: i64) -> Arc<Waiter> {
        // Nothing is added meanwhile.
        let _recent = self.recent();
        self.router.enter(query, (after < *self.head.borrow()).then_some(after + 1))
    }

    pub(crate) fn leave(&self, waiter: &Arc<Waiter>) {
        self.router.leave(waiter);
    }

    /// From where on what somebody who has seen everything up to `position` has not looked at is in the database alone,
    /// if it is.
    pub(crate) fn beyond(&self, waiter: &Waiter, position: i64) -> Option<i64> {
        let recent = self.recent();
        let after = self.unseen(waiter, position);
        let kept = after >= *self.head.borrow() || recent.reaches(after);
        (!kept).then_some(after + 1)
    }

    /// What somebody who has seen everything up to `position` has not looked at, as much as the portion takes, if it is
    /// all among the recent ones.
    pub(crate) fn next(&self, waiter: &Waiter, position: i64, portion: Portion) -> Option<Step> {
        let recent = self.recent();
        let (after, head) = (self.unseen(waiter, position), *self.head.borrow());
        let step = match after < head {
            true => recent.matching(waiter.query(), after, portion)?,
            false => Step { events: Vec::new(), position: after },
        };
        waiter.looked((step.position < head).then_some(step.position + 1));
        Some(step)
    }

    /// How far somebody who has seen everything up to `position` has nothing to look at.
    fn unseen(&self, waiter: &Waiter, position: i64) -> i64 {
        position.max(waiter.first().map_or(*self.head.borrow(), |first| first - 1))
    }

    /// The same, if there is nothing to look at.
    pub(crate) fn quiet(&self, waiter: &Waiter, position: i64) -> Option<i64> {
        let _recent = self.recent();
        waiter.first().is_none().then(|| self.unseen(waiter, position))
    }

    /// The matching events after `after` up to the head, as many as the portion takes, if all events after it are among
    /// the recent ones.
    pub(crate) fn matching(&self, query: &Query, after: i64, portion: Portion) -> Option<Step> {
        let recent = self.recent();
        if after >= *self.head.borrow() {
            return Some(Step { events: Vec::new(), position: after });
        }
        recent.matching(query, after, portion)
    }

    /// Follows the database until the log closes.
    pub(crate) async fn run(self: Arc<Self>, pool: PgPool) {
        let mut pause = POLL;
        while !self.closed.is_cancelled() {
            match self.advance(&pool).await {
                Ok(true) => pause = POLL,
                Ok(false) => {
                    pause = POLL;
                    self.wait(pause).await;
                }
                Err(error) => {
                    tracing::warn!(error = %error, "the log's tail cannot read; trying again");
                    pause = (pause * 2).min(Duration::from_secs(5));
                    self.wait(pause).await;
                }
            }
        }
    }

    async fn wait(&self, pause: Duration) {
        tokio::select! {
            () = self.hint.notified() => {}
            () = tokio::time::sleep(pause) => {}
            () = self.closed.cancelled() => {}
        }
    }

    /// What this process has appended and flushed, in order. Read from the database if something before it is missing.
    pub(crate) fn appended(&self, events: &[Arc<Recorded>]) {
        if !self.take_in(events.iter().cloned()) {
            self.hint();
        }
    }

    /// Takes in the next page; false if there was nothing new.
    async fn advance(&self, pool: &PgPool) -> Result<bool, LogError> {
        let after = *self.head.borrow();
        let events = page(pool, &Query::all(), Read::after(after)).await?;
        let new = !events.is_empty();
        self.take_in(events.into_iter().map(Arc::new));
        Ok(new)
    }

    /// Adds what is not there yet; false, and nothing is added, if that would leave a gap.
    fn take_in(&self, events: impl Iterator<Item = Arc<Recorded>>) -> bool {
        let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        let head = *self.head.borrow();
        let events: Vec<_> = events.skip_while(|event| event.position <= head).collect();
        match &events[..] {
            [] => return true,
            [first, ..] if first.position > head + 1 => return false,
            [_, ..] => {}
        }
        // Under the lock, so that head, events and what waits to be looked at always agree.
        let woken = self.router.note(&events);
        recent.extend(events.into_iter());
        let last = recent.last().unwrap_or(head);
        metrics::gauge!("vigie_log_position").set(last as f64);
        self.head.send_replace(last);
        drop(recent);
        woken.iter().for_each(|waiter| waiter.wake());
        true
    }

    fn recent(&self) -> RwLockReadGuard<'_, Recent> {
        self.recent.read().unwrap_or_else(PoisonError::into_inner)
    }
}
