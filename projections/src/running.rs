//! The running read models of a process, and waiting for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vigie_eventlog::Log;

use crate::control::{Broadcast, TakeUp, notice};
use crate::engine::{Checkpoint, Lease, Model, Projector};
use crate::{Behind, PausedBy, ProjectionError, State, Status, StoppedBy, status};

/// The running read models of this process. Cheap to clone.
#[derive(Clone)]
pub struct Projections {
    pool: PgPool,
    projectors: Arc<[Arc<Projector>]>,
    tasks: TaskTracker,
    states: Arc<Broadcast>,
}

impl Projections {
    /// Runs every read model until `shutdown`; one whose version has changed is rebuilt first, while its old rows
    /// serve. Those that an event has stopped try again.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn start(pool: PgPool, log: Log, shutdown: CancellationToken) -> Result<Self, ProjectionError> {
        Self::start_models(crate::MODELS, pool, log, shutdown).await
    }

    /// [`Projections::start`] for some read models only.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn start_models(
        models: &[Model],
        pool: PgPool,
        log: Log,
        shutdown: CancellationToken,
    ) -> Result<Self, ProjectionError> {
        let attempt = "the read models' checkpoints could not be made";
        let failed = |source| ProjectionError::Database { attempt, source };
        Checkpoint::retry(&pool).await.map_err(failed)?;
        for model in models {
            Checkpoint::ensure(model, &pool).await.map_err(failed)?;
        }
        let lease = Arc::new(Lease::new(pool.clone()));
        let projectors = projectors(models, 0, &pool, &log, &lease, &shutdown);
        let (tasks, folding) = (TaskTracker::new(), TaskTracker::new());
        for projector in projectors.iter() {
            folding.spawn(Arc::clone(projector).run());
        }
        folding.spawn(notice(Arc::clone(&projectors), pool.clone(), shutdown.clone()));
        let (states, telling) = Broadcast::new(pool.clone(), shutdown.clone());
        folding.spawn(telling);
        let take_up = TakeUp { models: models.to_vec(), pool: pool.clone(), log, owner: owner(), shutdown };
        folding.spawn(take_up.run());
        folding.close();
        tasks.spawn(async move {
            folding.wait().await;
            lease.release().await;
        });
        tasks.close();
        Ok(Self { pool, projectors, tasks, states: Arc::new(states) })
    }

    /// Read models that were built until `position` and are left there: nothing runs.
    #[must_use]
    pub fn standing(pool: PgPool, log: &Log, position: i64) -> Self {
        let (lease, shutdown) = (Arc::new(Lease::new(pool.clone())), CancellationToken::new());
        let projectors = projectors(crate::MODELS, position, &pool, log, &lease, &shutdown);
        let (states, _) = Broadcast::new(pool.clone(), shutdown);
        let tasks = TaskTracker::new();
        tasks.close();
        Self { pool, projectors, tasks, states: Arc::new(states) }
    }

    /// Waits until the read models have everything up to `position`, whichever process folds them.
    ///
    /// # Errors
    /// [`Behind`] after `timeout`, or at once for one that an earlier event has stopped.
    ///
    /// # Panics
    /// A name that is no read model's.
    pub async fn wait_for(&self, names: &[&str], position: i64, timeout: Duration) -> Result<(), Behind> {
        let deadline = Instant::now() + timeout;
        for name in names {
            let projector = self.projector(name);
            if !self.reach(projector, position, deadline).await {
                return Err(self.behind(projector, position).await);
            }
        }
        Ok(())
    }

    /// The position up to which a read model is known to have come, as far as this process folds it or has waited
    /// for it.
    ///
    /// # Panics
    /// A name that is no read model's.
    #[must_use]
    pub fn watch(&self, name: &str) -> watch::Receiver<i64> {
        self.projector(name).reached.subscribe()
    }

    /// The state of every read model, as far as this process knows it: a checkpoint is not written while nothing
    /// matches, and the running read model knows better.
    ///
    /// # Errors
    /// The database failed.
    pub async fn status(&self) -> Result<Vec<Status>, ProjectionError> {
        let mut all = status(&self.pool).await?;
        for status in &mut all {
            let projector = self.projectors.iter().find(|projector| projector.model.name == status.name);
            let reached = projector.map_or(0, |projector| *projector.reached.borrow());
            if status.state == State::Running && reached > status.position {
                status.lag_events = (status.lag_events - (reached - status.position)).max(0);
                status.position = reached;
                status.lag_seconds = if status.lag_events == 0 { 0.0 } else { status.lag_seconds };
            }
        }
        Ok(all)
    }

    /// The states of the read models as they change, looked at a few times a second while somebody listens; empty at
    /// first. It ends with the read models of this process.
    #[must_use]
    pub fn states(&self) -> watch::Receiver<Arc<[Status]>> {
        self.states.listen()
    }

    /// Waits until all have stopped after the shutdown.
    pub async fn stopped(&self) {
        self.tasks.wait().await;
    }

    fn projector(&self, name: &str) -> &Projector {
        let found = self.projectors.iter().find(|projector| projector.model.name == name);
        found.unwrap_or_else(|| panic!("{name:?} is the name of a read model that runs here"))
    }

    async fn behind(&self, projector: &Projector, wanted: i64) -> Behind {
        let checkpoint = Checkpoint::read(projector.model.name, &self.pool).await.ok().flatten();
        let (stopped, paused) = checkpoint.map(why_halted).unwrap_or_default();
        let (name, position) = (projector.model.name.to_owned(), *projector.reached.borrow());
        Behind { name, position, wanted, stopped, paused }
    }

    /// Waits for the own task; while another process folds the read model, looks at the checkpoint ever more rarely.
    async fn reach(&self, projector: &Projector, position: i64, deadline: Instant) -> bool {
        let mut reached = projector.reached.subscribe();
        let mut pause = Duration::from_millis(5);
        loop {
            if *reached.borrow_and_update() >= position {
                return true;
            }
            if Instant::now() >= deadline {
                return false;
            }
            if !projector.folding.load(Ordering::Acquire) && self.look(projector, position).await {
                return *reached.borrow() >= position;
            }
            let next = (Instant::now() + pause).min(deadline);
            // The sender lives as long as the projector, which is borrowed here.
            let _ = tokio::time::timeout_at(next, reached.changed()).await;
            pause = (pause * 2).min(Duration::from_millis(200));
        }
    }

    /// Reads the checkpoint; true when waiting is over, because it is far enough or will not come further.
    async fn look(&self, projector: &Projector, position: i64) -> bool {
        match Checkpoint::read(projector.model.name, &self.pool).await {
            Ok(Some(checkpoint)) => {
                projector.tell(checkpoint.position);
                let halted = match checkpoint.state {
                    State::Running => false,
                    State::Stopped => checkpoint.error_position <= Some(position),
                    State::Paused => true,
                };
                checkpoint.position >= position || halted
            }
            // A failing database is waited for, within the caller's time.
            Ok(None) | Err(_) => false,
        }
    }
}

