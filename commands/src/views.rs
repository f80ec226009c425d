//! Folded views, kept so that a decision reads only what is new.
//!
//! A view is kept with the position up to which it has seen everything that it is made of; the same position is the
//! guard's: what is not seen cannot have been added before it. What is new comes out of memory when the log's tail still
//! has it, and otherwise from the database.

use std::sync::{Arc, Mutex, MutexGuard};

use quick_cache::sync::Cache;
use tokio::sync::Mutex as Turn;
use vigie_domain::kernel::{AnyView, Fact, Need, Query, Stamp, ViewId, World};
use vigie_domain::{DecodeError, Event};
use vigie_eventlog::{Log, LogError, Read, Recorded};

/// How many views are kept. Those of days and flights are small, tens of facts each.
const KEPT: usize = 20_000;

pub(crate) struct Views {
    kept: Cache<ViewId, Arc<Kept>>,
}

/// A view that is kept, and how to bring it up to date.
pub(crate) struct Kept {
    id: ViewId,
    query: Query,
    stored: vigie_eventlog::Query,
    folded: Mutex<Folded>,
    /// Whoever loads it from the database; others wait and find it loaded.
    loading: Turn<()>,
}

struct Folded {
    view: Arc<dyn AnyView>,
    /// Of the last fact in it.
    position: i64,
    /// Everything that matches up to here is in it.
    seen: i64,
}

/// Why a view cannot be folded.
#[derive(Debug)]
pub(crate) enum Unfolded {
    Log(LogError),
    Unreadable { position: i64, source: DecodeError },
}

impl From<LogError> for Unfolded {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

impl Views {
    pub(crate) fn new() -> Self {
        Self { kept: Cache::new(KEPT) }
    }

    /// The view that is wanted, as far as it is folded.
    pub(crate) fn get(&self, need: Need) -> Arc<Kept> {
        if let Some(kept) = self.kept.get(&need.id) {
            return kept;
        }
        let kept = Arc::new(Kept::new(need));
        self.kept.insert(kept.id.clone(), Arc::clone(&kept));
        kept
    }
}

impl Kept {
    fn new(need: Need) -> Self {
        let folded = Mutex::new(Folded { view: need.empty.into(), position: 0, seen: 0 });
        Self { id: need.id, stored: stored_query(&need.query), query: need.query, folded, loading: Turn::new(()) }
    }

    /// The view as if nothing of it had ever happened. Not kept for others.
    pub(crate) fn of_nothing(need: Need) -> Self {
        let kept = Self::new(need);
        kept.folded().seen = i64::MAX;
        kept
    }

    /// Folds what this process knows of, and everything up to `at_least`, which must be committed.
    pub(crate) async fn refresh(&self, log: &Log, at_least: i64) -> Result<(), Unfolded> {
        if self.refreshed(log, at_least)? {
            return Ok(());
        }
        let _turn = self.loading.lock().await;
        if self.refreshed(log, at_least)? {
            return Ok(());
        }
        // Whoever reads after this sees all of these.
        let committed = at_least.max(*log.seen().borrow());
        let after = self.folded().seen;
        let page = log.read(&self.stored, Read::after(after)).await?;
        let last = page.last().filter(|_| page.len() >= Read::PAGE as usize).map(|last| last.position);
        self.folded().take_in(page.iter())?;
        if let Some(last) = last {
            let mut history = log.history(self.stored.clone(), last, i64::MAX);
            while let Some(events) = history.next().await? {
                self.folded().take_in(events.iter())?;
            }
        }
        let mut folded = self.folded();
        folded.seen = folded.seen.max(committed);
        Ok(())
    }

    /// Folds what is new out of memory; false if that is not enough.
    fn refreshed(&self, log: &Log, at_least: i64) -> Result<bool, Unfolded> {
        let mut folded = self.folded();
        let Some(step) = log.recent(&self.stored, folded.seen) else { return Ok(false) };
        folded.take_in(step.events.iter().map(AsRef::as_ref))?;
        folded.seen = folded.seen.max(step.position);
        Ok(folded.seen >= at_least)
    }

    /// Shows the view to the world as it is now: the position of its last fact, and up to where it has seen everything.
    pub(crate) fn show(&self, world: &mut World) -> (i64, i64) {
        let folded = self.folded();
        world.insert(self.id.clone(), self.query.clone(), Arc::clone(&folded.view), folded.seen);
        (folded.position, folded.seen)
    }

    fn folded(&self) -> MutexGuard<'_, Folded> {
        self.folded.lock().expect("folds cannot fail, so none has left a view half done")
    }
}

impl Folded {
    /// Takes in events that follow each other without a match left out, but for those that are in already.
    ///
    /// A world that still looks at the view keeps it as it was: then, and only then, it is copied.
    fn take_in<'a>(&mut self, events: impl Iterator<Item = &'a Recorded>) -> Result<(), Unfolded> {
        for recorded in events {
            let position = recorded.position;
            if position <= self.seen {
                continue;
            }
            let fact = fact(recorded).map_err(|source| Unfolded::Unreadable { position, source })?;
            match Arc::get_mut(&mut self.view) {
                Some(view) => view.evolve(&fact),
                None => {
                    metrics::counter!("vigie_view_copies_total").increment(1);
                    let mut view = self.view.boxed();
                    view.evolve(&fact);
                    self.view = view.into();
                }
            }
            (self.position, self.seen) = (position, position);
        }
        Ok(())
    }
}

/// The query in the log's words.
pub(crate) fn stored_query(query: &Query) -> vigie_eventlog::Query {
    let criterion = |c: &vigie_domain::kernel::Criterion| vigie_eventlog::Criterion {
        kinds: c.types.iter().map(ToString::to_string).collect(),
        tags: c.tags.iter().map(ToString::to_string).collect(),
    };
    vigie_eventlog::Query { criteria: query.criteria.iter().map(criterion).collect() }
}

/// The recorded event as a fact of the domain.
pub(crate) fn fact(recorded: &Recorded) -> Result<Fact, DecodeError> {
    let event = Event::decode(&recorded.kind, recorded.version, recorded.data.get())?;
    let stamp = Stamp {
        position: recorded.position,
        id: recorded.id,
        occurred_at: recorded.occurred_at,
        recorded_at: recorded.recorded_at,
        actor: recorded.metadata.actor.clone(),
    };
    Ok(Fact { event, stamp })
}

#[cfg(test)]
mod tests;
