//! Takes in what other systems say: files, folders and standard input, row by row.
//!
//! A batch of rows is in memory at a time. The rows of a batch are carried out side by side, so that the log commits
//! them in groups, but rows about the same thing one after the other. What a row says that was known appends nothing.
//! A row that is not understood, or that a rule refuses, is set aside and stops nothing else, and is a dead letter until
//! an import takes it; a fault stops the import after the rows that are under way.

pub mod aside;
pub mod hkia;
pub mod inputs;
pub mod letters;
pub mod passes;
pub mod sites;

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::io;
use std::ops::ControlFlow;

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use vigie_commands::{Executor, Order};
use vigie_domain::kernel::derived_uuid;

pub use aside::{AsideSink, SetAside};
pub use inputs::Input;
pub use letters::Letters;

/// The most rows in a batch.
const BATCH_ROWS: usize = 1_000;
/// The most bytes of rows in a batch, give or take its last row.
const BATCH_BYTES: usize = 4 << 20;
/// Things whose rows are carried out at the same time.
const AT_ONCE: usize = 64;

/// Why a row could not be carried out, if the row is not to blame.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Takes an item and its size in bytes; says whether to go on.
pub type Sink<'a, T> = dyn FnMut(T, usize) -> ControlFlow<()> + 'a;

/// A system whose files can be imported.
pub trait Source {
    /// A row, or what was set aside instead of one.
    type Item: Send + 'static;

    /// Its name, as `vigie import` is told it.
    fn feed(&self) -> &'static str;

    /// Reads an input from beginning to end, on a thread of its own, and hands out its items and their sizes in bytes.
    fn reader(&self, input: Input) -> impl FnOnce(&mut Sink<'_, Self::Item>) -> io::Result<()> + Send + 'static;

    /// Carries a batch of rows out and counts them.
    fn carry_out(
        &self,
        file: &str,
        items: Vec<Self::Item>,
        work: &mut Work<'_>,
        tally: &mut Tally,
    ) -> impl Future<Output = Result<(), ImportError>>;
}

/// Takes inputs in, in the order given, until the end or until told to stop.
///
/// # Errors
/// A fault; `tally` holds what was done before it.
pub async fn import<S: Source>(
    source: &S,
    inputs: Vec<Input>,
    work: &mut Work<'_>,
    tally: &mut Tally,
) -> Result<(), ImportError> {
    for input in inputs {
        if work.cancel.is_cancelled() {
            tally.interrupted = true;
            break;
        }
        let file = input.name();
        let mut batches = batches(source.reader(input.clone()));
        while let Some(batch) = batches.recv().await {
            if work.cancel.is_cancelled() {
                tally.interrupted = true;
                return Ok(());
            }
            let Batch { items, bytes } = batch.map_err(|source| ImportError::Read { file: file.clone(), source })?;
            let rows = items.len() as u64;
            let carried_out = source.carry_out(&file, items, work, tally).await;
            work.letters.write(crate::clock::now()).await;
            carried_out?;
            (work.progress)(Progress::Rows { rows, bytes });
        }
        tally.files += 1;
        (work.progress)(Progress::File(&input));
    }
    Ok(())
}

struct Batch<T> {
    items: Vec<T>,
    bytes: usize,
}

impl<T> Default for Batch<T> {
    fn default() -> Self {
        Self { items: Vec::new(), bytes: 0 }
    }
}

/// Reads on a thread of its own, one batch ahead of whoever carries them out.
fn batches<T: Send + 'static>(
    read: impl FnOnce(&mut Sink<'_, T>) -> io::Result<()> + Send + 'static,
) -> mpsc::Receiver<io::Result<Batch<T>>> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::task::spawn_blocking(move || {
        let mut batch = Batch::default();
        let mut each = |item, bytes| {
            batch.items.push(item);
            batch.bytes += bytes;
            if batch.items.len() < BATCH_ROWS && batch.bytes < BATCH_BYTES {
                return ControlFlow::Continue(());
            }
            // Nobody listens any more when the import was broken off.
            match sender.blocking_send(Ok(std::mem::take(&mut batch))) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        };
        let end = read(&mut each);
        if !batch.items.is_empty() {
            let _ = sender.blocking_send(Ok(batch));
        }
        if let Err(error) = end {
            let _ = sender.blocking_send(Err(error));
        }
    });
    receiver
}

/// What an import came to. `rows` is the sum of the five counts that follow it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Inputs that were read to their end, standard input included.
    pub files: u64,
    /// Rows, broken ones included.
    pub rows: u64,
    /// Rows about something that was not known.
    pub new: u64,
    /// Rows that changed something that was known.
    pub changed: u64,
    /// Rows that said what was known.
    pub unchanged: u64,
    /// Rows that are older than what is known.
    pub stale: u64,
    /// Rows that were not understood, or that a rule refused.
    pub set_aside: u64,
    /// Events that were appended.
    pub events: u64,
    /// Whether it ended before the end of its input because it was told to.
    pub interrupted: bool,
}

