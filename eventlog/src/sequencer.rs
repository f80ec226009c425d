//! Group commit: appends wait in a queue and are committed in batches, over two connections: while the database works
//! on one batch, the next one is put together, sent, and waits for its turn at the head's lock.
//!
//! A batch holds only appends that do not depend on each other, so that the database can check and insert it as a
//! whole. One that may depend on a companion, or on a batch under way, is held until that is done, in its order.

mod batch;
mod committed;
mod connection;
mod lane;
mod marks;
mod statement;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics::{counter, histogram};
use serde_json::value::RawValue;
use sqlx::PgPool;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{self, JoinSet};

use crate::tail::Tail;
use crate::{Append, AppendError, Appended, Condition, LogError, Metadata, Recorded};
use batch::{Limits, UnderWay};
use committed::Committed;
use lane::{Added, Lane};
use marks::{Marked, Recent};

pub(crate) use statement::is_about_data;

/// So that a thousand callers fill both lanes.
const LIMITS: Limits = Limits { appends: 512, events: 4_096 };
/// How long callers may take to come again; small beside a flush and the work of a batch.
const GATHER: Duration = Duration::from_micros(200);
/// Appends that may wait before callers are held back.
const QUEUE: usize = 4_096;

/// An append that waits for its answer.
struct Waiting {
    /// As they will be recorded, but for position and time.
    events: Vec<Recorded>,
    metadata: Metadata,
    conditions: Vec<Condition>,
    marked: Marked,
    answer: Option<Box<RawValue>>,
    since: Instant,
    reply: oneshot::Sender<Result<Appended, AppendError>>,
}

impl Waiting {
    /// What can be done before the append's turn is done here, by the caller's task.
    fn new(append: Append, reply: oneshot::Sender<Result<Appended, AppendError>>) -> Result<Self, AppendError> {
        append.check()?;
        let Append { events, metadata, conditions, answer } = append;
        let recorded = events.into_iter().enumerate().map(|(n, event)| event.into_recorded(n, &metadata));
        let events = recorded.collect::<Result<Vec<_>, _>>()?;
        let marked = Marked::new(&events, &conditions);
        Ok(Self { events, metadata, conditions, marked, answer, since: Instant::now(), reply })
    }
}

/// The way into the sequencer.
#[derive(Clone)]
pub(crate) struct Sequencer {
    queue: mpsc::Sender<Waiting>,
}

impl Sequencer {
    /// Starts the sequencer; it ends when every clone of the handle is gone and what waited is appended.
    pub(crate) fn start(pool: &PgPool, tail: Arc<Tail>) -> (Self, tokio::task::JoinHandle<()>) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let dispatcher = Dispatcher::new(pool.clone(), tail);
        (Self { queue }, tokio::spawn(dispatcher.run(waiting)))
    }

    /// Queues an append and waits until it is flushed.
    pub(crate) async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting::new(append, reply)?;
        self.queue.send(waiting).await.map_err(|_| LogError::Closed)?;
        answer.await.map_err(|_| LogError::Closed)?
    }
}

/// Takes what waits, as batches, to whichever lane is free.
struct Dispatcher {
    pool: PgPool,
    tail: Arc<Tail>,
    free: Vec<Lane>,
    lanes: JoinSet<(Lane, Vec<Added>)>,
    under_way: HashMap<task::Id, UnderWay>,
    pending: VecDeque<Waiting>,
    /// What may depend on a batch under way.
    held: VecDeque<Waiting>,
    recent: Recent,
    /// What was added behind a batch whose end has not been told yet.
    early: Vec<Added>,
    flushes: Flushes,
    /// How many appends the last batch had.
    last: usize,
}

impl Dispatcher {
    fn new(pool: PgPool, tail: Arc<Tail>) -> Self {
        // One batch is worked on, one waits at the lock. A third would only wait longer.
        let free = std::iter::repeat_with(|| Lane::new(&pool, Arc::clone(&tail))).take(2).collect();
        Self {
            pool,
            tail,
            free,
            lanes: JoinSet::new(),
            under_way: HashMap::new(),
            pending: VecDeque::new(),
            held: VecDeque::new(),
            recent: Recent::default(),
            early: Vec::new(),
            flushes: Flushes::default(),
            last: 0,
        }
    }

    async fn run(mut self, mut queue: mpsc::Receiver<Waiting>) {
        let mut open = true;
        while open || !self.pending.is_empty() || !self.lanes.is_empty() {
            tokio::select! {
                Some(done) = self.lanes.join_next_with_id() => self.done(done).await,
                waiting = queue.recv(), if open && self.pending.len() < QUEUE => match waiting {
                    Some(waiting) => self.pending.push_back(waiting),
                    None => open = false,
                },
            }
            self.take_in(&mut queue);
            self.gather(&mut queue).await;
            self.dispatch();
        }
        for lane in self.free {
            lane.close().await;
        }
    }

    fn take_in(&mut self, queue: &mut mpsc::Receiver<Waiting>) {
        while self.pending.len() < QUEUE
            && let Ok(waiting) = queue.try_recv()
        {
            self.pending.push_back(waiting);
        }
    }

