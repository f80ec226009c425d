//! What events can be found by, as hashes: type, tag, tag with type.
//!
//! A criterion is looked up by its types, or by its first tag with each of its types. Two texts with one hash, or a
//! second tag that differs, make a match that is none; nobody is refused for that, only looked at more closely.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};

use crate::query::Criterion;
use crate::{Condition, Recorded};

/// A hash of what an event can be found by.
pub(super) type Mark = u64;

/// Marks are hashes already.
#[derive(Default)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only marks are hashed, and they are numbers")
    }

    fn write_u64(&mut self, mark: u64) {
        self.0 = mark;
    }
}

/// Marks of some appends.
pub(super) type MarkSet = HashSet<Mark, BuildHasherDefault<AsIs>>;

/// What an append's events can be found by, and what its conditions look for.
#[derive(Default)]
pub(super) struct Marked {
    /// All that its events can be found by.
    pub(super) events: Vec<Mark>,
    /// What its conditions look for, each mark with the position after which it may not be found.
    pub(super) wanted: Vec<(Mark, i64)>,
    /// Of its command: a command under way twice waits for itself.
    pub(super) command: Mark,
}

impl Marked {
    pub(super) fn new(events: &[Recorded], conditions: &[Condition]) -> Self {
        let mut marks = vec![mark("any", "", "")];
        for event in events {
            marks.push(mark("kind", "", &event.kind));
            for tag in &event.tags {
                marks.push(mark("tag", tag, ""));
                marks.push(mark("both", tag, &event.kind));
            }
        }
        let mut wanted = Vec::new();
        for condition in conditions {
            let marks = condition.query.criteria.iter().flat_map(wanted_by);
            wanted.extend(marks.map(|mark| (mark, condition.after)));
        }
        let command = events.first().map(|event| event.metadata.command_id.to_string()).unwrap_or_default();
        Self { events: marks, wanted, command: mark("command", &command, "") }
    }

    /// Leaves its marks.
    pub(super) fn add_to(&self, set: &mut MarkSet) {
        set.insert(self.command);
        set.extend(&self.events);
    }

    /// Whether it may depend on those who left these marks.
    pub(super) fn may_depend_on(&self, set: &MarkSet) -> bool {
        !set.is_empty() && (set.contains(&self.command) || self.wanted.iter().any(|(mark, _)| set.contains(mark)))
    }
}

fn wanted_by(criterion: &Criterion) -> Vec<Mark> {
    match (criterion.tags.first(), criterion.kinds.as_slice()) {
        (None, []) => vec![mark("any", "", "")],
        (None, kinds) => kinds.iter().map(|kind| mark("kind", "", kind)).collect(),
        (Some(tag), []) => vec![mark("tag", tag, "")],
        (Some(tag), kinds) => kinds.iter().map(|kind| mark("both", tag, kind)).collect(),
    }
}

fn mark(what: &'static str, tag: &str, kind: &str) -> Mark {
    let mut hasher = DefaultHasher::new();
    (what, tag, kind).hash(&mut hasher);
    hasher.finish()
}

/// Where each mark was last left, for the latest events of the log: enough to tell that the conditions of decisions made
/// on what was there a moment ago hold, without asking the database.
#[derive(Default)]
pub(super) struct Recent {
    /// Two generations: the older one is forgotten when the newer one is full.
    newer: HashMap<Mark, i64, BuildHasherDefault<AsIs>>,
    older: HashMap<Mark, i64, BuildHasherDefault<AsIs>>,
    /// Nothing is known of events up to here.
    floor: i64,
    /// The newer generation knows events after this one.
    newer_floor: i64,
    head: i64,
}

impl Recent {
    /// Marks in a generation; a few megabytes.
    const GENERATION: usize = 1 << 17;

    /// The last event that is known.
    pub(super) fn head(&self) -> i64 {
        self.head
    }

    /// Takes in what an append has put behind `head`, up to `last`. What others put between is not known: from there on
    /// everything is learnt anew.
    pub(super) fn learn<'a>(&mut self, head: i64, last: i64, appends: impl Iterator<Item = (&'a Marked, i64)>) {
        if head != self.head {
            *self = Self { floor: head, newer_floor: head, head, ..Self::default() };
        }
        for (marked, position) in appends {
            self.newer.extend(marked.events.iter().map(|mark| (*mark, position)));
        }
        self.head = last;
        if self.newer.len() > Self::GENERATION {
            self.older = std::mem::take(&mut self.newer);
            (self.floor, self.newer_floor) = (self.newer_floor, last);
        }
    }

    /// Whether all conditions of an append are known to hold up to [`Recent::head`].
    pub(super) fn vouches_for(&self, marked: &Marked) -> bool {
        let last = |mark| self.newer.get(mark).or_else(|| self.older.get(mark)).copied().unwrap_or(0);
        marked.wanted.iter().all(|(mark, after)| *after >= self.floor && last(mark) <= *after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanting(marks: &[(Mark, i64)]) -> Marked {
        Marked { events: Vec::new(), wanted: marks.to_vec(), command: 0 }
    }

    fn leaving(marks: impl IntoIterator<Item = Mark>) -> Marked {
        Marked { events: marks.into_iter().collect(), wanted: Vec::new(), command: 0 }
    }

    #[test]
    fn it_vouches_only_for_what_it_has_seen_all_of() {
        let mut recent = Recent::default();
        recent.learn(100, 101, [(&leaving([1]), 101)].into_iter());
        assert!(recent.vouches_for(&wanting(&[(1, 101), (2, 100)])));
        assert!(!recent.vouches_for(&wanting(&[(1, 100)])), "found at 101");
        assert!(!recent.vouches_for(&wanting(&[(2, 99)])), "100 is not known");
        assert_eq!(recent.head(), 101);
    }

    #[test]
    fn what_others_append_makes_it_forget() {
        let mut recent = Recent::default();
        recent.learn(0, 10, [(&leaving([1]), 10)].into_iter());
        recent.learn(11, 12, [(&leaving([2]), 12)].into_iter());
        assert!(!recent.vouches_for(&wanting(&[(3, 10)])), "11 is somebody else's");
        assert!(recent.vouches_for(&wanting(&[(3, 11)])));
    }

    #[test]
    fn it_forgets_the_oldest_and_knows_it() {
        let mut recent = Recent::default();
        let full = Recent::GENERATION as u64 + 1;
        recent.learn(0, 1, [(&leaving(0..full), 1)].into_iter());
        assert!(recent.vouches_for(&wanting(&[(7, 1)])) && !recent.vouches_for(&wanting(&[(7, 0)])));
        recent.learn(1, 2, [(&leaving(full..2 * full), 2)].into_iter());
        assert!(recent.vouches_for(&wanting(&[(7, 1)])), "still known from the floor on");
        assert!(!recent.vouches_for(&wanting(&[(7, 0)])), "below the floor");
    }
}
