//! What is on its way to one endpoint, in order.
//!
//! A lane is what has to be delivered one after the other: events of one key, or of several keys that an event with more than
//! one of them has tied together. A lane lives as long as something is in it. While everything goes well it is in memory
//! alone; once a delivery fails, it is *stored*: what is in it, and what comes, is written down in `webhook_waiting`, and
//! comes back in pieces when it is due.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use vigie_eventlog::Recorded;

/// So many deliveries of stored lanes go before a fresh one goes. What waits in the log costs nothing, so that what was begun
/// comes first; but receivers that refuse some deliveries for ever get new ones, too.
const IN_A_ROW: usize = 7;

/// A delivery that is to be made.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// Its place among all of the endpoint, and its row's once it has one.
    pub(super) seq: i64,
    /// The replay that sends it; 0 for none.
    pub(super) replay: i64,
    pub(super) event: Arc<Recorded>,
    /// Attempts that were made.
    pub(super) attempts: u32,
    pub(super) queued_at: DateTime<Utc>,
    /// Whether it has a row.
    pub(super) stored: bool,
    /// The dead letter that goes once this is settled.
    pub(super) letter: Option<i64>,
}

/// A lane.
#[derive(Debug, Default)]
pub(super) struct Lane {
    pub(super) keys: Vec<Box<str>>,
    /// What comes next, in order of `seq`; of a stored lane, as much of it as was read.
    pub(super) queue: VecDeque<Item>,
    pub(super) in_flight: usize,
    pub(super) stored: bool,
    /// Of a stored lane: whether the database has more than what was read.
    pub(super) more: bool,
    /// The batch of changes that concerned it last: what the database says of it counts once that is recorded.
    pub(super) dirty: u64,
    /// Whether it is among those that are ready.
    listed: bool,
}

impl Lane {
    /// Whether its first delivery can go.
    fn goes(&self) -> bool {
        self.in_flight == 0 && !self.queue.is_empty()
    }

    /// Whether nothing of it is in memory that the database does not know.
    fn is_idle(&self, recorded: u64) -> bool {
        self.in_flight == 0 && self.queue.is_empty() && self.dirty <= recorded
    }
}

/// The lanes of an endpoint that are in memory.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: HashMap<i64, Lane>,
    by_key: HashMap<Box<str>, i64>,
    /// Lanes in memory alone whose first delivery can go.
    fresh: VecDeque<i64>,
    /// Stored ones.
    due: VecDeque<i64>,
    /// Deliveries of stored lanes that went one after the other while fresh ones waited.
    in_a_row: usize,
    in_flight: HashMap<u64, (i64, Item)>,
    tickets: u64,
    /// Lanes that are others now, or have ended, and the batch that says so: until it is recorded, the database is wrong.
    left: HashMap<i64, u64>,
}

/// What was tied together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Joined {
    pub(super) lane: i64,
    /// Stored lanes that are this one from now on.
    pub(super) from: Vec<i64>,
    /// Whether this lane is another than before: it has more keys, or took other lanes in.
    pub(super) grown: bool,
}

impl Lanes {
    pub(super) fn get(&self, lane: i64) -> Option<&Lane> {
        self.lanes.get(&lane)
    }

    pub(super) fn get_mut(&mut self, lane: i64) -> Option<&mut Lane> {
        self.lanes.get_mut(&lane)
    }

    /// The lane of a key, if it is in memory.
    pub(super) fn of_key(&self, key: &str) -> Option<i64> {
        self.by_key.get(key).copied()
    }

    /// Brings a stored lane to mind, of which nothing was read yet.
    pub(super) fn know(&mut self, lane: i64, keys: impl IntoIterator<Item = Box<str>>) {
        let known = self.lanes.entry(lane).or_insert_with(|| Lane { stored: true, more: true, ..Lane::default() });
        for key in keys {
            if self.by_key.insert(key.clone(), lane) != Some(lane) {
                known.keys.push(key);
            }
        }
    }

