//! The deliveries to one endpoint, by its owner.
//!
//! One task per endpoint decides everything; requests are tasks of their own. Events come in from the log, go through
//! [`Lanes`], and what becomes of them is gathered in [`Changes`], which the recorder writes down beside the sending. At
//! most one batch of changes is on its way to the database; what happens meanwhile is in the next one.

mod due;
mod enter;
mod hand;
mod outcome;
mod replay;
mod send;
mod stored;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;
use tokio::sync::{Notify, broadcast, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use vigie_eventlog::time::Time;
use vigie_eventlog::{Log, LogError, Portion, Step};

use super::breaker::Breaker;
use super::cap::Cap;
use super::changes::{AttemptRow, Changes};
use super::endpoint::Endpoint;
use super::lanes::Lanes;
use super::rate::Rate;
use super::record::{Answer, Handed};
use super::store::{self, State};
use super::track::Track;
use super::waiting;
use super::wire::Sender;
use super::worker::Lease;
use super::{Disabled, Settings};

use due::Due;
use replay::Replay;
use send::Sent;
pub(super) use send::request;

/// Events that are looked after at once; those that wait in the database are not among them.
const WINDOW: usize = 512;
/// What is read of the log at once.
const PORTION: Portion = Portion { events: 128, bytes: 1 << 20 };
/// Attempts that may wait to be recorded; then nothing is sent until they are.
const UNRECORDED: usize = 512;
/// How long changes are gathered before they are handed over.
const GATHER: Duration = Duration::from_millis(20);
/// How often it is written down that the log went on without anything for the endpoint.
const IDLE: Duration = Duration::from_secs(5);
/// Requests that an endpoint may have on their way before one was answered.
const FIRST: usize = 4;
/// Who has lost its lease, or is to be disabled, looks again after this.
const AGAIN: Duration = Duration::from_millis(250);

/// What the deliveries of a process share.
pub(super) struct Shared {
    pub(super) pool: PgPool,
    pub(super) log: Log,
    pub(super) sender: Sender,
    pub(super) time: Time,
    pub(super) settings: Settings,
    pub(super) cap: Arc<Cap>,
    pub(super) worker: i64,
    pub(super) lease: Lease,
    pub(super) recorder: mpsc::UnboundedSender<Handed>,
    pub(super) disabled: mpsc::UnboundedSender<Disabled>,
    pub(super) attempted: broadcast::Sender<Arc<AttemptRow>>,
}

/// How the deliveries of an endpoint end.
#[derive(Debug)]
pub(super) enum Ended {
    /// They were told to, and everything is recorded.
    Stopped,
    /// Somebody else owns the endpoint.
    Fenced,
    /// They cannot go on: the reason. The endpoint is tried again later.
    Failed(String),
}

pub(super) struct Delivery {
    shared: Arc<Shared>,
    endpoint: Arc<Endpoint>,
    state: State,
    /// The term of the lease in which it was known last that nobody else owns the endpoint.
    term: u64,
    lanes: Lanes,
    live: Track,
    replay: Option<Replay>,
    breaker: Breaker,
    rate: Option<Rate>,
    throttled_until: Option<DateTime<Utc>>,
    /// Requests that it may have on their way: fewer for who does not keep up.
    parallel: usize,
    /// The last number that was given.
    seq: i64,
    /// Whether anything of this endpoint may wait in the database.
    waits: bool,
    due: Due,
    /// Lanes of which more is to be read.
    to_load: Vec<i64>,
    changes: Changes,
    /// The batch that is gathered.
    batch: i64,
    recorded: i64,
    hand_at: Option<Instant>,
    sends: JoinSet<Sent>,
    started: HashMap<u64, Instant>,
    answer: mpsc::UnboundedSender<Answer>,
    answers: mpsc::UnboundedReceiver<Answer>,
    /// Why nothing is sent any more.
    halted: Option<Disabled>,
    stopping: bool,
    /// Whether it waits for a place among the requests of the process.
    no_place: bool,
}

impl Delivery {
    /// Goes on where the endpoint stands.
    pub(super) async fn open(
        shared: Arc<Shared>,
        endpoint: Arc<Endpoint>,
        state: State,
        term: u64,
    ) -> Result<Self, sqlx::Error> {
        let pool = &shared.pool;
        if state.ordering != endpoint.ordering {
            waiting::reorder(&endpoint, shared.worker, state.epoch, shared.settings.lease, pool).await?;
        }
        waiting::forget_ended(endpoint.id, shared.worker, state.epoch, pool).await?;
        waiting::repair(endpoint.id, (shared.worker, state.epoch), shared.time.now(), pool).await?;
        let seq = waiting::last(endpoint.id, pool).await?;
        let due = waiting::due(endpoint.id, 1, pool).await?.first().map(|head| head.next_try);
        store::note(shared.worker, endpoint.id, state.epoch, "", pool).await?;
        let (answer, answers) = mpsc::unbounded_channel();
        Ok(Self {
            lanes: Lanes::default(),
            live: Track::new(state.position, &state.ahead),
            replay: None,
            breaker: Breaker::stored(&state.breaker, state.breaker_until, state.breaker_opened),
            rate: endpoint.rate.map(Rate::new),
            throttled_until: state.throttled_until,
            parallel: shared.settings.parallel.min(FIRST),
            seq,
            waits: due.is_some(),
            due: Due::at(due),
            to_load: Vec::new(),
            changes: Changes::default(),
            batch: state.recorded + 1,
            recorded: state.recorded,
            hand_at: None,
            sends: JoinSet::new(),
            started: HashMap::new(),
            answer,
            answers,
            halted: None,
            stopping: false,
            no_place: false,
            shared,
            endpoint,
            state,
            term,
        })
    }

    /// Delivers until told to stop.
    pub(super) async fn run(mut self, stop: CancellationToken, wake: Arc<Notify>) -> Ended {
        let mut reader = Reader::start(&self.shared.log, &self.endpoint, self.state.position);
        let ended = self.work(&mut reader, &stop, &wake).await;
        self.forget_figures();
        ended.unwrap_or_else(|ended| ended)
    }

    async fn work(&mut self, reader: &mut Reader, stop: &CancellationToken, wake: &Notify) -> Result<Ended, Ended> {
        let (mut idle, mut looks) = (tokio::time::interval(IDLE), tokio::time::interval(AGAIN));
        looks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        self.look_for_replays().await?;
        loop {
            self.be_sure().await?;
            self.load().await?;
            self.read_replay().await?;
            self.start();
            if self.stopping && self.sends.is_empty() && self.all_recorded() {
                return Ok(Ended::Stopped);
            }
            let (wake_at, hand_at, room) =
                (self.wake_at(), self.hand_at.filter(|_| !self.is_handed()), self.has_room());
            let (no_place, again) = (self.no_place, self.looks_again());
            let shared = Arc::clone(&self.shared);
            tokio::select! {
                Some(sent) = self.sends.join_next() => self.returned(sent)?,
                Some(answer) = self.answers.recv() => self.answered(answer)?,
                () = until(hand_at) => self.hand(),
                step = reader.steps.recv(), if room => self.take(step).await?,
                () = shared.time.sleep_until(wake_at.unwrap_or(DateTime::<Utc>::MAX_UTC)), if wake_at.is_some() => {}
                () = shared.cap.freed(), if no_place => {}
                () = wake.notified() => self.look_for_replays().await?,
                _ = looks.tick(), if again => self.look_again(),
                () = stop.cancelled(), if !self.stopping => self.stop(),
                _ = idle.tick() => self.tick().await,
            }
        }
    }

    /// Whether nobody else can own the endpoint.
    fn is_sure(&self) -> bool {
        self.shared.lease.holds_since(self.term)
    }

    /// Whoever was not sure of itself for a while may have been replaced: nothing goes on before that is known.
    async fn be_sure(&mut self) -> Result<(), Ended> {
        let term = self.shared.lease.term();
        if term == self.term || !self.shared.lease.holds() {
            return Ok(());
        }
        let (worker, epoch) = (self.shared.worker, self.state.epoch);
        if !store::keep(worker, self.endpoint.id, epoch, &self.shared.pool).await.map_err(database)? {
            return Err(Ended::Fenced);
        }
        self.term = term;
        Ok(())
    }

    fn now(&self) -> DateTime<Utc> {
        self.shared.time.now()
    }

    async fn take(&mut self, step: Option<Result<Step, LogError>>) -> Result<(), Ended> {
        let step = match step {
            Some(Ok(step)) => step,
            Some(Err(LogError::Closed)) | None => {
                self.stop();
                return Ok(());
            }
            Some(Err(error)) => return Err(Ended::Failed(error.to_string())),
        };
        self.enter(step.events, 0).await?;
        self.live.look(step.position);
        self.hand_within(if self.changes.is_empty() { IDLE } else { GATHER });
        Ok(())
    }

    /// Whether more events may come in. Nothing is read for who does not get anything: what waits, waits in the log.
    fn has_room(&self) -> bool {
        let looked_after = self.live.len() + self.replay.as_ref().map_or(0, |replay| replay.track.len());
        let unrecorded = self.changes.put.len() >= UNRECORDED;
        // Once its pause is over, something has to be there to try an open breaker with.
        let open = match &self.breaker {
            Breaker::Closed { .. } => true,
            Breaker::Open { until, .. } => *until <= self.now() && self.lanes.ready() == 0,
            Breaker::HalfOpen { .. } => false,
        };
        !self.stopping && self.halted.is_none() && open && looked_after < WINDOW && !unrecorded
    }

    /// The next time at which something can go that cannot now.
    fn wake_at(&self) -> Option<DateTime<Utc>> {
        if self.stopping || self.halted.is_some() {
            return None;
        }
        let now = self.now();
        let has_something = self.lanes.ready() > 0;
        let pauses = [self.breaker.until(), self.throttled_until].into_iter().flatten().filter(|until| *until > now);
        if let Some(until) = pauses.max() {
            return Some(until);
        }
        let turn = self.rate.as_ref().map(Rate::next).filter(|turn| has_something && *turn > now);
        let due = self.due.next().map(|due| due.max(now)).filter(|due| *due > now);
        [turn, due].into_iter().flatten().min()
    }

    /// Whether something else than time or an event holds it up.
    fn looks_again(&self) -> bool {
        let full = !self.has_room() && !self.sends.is_empty();
        !self.is_sure() || full || self.replay.as_ref().is_some_and(|replay| replay.waits)
    }

    fn look_again(&mut self) {
        if let Some(replay) = &mut self.replay {
            replay.waits = false;
        }
        self.spill();
    }

    async fn tick(&mut self) {
        self.show_figures().await;
        if let Some(disabled) = &self.halted {
            // It may not have been heard, or not have been carried out.
            let _ = self.shared.disabled.send(disabled.clone());
        }
    }

    fn stop(&mut self) {
        self.stopping = true;
        self.hand_within(Duration::ZERO);
    }

    fn halt(&mut self, disabled: Disabled) {
        if self.halted.is_none() {
            let _ = self.shared.disabled.send(disabled.clone());
            self.halted = Some(disabled);
        }
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

fn database(error: sqlx::Error) -> Ended {
    Ended::Failed(format!("the database failed: {error}"))
}

/// Reads ahead, so that what is read from the database is not begun anew whenever something else happens.
struct Reader {
    steps: mpsc::Receiver<Result<Step, LogError>>,
    task: tokio::task::JoinHandle<()>,
}

impl Reader {
    fn start(log: &Log, endpoint: &Endpoint, after: i64) -> Self {
        let mut follower = log.follow(endpoint.filter.query(), after).in_portions(PORTION);
        let (sender, steps) = mpsc::channel(1);
        let task = tokio::spawn(async move {
            loop {
                // What does not concern the endpoint wakes it rarely.
                let step = follower.next_or_quiet(Instant::now() + IDLE).await;
                let over = step.is_err();
                if sender.send(step).await.is_err() || over {
                    return;
                }
            }
        });
        Self { steps, task }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// So long after `now`.
fn after(now: DateTime<Utc>, wait: Duration) -> DateTime<Utc> {
    now + TimeDelta::from_std(wait).unwrap_or(TimeDelta::days(365))
}

#[cfg(test)]
mod replaced_tests;
