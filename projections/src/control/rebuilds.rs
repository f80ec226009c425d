//! Rebuilds: asked for, under way, done.
//!
//! One row per read model says what its rebuild has come to. A rebuild holds a lock; a row that says `running` and whose
//! lock is free was left by a process that died, and the next one takes it up ([`super::TakeUp`]).

mod table;

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use sqlx::PgPool;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use vigie_eventlog::Log;

use super::operations::{OperationKind, note};
use super::{By, Refusal, failed};
use crate::engine::{Checkpoint, Remaking, Until, discard, make};
use crate::{Model, Progress, ProjectionError, model};

pub use table::{Rebuild, RebuildState};
pub(crate) use table::{all, waiting};

/// How often a running rebuild says how far it is, and looks whether it is to end.
const TELL: Duration = Duration::from_millis(250);

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Up to this position, and the read model is left paused there; `None`: as far as the log goes.
    pub until: Option<i64>,
    /// Who asks, and why.
    pub by: By,
}

/// What ends a rebuild before it is done.
pub(crate) struct Ends {
    /// Somebody wants it to end: nothing of it is kept.
    pub(crate) cancel: CancellationToken,
    /// This process ends: the next one goes on with it.
    pub(crate) shutdown: CancellationToken,
}

/// Asks for a rebuild, which a running server carries out, whatever becomes of who asked.
///
/// # Errors
/// Refused, when it is under way already or the log does not hold the position; or the database failed.
pub async fn ask_for_rebuild(pool: &PgPool, log: &Log, name: &str, asked: &Asked) -> Result<Rebuild, ProjectionError> {
    let model = model(name)?;
    check(log, &model, asked.until).await?;
    let failed = failed("the rebuild could not be asked for");
    Checkpoint::ensure(&model, pool).await.map_err(&failed)?;
    let mut transaction = pool.begin().await.map_err(&failed)?;
    if !table::ask(&model, asked, &mut transaction).await.map_err(&failed)? {
        let under_way = table::one(&model, pool).await.map_err(&failed)?;
        let by = under_way.map(|rebuild| rebuild.asked_by).unwrap_or_default();
        return Err(Refusal::RebuildUnderWay { projection: name.to_owned(), by }.into());
    }
    note(&model, OperationKind::Rebuild, &asked.by, asked.until, &mut transaction).await.map_err(&failed)?;
    transaction.commit().await.map_err(&failed)?;
    let rebuild = table::one(&model, pool).await.map_err(&failed)?;
    rebuild.ok_or_else(|| Refusal::NoRebuild { projection: name.to_owned() }.into())
}

/// Ends a rebuild before it is done; the old rows stay. Who carries it out notices within a second; one that nobody
/// carries out, or that has failed, ends at once.
///
/// # Errors
/// Refused, when there is none; or the database failed.
pub async fn cancel_rebuild(pool: &PgPool, name: &str, by: &By) -> Result<Rebuild, ProjectionError> {
    let model = model(name)?;
    let failed = failed("the rebuild could not be cancelled");
    let mut transaction = pool.begin().await.map_err(&failed)?;
    if !table::ask_to_end(&model, by, &mut transaction).await.map_err(&failed)? {
        return Err(Refusal::NoRebuild { projection: name.to_owned() }.into());
    }
    note(&model, OperationKind::CancelRebuild, by, None, &mut transaction).await.map_err(&failed)?;
    transaction.commit().await.map_err(&failed)?;
    if let Some(lock) = Remaking::lock(model.name, pool).await.map_err(&failed)? {
        let ended = end_without_owner(&model, pool).await;
        lock.release().await.map_err(&failed)?;
        ended?;
    }
    let rebuild = table::one(&model, pool).await.map_err(&failed)?;
    rebuild.ok_or_else(|| Refusal::NoRebuild { projection: name.to_owned() }.into())
}

async fn end_without_owner(model: &Model, pool: &PgPool) -> Result<(), ProjectionError> {
    discard(model, pool).await?;
    table::end(model, RebuildState::Cancelled, None, pool).await.map_err(failed("the rebuild could not be cancelled"))
}

/// Makes a read model anew in this process, for a person who waits for it and may cancel it. What another process has
/// left undone is gone on with if it has the same end.
///
/// # Errors
/// Refused; a bad event, another rebuild or verification, cancelled, or a failing database.
pub async fn rebuild_as(
    pool: &PgPool,
    log: &Log,
    name: &str,
    asked: &Asked,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<i64, ProjectionError> {
    let model = model(name)?;
    check(log, &model, asked.until).await?;
    let ends = Ends { cancel: cancel.clone(), shutdown: CancellationToken::new() };
    let work = Work { pool, log, model: &model, owner: &crate::owner() };
    work.begin(asked, true, progress, &ends).await
}

async fn check(log: &Log, model: &Model, until: Option<i64>) -> Result<(), ProjectionError> {
    let Some(position) = until else { return Ok(()) };
    let last = log.head().await?;
    if (1..=last).contains(&position) {
        return Ok(());
    }
    Err(Refusal::UntilOutOfRange { projection: model.name.to_owned(), position, first: 1, last }.into())
}

/// A rebuild that this process carries out.
pub(crate) struct Work<'a> {
    pub(crate) pool: &'a PgPool,
    pub(crate) log: &'a Log,
    pub(crate) model: &'a Model,
    pub(crate) owner: &'a str,
}

/// How far it has come, for whoever tells it.
#[derive(Default)]
struct Seen {
    position: AtomicI64,
    head: AtomicI64,
}

