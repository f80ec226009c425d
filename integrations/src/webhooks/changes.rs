//! What an endpoint's owner has to write down: gathered in memory, handed over in batches.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::lanes::Item;

/// One batch.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) state: StateRow,
    pub(super) replay: Option<ReplayRow>,
    pub(super) attempts: Vec<AttemptRow>,
    /// In this order: rows, keys, merged lanes, what was tried, what is gone, lanes that have ended.
    pub(super) put: Vec<WaitingRow>,
    pub(super) keys: Vec<KeyRow>,
    pub(super) merged: Vec<Merged>,
    pub(super) tried: Vec<Tried>,
    pub(super) gone: Vec<SeqRow>,
    pub(super) ended: Vec<LaneRow>,
}

impl Changes {
    /// Whether anything happened besides looking further.
    pub(super) fn is_empty(&self) -> bool {
        self.attempts.is_empty() && self.replay.is_none() && !self.waiting()
    }

    /// Whether what waits is another.
    pub(super) fn waiting(&self) -> bool {
        let rows = self.put.len() + self.keys.len() + self.merged.len();
        rows + self.tried.len() + self.gone.len() + self.ended.len() > 0
    }
}

/// Where an endpoint stands, as in `webhook_state`.
#[derive(Debug, Default, Serialize)]
pub(super) struct StateRow {
    pub(super) endpoint: Uuid,
    pub(super) owner: i64,
    pub(super) epoch: i64,
    /// 1 more than the last one.
    pub(super) batch: i64,
    pub(super) position: i64,
    pub(super) ahead: Vec<i64>,
    pub(super) ordering: Option<String>,
    pub(super) succeeded_at: Option<DateTime<Utc>>,
    pub(super) failing_since: Option<DateTime<Utc>>,
    pub(super) breaker: &'static str,
    pub(super) breaker_until: Option<DateTime<Utc>>,
    pub(super) breaker_opened: i32,
    pub(super) throttled_until: Option<DateTime<Utc>>,
}

impl StateRow {
    /// Whose it is to say: an endpoint, by the owner of this epoch.
    pub(super) fn owned(&self) -> (Uuid, i64) {
        (self.endpoint, self.epoch)
    }
}

/// Where a replay stands.
#[derive(Debug, Default, Serialize)]
pub(super) struct ReplayRow {
    pub(super) id: i64,
    pub(super) position: i64,
    pub(super) ahead: Vec<i64>,
    /// Put into lanes since the last batch.
    pub(super) sent: i64,
    pub(super) over: bool,
}

/// An attempt, as in `webhook_attempt`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AttemptRow {
    /// The endpoint.
    pub endpoint: Uuid,
    /// The event's id; of a test, the one that was drawn for it.
    pub event: Uuid,
    /// The event's position; none for a test.
    pub position: Option<i64>,
    /// The event's type.
    pub kind: String,
    /// The replay that it is part of; 0 for none.
    pub replay: i64,
    /// 1 for the first attempt of a delivery, and so on.
    pub attempt: u32,
    /// When it was sent.
    pub at: DateTime<Utc>,
    /// Microseconds until the answer, or until it was given up.
    pub latency_us: i64,
    /// `delivered`, `failed`, `throttled` or `gone`.
    pub outcome: &'static str,
    /// The status of HTTP, if there was an answer.
    pub status: Option<u16>,
    /// Why it is a failure, if it is one.
    pub error: Option<String>,
    /// Header lines as they were sent, without secrets.
    pub request_head: String,
    /// Header lines of the answer.
    pub response_head: Option<String>,
    /// The first 20 kB of the answer.
    pub response_body: Option<String>,
    /// When it is tried again, if it is.
    pub next_try: Option<DateTime<Utc>>,
    /// The process that made it; none for a test.
    pub worker: Option<i64>,
}

/// A row of `webhook_waiting`.
#[derive(Debug, Serialize)]
pub(super) struct WaitingRow {
    pub(super) endpoint: Uuid,
    pub(super) seq: i64,
    pub(super) lane: i64,
    pub(super) position: i64,
    pub(super) replay: i64,
    pub(super) attempts: u32,
    pub(super) next_try: Option<DateTime<Utc>>,
    pub(super) queued_at: DateTime<Utc>,
}

impl WaitingRow {
    pub(super) fn of(item: &Item, endpoint: Uuid, lane: i64, next_try: Option<DateTime<Utc>>) -> Self {
        let (seq, position, replay) = (item.seq, item.event.position, item.replay);
        Self { endpoint, seq, lane, position, replay, attempts: item.attempts, next_try, queued_at: item.queued_at }
    }
}

/// A row of `webhook_lane`.
#[derive(Debug, Serialize)]
pub(super) struct KeyRow {
    pub(super) endpoint: Uuid,
    pub(super) key: Box<str>,
    pub(super) lane: i64,
}

/// A lane that is another one from now on.
#[derive(Debug, Serialize)]
pub(super) struct Merged {
    pub(super) endpoint: Uuid,
    pub(super) from: i64,
    pub(super) into: i64,
}

/// A row that was tried in vain.
#[derive(Debug, Serialize)]
pub(super) struct Tried {
    pub(super) endpoint: Uuid,
    pub(super) seq: i64,
    pub(super) attempts: u32,
    /// None: it is a dead letter.
    pub(super) next_try: Option<DateTime<Utc>>,
    pub(super) reason: String,
    pub(super) failed_at: DateTime<Utc>,
}

/// One row.
#[derive(Debug, Serialize)]
pub(super) struct SeqRow {
    pub(super) endpoint: Uuid,
    pub(super) seq: i64,
}

/// One lane.
#[derive(Debug, Serialize)]
pub(super) struct LaneRow {
    pub(super) endpoint: Uuid,
    pub(super) lane: i64,
}
