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

/// What was tried, as in `webhook_attempt`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct AttemptRow {
    pub(super) endpoint: Uuid,
    pub(super) event: Uuid,
    pub(super) position: Option<i64>,
    pub(super) kind: String,
    pub(super) replay: i64,
    pub(super) attempt: u32,
    pub(super) at: DateTime<Utc>,
    pub(super) latency_us: i64,
    pub(super) outcome: &'static str,
    pub(super) status: Option<u16>,
    pub(super) error: Option<String>,
    pub(super) request_head: String,
    pub(super) response_head: Option<String>,
    pub(super) response_body: Option<String>,
    pub(super) next_try: Option<DateTime<Utc>>,
    pub(super) worker: i64,
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
