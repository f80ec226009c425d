//! The task that keeps one read model up with the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use sqlx::PgPool;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use vigie_eventlog::{Follower, Log, LogError, Recorded, Step};

use super::{ApplyError, Checkpoint, Lease, Model, apply, table};
use crate::control::{Asked, By, Ends, Skips, Work, skips_after};
use crate::{ProjectionError, State};

/// How often somebody looks whether the owner is gone, or a stopped read model may try again.
const LOOK: Duration = Duration::from_secs(1);
/// How long a checkpoint may stay behind while only events pass that do not match.
const SETTLE: Duration = Duration::from_millis(100);
/// How many such events may pass before it is moved at once.
const STRIDE: i64 = 1_000;

/// Keeps one read model up with the log.
pub(crate) struct Projector {
    pub(crate) model: Model,
    pub(crate) pool: PgPool,
    pub(crate) log: Log,
    pub(crate) lease: Arc<Lease>,
    pub(crate) owner: String,
    /// Everything up to here is in the rows.
    pub(crate) reached: watch::Sender<i64>,
    /// Whether this process folds it right now.
    pub(crate) folding: AtomicBool,
    /// What the checkpoint says, while this process folds it.
    pub(crate) saved: AtomicI64,
    /// Somebody has paused it, or made it anew until an earlier position.
    pub(crate) halted: Notify,
    pub(crate) shutdown: CancellationToken,
}

/// Why the read model is not folded any further for now.
enum Pause {
    /// Somebody else has moved the checkpoint, or the lock is lost: start from what the database says.
    Overtaken,
    /// An event stopped it.
    Stopped,
    /// The database failed.
    Failed(ProjectionError),
    /// The log is closed or the process shuts down.
    Over,
}

impl From<sqlx::Error> for Pause {
    fn from(source: sqlx::Error) -> Self {
        Self::Failed(ProjectionError::Database { attempt: "a read model could not be written", source })
    }
}

/// Where the follower is, and what of it the checkpoint says.
struct Course {
    saved: i64,
    seen: i64,
    rate: f64,
    /// Events that are left out.
    skips: Skips,
}

