//! What has happened is handed to the recorder.

use std::time::Duration;

use chrono::{DateTime, Utc};
use metrics::gauge;
use tokio::time::Instant;
use vigie_eventlog::Read;

use super::super::changes::StateRow;
use super::super::record::{Answer, Handed};
use super::super::track::Track;
use super::{Delivery, Ended};

impl Delivery {
    /// The batch that is gathered, as lanes count them.
    pub(super) fn gathered(&self) -> u64 {
        self.batch.unsigned_abs()
    }

    /// The last batch that the database knows.
    pub(super) fn known(&self) -> u64 {
        self.recorded.unsigned_abs()
    }

    pub(super) fn is_handed(&self) -> bool {
        self.batch - 1 > self.recorded
    }

    pub(super) fn all_recorded(&self) -> bool {
        !self.is_handed() && self.changes.is_empty() && self.hand_at.is_none()
    }

    /// What is gathered is to be handed over after this time at the latest.
    pub(super) fn hand_within(&mut self, time: Duration) {
        let at = Instant::now() + time;
        self.hand_at = Some(self.hand_at.map_or(at, |known| known.min(at)));
    }

    /// Where events of a replay are looked after; 0 for new ones.
    pub(super) fn track(&mut self, replay: i64) -> Option<&mut Track> {
        match &mut self.replay {
            _ if replay == 0 => Some(&mut self.live),
            Some(active) if active.id == replay => Some(&mut active.track),
            _ => None,
        }
    }

    /// Hands everything over that is gathered.
    pub(super) fn hand(&mut self) {
        self.hand_at = None;
        self.changes.state = StateRow {
            endpoint: self.endpoint.id,
            owner: self.shared.worker,
            epoch: self.state.epoch,
            batch: self.batch,
            position: self.live.position(),
            ahead: self.live.ahead(),
            ordering: self.endpoint.ordering.clone(),
            succeeded_at: self.state.succeeded_at,
            failing_since: self.state.failing_since,
            breaker: self.breaker.name(),
            breaker_until: self.breaker.until(),
            breaker_opened: self.breaker.opened(),
            throttled_until: self.throttled_until,
        };
        self.changes.replay = self.replay.as_mut().and_then(super::replay::Replay::row);
        self.batch += 1;
        self.due.hand();
        let (changes, answer) = (std::mem::take(&mut self.changes), self.answer.clone());
        if self.shared.recorder.send(Handed { changes, answer }).is_err() {
            // The process is ending; what is not recorded is sent again.
            let _ = self.answer.send(Answer::Fenced);
        }
    }

    pub(super) fn answered(&mut self, answer: Answer) -> Result<(), Ended> {
        match answer {
            Answer::Recorded(batch) => {
                self.recorded = batch;
                self.due.arrived();
                let recorded = self.known();
                self.lanes.sweep(recorded, &self.to_load);
                self.replay_recorded();
                Ok(())
            }
            Answer::Fenced => Err(Ended::Fenced),
            Answer::Refused => Err(Ended::Failed("the database refuses what its deliveries came to".to_owned())),
        }
    }

    /// How far behind the endpoint is.
    pub(super) async fn show_figures(&self) {
        let endpoint = self.endpoint.id.to_string();
        let behind = (*self.shared.log.seen().borrow() - self.live.position()).max(0);
        let oldest = match self.live.oldest() {
            // What nothing is read for waits in the log.
            None if behind > 0 && !self.has_room() => self.unread().await,
            oldest => oldest,
        };
        let seconds = oldest.map_or(0.0, |oldest| (self.now() - oldest).as_seconds_f64());
        let open = match self.breaker.name() {
            "closed" => 0.0,
            "half_open" => 0.5,
            _ => 1.0,
        };
        gauge!("vigie_webhook_lag_events", "endpoint" => endpoint.clone()).set(behind as f64);
        gauge!("vigie_webhook_lag_seconds", "endpoint" => endpoint.clone()).set(seconds.max(0.0));
        gauge!("vigie_webhook_breaker_open", "endpoint" => endpoint).set(open);
    }

    /// When the first event was recorded that was not looked at.
    async fn unread(&self) -> Option<DateTime<Utc>> {
        let next = Read::after(self.live.position()).limit(1);
        let read = self.shared.log.read(&self.endpoint.filter.query(), next).await;
        read.ok()?.first().map(|event| event.recorded_at)
    }

    /// Somebody else tells them from now on.
    pub(super) fn forget_figures(&self) {
        for name in ["vigie_webhook_lag_events", "vigie_webhook_lag_seconds", "vigie_webhook_breaker_open"] {
            gauge!(name, "endpoint" => self.endpoint.id.to_string()).set(0.0);
        }
    }
}
