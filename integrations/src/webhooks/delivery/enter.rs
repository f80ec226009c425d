//! Events come in and get their places.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use vigie_eventlog::Recorded;

use super::super::changes::{KeyRow, Merged, SeqRow, WaitingRow};
use super::super::lanes::Item;
use super::super::waiting;
use super::{Delivery, Ended, GATHER, WINDOW, database};

/// A request that takes longer holds its key up alone: what is behind it goes to the database.
const SLOW: Duration = Duration::from_secs(1);

impl Delivery {
    /// Gives each event that the endpoint wants its place; `replay` is 0 for events that are new.
    pub(super) async fn enter(&mut self, events: Vec<Arc<Recorded>>, replay: i64) -> Result<(), Ended> {
        let mut items = Vec::with_capacity(events.len());
        for event in events {
            if self.endpoint.wants(&event)
                && self.track(replay).is_some_and(|track| track.take(event.position, event.recorded_at))
            {
                items.push(self.item(event, replay, None));
            }
        }
        self.enter_items(items).await
    }

    pub(super) fn item(&mut self, event: Arc<Recorded>, replay: i64, letter: Option<i64>) -> Item {
        self.seq += 1;
        Item { seq: self.seq, replay, event, attempts: 0, queued_at: self.now(), stored: false, letter }
    }

    pub(super) async fn enter_items(&mut self, items: Vec<Item>) -> Result<(), Ended> {
        let keys: Vec<Vec<Box<str>>> =
            items.iter().map(|item| self.endpoint.keys(&item.event).map(Box::from).collect()).collect();
        if self.waits {
            self.know(&keys).await?;
        }
        for (item, keys) in items.into_iter().zip(keys) {
            self.place(item, &keys);
        }
        Ok(())
    }

    /// Asks the database which of these keys have something waiting there.
    async fn know(&mut self, keys: &[Vec<Box<str>>]) -> Result<(), Ended> {
        let mut unknown: Vec<String> =
            keys.iter().flatten().filter(|key| self.lanes.of_key(key).is_none()).map(|key| key.to_string()).collect();
        unknown.sort_unstable();
        unknown.dedup();
        if unknown.is_empty() {
            return Ok(());
        }
        let lanes = waiting::lanes(self.endpoint.id, &unknown, &self.shared.pool).await.map_err(database)?;
        for (key, lane) in lanes {
            self.lanes.know(lane, [key.into_boxed_str()]);
        }
        Ok(())
    }

    fn place(&mut self, item: Item, keys: &[Box<str>]) {
        let joined = self.lanes.join(keys, item.seq);
        let (endpoint, id) = (self.endpoint.id, joined.lane);
        for from in &joined.from {
            self.changes.merged.push(Merged { endpoint, from: *from, into: id });
            self.lanes.leave(*from, self.gathered());
        }
        if !self.lanes.get(id).is_some_and(|lane| lane.stored) {
            self.lanes.push(id, item);
            return;
        }
        if joined.grown || !joined.from.is_empty() {
            self.store_lane(id);
            self.to_load.push(id);
        }
        // Behind what waits, it waits too.
        self.changes.put.push(WaitingRow::of(&item, endpoint, id, None));
        self.mark(id);
        if let Some(lane) = self.lanes.get_mut(id) {
            lane.more = true;
        }
        self.settle(&item);
    }

    /// Writes a lane down: what is in it, and which keys lead to it.
    pub(super) fn store_lane(&mut self, id: i64) {
        let endpoint = self.endpoint.id;
        for item in self.lanes.store(id) {
            self.changes.put.push(WaitingRow::of(&item, endpoint, id, None));
            self.settle(&item);
        }
        if let Some(lane) = self.lanes.get(id) {
            let keys = lane.keys.iter().cloned();
            self.changes.keys.extend(keys.map(|key| KeyRow { endpoint, key, lane: id }));
        }
        self.waits = true;
        self.mark(id);
    }

    /// What is written down of a delivery without a row needs nothing more here.
    pub(super) fn settle(&mut self, item: &Item) {
        if item.stored {
            return;
        }
        if let Some(track) = self.track(item.replay) {
            track.settle(item.event.position);
        }
        if let Some(seq) = item.letter {
            self.changes.gone.push(SeqRow { endpoint: self.endpoint.id, seq });
        }
    }

    /// What is gathered now concerns a lane.
    pub(super) fn mark(&mut self, id: i64) {
        let batch = self.gathered();
        if let Some(lane) = self.lanes.get_mut(id) {
            lane.dirty = batch;
        }
        self.hand_within(GATHER);
    }

    /// The window is full: what is behind a request that takes long goes to the database, so that others come in.
    pub(super) fn spill(&mut self) {
        if self.live.len() < WINDOW {
            return;
        }
        let slow = |started: Option<&Instant>| started.is_some_and(|started| started.elapsed() > SLOW);
        let slow: Vec<i64> =
            self.lanes.flying().filter(|(ticket, _)| slow(self.started.get(ticket))).map(|(_, lane)| lane).collect();
        for id in slow {
            let long = self.lanes.get(id).is_some_and(|lane| !lane.stored && lane.queue.len() >= WINDOW / 4);
            let in_the_way =
                self.live.ahead().len() >= WINDOW / 4 && self.lanes.get(id).is_some_and(|lane| !lane.stored);
            if long || in_the_way {
                self.store_lane(id);
            }
        }
    }
}
