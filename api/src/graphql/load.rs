//! Loaders: rows by their key, for many parents at once.

use std::any::TypeId;
use std::collections::HashMap;
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::{Data, Error};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Postgres};

use super::loader::{Load, Loader};
use super::snapshot::{Snapshot, unreadable};

/// A row that is found by one of its columns.
pub(super) trait Keyed: for<'r> FromRow<'r, PgRow> + Send + Sync + Unpin + 'static {
    /// The column's type.
    type Key: Clone + Eq + Hash + Send + Sync + 'static;
    /// The table.
    const TABLE: &'static str;
    /// The column.
    const COLUMN: &'static str;
    /// The column's value.
    fn key(&self) -> Self::Key;
}

/// Loads rows of one read model by key.
pub(super) struct ByKey<R> {
    snapshot: Snapshot,
    row: PhantomData<fn() -> R>,
}

/// A loader of rows by key that reads `snapshot`.
pub(super) fn by_key<R: Keyed>(snapshot: &Snapshot) -> Loader<ByKey<R>>
where
    ByKey<R>: Load,
{
    Loader::new(ByKey { snapshot: snapshot.clone(), row: PhantomData })
}

impl<R: Keyed> Load for ByKey<R>
where
    Vec<R::Key>: for<'q> sqlx::Encode<'q, Postgres> + sqlx::Type<Postgres>,
{
    type Key = R::Key;
    /// Shared by all who asked for it.
    type Value = Arc<R>;

    async fn load(&self, keys: &[R::Key]) -> Result<HashMap<R::Key, Arc<R>>, Error> {
        let view = self.snapshot.view();
        let mut sql = view.sql("select * from ");
        sql.push(view.rows(R::TABLE))
            .push(" where ")
            .push(R::COLUMN)
            .push(" = any(")
            .push_bind(keys.to_vec())
            .push(")");
        let mut reading = self.snapshot.read().await?;
        let rows: Result<Vec<R>, _> = sql.build_query_as().fetch_all(reading.connection()).await;
        Ok(rows.map_err(unreadable)?.into_iter().map(|row| (row.key(), Arc::new(row))).collect())
    }
}

/// The loader of rows by key that resolvers find there.
pub(super) fn loader_of<R: Keyed>(data: &Data) -> &Loader<ByKey<R>>
where
    ByKey<R>: Load,
{
    let found = data.get(&TypeId::of::<Loader<ByKey<R>>>()).and_then(|loader| loader.downcast_ref());
    found.expect("rows that are watched have a loader in every context")
}

/// Rows by the parent that they belong to.
pub(super) fn grouped<K: Eq + Hash, R>(rows: Vec<R>, parent: impl Fn(&R) -> K) -> HashMap<K, Vec<R>> {
    let mut groups: HashMap<K, Vec<R>> = HashMap::new();
    for row in rows {
        groups.entry(parent(&row)).or_default().push(row);
    }
    groups
}