    /// The one lane of all these keys; lanes that are tied together by them become one. `fresh` is the name of a new one.
    pub(super) fn join(&mut self, keys: &[Box<str>], fresh: i64) -> Joined {
        let mut known: Vec<i64> = keys.iter().filter_map(|key| self.of_key(key)).collect();
        known.sort_unstable();
        known.dedup();
        let mut known = known.into_iter();
        let lane = known.next().unwrap_or(fresh);
        let others: Vec<i64> = known.collect();
        let from = others.iter().copied().filter(|other| self.get(*other).is_some_and(|lane| lane.stored)).collect();
        let before = self.lanes.entry(lane).or_default().keys.len();
        for other in others {
            self.merge(lane, other);
        }
        for key in keys.iter().filter(|key| !self.by_key.contains_key(*key)).cloned().collect::<Vec<_>>() {
            self.by_key.insert(key.clone(), lane);
            self.lanes.entry(lane).or_default().keys.push(key);
        }
        let grown = self.get(lane).is_some_and(|lane| lane.keys.len() > before);
        Joined { lane, from, grown }
    }

    fn merge(&mut self, into: i64, from: i64) {
        let Some(gone) = self.lanes.remove(&from) else { return };
        for key in &gone.keys {
            self.by_key.insert(key.clone(), into);
        }
        for (lane, _) in self.in_flight.values_mut().filter(|(lane, _)| *lane == from) {
            *lane = into;
        }
        let lane = self.lanes.entry(into).or_default();
        lane.keys.extend(gone.keys);
        lane.in_flight += gone.in_flight;
        lane.stored |= gone.stored;
        lane.more |= gone.more;
        lane.dirty = lane.dirty.max(gone.dirty);
        lane.queue.extend(gone.queue);
        lane.queue.make_contiguous().sort_by_key(|item| item.seq);
    }

    /// Adds to a lane that is in memory alone.
    pub(super) fn push(&mut self, lane: i64, item: Item) {
        self.lanes.entry(lane).or_default().queue.push_back(item);
        self.wake(lane);
    }

    /// The lane may have something that can go.
    pub(super) fn wake(&mut self, lane: i64) {
        if let Some(known) = self.lanes.get_mut(&lane)
            && known.goes()
            && !std::mem::replace(&mut known.listed, true)
        {
            let ready = if known.stored { &mut self.due } else { &mut self.fresh };
            ready.push_back(lane);
        }
    }

    /// Whether anything can go.
    pub(super) fn is_ready(&mut self) -> bool {
        let Self { lanes, fresh, due, .. } = self;
        for ready in [&mut *fresh, &mut *due] {
            while let Some(lane) = ready.front().map(|id| lanes.get_mut(id)) {
                match lane {
                    Some(lane) if lane.goes() => break,
                    // It is part of another one by now, or tied to what is on its way.
                    Some(lane) => lane.listed = false,
                    None => {}
                }
                ready.pop_front();
            }
        }
        !fresh.is_empty() || !due.is_empty()
    }

    /// Takes the next delivery out, and a ticket by which it comes back. Stored lanes go first, but while fresh ones wait they
    /// have no more than half of the `places`, so that those that hang leave some, and not every turn.
    pub(super) fn start(&mut self, places: usize) -> Option<(u64, Item)> {
        if !self.is_ready() {
            return None;
        }
        let both = !self.fresh.is_empty() && !self.due.is_empty();
        let stored = if both {
            self.in_a_row < IN_A_ROW && self.stored_in_flight() < places.div_ceil(2)
        } else {
            self.fresh.is_empty()
        };
        self.in_a_row = if both && stored { self.in_a_row + 1 } else { 0 };
        let id = if stored { self.due.pop_front() } else { self.fresh.pop_front() }?;
        let lane = self.lanes.get_mut(&id)?;
        lane.listed = false;
        let item = lane.queue.pop_front()?;
        lane.in_flight += 1;
        self.tickets += 1;
        self.in_flight.insert(self.tickets, (id, item.clone()));
        Some((self.tickets, item))
    }

    fn stored_in_flight(&self) -> usize {
        self.in_flight.values().filter(|(_, item)| item.stored).count()
    }

