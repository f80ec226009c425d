//! Lists at positions, read once for everybody who watches the same.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_graphql::Error;
use quick_cache::sync::Cache;
use vigie_projections::Projections;

use super::{LiveRow, Query};
use crate::graphql::error::fault;
use crate::graphql::list::rows;
use crate::graphql::models;
use crate::graphql::snapshot::{Snapshot, WeakSnapshot};

/// How long the read models may lag behind the log before a subscription ends with an error.
const PATIENCE: Duration = Duration::from_secs(30);
/// Lists that are kept for others who want the same; at most a page each.
const KEPT: usize = 64;

/// A list at a position.
pub(super) struct Window<R> {
    pub(super) rows: Vec<R>,
    /// The ids of the rows. Who has been told of the list keeps these.
    pub(super) ids: Arc<[String]>,
    /// What the rows were read from, for what hangs on them.
    state: Mutex<WeakSnapshot>,
}

impl<R> Window<R> {
    /// The state at `position` that others read from now, or a new one.
    async fn state(&self, base: &Snapshot, position: i64) -> Result<Snapshot, Error> {
        let shared = self.state.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        if let Some(shared) = shared {
            return Ok(shared);
        }
        let state = base.fresh().at(position).await?;
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state.downgrade();
        Ok(state)
    }
}

/// A window, whatever its rows.
type Kept = Arc<dyn Any + Send + Sync>;

/// The lists that were read last, by query and position. Cheap to clone.
#[derive(Clone)]
pub(in crate::graphql) struct Windows {
    read: Arc<Cache<(Arc<str>, i64), Kept>>,
    reached: Arc<Cache<i64, ()>>,
}

impl Default for Windows {
    fn default() -> Self {
        Self { read: Arc::new(Cache::new(KEPT)), reached: Arc::new(Cache::new(KEPT)) }
    }
}

impl Windows {
    /// Waits until the read models have come to `position`, as one for all who wait for the same.
    pub(super) async fn reached(&self, projections: &Projections, position: i64) -> Result<(), Error> {
        let wait = async {
            let waited = projections.wait_for(models::LIVE, position, PATIENCE).await;
            waited.map_err(|behind| fault("BEHIND", behind.to_string()))
        };
        self.reached.get_or_insert_async(&position, wait).await
    }

    /// The list at a position, and the state that it is in.
    pub(super) async fn window<R: LiveRow>(
        &self,
        query: &Query,
        position: i64,
        base: &Snapshot,
    ) -> Result<(Arc<Window<R>>, Snapshot), Error> {
        let mut own = None;
        let read = async {
            let state = base.fresh().at(position).await?;
            let rows: Vec<R> = rows(&state, &query.page, &query.filter).await?;
            let ids = rows.iter().map(R::id).collect();
            let window = Window { rows, ids, state: Mutex::new(state.downgrade()) };
            own = Some(state);
            Ok::<_, Error>(Arc::new(window) as Kept)
        };
        let found = self.read.get_or_insert_async(&(Arc::clone(&query.name), position), read).await?;
        let same = "a query's name begins with its table, and a table has rows of one type";
        let window: Arc<Window<R>> = found.downcast().expect(same);
        let state = match own {
            Some(state) => state,
            None => window.state(base, position).await?,
        };
        Ok((window, state))
    }
}
