//! Which waiting appends can be committed together.

use std::collections::{HashMap, VecDeque};

use tokio::task::Id;

use super::Waiting;
use super::marks::{MarkSet, Recent};

/// Appends that do not depend on each other, nor on what is under way.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) appends: Vec<Waiting>,
    /// Those whose conditions are known to hold up to `checked_until`.
    pub(super) checked: Vec<bool>,
    /// The head behind which this batch will be put if nobody else appends.
    pub(super) checked_until: i64,
}

/// A batch that a lane carries.
pub(super) struct UnderWay {
    pub(super) marks: MarkSet,
    pub(super) events: usize,
    pub(super) appends: usize,
}

/// The most appends and events in one commit.
pub(super) struct Limits {
    pub(super) appends: usize,
    pub(super) events: usize,
}

/// Takes from the front what can go together. What may depend on a companion, or on what is under way, is put to those
/// `held`, in its order.
pub(super) fn take(
    pending: &mut VecDeque<Waiting>,
    held: &mut VecDeque<Waiting>,
    under_way: &HashMap<Id, UnderWay>,
    recent: &Recent,
    limits: &Limits,
) -> (Batch, UnderWay) {
    let ahead: usize = under_way.values().map(|batch| batch.events).sum();
    let checked_until = recent.head() + i64::try_from(ahead).unwrap_or_default();
    let mut batch = Batch { checked_until, ..Batch::default() };
    let mut taken = UnderWay { marks: MarkSet::default(), events: 0, appends: 0 };
    let mut held_marks = MarkSet::default();
    held.iter().for_each(|waiting| waiting.marked.add_to(&mut held_marks));
    while let Some(waiting) = pending.pop_front() {
        let size = waiting.events.len();
        if batch.appends.len() >= limits.appends || (taken.events > 0 && taken.events + size > limits.events) {
            pending.push_front(waiting);
            break;
        }
        let before = || under_way.values().map(|batch| &batch.marks).chain([&taken.marks, &held_marks]);
        if before().any(|marks| waiting.marked.may_depend_on(marks)) {
            // It keeps its place before later ones that would match it.
            waiting.marked.add_to(&mut held_marks);
            held.push_back(waiting);
        } else {
            taken.events += size;
            taken.appends += 1;
            waiting.marked.add_to(&mut taken.marks);
            batch.checked.push(recent.vouches_for(&waiting.marked));
            batch.appends.push(waiting);
        }
    }
    (batch, taken)
}
