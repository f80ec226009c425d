//! Who waits for which events: an event wakes those that it matches, and costs nobody else anything.
//!
//! What a waiter keeps is the position of the first event that it has not looked at yet, however many follow: the events
//! themselves are in the tail's memory, or in the database.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::{Query, Recorded};

/// Nothing waits to be looked at.
const NOTHING: i64 = i64::MAX;

/// Everybody who waits, by what they wait for.
#[derive(Default)]
pub(crate) struct Router(Mutex<Shelves>);

#[derive(Default)]
struct Shelves {
    by_tag: HashMap<Box<str>, Vec<Arc<Waiter>>>,
    by_kind: HashMap<Box<str>, Vec<Arc<Waiter>>>,
    of_all: Vec<Arc<Waiter>>,
}

/// Somebody who waits for events that match a query.
pub(crate) struct Waiter {
    query: Query,
    first: AtomicI64,
    woken: Notify,
}

impl Waiter {
    pub(crate) fn query(&self) -> &Query {
        &self.query
    }

    /// The first position that may match and was not looked at, if there is one.
    pub(crate) fn first(&self) -> Option<i64> {
        Some(self.first.load(Ordering::Acquire)).filter(|first| *first != NOTHING)
    }

    /// What comes from `first` on is still to be looked at; `None` if everything was. Only while nothing is added.
    pub(crate) fn looked(&self, first: Option<i64>) {
        self.first.store(first.unwrap_or(NOTHING), Ordering::Release);
    }

    /// Waits until there may be something to look at.
    pub(crate) async fn woken(&self) {
        self.woken.notified().await;
    }

    pub(crate) fn wake(&self) {
        // Kept for one who comes to wait a moment later.
        self.woken.notify_one();
    }

    /// Whether this event is the first one to look at.
    fn notes(&self, event: &Recorded) -> bool {
        let first = self.first.load(Ordering::Acquire) == NOTHING && self.query.matches(&event.kind, &event.tags);
        if first {
            self.looked(Some(event.position));
        }
        first
    }
}

impl Router {
    /// Lets somebody wait who has not looked at what comes from `first` on.
    pub(crate) fn enter(&self, query: Query, first: Option<i64>) -> Arc<Waiter> {
        let waiter = Arc::new(Waiter { query, first: AtomicI64::new(NOTHING), woken: Notify::new() });
        waiter.looked(first);
        self.shelves().each(&waiter.query, |shelf| shelf.push(Arc::clone(&waiter)));
        waiter
    }

    pub(crate) fn leave(&self, waiter: &Arc<Waiter>) {
        let mut shelves = self.shelves();
        shelves.each(&waiter.query, |shelf| shelf.retain(|other| !Arc::ptr_eq(other, waiter)));
        let Shelves { by_tag, by_kind, .. } = &mut *shelves;
        for criterion in &waiter.query.criteria {
            match &criterion.tags[..] {
                [tag, ..] => forget_empty(by_tag, tag),
                [] => criterion.kinds.iter().for_each(|kind| forget_empty(by_kind, kind)),
            }
        }
    }

    /// Notes the events with everybody whom they match; those who had nothing to look at before are to be woken.
    pub(crate) fn note(&self, events: &[Arc<Recorded>]) -> Vec<Arc<Waiter>> {
        let (shelves, mut woken) = (self.shelves(), Vec::new());
        for event in events {
            let by_tag = event.tags.iter().filter_map(|tag| shelves.by_tag.get(tag.as_str()));
            let by_kind = shelves.by_kind.get(event.kind.as_str());
            let waiters = by_tag.chain(by_kind).flatten().chain(&shelves.of_all);
            woken.extend(waiters.filter(|waiter| waiter.notes(event)).cloned());
        }
        woken
    }

