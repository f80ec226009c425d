//! Lists at positions, read once for everybody who watches the same.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use async_graphql::{Data, Error};
use quick_cache::sync::Cache;
use vigie_projections::Projections;

use super::item::Items;
use super::{LiveRow, Query};
use crate::graphql::error::fault;
use crate::graphql::list::rows;
use crate::graphql::snapshot::Snapshot;
use crate::graphql::states::PATIENCE;
use crate::graphql::{loaders, models};

/// Lists that are kept for others who want the same; at most a page each.
const KEPT: usize = 64;

/// A list at a position.
pub(super) struct Window<R> {
    pub(super) rows: Vec<R>,
    /// The ids of the rows. Who has been told of the list keeps these.
    pub(super) ids: Arc<[String]>,
    /// Where what hangs on the rows is read from.
    pub(super) place: Arc<Place>,
}

/// A state of the read side at a position, while somebody reads from it: what resolvers find in their context.
#[derive(Default)]
pub(super) struct Place(Mutex<Weak<Data>>);

impl Place {
    fn of(state: Snapshot) -> (Self, Arc<Data>) {
        let mut data = Data::default();
        loaders(&mut data, &state);
        data.insert(state);
        let data = Arc::new(data);
        (Self(Mutex::new(Arc::downgrade(&data))), data)
    }

    /// The state that others read from now, or a new one.
    pub(super) async fn data(&self, base: &Snapshot, position: i64) -> Result<Arc<Data>, Error> {
        let shared = self.0.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        if let Some(shared) = shared {
            return Ok(shared);
        }
        let (Self(place), data) = Self::of(base.fresh().at(position).await?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            place.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(data)
    }
}

/// A window, whatever its rows.
type Kept = Arc<dyn Any + Send + Sync>;

/// The lists that were read last, by query and position. Cheap to clone.
#[derive(Clone)]
pub(in crate::graphql) struct Windows {
    read: Arc<Cache<(Arc<str>, i64), Kept>>,
    /// Where each query was read last.
    last: Arc<Cache<Arc<str>, i64>>,
    reached: Arc<Cache<i64, ()>>,
    items: Items,
}

impl Default for Windows {
    fn default() -> Self {
        Self {
            read: Arc::new(Cache::new(KEPT)),
            last: Arc::new(Cache::new(KEPT)),
            reached: Arc::new(Cache::new(KEPT)),
            items: Items::default(),
        }
    }
}

impl Windows {
    /// What was told of the lists last.
    pub(super) fn items(&self) -> &Items {
        &self.items
    }

    /// The position from `least` to `most` where others have read this last; without one, `most`. Between the two nothing
    /// is about the list.
    pub(super) fn between(&self, query: &Query, least: i64, most: i64) -> i64 {
        self.last.get(&query.name).filter(|last| (least..=most).contains(last)).unwrap_or(most)
    }

    /// Waits until the read models have come to `position`, as one for all who wait for the same.
    async fn reached(&self, projections: &Projections, position: i64) -> Result<(), Error> {
        let wait = async {
            let waited = projections.wait_for(models::LIVE, position, PATIENCE).await;
            waited.map_err(|behind| fault("BEHIND", behind.to_string()))
        };
        self.reached.get_or_insert_async(&position, wait).await
    }

    /// The list at a position, once the read models have come there; with the state that it was read from, if it was read
    /// now.
    pub(super) async fn window<R: LiveRow>(
        &self,
        query: &Query,
        position: i64,
        base: &Snapshot,
        projections: &Projections,
    ) -> Result<(Arc<Window<R>>, Option<Arc<Data>>), Error> {
        let same = "a query's name begins with its table, and a table has rows of one type";
        if let Some(found) = self.read.get(&(Arc::clone(&query.name), position)) {
            return Ok((found.downcast().expect(same), None));
        }
        // A task of its own: others wait for it, and must not wait for this one's client.
        let reading = self.clone().read::<R>(query.clone(), position, base.clone(), projections.clone());
        let read = tokio::spawn(reading).await.map_err(|_| fault("INTERNAL", "a list could not be read"));
        let (found, own) = read??;
        Ok((found.downcast().expect(same), own))
    }

    async fn read<R: LiveRow>(
        self,
        query: Query,
        position: i64,
        base: Snapshot,
        projections: Projections,
    ) -> Result<(Kept, Option<Arc<Data>>), Error> {
        let mut own = None;
        let read = async {
            self.reached(&projections, position).await?;
            let state = base.fresh().at(position).await?;
            let rows: Vec<R> = rows(&state, &query.page, &query.filter).await?;
            let ids = rows.iter().map(R::id).collect();
            let (place, data) = Place::of(state);
            own = Some(data);
            Ok::<_, Error>(Arc::new(Window { rows, ids, place: Arc::new(place) }) as Kept)
        };
        let found = self.read.get_or_insert_async(&(Arc::clone(&query.name), position), read).await?;
        if own.is_some() {
            self.last.insert(query.name, position);
        }
        Ok((found, own))
    }
}
