//! Lists at positions, read once for everybody who watches the same.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::Error;
use quick_cache::sync::Cache;
use vigie_projections::Projections;

use super::LiveRow;
use crate::graphql::error::fault;
use crate::graphql::list::{Filter, rows};
use crate::graphql::models;
use crate::graphql::page::Page;
use crate::graphql::snapshot::Snapshot;

/// How long the read models may lag behind the log before a subscription ends with an error.
const PATIENCE: Duration = Duration::from_secs(30);
/// Lists that are kept for others who want the same; at most a page each.
const KEPT: usize = 64;

/// A list at a position.
pub(super) struct Window<R> {
    pub(super) rows: Vec<R>,
    /// The ids of the rows. Who has been told of the list keeps these.
    pub(super) ids: Arc<[String]>,
}

/// The lists that were read last, by query and position. Cheap to clone.
#[derive(Clone)]
pub(in crate::graphql) struct Windows {
    read: Arc<Cache<(Arc<str>, i64), Arc<dyn Any + Send + Sync>>>,
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

    /// The list at the position that `snapshot` looks at. `name` tells one query from every other.
    pub(super) async fn window<R: LiveRow>(
        &self,
        name: &Arc<str>,
        position: i64,
        snapshot: &Snapshot,
        (page, filter): (&Page, &Filter),
    ) -> Result<Arc<Window<R>>, Error> {
        let read = async {
            let rows: Vec<R> = rows(snapshot, page, filter).await?;
            let ids = rows.iter().map(R::id).collect();
            Ok::<_, Error>(Arc::new(Window { rows, ids }) as Arc<dyn Any + Send + Sync>)
        };
        let found = self.read.get_or_insert_async(&(Arc::clone(name), position), read).await?;
        Ok(found.downcast().expect("a query's name begins with its table, and a table has rows of one type"))
    }
}
