//! What waits in the database comes back when it is due.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::TimeDelta;
use vigie_eventlog::Recorded;

use super::super::lanes::Item;
use super::super::waiting::{self, PIECE, Waiting};
use super::due::earlier;
use super::{Delivery, Ended, GATHER, database};

/// What the database does not know yet is looked at again after this.
const SOON: TimeDelta = TimeDelta::milliseconds(50);

impl Delivery {
    /// Reads on in lanes that are due, and in those of which everything that was read is delivered.
    pub(super) async fn load(&mut self) -> Result<(), Ended> {
        if self.stopping || self.halted.is_some() || self.breaker.name() == "half_open" {
            return Ok(());
        }
        let now = self.now();
        let paused = [self.breaker.until(), self.throttled_until].into_iter().flatten().any(|until| until > now);
        if paused {
            return Ok(());
        }
        if self.to_load.is_empty() && self.lanes.due() < self.parallel && self.due.next().is_some_and(|due| due <= now)
        {
            self.look_for_due().await?;
        }
        let mut later = Vec::new();
        for lane in std::mem::take(&mut self.to_load) {
            if !self.load_lane(lane).await? {
                later.push(lane);
            }
        }
        self.to_load.extend(later);
        self.to_load.sort_unstable();
        self.to_load.dedup();
        Ok(())
    }

    async fn look_for_due(&mut self) -> Result<(), Ended> {
        let most = PIECE + i64::try_from(self.lanes.len()).unwrap_or(i64::MAX - PIECE);
        let now = self.now();
        let heads = waiting::due(self.endpoint.id, most, &self.shared.pool).await.map_err(database)?;
        let mut next = (i64::try_from(heads.len()).unwrap_or(0) == most).then_some(now);
        for head in heads {
            // A piece at once: more is read when these are on their way.
            if head.next_try > now || i64::try_from(self.to_load.len()).is_ok_and(|lanes| lanes >= PIECE) {
                earlier(&mut next, Some(head.next_try));
                break;
            }
            if self.lanes.has_left(head.lane) {
                earlier(&mut next, Some(now + SOON));
                continue;
            }
            let known = self.lanes.get(head.lane);
            if known.is_some_and(|lane| lane.in_flight > 0 || !lane.queue.is_empty()) {
                continue;
            }
            if known.is_none() {
                let keys = waiting::keys(self.endpoint.id, head.lane, &self.shared.pool).await.map_err(database)?;
                self.lanes.know(head.lane, keys.into_iter().map(String::into_boxed_str));
            }
            self.to_load.push(head.lane);
        }
        self.due.looked(next);
        Ok(())
    }

    /// Reads a piece of a lane; false if that has to wait for what is not recorded yet.
    async fn load_lane(&mut self, id: i64) -> Result<bool, Ended> {
        let recorded = self.known();
        let Some(lane) = self.lanes.get(id) else { return Ok(true) };
        if !lane.stored || lane.in_flight > 0 || !lane.queue.is_empty() {
            return Ok(true);
        }
        if lane.dirty > recorded {
            self.hand_within(std::time::Duration::ZERO);
            return Ok(false);
        }
        let now = self.now();
        let rows = waiting::of_lane(self.endpoint.id, id, &self.shared.pool).await.map_err(database)?;
        let read = rows.len();
        let Some(first) = rows.first() else {
            self.end_lane(id);
            return Ok(true);
        };
        if let Some(due) = first.next_try.filter(|due| *due > now) {
            self.due.also(due);
            return Ok(true);
        }
        let due: Vec<Waiting> = rows.into_iter().take_while(|row| row.next_try.is_none_or(|due| due <= now)).collect();
        let more = due.len() < read || i64::try_from(read).is_ok_and(|read| read >= PIECE);
        let items = self.items(due).await?;
        if let Some(lane) = self.lanes.get_mut(id) {
            lane.more = more;
            lane.queue = items.into();
        }
        self.lanes.wake(id);
        self.hand_within(GATHER);
        Ok(true)
    }

    /// Rows with their events.
    async fn items(&self, rows: Vec<Waiting>) -> Result<Vec<Item>, Ended> {
        let events = self.events(&rows).await?;
        let item = |row: Waiting| {
            let event = events.get(&row.position).map(Arc::clone);
            let event = event.ok_or_else(|| Ended::Failed(format!("event {} is not in the log", row.position)))?;
            let attempts = u32::try_from(row.attempts).unwrap_or(0);
            let (seq, replay, queued_at) = (row.seq, row.replay, row.queued_at);
            Ok(Item { seq, replay, event, attempts, queued_at, stored: true, letter: None })
        };
        rows.into_iter().map(item).collect()
    }

    pub(super) async fn events(&self, rows: &[Waiting]) -> Result<HashMap<i64, Arc<Recorded>>, Ended> {
        let positions: Vec<i64> = rows.iter().map(|row| row.position).collect();
        let events = self.shared.log.at(&positions).await.map_err(|error| Ended::Failed(error.to_string()))?;
        Ok(events.into_iter().map(|event| (event.position, Arc::new(event))).collect())
    }
}
