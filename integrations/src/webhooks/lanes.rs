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
}

/// The lanes of an endpoint that are in memory.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: HashMap<i64, Lane>,
    by_key: HashMap<Box<str>, i64>,
    /// Lanes whose first delivery can go.
    ready: VecDeque<i64>,
    in_flight: HashMap<u64, (i64, Item)>,
    tickets: u64,
}

/// What was tied together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Joined {
    pub(super) lane: i64,
    /// Lanes that are this one from now on.
    pub(super) from: Vec<i64>,
    /// Keys that were in none of them.
    pub(super) new_keys: Vec<Box<str>>,
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
        let from: Vec<i64> = known.collect();
        self.lanes.entry(lane).or_default();
        for other in &from {
            self.merge(lane, *other);
        }
        let new_keys: Vec<Box<str>> = keys.iter().filter(|key| self.of_key(key).is_none()).cloned().collect();
        for key in &new_keys {
            self.by_key.insert(key.clone(), lane);
        }
        let joined = self.lanes.get_mut(&lane).expect("it was made above");
        joined.keys.extend(new_keys.iter().cloned());
        Joined { lane, from, new_keys }
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
            self.ready.push_back(lane);
        }
    }

    /// Whether anything can go.
    pub(super) fn is_ready(&mut self) -> bool {
        while let Some(lane) = self.ready.front() {
            match self.lanes.get_mut(lane) {
                Some(lane) if lane.goes() => return true,
                // It was stored since, or is part of another one by now.
                Some(lane) => lane.listed = false,
                None => {}
            }
            self.ready.pop_front();
        }
        false
    }

    /// Takes the next delivery out, and a ticket by which it comes back.
    pub(super) fn start(&mut self) -> Option<(u64, Item)> {
        if !self.is_ready() {
            return None;
        }
        let id = self.ready.pop_front()?;
        let lane = self.lanes.get_mut(&id)?;
        lane.listed = false;
        let item = lane.queue.pop_front()?;
        lane.in_flight += 1;
        self.tickets += 1;
        self.in_flight.insert(self.tickets, (id, item.clone()));
        Some((self.tickets, item))
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

    /// Forgets the stored lanes of which nothing is in memory and everything is recorded: the database knows them.
    pub(super) fn sweep(&mut self, recorded: u64) {
        let idle = |lane: &Lane| lane.stored && lane.in_flight == 0 && lane.queue.is_empty() && lane.dirty <= recorded;
        let idle: Vec<i64> = self.lanes.iter().filter(|(_, lane)| idle(lane)).map(|(id, _)| *id).collect();
        for lane in idle {
            self.forget(lane);
        }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.len()
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
