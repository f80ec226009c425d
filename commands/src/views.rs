//! Folded views, kept so that a decision reads only what is new.
//!
//! A view is kept with the position of the last fact in it. Nothing that matches is missed by asking for what comes
//! after that position, and the same position is the guard's: what is not seen cannot have been added before it.

use std::sync::Arc;

use quick_cache::sync::Cache;
use vigie_domain::kernel::{AnyView, Fact, Need, Query, Stamp, ViewId, World};
use vigie_domain::{DecodeError, Event};
use vigie_eventlog::{Log, LogError, Read, Recorded};

/// How many views are kept. Those of days and flights are small, tens of facts each.
const KEPT: usize = 20_000;

pub(crate) struct Views {
    kept: Cache<ViewId, Kept>,
}

#[derive(Clone)]
struct Kept {
    view: Arc<dyn AnyView>,
    position: i64,
}

/// Why a view cannot be folded.
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

    /// Folds the view up to now and puts it into the world; its position.
    pub(crate) async fn load(&self, log: &Log, world: &mut World, need: Need) -> Result<i64, Unfolded> {
        let Need { id, query, empty } = need;
        let kept = self.kept.get(&id);
        let (mut view, mut position) = match &kept {
            Some(kept) => (kept.view.boxed(), kept.position),
            None => (empty, 0),
        };
        let wanted = stored_query(&query);
        let before = position;
        loop {
            let page = log.read(&wanted, Read::after(position)).await?;
            let full = page.len() >= Read::PAGE as usize;
            for recorded in page {
                position = recorded.position;
                view.evolve(&fact(recorded).map_err(|source| Unfolded::Unreadable { position, source })?);
            }
            if !full {
                break;
            }
        }
        if kept.is_none() || position > before {
            self.kept.insert(id.clone(), Kept { view: Arc::from(view.boxed()), position });
        }
        world.insert(id, query, view, position);
        Ok(position)
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
pub(crate) fn fact(recorded: Recorded) -> Result<Fact, DecodeError> {
    let event = Event::decode(&recorded.kind, recorded.version, recorded.data.get())?;
    let stamp = Stamp {
        position: recorded.position,
        id: recorded.id,
        occurred_at: recorded.occurred_at,
        recorded_at: recorded.recorded_at,
        actor: recorded.metadata.actor,
    };
    Ok(Fact { event, stamp })
}