impl Work<'_> {
    /// Begins a rebuild; one that is asked for or was left undone is gone on with instead, unless a person waits for
    /// another end.
    pub(crate) async fn begin(
        &self,
        asked: &Asked,
        by_person: bool,
        progress: &(dyn Fn(Progress) + Send + Sync),
        ends: &Ends,
    ) -> Result<i64, ProjectionError> {
        let failed = failed("the rebuild could not be begun");
        let lock = self.lock().await?;
        let begun = async {
            let mut transaction = self.pool.begin().await?;
            let began = table::begin(self.model, asked, by_person, self.owner, &mut transaction).await?;
            if by_person {
                note(self.model, OperationKind::Rebuild, &asked.by, asked.until, &mut transaction).await?;
            }
            transaction.commit().await?;
            Ok(began)
        };
        let made = match begun.await.map_err(failed) {
            Ok(asked) => self.make(&asked, progress, ends).await,
            Err(error) => Err(error),
        };
        self.release(lock).await?;
        made
    }

    /// Goes on with what is asked for or was left undone; `None` when there is nothing any more.
    pub(crate) async fn take_up(&self, ends: &Ends) -> Result<Option<i64>, ProjectionError> {
        let lock = self.lock().await?;
        let asked = table::take_up(self.model, self.owner, self.pool).await;
        let made = match asked.map_err(failed("the rebuild could not be taken up")) {
            Ok(Some(asked)) => self.make(&asked, &|_| {}, ends).await.map(Some),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        self.release(lock).await?;
        made
    }

    async fn lock(&self) -> Result<Remaking, ProjectionError> {
        let lock = Remaking::lock(self.model.name, self.pool).await;
        let lock = lock.map_err(failed("the rebuild's lock could not be asked for"))?;
        lock.ok_or_else(|| ProjectionError::Busy { name: self.model.name.to_owned() })
    }

    async fn release(&self, lock: Remaking) -> Result<(), ProjectionError> {
        lock.release().await.map_err(failed("the rebuild's lock could not be released"))
    }

    /// Makes the tables, tells how far it is, and notes what came of it.
    async fn make(
        &self,
        asked: &Asked,
        progress: &(dyn Fn(Progress) + Send + Sync),
        ends: &Ends,
    ) -> Result<i64, ProjectionError> {
        let cancel = CancellationToken::new();
        let seen = Seen::default();
        let told = |now: Progress| {
            seen.position.store(now.position, Ordering::Relaxed);
            seen.head.store(now.head, Ordering::Relaxed);
            progress(now);
        };
        let until = asked.until.map(|position| Until { position, by: &asked.by });
        let making = make(self.pool, self.log, self.model, until, &told, &cancel);
        let made = self.watch(making, &seen, &cancel, ends).await;
        self.note(&made, ends).await?;
        made
    }

    /// Tells how far the rebuild is until it ends, and ends it when somebody wants that.
    async fn watch(
        &self,
        making: impl Future<Output = Result<i64, ProjectionError>>,
        seen: &Seen,
        cancel: &CancellationToken,
        ends: &Ends,
    ) -> Result<i64, ProjectionError> {
        let mut making = std::pin::pin!(making);
        let mut ticks = tokio::time::interval(TELL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut rate = Rate::default();
        loop {
            tokio::select! {
                made = &mut making => return made,
                () = ends.cancel.cancelled(), if !cancel.is_cancelled() => cancel.cancel(),
                () = ends.shutdown.cancelled(), if !cancel.is_cancelled() => cancel.cancel(),
                _ = ticks.tick() => {
                    let position = seen.position.load(Ordering::Relaxed);
                    let now = Progress { position, head: seen.head.load(Ordering::Relaxed) };
                    // Until it is known where it begins, there is nothing to count from.
                    let rate = if now.head > 0 { rate.at(position) } else { 0.0 };
                    // A failure is met by the rebuild itself, with its next write.
                    if let Ok(true) = table::tell(self.model, now, rate, self.pool).await {
                        cancel.cancel();
                    }
                }
            }
        }
    }

    async fn note(&self, made: &Result<i64, ProjectionError>, ends: &Ends) -> Result<(), ProjectionError> {
        let failed = failed("what the rebuild came to could not be noted");
        let (state, error) = match made {
            Ok(position) => {
                return table::done(self.model, *position, self.pool).await.map_err(failed);
            }
            Err(ProjectionError::Cancelled) => {
                let only_shutdown = ends.shutdown.is_cancelled() && !ends.cancel.is_cancelled();
                if only_shutdown && table::leave(self.model, self.pool).await.map_err(&failed)? {
                    return Ok(());
                }
                (RebuildState::Cancelled, None)
            }
            Err(error) => (RebuildState::Failed, Some(chain(error))),
        };
        discard(self.model, self.pool).await?;
        table::end(self.model, state, error.as_deref(), self.pool).await.map_err(failed)
    }
}

/// Events per second, smoothed.
#[derive(Default)]
struct Rate {
    last: Option<(Instant, i64)>,
    smooth: f64,
}

impl Rate {
    fn at(&mut self, position: i64) -> f64 {
        let now = Instant::now();
        if let Some((then, before)) = self.last.replace((now, position)) {
            #[expect(clippy::cast_precision_loss, reason = "a rate is shown, not counted with")]
            let rate = (position - before).max(0) as f64 / (now - then).as_secs_f64().max(1e-3);
            self.smooth = if self.smooth == 0.0 { rate } else { 0.7 * self.smooth + 0.3 * rate };
        }
        self.smooth
    }
}

/// An error with its causes, in one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