    /// A delivery has come back: its lane, and as it is by now.
    pub(super) fn finish(&mut self, ticket: u64) -> Option<(i64, Item)> {
        let (id, item) = self.in_flight.remove(&ticket)?;
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.in_flight -= 1;
        }
        Some((id, item))
    }

    /// Makes a lane a stored one: everything that has no row yet, which is to get one, in order.
    pub(super) fn store(&mut self, id: i64) -> Vec<Item> {
        let Some(lane) = self.lanes.get_mut(&id) else { return Vec::new() };
        (lane.stored, lane.more) = (true, true);
        if std::mem::take(&mut lane.listed) {
            self.fresh.retain(|listed| *listed != id);
            self.due.retain(|listed| *listed != id);
        }
        let mut rows: Vec<Item> = lane.queue.drain(..).filter(|item| !item.stored).collect();
        for (_, item) in self.in_flight.values_mut().filter(|(lane, item)| *lane == id && !item.stored) {
            rows.push(item.clone());
            // So that it has nothing to settle but its row when it comes back.
            item.stored = true;
            item.letter = None;
        }
        rows.sort_by_key(|item| item.seq);
        rows
    }

    /// Forgets a lane, and that these were its keys.
    pub(super) fn forget(&mut self, id: i64) {
        if let Some(lane) = self.lanes.remove(&id) {
            for key in lane.keys {
                if self.by_key.get(&key) == Some(&id) {
                    self.by_key.remove(&key);
                }
            }
        }
    }

    /// A stored lane has nothing left: by another name, its keys are known until `batch` has told the database.
    pub(super) fn end(&mut self, id: i64, name: i64, batch: u64) {
        let Some(lane) = self.lanes.remove(&id) else { return };
        for key in &lane.keys {
            self.by_key.insert(key.clone(), name);
        }
        self.left.insert(id, batch);
        self.lanes.insert(name, Lane { keys: lane.keys, dirty: batch, ..Lane::default() });
    }

    /// `lane` has become part of another one.
    pub(super) fn leave(&mut self, lane: i64, batch: u64) {
        self.left.insert(lane, batch);
    }

    /// Whether the database still speaks of a lane that is none any more.
    pub(super) fn has_left(&self, lane: i64) -> bool {
        self.left.contains_key(&lane)
    }

    /// Forgets a lane in which nothing is.
    pub(super) fn drop_if_idle(&mut self, id: i64, recorded: u64) {
        if self.lanes.get(&id).is_some_and(|lane| lane.is_idle(recorded)) {
            self.forget(id);
        }
    }

    /// Forgets the lanes in which nothing is, but for those of `keep`: where something of them waits, the database knows.
    pub(super) fn sweep(&mut self, recorded: u64, keep: &[i64]) {
        self.left.retain(|_, batch| *batch > recorded);
        let idle =
            self.lanes.iter().filter(|(id, lane)| lane.is_idle(recorded) && !keep.contains(id)).map(|(id, _)| *id);
        for lane in idle.collect::<Vec<_>>() {
            self.forget(lane);
        }
    }

    /// What was taken out and not sent after all goes back to its place.
    pub(super) fn give_back(&mut self, ticket: u64) {
        let Some((id, item)) = self.finish(ticket) else { return };
        // The rows of a lane that was stored meanwhile are read again.
        if let Some(lane) = self.lanes.get_mut(&id)
            && (!lane.stored || item.stored)
        {
            lane.queue.push_front(item);
            self.wake(id);
        }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Lanes that are ready, about.
    pub(super) fn ready(&self) -> usize {
        self.fresh.len() + self.due.len()
    }

    /// Stored ones among them.
    pub(super) fn due(&self) -> usize {
        self.due.len()
    }

    /// Lanes in memory.
    pub(super) fn len(&self) -> usize {
        self.lanes.len()
    }

    /// The lanes of what is on its way.
    pub(super) fn flying(&self) -> impl Iterator<Item = (u64, i64)> {
        self.in_flight.iter().map(|(ticket, (lane, _))| (*ticket, *lane))
    }
}

#[cfg(test)]
#[path = "lanes_tests.rs"]
mod tests;
