//! The latest events, in memory: for followers that keep up, and for decisions whose views are nearly up to date.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::follow::Portion;
use crate::query::Criterion;
use crate::{Query, Recorded, Step};

/// How many are kept, without a gap between them.
const KEPT: usize = 4_096;

/// Events in the order of positions, each with a mark: one bit for each of its tags, by hash.
///
/// Looking for a tag among them is comparing marks, and only what has the bit is looked at.
#[derive(Default)]
pub(crate) struct Recent {
    events: VecDeque<Arc<Recorded>>,
    marks: VecDeque<u64>,
}

impl Recent {
    /// Adds what follows the last, and lets the oldest go.
    pub(crate) fn extend(&mut self, events: impl Iterator<Item = Arc<Recorded>>) {
        for event in events {
            self.marks.push_back(mark(&event.tags));
            self.events.push_back(event);
        }
        let surplus = self.events.len().saturating_sub(KEPT);
        self.events.drain(..surplus);
        self.marks.drain(..surplus);
    }

    /// The last position.
    pub(crate) fn last(&self) -> Option<i64> {
        self.events.back().map(|event| event.position)
    }

    /// Whether the event after `after` is kept, or would be the next.
    pub(crate) fn reaches(&self, after: i64) -> bool {
        self.index(after).is_some()
    }

    /// The matching events after `after`, as many as the portion takes, and how far that looks; `None` if any event after
    /// it is not kept any more.
    pub(crate) fn matching(&self, query: &Query, after: i64, portion: Portion) -> Option<Step> {
        let wanted: Vec<(u64, &Criterion)> = query.criteria.iter().map(|c| (mark(&c.tags), c)).collect();
        let skip = self.index(after)?;
        let mut step = Step { events: Vec::new(), position: self.last().map_or(after, |last| last.max(after)) };
        let mut taken = portion.taken();
        for (mark, event) in self.marks.iter().zip(&self.events).skip(skip) {
            if wanted.iter().any(|(bits, c)| *mark & bits == *bits && c.matches(&event.kind, &event.tags)) {
                step.events.push(Arc::clone(event));
                if taken.fills(event) {
                    step.position = event.position;
                    break;
                }
            }
        }
        Some(step)
    }

    /// Where the event after `after` is, or would be.
    fn index(&self, after: i64) -> Option<usize> {
        usize::try_from(after + 1 - self.events.front()?.position).ok()
    }
}

fn mark(tags: &[String]) -> u64 {
    tags.iter().fold(0, |mark, tag| {
        let mut hasher = DefaultHasher::new();
        tag.hash(&mut hasher);
        mark | 1 << (hasher.finish() % 64)
    })
}
