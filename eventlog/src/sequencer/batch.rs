//! Which waiting appends can be committed together.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::Waiting;
use crate::query::Criterion;

/// Takes from the front what can go together; what may depend on a companion stays, in its order.
pub(super) fn take(pending: &mut VecDeque<Waiting>, most_appends: usize, most_events: usize) -> Vec<Waiting> {
    let mut marks = Marks::default();
    let (mut taken, mut left, mut events) = (Vec::new(), VecDeque::new(), 0);
    while let Some(waiting) = pending.pop_front() {
        let size = waiting.events.len();
        if taken.len() >= most_appends || (!taken.is_empty() && events + size > most_events) {
            pending.push_front(waiting);
            break;
        }
        let depends = marks.may_touch(&waiting);
        // One that stays keeps its place before later ones that would match it, so it leaves its marks too.
        marks.add(&waiting);
        if depends {
            left.push_back(waiting);
        } else {
            events += size;
            taken.push(waiting);
        }
    }
    left.append(pending);
    *pending = left;
    taken
}

/// What the events of a batch can be found by, as hashes: a false match only makes an append wait for the next batch.
#[derive(Default)]
struct Marks(HashSet<u64>);

impl Marks {
    fn add(&mut self, waiting: &Waiting) {
        self.0.insert(mark(&("command", waiting.metadata.command_id)));
        for event in &waiting.events {
            self.0.insert(mark(&"any"));
            self.0.insert(mark(&("kind", &event.kind)));
            for tag in &event.tags {
                self.0.insert(mark(&("tag", tag)));
                self.0.insert(mark(&("both", tag, &event.kind)));
            }
        }
    }

    fn may_touch(&self, waiting: &Waiting) -> bool {
        let mut criteria = waiting.conditions.iter().flat_map(|condition| &condition.query.criteria);
        !self.0.is_empty()
            && (self.has(&("command", waiting.metadata.command_id))
                || criteria.any(|criterion| self.matched(criterion)))
    }

    fn matched(&self, criterion: &Criterion) -> bool {
        match (criterion.tags.first(), criterion.kinds.as_slice()) {
            (None, []) => self.has(&"any"),
            (None, kinds) => kinds.iter().any(|kind| self.has(&("kind", kind))),
            (Some(tag), []) => self.has(&("tag", tag)),
            (Some(tag), kinds) => kinds.iter().any(|kind| self.has(&("both", tag, kind))),
        }
    }

    fn has(&self, what: &impl Hash) -> bool {
        self.0.contains(&mark(what))
    }
}

fn mark(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