impl Projector {
    /// Runs until the shutdown.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut delay = LOOK;
        loop {
            let pause = tokio::select! {
                () = self.shutdown.cancelled() => Pause::Over,
                pause = self.own() => pause,
            };
            self.folding.store(false, Ordering::Release);
            match pause {
                Pause::Over => return,
                Pause::Overtaken => delay = SETTLE,
                Pause::Stopped => delay = LOOK,
                Pause::Failed(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(projection.name = self.model.name, error, "read model waits for the database");
                    delay = (delay * 2).clamp(LOOK, LOOK * 10);
                }
            }
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                () = tokio::time::sleep(delay) => {}
            }
        }
    }

    /// Becomes the owner, when nobody else is, and follows the log.
    async fn own(&self) -> Pause {
        loop {
            match self.attempt().await {
                Ok(Some((epoch, position, skips))) => {
                    let mut course = Course { saved: position, seen: position, rate: 0.0, skips };
                    self.saved.store(position, Ordering::Release);
                    self.folding.store(true, Ordering::Release);
                    return match self.follow(epoch, &mut course).await {
                        Ok(never) => match never {},
                        Err(pause) => pause,
                    };
                }
                Ok(None) => tokio::time::sleep(LOOK).await,
                Err(pause) => return pause,
            }
        }
    }

    /// The lock, the checkpoint's position and what is left out from there on, when there is something to follow.
    async fn attempt(&self) -> Result<Option<(u64, i64, Skips)>, Pause> {
        Checkpoint::ensure(&self.model, &self.pool).await?;
        // A process of an older version may hold the lock and fold on, until its tables are swapped out.
        if !self.is_ours().await? {
            return Ok(None);
        }
        let Some(epoch) = self.lease.try_own(self.model.name).await? else { return Ok(None) };
        let checkpoint = Checkpoint::read(self.model.name, &self.pool).await?;
        let Some(checkpoint) = checkpoint.filter(|checkpoint| checkpoint.state == State::Running) else {
            return Ok(None);
        };
        if checkpoint.version != self.model.version {
            return Err(Pause::Overtaken);
        }
        let skips = skips_after(&self.log, self.model.name, checkpoint.position).await.map_err(Pause::Failed)?;
        Ok(Some((epoch, checkpoint.position, skips)))
    }

    /// Whether the rows are there, in this build's version, and nobody holds them up; makes them anew when they are of
    /// an older one, and leaves them to others when they are of a newer one.
    async fn is_ours(&self) -> Result<bool, Pause> {
        let (name, known) = (self.model.name, self.model.version);
        let Some(checkpoint) = Checkpoint::read(name, &self.pool).await? else { return Ok(false) };
        if checkpoint.version > known {
            let stored = checkpoint.version;
            tracing::error!(projection.name = name, stored, known, "a newer version has made this read model");
            self.lease.give_up(name).await?;
            return Ok(false);
        }
        if checkpoint.state != State::Running {
            return Ok(false);
        }
        if checkpoint.version < known {
            self.renew(&checkpoint).await?;
            return Err(Pause::Overtaken);
        }
        Ok(true)
    }

    /// Makes the tables anew in this build's version.
    async fn renew(&self, checkpoint: &Checkpoint) -> Result<(), Pause> {
        let (name, from, to) = (self.model.name, checkpoint.version, self.model.version);
        tracing::info!(projection.name = name, from, to, "read model is made anew in its new version");
        let by = By::new(&self.owner, format!("version {to} follows version {from}"));
        let ends = Ends { cancel: CancellationToken::new(), shutdown: self.shutdown.clone() };
        let work = Work { pool: &self.pool, log: &self.log, model: &self.model, owner: &self.owner };
        match work.begin(&Asked { until: None, by }, false, &|_| {}, &ends).await {
            Ok(_) | Err(ProjectionError::Busy { .. }) => Ok(()),
            Err(ProjectionError::BadEvent { position, reason }) => {
                Err(self.stop(checkpoint.position, position, &reason).await)
            }
            Err(ProjectionError::Cancelled) => Err(Pause::Over),
            Err(error) => Err(Pause::Failed(error)),
        }
    }

    async fn follow(&self, epoch: u64, course: &mut Course) -> Result<std::convert::Infallible, Pause> {
        let mut follower = self.log.follow(self.model.query(), course.saved);
        self.tell(course.saved);
        loop {
            let step = self.next(&mut follower, epoch, course).await?;
            let Some(mut step) = step else { continue };
            step.events.retain(|event| !course.skips.contains(&event.position));
            if step.events.is_empty() {
                course.seen = step.position;
                // Nothing between the checkpoint and here touches the rows, whatever the checkpoint says.
                self.tell(course.seen);
                if course.seen - course.saved >= STRIDE {
                    self.save(course).await?;
                }
            } else {
                self.take(&step.events, step.position, course).await?;
            }
        }
    }

    /// The next step; while there is none, saves the checkpoint and looks after the lock.
    async fn next(&self, follower: &mut Follower, epoch: u64, course: &mut Course) -> Result<Option<Step>, Pause> {
        let wait = if course.seen > course.saved { SETTLE } else { LOOK * 5 };
        let next = tokio::select! {
            next = tokio::time::timeout(wait, follower.next()) => next,
            () = self.halted.notified() => return Err(Pause::Overtaken),
        };
        match next {
            Ok(Ok(step)) => Ok(Some(step)),
            Ok(Err(LogError::Closed)) => Err(Pause::Over),
            Ok(Err(error)) => Err(Pause::Failed(error.into())),
            Err(_) if course.seen > course.saved => self.save(course).await.map(|()| None),
            Err(_) if self.lease.holds(epoch).await => Ok(None),
            Err(_) => Err(Pause::Overtaken),
        }
    }

    /// Folds a batch; up to the bad event, if there is one.
    async fn take(&self, events: &[Arc<Recorded>], to: i64, course: &mut Course) -> Result<(), Pause> {
        match self.commit(events, to, course).await? {
            Ok(()) => Ok(()),
            Err((bad, reason)) => {
                let good = events.partition_point(|event| event.position < bad);
                if bad - 1 > course.saved {
                    // The events before it are sound: they were folded before it was reached.
                    if let Err((bad, reason)) = self.commit(&events[..good], bad - 1, course).await? {
                        return Err(self.stop(course.saved, bad, &reason).await);
                    }
                }
                Err(self.stop(course.saved, bad, &reason).await)
            }
        }
    }

    /// Rows and checkpoint in one transaction.
    async fn commit(
        &self,
        events: &[Arc<Recorded>],
        to: i64,
        course: &mut Course,
    ) -> Result<Result<(), (i64, String)>, Pause> {
        let start = Instant::now();
        let mut transaction = self.pool.begin().await?;
        let moved =
            Checkpoint::advance(&self.model, course.saved, to, &self.owner, course.rate, &mut transaction).await?;
        if !moved {
            return Err(Pause::Overtaken);
        }
        // On purpose: the checkpoint is saved apart from the rows.
        #[cfg(feature = "sabotage")]
        if crate::sabotage::is("torn-checkpoint") {
            transaction.commit().await?;
            transaction = self.pool.begin().await?;
        }
        match apply(&self.model, table::LIVE, &mut transaction, events).await {
            Ok(()) => transaction.commit().await?,
            Err(ApplyError::BadEvent { position, reason }) => return Ok(Err((position, reason))),
            Err(ApplyError::Database(error)) => return Err(error.into()),
        }
        #[expect(clippy::cast_precision_loss, reason = "a batch has a few thousand events")]
        let rate = events.len() as f64 / start.elapsed().as_secs_f64().max(1e-6);
        course.rate = if course.rate == 0.0 { rate } else { 0.8 * course.rate + 0.2 * rate };
        (course.saved, course.seen) = (to, to);
        self.saved.store(to, Ordering::Release);
        self.tell(to);
        Ok(Ok(()))
    }

    async fn save(&self, course: &mut Course) -> Result<(), Pause> {
        let mut transaction = self.pool.begin().await?;
        let (from, to) = (course.saved, course.seen);
        if !Checkpoint::advance(&self.model, from, to, &self.owner, course.rate, &mut transaction).await? {
            return Err(Pause::Overtaken);
        }
        transaction.commit().await?;
        course.saved = to;
        self.saved.store(to, Ordering::Release);
        Ok(())
    }

    async fn stop(&self, at: i64, bad: i64, reason: &str) -> Pause {
        tracing::error!(projection.name = self.model.name, event.position = bad, reason, "an event stops a read model");
        match self.stop_unless_skipped(at, bad, reason).await {
            Ok(pause) | Err(pause) => pause,
        }
    }

    /// Somebody may have skipped the event while it was tried again, and let the read model go on before it stopped.
    async fn stop_unless_skipped(&self, at: i64, bad: i64, reason: &str) -> Result<Pause, Pause> {
        Checkpoint::stop(&self.model, at, bad, reason, &self.pool).await?;
        let skips = skips_after(&self.log, self.model.name, at).await.map_err(Pause::Failed)?;
        let goes_on = skips.contains(&bad) && Checkpoint::go_past(&self.model, bad, &self.pool).await?;
        Ok(if goes_on { Pause::Overtaken } else { Pause::Stopped })
    }

    pub(crate) fn is_folding(&self) -> bool {
        self.folding.load(Ordering::Acquire)
    }

    /// How far the checkpoint was at least, as far as this process knows, unless somebody has moved it back.
    pub(crate) fn known(&self) -> i64 {
        if self.is_folding() { self.saved.load(Ordering::Acquire) } else { *self.reached.borrow() }
    }

    /// Somebody has paused it at `position`, or moved it back there.
    pub(crate) fn halt(&self, position: i64) {
        self.reached.send_if_modified(|reached| std::mem::replace(reached, position) != position);
        // Whoever begins to fold after this tells where it is; whoever folds already is sent back to the beginning.
        if self.is_folding() {
            self.halted.notify_one();
        }
    }

    pub(crate) fn tell(&self, position: i64) {
        self.reached.send_if_modified(|reached| {
            let further = *reached < position;
            *reached = position.max(*reached);
            further
        });
    }
}