    /// Wakes everybody.
    pub(crate) fn wake_all(&self) {
        let shelves = self.shelves();
        let all = shelves.by_tag.values().chain(shelves.by_kind.values()).flatten().chain(&shelves.of_all);
        all.for_each(|waiter| waiter.wake());
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelves {
    /// The shelves on which a waiter is found by whatever matches its query: for each alternative those of one tag, or of
    /// each type, or of all events.
    fn each(&mut self, query: &Query, mut visit: impl FnMut(&mut Vec<Arc<Waiter>>)) {
        for criterion in &query.criteria {
            match (&criterion.tags[..], &criterion.kinds[..]) {
                ([tag, ..], _) => visit(self.by_tag.entry(tag.as_str().into()).or_default()),
                ([], []) => visit(&mut self.of_all),
                ([], kinds) => {
                    kinds.iter().for_each(|kind| visit(self.by_kind.entry(kind.as_str().into()).or_default()));
                }
            }
        }
    }
}

fn forget_empty(shelves: &mut HashMap<Box<str>, Vec<Arc<Waiter>>>, name: &str) {
    if shelves.get(name).is_some_and(Vec::is_empty) {
        shelves.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{Criterion, Metadata};

    const SETS: [&[usize]; 4] = [&[], &[0], &[1], &[0, 1]];

    fn names(of: &str, set: &[usize]) -> Vec<String> {
        set.iter().map(|n| format!("{of}{n}")).collect()
    }

    fn event(position: i64, kind: usize, tags: &[usize]) -> Arc<Recorded> {
        let metadata = Metadata {
            command_id: Uuid::nil(),
            command: "spec.given".into(),
            correlation_id: Uuid::nil(),
            causation_id: None,
            actor: "operator:spec".into(),
            traceparent: None,
        };
        Arc::new(Recorded {
            position,
            id: Uuid::nil(),
            kind: format!("kind{kind}"),
            version: 1,
            site: "LFW".into(),
            tags: names("tag:", tags),
            data: serde_json::value::RawValue::from_string("{}".into()).unwrap(),
            metadata,
            occurred_at: chrono::DateTime::UNIX_EPOCH,
            recorded_at: chrono::DateTime::UNIX_EPOCH,
        })
    }

    /// No alternative, each of those over two types and two tags, and each two of them.
    fn queries() -> Vec<Query> {
        let criteria: Vec<_> = SETS
            .iter()
            .flat_map(|kinds| {
                SETS.iter().map(|tags| Criterion { kinds: names("kind", kinds), tags: names("tag:", tags) })
            })
            .collect();
        let two = criteria.iter().flat_map(|one| criteria.iter().map(|other| vec![one.clone(), other.clone()]));
        let all = [Vec::new()].into_iter().chain(criteria.iter().map(|one| vec![one.clone()])).chain(two);
        all.map(|criteria| Query { criteria }).collect()
    }

    #[test]
    fn whom_an_event_matches_is_woken_by_the_first_and_nobody_else_is() {
        let events = |first| (0..2).flat_map(move |kind| SETS.iter().map(move |tags| event(first, kind, tags)));
        for first in events(1) {
            for second in events(2) {
                let router = Router::default();
                let queries = queries();
                let waiters: Vec<_> = queries.iter().map(|query| router.enter(query.clone(), None)).collect();
                let events = [Arc::clone(&first), second];
                let woken = router.note(&events);
                for (waiter, query) in waiters.iter().zip(&queries) {
                    let first = events.iter().find(|event| query.matches(&event.kind, &event.tags));
                    assert_eq!(waiter.first(), first.map(|event| event.position), "{query:?}");
                    let times = woken.iter().filter(|other| Arc::ptr_eq(other, waiter)).count();
                    assert_eq!(times, usize::from(first.is_some()), "{query:?}");
                }
                assert!(router.note(&events).is_empty(), "who has not looked is not woken again");
                waiters.iter().for_each(|waiter| router.leave(waiter));
                let left = router.shelves();
                assert!(left.by_tag.is_empty() && left.by_kind.is_empty() && left.of_all.is_empty());
            }
        }
    }
}
