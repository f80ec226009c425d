//! How far a run through the log has come, while its events are settled in any order.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

/// An event is settled when it is delivered, set aside, or written down as waiting.
#[derive(Debug, Default)]
pub(super) struct Track {
    /// Everything up to here was looked at.
    looked: i64,
    /// Taken, and not settled yet.
    open: BTreeMap<i64, DateTime<Utc>>,
    /// Settled while something before it was open.
    ahead: BTreeSet<i64>,
    /// Settled by whoever stood here before, and not looked at yet. None of it is in the way of what is read next, however
    /// much it is.
    known: BTreeSet<i64>,
}

impl Track {
    /// Goes on where another one stood.
    pub(super) fn new(position: i64, ahead: &[i64]) -> Self {
        Self { looked: position, known: ahead.iter().copied().collect(), ..Self::default() }
    }

    /// Takes an event in; false if it was settled before.
    pub(super) fn take(&mut self, position: i64, recorded_at: DateTime<Utc>) -> bool {
        let settled = self.ahead.contains(&position) || self.known.contains(&position);
        !settled && self.open.insert(position, recorded_at).is_none()
    }

    /// Everything up to `position` was looked at.
    pub(super) fn look(&mut self, position: i64) {
        self.looked = self.looked.max(position);
        let further = self.known.split_off(&(self.looked + 1));
        self.ahead.append(&mut std::mem::replace(&mut self.known, further));
        self.forget();
    }

    /// An event needs nothing more.
    pub(super) fn settle(&mut self, position: i64) {
        if self.open.remove(&position).is_some() {
            self.ahead.insert(position);
            self.forget();
        }
    }

    /// Everything up to here is settled.
    pub(super) fn position(&self) -> i64 {
        self.open.first_key_value().map_or(self.looked, |(first, _)| self.looked.min(first - 1))
    }

    /// What is settled after [`Track::position`].
    pub(super) fn ahead(&self) -> Vec<i64> {
        self.ahead.union(&self.known).copied().collect()
    }

    /// When the oldest that is open was recorded.
    pub(super) fn oldest(&self) -> Option<DateTime<Utc>> {
        self.open.first_key_value().map(|(_, recorded_at)| *recorded_at)
    }

    /// How many events it has to remember of what it has looked at: none once everything is settled.
    pub(super) fn len(&self) -> usize {
        self.open.len() + self.ahead.len()
    }

    /// Whether everything that was taken is settled.
    pub(super) fn is_settled(&self) -> bool {
        self.open.is_empty()
    }

    fn forget(&mut self) {
        let position = self.position();
        if self.ahead.first().is_some_and(|first| *first <= position) {
            self.ahead = self.ahead.split_off(&(position + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AT: DateTime<Utc> = DateTime::UNIX_EPOCH;

    #[test]
    fn the_position_waits_for_the_oldest_and_then_passes_what_was_settled_ahead() {
        let mut track = Track::new(10, &[]);
        for position in [12, 13, 15] {
            assert!(track.take(position, AT));
        }
        track.look(20);
        assert_eq!((track.position(), track.ahead()), (11, vec![]));
        track.settle(13);
        track.settle(15);
        assert_eq!((track.position(), track.ahead()), (11, vec![13, 15]));
        track.settle(12);
        assert_eq!((track.position(), track.ahead()), (20, vec![]));
    }

    #[test]
    fn who_comes_after_does_not_take_what_was_settled_ahead() {
        let mut track = Track::new(11, &[13, 15]);
        assert!(track.take(12, AT) && !track.take(13, AT) && track.take(14, AT) && !track.take(15, AT));
        track.look(15);
        track.settle(12);
        assert_eq!((track.position(), track.ahead()), (13, vec![15]));
        track.settle(14);
        assert_eq!((track.position(), track.len()), (15, 0));
    }

    #[test]
    fn who_comes_after_has_room_however_much_was_settled_ahead() {
        let settled: Vec<i64> = (2..=600).collect();
        let mut track = Track::new(0, &settled);
        assert_eq!((track.len(), track.ahead().len()), (0, 599));
        assert!((1..=128).map(|position| track.take(position, AT)).eq((1..=128).map(|position| position == 1)));
        track.look(128);
        assert_eq!((track.position(), track.len(), track.ahead().len()), (0, 128, 599));
        track.settle(1);
        assert_eq!((track.position(), track.len(), track.ahead().len()), (128, 0, 472));
        track.look(600);
        assert_eq!((track.position(), track.len(), track.ahead().len()), (600, 0, 0));
    }

    proptest! {
        /// Cut off anywhere and gone on with from what was kept, each event is settled at least once, and none that was
        /// kept as settled a second time.
        #[test]
        fn nothing_is_lost_or_done_twice_across_a_restart(order in Just((1..40_i64).collect::<Vec<_>>()).prop_shuffle(), cut in 0..40_usize) {
            let mut track = Track::new(0, &[]);
            (1..40).for_each(|position| assert!(track.take(position, AT)));
            track.look(39);
            order[..cut.min(39)].iter().for_each(|position| track.settle(*position));
            let done: BTreeSet<i64> = order[..cut.min(39)].iter().copied().collect();
            let mut next = Track::new(track.position(), &track.ahead());
            let again: BTreeSet<i64> = (track.position() + 1..40).filter(|position| next.take(*position, AT)).collect();
            prop_assert!(again.is_disjoint(&done));
            prop_assert_eq!(again.union(&done).count(), 39);
        }
    }
}