    /// Callers who were answered just now often come again at once: gives as many as last time a moment to do so. A
    /// lone caller waits for nobody.
    async fn gather(&mut self, queue: &mut mpsc::Receiver<Waiting>) {
        let since = Instant::now();
        while self.under_way.is_empty() && (1..self.last).contains(&self.pending.len()) && since.elapsed() < GATHER {
            task::yield_now().await;
            self.take_in(queue);
        }
    }

    fn dispatch(&mut self) {
        while !self.pending.is_empty()
            && self.is_time()
            && let Some(lane) = self.free.pop()
        {
            let (batch, under_way) =
                batch::take(&mut self.pending, &mut self.held, &self.under_way, &self.recent, &LIMITS);
            if batch.appends.is_empty() {
                self.free.push(lane);
                return;
            }
            self.last = batch.appends.len();
            let id = self.lanes.spawn(lane.carry(batch)).id();
            self.under_way.insert(id, under_way);
        }
    }

    /// A second batch is worth its own flush when it is as large as the one under way.
    fn is_time(&self) -> bool {
        let ahead = self.under_way.values().map(|batch| batch.appends).max();
        ahead.is_none_or(|ahead| self.pending.len() >= ahead && !self.flushes.rule())
    }

    async fn done(&mut self, done: Result<(task::Id, (Lane, Vec<Added>)), task::JoinError>) {
        match done {
            Ok((id, (mut lane, added))) => {
                self.under_way.remove(&id);
                for added in added {
                    self.flushes.learn(&added);
                    self.refuse_overtaken(&mut lane, &added.events).await;
                    self.early.push(added);
                }
                self.free.push(lane);
            }
            // Its callers are told by their channels.
            Err(error) => {
                tracing::error!(error = %error, "a lane of the log ended badly");
                self.under_way.remove(&error.id());
                self.free.push(Lane::new(&self.pool, Arc::clone(&self.tail)));
            }
        }
        self.learn();
        self.held.append(&mut self.pending);
        self.pending = std::mem::take(&mut self.held);
    }

    /// Answers those that were held because they depend on a companion, now that it is known that the companion is in.
    ///
    /// A command that is in the log itself is not told of a conflict, so the database is asked for all of them at once.
    async fn refuse_overtaken(&mut self, lane: &mut Lane, recorded: &[Arc<Recorded>]) {
        if self.held.is_empty() || recorded.is_empty() {
            return;
        }
        let committed = Committed::new(recorded);
        let (mut overtaken, mut conflicts) = (Vec::new(), Vec::new());
        for waiting in std::mem::take(&mut self.held) {
            match committed.conflict(&waiting) {
                Some(conflict) => {
                    overtaken.push(waiting);
                    conflicts.push(conflict);
                }
                None => self.held.push_back(waiting),
            }
        }
        if overtaken.is_empty() {
            return;
        }
        match lane.first_answers(&overtaken).await {
            Some(first) => {
                // A command may have been sent several times: each is told the same.
                for (waiting, conflict) in overtaken.into_iter().zip(conflicts) {
                    let first = first.get(&waiting.metadata.command_id).cloned();
                    answer(waiting, first.ok_or(conflict));
                }
            }
            // They are sent like any other, and the database finds out.
            None => overtaken.into_iter().rev().for_each(|waiting| self.held.push_front(waiting)),
        }
    }

    /// Takes in what was added, in the order of positions; waits for a batch under way that may fill a gap.
    fn learn(&mut self) {
        self.early.sort_by_key(|added| added.head);
        let mut gap = false;
        self.early.retain(|added| {
            gap |= added.head > self.recent.head() && !self.under_way.is_empty();
            if !gap && added.head >= self.recent.head() {
                let last = added.events.last().map_or(added.head, |event| event.position);
                let marks = added.marks.iter().map(|(marked, position)| (marked, *position));
                self.recent.learn(added.head, last, marks);
            }
            gap
        });
    }
}

/// What a flush costs beside the work of a batch.
///
/// While flushes are cheap, two batches under way keep the database busy all the time. Where they rule, it is better to
/// let appends gather: each commit holds the head's lock for the length of a flush, whatever its size.
#[derive(Default)]
struct Flushes {
    work: Duration,
    flush: Duration,
}

impl Flushes {
    fn learn(&mut self, added: &Added) {
        if let Some((work, flush)) = added.times {
            self.work = (self.work * 7 + work) / 8;
            self.flush = (self.flush * 7 + flush) / 8;
        }
    }

    fn rule(&self) -> bool {
        self.flush > self.work * 2
    }
}

fn answer(waiting: Waiting, outcome: Result<Appended, AppendError>) {
    let label = match &outcome {
        Ok(appended) if appended.repeated => "repeated",
        Ok(_) => "appended",
        Err(AppendError::Conflict { .. }) => "conflict",
        Err(_) => "failed",
    };
    counter!("vigie_log_appends_total", "outcome" => label).increment(1);
    histogram!("vigie_log_append_seconds").record(waiting.since.elapsed());
    // The caller may have gone; what is appended is appended.
    let _ = waiting.reply.send(outcome);
}