/// The event that has stopped it, or who has paused it.
fn why_halted(checkpoint: Checkpoint) -> (Option<StoppedBy>, Option<PausedBy>) {
    match checkpoint.state {
        State::Running => (None, None),
        State::Stopped => {
            let reason = checkpoint.error.unwrap_or_default();
            (checkpoint.error_position.map(|position| StoppedBy { position, reason }), None)
        }
        State::Paused => {
            let reason = checkpoint.paused_reason.unwrap_or_default();
            let by = checkpoint.paused_by.unwrap_or_default();
            (None, checkpoint.paused_at.map(|at| PausedBy { by, at, reason }))
        }
    }
}

fn projectors(
    models: &[Model],
    reached: i64,
    pool: &PgPool,
    log: &Log,
    lease: &Arc<Lease>,
    shutdown: &CancellationToken,
) -> Arc<[Arc<Projector>]> {
    let projector = |model: &Model| {
        Arc::new(Projector {
            model: *model,
            pool: pool.clone(),
            log: log.clone(),
            lease: Arc::clone(lease),
            owner: owner(),
            reached: watch::Sender::new(reached),
            folding: AtomicBool::new(false),
            saved: AtomicI64::new(0),
            halted: Notify::new(),
            shutdown: shutdown.clone(),
        })
    };
    models.iter().map(projector).collect()
}

/// Names this process for people who look at a checkpoint.
pub(crate) fn owner() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = if host.trim().is_empty() { "local" } else { host.trim() };
    format!("{host}:{}", std::process::id())
}
