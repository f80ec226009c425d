//! Which waiting appends can be committed together.

use std::collections::{HashMap, HashSet, VecDeque};

use uuid::Uuid;

use super::Waiting;
use crate::query::Criterion;
use crate::{Append, AppendError};

/// Appends that do not depend on each other.
pub(crate) struct Batch {
    pub(crate) waiting: Vec<Waiting>,
}

impl Batch {
    pub(crate) fn single(waiting: Waiting) -> Self {
        Self { waiting: vec![waiting] }
    }

    /// Takes from the front what can go together; what depends on a companion stays, in its order.
    pub(crate) fn take(pending: &mut VecDeque<Waiting>, most_appends: usize, most_events: usize) -> Self {
        let mut index = Index::default();
        let (mut taken, mut left, mut events) = (Vec::new(), VecDeque::new(), 0);
        while let Some(waiting) = pending.pop_front() {
            let size = waiting.append.events.len();
            if taken.len() >= most_appends || (!taken.is_empty() && events + size > most_events) {
                pending.push_front(waiting);
                break;
            }
            let depends = index.repeats(&waiting.append) || index.conflict(&waiting.append).is_some();
            // One that stays keeps its place before later ones that would match it, so it is indexed too.
            index.add(&waiting.append, i64::MAX);
            if depends {
                left.push_back(waiting);
            } else {
                events += size;
                taken.push(waiting);
            }
        }
        left.append(pending);
        *pending = left;
        Self { waiting: taken }
    }
}

/// Events by tag and by type, with their positions.
#[derive(Default)]
pub(crate) struct Index {
    commands: HashSet<Uuid>,
    events: Vec<(String, Vec<String>, i64)>,
    by_tag: HashMap<String, Vec<usize>>,
    by_kind: HashMap<String, Vec<usize>>,
}

impl Index {
    /// Adds the events of an append that begin at `first`; `i64::MAX` if that is not known yet.
    pub(crate) fn add(&mut self, append: &Append, first: i64) {
        self.commands.insert(append.metadata.command_id);
        for (offset, event) in (0..).zip(&append.events) {
            let at = self.events.len();
            for tag in &event.tags {
                self.by_tag.entry(tag.clone()).or_default().push(at);
            }
            self.by_kind.entry(event.kind.clone()).or_default().push(at);
            self.events.push((event.kind.clone(), event.tags.clone(), first.saturating_add(offset)));
        }
    }

    fn repeats(&self, append: &Append) -> bool {
        self.commands.contains(&append.metadata.command_id)
    }

    /// What the database would answer, if an event in here breaks a condition of the append.
    pub(crate) fn conflict(&self, append: &Append) -> Option<AppendError> {
        if self.events.is_empty() || self.repeats(append) {
            return None;
        }
        append.conditions.iter().enumerate().find_map(|(condition, wanted)| {
            let position = wanted.query.criteria.iter().find_map(|c| self.position(c, wanted.after))?;
            Some(AppendError::Conflict { condition, position })
        })
    }

    fn position(&self, criterion: &Criterion, after: i64) -> Option<i64> {
        let fits = |at: &usize| {
            let (kind, tags, position) = self.events.get(*at)?;
            (*position > after && criterion.matches(kind, tags)).then_some(*position)
        };
        match (criterion.tags.first(), criterion.kinds.as_slice()) {
            (Some(tag), _) => self.by_tag.get(tag)?.iter().find_map(fits),
            (None, []) => (0..self.events.len()).find_map(|at| fits(&at)),
            (None, kinds) => kinds.iter().find_map(|kind| self.by_kind.get(kind)?.iter().find_map(fits)),
        }
    }
}
