//! Fills tables from the log at the speed of one core that folds.
//!
//! Three things happen at once: the log reads ahead, this task folds, and another task writes what was folded before.
//! Rows that are touched stay in memory, so that a row whose events lie together is written once and never read; what
//! rows were before, and rows that are new, go in by COPY. A segment of the log is one transaction, which moves the
//! shadow's checkpoint by compare-and-set: a fill that is broken off anywhere is gone on with from there.

use std::sync::Arc;

use sqlx::{Connection, PgConnection, PgPool};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use vigie_eventlog::Recorded;

use super::copy::Target;
use super::rows::Unwritten;
use super::shadow::{Shadow, failed};
use super::{Model, Rows, apply, checkpoint, table};
use crate::{Progress, ProjectionError};

/// What ends a segment: this many events (few in tests, so that rows are forgotten and read again),
const EVENTS: usize = if cfg!(test) { 16 } else { 32_768 };
/// or as many bytes of former versions and of rows that are only ever added.
const BYTES: usize = 16 << 20;
/// How many rows of a table may be in memory before those are forgotten that the last two segments did not touch.
const HELD: usize = if cfg!(test) { 2 } else { 65_536 };

/// What a part of the log has changed.
struct Segment {
    from: i64,
    to: i64,
    tables: Vec<(&'static str, &'static [&'static str], Unwritten)>,
}

/// Folds the log into the shadow's tables from where it is up to `until`.
pub(crate) async fn fill(
    shadow: &mut Shadow<'_>,
    until: i64,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<(), ProjectionError> {
    let writer = Writer::open(shadow).await?;
    let (sender, segments) = mpsc::channel(1);
    let (written, seen) = watch::channel(shadow.position);
    let writing = AbortOnDropHandle::new(tokio::spawn(writer.run(segments, written)));
    let told = || progress(Progress { position: *seen.borrow(), head: until });
    // What was broken off begins where it was.
    told();
    let folded = fold(shadow, until, sender, &told, cancel).await;
    let wrote = writing.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    shadow.position = *seen.borrow();
    told();
    // When writing has failed, that is why folding has ended.
    wrote.and(folded)
}

async fn fold(
    shadow: &Shadow<'_>,
    until: i64,
    sender: mpsc::Sender<Segment>,
    told: &(dyn Fn() + Send + Sync),
    cancel: &CancellationToken,
) -> Result<(), ProjectionError> {
    let mut rows = Rows::new((shadow.model.tables)());
    if shadow.position == 0 {
        rows.tables_mut().for_each(|table| table.is_whole());
    }
    let mut history = shadow.log.history(shadow.model.query(), shadow.position, until);
    let (mut from, mut count) = (shadow.position, 0);
    loop {
        let next = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(ProjectionError::Cancelled),
            next = history.next() => next?,
        };
        let to = next.as_ref().and_then(|events| events.last()).map(|event| event.position);
        count += next.as_ref().map_or(0, Vec::len);
        piece(shadow, next.unwrap_or_default(), &mut rows).await?;
        if to.is_some() && !is_full(&rows, count) {
            continue;
        }
        let segment = take(from, to.unwrap_or(until), &mut rows);
        tokio::select! {
            () = cancel.cancelled() => return Err(ProjectionError::Cancelled),
            // Whoever writes has failed, and says why.
            sent = sender.send(segment) => if sent.is_err() { return Ok(()) },
        }
        told();
        let Some(to) = to else { return Ok(()) };
        (from, count) = (to, 0);
    }
}

/// Folds some events; rows that are needed and not in memory are read.
async fn piece(shadow: &Shadow<'_>, events: Vec<Recorded>, rows: &mut Rows) -> Result<(), ProjectionError> {
    let taken = events.into_iter().filter(|event| !shadow.skips.contains(&event.position));
    let entries = apply::read(&taken.map(Arc::new).collect::<Vec<_>>())?;
    apply::want(shadow.model, &entries, rows);
    if rows.tables().any(|table| table.lacks()) {
        // What is forgotten was committed before the segment that is written now: see `take`.
        let mut connection = shadow.pool.acquire().await.map_err(failed("rows could not be read"))?;
        for table in rows.tables_mut() {
            table::load(&shadow.schema, table, &mut connection).await.map_err(failed("rows could not be read"))?;
        }
    }
    Ok(apply::fold(shadow.model, &entries, rows)?)
}

fn is_full(rows: &Rows, events: usize) -> bool {
    let unwritten = rows.tables().map(|table| table.unwritten_size()).sum::<usize>();
    let held = rows.tables().map(|table| table.held()).max().unwrap_or(0);
    events >= EVENTS || unwritten >= BYTES || held >= 2 * HELD
}

/// What is to be written. While it waits for its turn the segment before it is being written, and those before that are
/// committed: their rows may be forgotten, since they can be read again.
fn take(from: i64, to: i64, rows: &mut Rows) -> Segment {
    let tables = rows.tables_mut().map(|table| {
        let unwritten = table.take();
        table.turn(table.held() > HELD);
        (table.name(), table.key_columns(), unwritten)
    });
    Segment { from, to, tables: tables.collect() }
}

/// Writes segments, on a connection of its own.
struct Writer {
    connection: PgConnection,
    schema: String,
    model: Model,
    targets: Vec<(Target, Option<Target>)>,
}

impl Writer {
    async fn open(shadow: &Shadow<'_>) -> Result<Self, ProjectionError> {
        let opening = failed("the tables that are filled could not be opened");
        let mut connection = connection(shadow.pool).await.map_err(&opening)?;
        let mut targets = Vec::new();
        for (_, table) in (shadow.model.tables)() {
            let target = Target::of(format!("{}.{}", shadow.schema, table.name()), &mut connection).await;
            let mut history = None;
            if table.has_history() {
                let name = format!("{}.{}", shadow.schema, table::history_of(table.name()));
                history = Some(Target::of(name, &mut connection).await.map_err(&opening)?);
            }
            targets.push((target.map_err(&opening)?, history));
        }
        Ok(Self { connection, schema: shadow.schema.clone(), model: *shadow.model, targets })
    }

    async fn run(
        mut self,
        mut segments: mpsc::Receiver<Segment>,
        written: watch::Sender<i64>,
    ) -> Result<(), ProjectionError> {
        while let Some(segment) = segments.recv().await {
            if !self.write(&segment).await.map_err(failed("rows could not be written"))? {
                return Err(ProjectionError::Busy { name: self.model.name.to_owned() });
            }
            written.send_replace(segment.to);
        }
        self.connection.close().await.map_err(failed("the connection of the fill could not be closed"))
    }

    /// False when somebody else has moved the shadow's checkpoint.
    async fn write(&mut self, segment: &Segment) -> Result<bool, sqlx::Error> {
        let mut transaction = self.connection.begin().await?;
        let (from, to) = (segment.from, segment.to);
        if !checkpoint::advance_shadow(&self.schema, &self.model, from, to, &mut transaction).await? {
            return Ok(false);
        }
        for ((target, history), (name, keys, rows)) in self.targets.iter().zip(&segment.tables) {
            target.copy(&rows.new, &mut transaction).await?;
            if let Some(history) = history {
                history.copy(&rows.past, &mut transaction).await?;
            }
            table::upsert(&self.schema, name, keys, &rows.changed, &mut transaction).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }
}

async fn connection(pool: &PgPool) -> Result<PgConnection, sqlx::Error> {
    Ok(pool.acquire().await?.detach())
}
