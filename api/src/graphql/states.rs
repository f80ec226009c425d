//! States of the read side that items of subscriptions share.
//!
//! What changes is often told to many at the same time. Each item needs a state in which its change is; those that are
//! made at about the same time read from one, in one transaction, and their loaders ask for the rows of all of them with
//! one statement.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use async_graphql::{Data, Error};
use tokio::time::Instant;
use vigie_projections::Projections;

use super::context::Now;
use super::error::fault;
use super::loaders;
use super::snapshot::Snapshot;
use crate::clock;
use crate::rights::Scope;

/// How long a read model may lag behind the log before a subscription ends with an error.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// How long a state is given to others, so that no transaction stays open for a chain of them.
const SHARED: Duration = Duration::from_millis(50);

/// What resolvers find in their context when they read a state of its own: the state, its loaders, and what "now" means.
fn of(snapshot: Snapshot) -> Data {
    let mut data = Data::default();
    loaders(&mut data, &snapshot);
    data.insert(Now(clock::now()));
    data.insert(snapshot);
    data
}

/// The state that was taken last.
struct Last {
    data: Weak<Data>,
    /// How far each read model was before.
    reached: Vec<(&'static str, i64)>,
    since: Instant,
}

impl Last {
    /// The state, if somebody still reads from it and these read models have everything up to `position` in it.
    fn with(&self, models: &[&str], position: i64) -> Option<Arc<Data>> {
        let reached = |model: &&str| self.reached.iter().any(|(name, reached)| name == model && *reached >= position);
        let fits = self.since.elapsed() < SHARED && models.iter().all(reached);
        fits.then(|| self.data.upgrade()).flatten()
    }
}

/// The states that items share, one for those who see as much. Clones share them too.
#[derive(Clone, Default)]
pub(super) struct States(Arc<Mutex<HashMap<Arc<Scope>, Last>>>);

impl States {
    /// What resolvers find when they read a state in which these read models have everything up to `position`, once they
    /// have: the last one, or a new one like `base`.
    pub(super) async fn reaching(
        &self,
        base: &Snapshot,
        projections: &Projections,
        models: &[&str],
        position: i64,
    ) -> Result<Arc<Data>, Error> {
        let waited = projections.wait_for(models, position, PATIENCE).await;
        waited.map_err(|behind| fault("BEHIND", behind.to_string()))?;
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let scope = base.view().scope();
        if let Some(data) = last.get(scope).and_then(|last| last.with(models, position)) {
            return Ok(data);
        }
        let snapshot = base.fresh();
        let reached = snapshot.reached();
        let data = Arc::new(of(snapshot));
        last.retain(|_, last| last.data.strong_count() > 0);
        last.insert(Arc::clone(scope), Last { data: Arc::downgrade(&data), reached, since: Instant::now() });
        Ok(data)
    }
}