/// What a row was, once carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Was {
    /// About something that was not known.
    New,
    /// A change.
    Changed,
    /// Known already.
    Unchanged,
    /// Older than what is known.
    Stale,
}

impl Tally {
    fn take(&mut self, was: Was, events: usize) {
        self.rows += 1;
        self.events += events as u64;
        match was {
            Was::New => self.new += 1,
            Was::Changed => self.changed += 1,
            Was::Unchanged => self.unchanged += 1,
            Was::Stale => self.stale += 1,
        }
    }
}

/// What a row came to.
#[derive(Debug)]
pub enum Outcome {
    /// Carried out.
    Taken(Was, usize),
    /// Refused by a rule.
    Refused {
        /// The rule's code.
        code: &'static str,
        /// In words.
        reason: String,
    },
}

/// How far an import has come.
#[derive(Debug, Clone, Copy)]
pub enum Progress<'a> {
    /// So many more rows are done.
    Rows {
        /// How many.
        rows: u64,
        /// Their size.
        bytes: usize,
    },
    /// This input is done.
    File(&'a Input),
}

/// What every import works with.
pub struct Work<'a> {
    /// Carries the rows out.
    pub executor: Executor,
    /// Takes the rows that are set aside.
    pub aside: &'a mut AsideSink,
    /// Keeps the rows that are set aside until they are taken.
    pub letters: Letters,
    /// Ends the import after the batch that is under way.
    pub cancel: CancellationToken,
    /// Is told how far the import has come.
    pub progress: &'a (dyn Fn(Progress<'_>) + Sync),
    /// Begin of the import: tells its commands from those of others. Rows need no ids of their own to be taken once:
    /// what is known already appends nothing.
    pub started_at: DateTime<Utc>,
    orders: u64,
}

impl<'a> Work<'a> {
    /// Work that nothing has been done of.
    pub fn new(
        executor: Executor,
        aside: &'a mut AsideSink,
        letters: Letters,
        cancel: CancellationToken,
        progress: &'a (dyn Fn(Progress<'_>) + Sync),
        started_at: DateTime<Utc>,
    ) -> Self {
        Self { executor, aside, letters, cancel, progress, started_at, orders: 0 }
    }

    fn set_aside(&mut self, tally: &mut Tally, row: SetAside) -> Result<(), ImportError> {
        tally.rows += 1;
        tally.set_aside += 1;
        self.letters.put(&row);
        self.aside.put(row)
    }

    /// An order for each of `rows` rows.
    fn orders(&mut self, actor: &str, rows: usize) -> Vec<Order> {
        let first = self.orders;
        self.orders += rows as u64;
        let order = |number| {
            let cause = format!("{actor}/{}/{number}", self.started_at.timestamp_micros());
            Order::new(derived_uuid("import", &cause), actor)
        };
        (first..self.orders).map(order).collect()
    }
}

/// The import cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file cannot be read.
    #[error("{file} cannot be read")]
    Read {
        /// Which.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// Rows that were set aside cannot be written down.
    #[error("the rows that were set aside cannot be written to {file}")]
    Aside {
        /// Where.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// The feed's clock failed.
    #[error(transparent)]
    Clock(#[from] vigie_integrations::feed_clock::FeedClockError),
    /// A row could not be carried out, for a reason that is not its own.
    #[error("row {place} of {file} could not be carried out")]
    Fault {
        /// Which file.
        file: String,
        /// Its place there.
        place: u64,
        /// Why.
        source: Fault,
    },
}

/// Runs `each` for every row: rows of the same key in order, others side by side. Results come in the rows' order.
async fn side_by_side<R, K: Hash + Eq, O, F: Future<Output = O>>(
    rows: &[R],
    key: impl Fn(&R) -> K,
    each: impl Fn(usize) -> F,
) -> Vec<O> {
    let mut places: HashMap<K, usize> = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let group = *places.entry(key(row)).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(index);
    }
    let each = &each;
    let done = stream::iter(groups).map(|group| async move {
        let mut outcomes = Vec::with_capacity(group.len());
        for index in group {
            outcomes.push((index, each(index).await));
        }
        outcomes
    });
    let mut outcomes: Vec<(usize, O)> = done.buffer_unordered(AT_ONCE).concat().await;
    outcomes.sort_unstable_by_key(|(index, _)| *index);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

#[cfg(test)]
mod end_to_end;

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[tokio::test]
    async fn rows_of_the_same_thing_keep_their_order() {
        let rows = ["a1", "b1", "a2", "b2", "a3"];
        let seen = RefCell::new(Vec::new());
        let outcomes = side_by_side(
            &rows,
            |row| row.chars().next(),
            |index| {
                let seen = &seen;
                async move {
                    tokio::task::yield_now().await;
                    seen.borrow_mut().push(rows[index]);
                    index
                }
            },
        )
        .await;
        assert_eq!(outcomes, [0, 1, 2, 3, 4]);
        let of_a: Vec<_> = seen.borrow().iter().filter(|row| row.starts_with('a')).copied().collect();
        assert_eq!(of_a, ["a1", "a2", "a3"]);
    }
}
