//! What a batch has added, to answer those that waited for it without asking the database.

use std::collections::HashMap;
use std::sync::Arc;

use super::Waiting;
use crate::query::Criterion;
use crate::{AppendError, Recorded};

/// The events of a batch by tag and by type, in the order of positions.
pub(super) struct Committed<'a> {
    all: &'a [Arc<Recorded>],
    by_tag: HashMap<&'a str, Vec<&'a Recorded>>,
    by_kind: HashMap<&'a str, Vec<&'a Recorded>>,
}

impl<'a> Committed<'a> {
    pub(super) fn new(all: &'a [Arc<Recorded>]) -> Self {
        let (mut by_tag, mut by_kind): (HashMap<_, Vec<_>>, HashMap<_, Vec<_>>) = Default::default();
        for event in all {
            for tag in &event.tags {
                by_tag.entry(tag.as_str()).or_default().push(event.as_ref());
            }
            by_kind.entry(event.kind.as_str()).or_default().push(event.as_ref());
        }
        Self { all, by_tag, by_kind }
    }

    /// What the database would answer, if an event in here breaks a condition of the append.
    pub(super) fn conflict(&self, waiting: &Waiting) -> Option<AppendError> {
        waiting.conditions.iter().enumerate().find_map(|(condition, wanted)| {
            let position = wanted.query.criteria.iter().find_map(|c| self.first(c, wanted.after))?;
            Some(AppendError::Conflict { condition, position })
        })
    }

    fn first(&self, criterion: &Criterion, after: i64) -> Option<i64> {
        let fits = |event: &Recorded| event.position > after && criterion.matches(&event.kind, &event.tags);
        let among = |events: &Vec<&Recorded>| events.iter().find(|event| fits(event)).map(|event| event.position);
        match (criterion.tags.first(), criterion.kinds.as_slice()) {
            (Some(tag), _) => among(self.by_tag.get(tag.as_str())?),
            (None, []) => self.all.iter().find(|event| fits(event)).map(|event| event.position),
            (None, kinds) => kinds.iter().filter_map(|kind| among(self.by_kind.get(kind.as_str())?)).min(),
        }
    }
}
