//! What becomes of a delivery after an attempt.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use metrics::counter;
use tokio::task::JoinError;

use super::super::Disabled;
use super::super::attempts::{error_of, row};
use super::super::changes::{LaneRow, SeqRow, Tried, WaitingRow};
use super::super::lanes::Item;
use super::super::retry::{self, Next};
use super::super::wire::{Attempt, FailureKind, Verdict};
use super::send::Sent;
use super::{Delivery, Ended, GATHER, after};

/// After so long without a success an endpoint is disabled.
const FAILING: TimeDelta = TimeDelta::days(5);
/// How long an endpoint is left alone that has asked for it without saying how long, and at most.
const PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

impl Delivery {
    pub(super) fn returned(&mut self, sent: Result<Sent, JoinError>) -> Result<(), Ended> {
        // A request that panicked is lost with everything that waits for it: the endpoint begins anew.
        let sent = sent.map_err(|error| Ended::Failed(format!("a request ended badly: {error}")))?;
        self.started.remove(&sent.ticket);
        let Some((at, attempt)) = sent.attempt else {
            self.lanes.give_back(sent.ticket);
            self.breaker.withheld(self.shared.time.now());
            return Ok(());
        };
        let Some((lane, mut item)) = self.lanes.finish(sent.ticket) else { return Ok(()) };
        item.attempts += 1;
        match attempt.verdict() {
            Verdict::Delivered => self.delivered(lane, &item, at, &attempt),
            verdict => self.failed(lane, &item, verdict, at, &attempt),
        }
        self.hand_within(GATHER);
        Ok(())
    }

    fn delivered(&mut self, lane: i64, item: &Item, at: DateTime<Utc>, attempt: &Attempt) {
        self.breaker.succeeded();
        self.parallel = (self.parallel + 1).min(self.shared.settings.parallel);
        (self.state.succeeded_at, self.state.failing_since) = (Some(at), None);
        self.note_attempt(item, at, attempt, None);
        counter!("vigie_webhook_deliveries_total", "endpoint" => self.endpoint.id.to_string(), "outcome" => "delivered")
            .increment(1);
        self.is_over(item);
        self.go_on(lane, item.stored);
    }

    fn failed(&mut self, lane: i64, item: &Item, verdict: Verdict, at: DateTime<Utc>, attempt: &Attempt) {
        let now = self.now();
        let since = *self.state.failing_since.get_or_insert(at);
        self.slow_down(lane, verdict, attempt, now);
        let next = retry::next(&self.endpoint, item.event.id, item.attempts, attempt.retry_after(), now);
        let next_try = match next {
            Next::At(next_try) => Some(next_try),
            Next::SetAside => None,
        };
        self.note_attempt(item, at, attempt, next_try);
        if !item.stored {
            self.changes.put.push(WaitingRow::of(item, self.endpoint.id, lane, next_try));
            self.settle(item);
        }
        self.changes.tried.push(Tried {
            endpoint: self.endpoint.id,
            seq: item.seq,
            attempts: item.attempts,
            next_try,
            reason: error_of(attempt).unwrap_or_default(),
            failed_at: now,
        });
        match next_try {
            Some(next_try) => {
                self.store_lane(lane);
                self.due.gather(next_try);
            }
            None => {
                counter!("vigie_webhook_deliveries_total", "endpoint" => self.endpoint.id.to_string(), "outcome" => "set_aside")
                    .increment(1);
                self.go_on(lane, item.stored);
            }
        }
        if verdict == Verdict::Gone {
            self.halt(Disabled::Gone { endpoint: self.endpoint.id });
        } else if now - since >= FAILING {
            self.halt(Disabled::Failing { endpoint: self.endpoint.id, since });
        }
    }

    /// Who does not keep up gets less at once; who asks for a pause gets it.
    fn slow_down(&mut self, lane: i64, verdict: Verdict, attempt: &Attempt, now: DateTime<Utc>) {
        if verdict == Verdict::Throttled {
            let pause = attempt.retry_after().unwrap_or(PAUSE).min(LONGEST_PAUSE);
            self.throttled_until = self.throttled_until.max(Some(after(now, pause)));
            self.parallel = 1;
        }
        if verdict != Verdict::Throttled || self.breaker.name() == "half_open" {
            self.breaker.failed(lane, now);
        }
        if matches!(&attempt.outcome, Err(failure) if failure.kind == FailureKind::Timeout) {
            self.parallel = (self.parallel / 2).max(1);
        }
    }

    fn note_attempt(&mut self, item: &Item, at: DateTime<Utc>, attempt: &Attempt, next_try: Option<DateTime<Utc>>) {
        let row = row(&self.endpoint, item, at, attempt, next_try, self.shared.worker);
        counter!("vigie_webhook_attempts_total", "endpoint" => self.endpoint.id.to_string(), "outcome" => row.outcome)
            .increment(1);
        if self.shared.attempted.receiver_count() > 0 {
            // Nobody may be there any more.
            let _ = self.shared.attempted.send(Arc::new(row.clone()));
        }
        self.changes.attempts.push(row);
    }

    /// A delivery that was made needs no row any more.
    fn is_over(&mut self, item: &Item) {
        if item.stored {
            self.changes.gone.push(SeqRow { endpoint: self.endpoint.id, seq: item.seq });
        } else {
            self.settle(item);
        }
    }

    /// What is next in a lane may go; `changed` if the database has to know before it is read again.
    fn go_on(&mut self, id: i64, changed: bool) {
        if changed {
            self.mark(id);
        }
        let Some(lane) = self.lanes.get(id) else { return };
        if lane.in_flight > 0 {
            return;
        }
        match (lane.queue.is_empty(), lane.stored, lane.more) {
            (false, ..) => self.lanes.wake(id),
            (true, true, true) => self.to_load.push(id),
            (true, true, false) => self.end_lane(id),
            (true, false, _) => self.lanes.drop_if_idle(id, self.known()),
        }
    }

    /// Nothing of a stored lane is left in the database.
    pub(super) fn end_lane(&mut self, id: i64) {
        self.seq += 1;
        let (name, batch) = (self.seq, self.gathered());
        self.changes.ended.push(LaneRow { endpoint: self.endpoint.id, lane: id });
        self.lanes.end(id, name, batch);
        self.hand_within(GATHER);
    }
}
