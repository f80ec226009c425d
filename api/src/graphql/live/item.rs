//! An item of a list: resolved once for everybody who is told the same of it and selects the same.

use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{
    Context, ContextSelectionSet, Data, Name, ObjectType, OutputType, Positioned, ServerResult, Value, Variables,
};
use quick_cache::sync::Cache;

use super::windows::Place;
use crate::graphql::context::Document;
use crate::graphql::snapshot::Snapshot;
use crate::graphql::time::Tree;

/// Items that are kept for others who are told the same.
const KEPT: usize = 64;
/// The argument that says where a subscription begins: those who are told the same need not have begun together.
const AFTER: &str = "after";

/// What tells an item from others.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// The list, and what is selected of it.
    pub(super) asked: Arc<str>,
    /// Where the list is that the client has; none for a snapshot.
    pub(super) before: Option<i64>,
    /// The position of the item.
    pub(super) position: i64,
}

/// The list called `name`, and what is selected of it.
pub(super) fn asked(ctx: &Context<'_>, name: &str) -> Arc<str> {
    let start = ctx.item.node.get_argument(AFTER);
    let start = start.and_then(|value| value.node.clone().into_const_with(Err::<Value, Name>).err());
    let variables: &Variables = &ctx.query_env.variables;
    let variables: Vec<_> = variables.iter().filter(|(name, _)| Some(*name) != start.as_ref()).collect();
    let Document(text) = ctx.data_unchecked::<Document>();
    format!("{name}\n{variables:?}\n{:?}\n{text}", ctx.query_env.operation_name).into()
}

/// The items that were resolved last.
#[derive(Clone)]
pub(super) struct Items(Arc<Cache<Key, Arc<Value>>>);

impl Default for Items {
    fn default() -> Self {
        Self(Arc::new(Cache::new(KEPT)))
    }
}

/// What an item is resolved from.
pub(super) struct Source {
    pub(super) items: Items,
    pub(super) key: Key,
    /// The state of the list, for what hangs on its rows; and what keeps it open, for who has opened it.
    pub(super) place: Arc<Place>,
    pub(super) _open: Option<Arc<Data>>,
    pub(super) base: Snapshot,
}

/// The fields of `Q`; without a source, those that need no state.
pub(crate) struct Item<Q> {
    source: Option<Source>,
    fields: Q,
}

impl<Q: ObjectType> Item<Q> {
    pub(super) fn shared(source: Source, fields: Q) -> Self {
        Self { source: Some(source), fields }
    }

    pub(super) fn bare(fields: Q) -> Self {
        Self { source: None, fields }
    }
}

impl<Q: ObjectType> OutputType for Item<Q> {
    fn type_name() -> Cow<'static, str> {
        Q::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Q::create_type_info(registry)
    }

    /// Nobody waits for others who resolve the same: their clients may be slow.
    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let Some(Source { items: Items(items), key, place, base, .. }) = &self.source else {
            return self.fields.resolve(ctx, field).await;
        };
        if let Some(value) = items.get(key) {
            return Ok(Value::clone(&value));
        }
        let data = place.data(base, key.position).await.map_err(|error| error.into_server_error(field.pos))?;
        let value = Tree::of(data, &self.fields).resolve(ctx, field).await?;
        // What is wrong with a part of it is told to each client.
        if ctx.query_env.errors.lock().is_ok_and(|errors| errors.is_empty()) {
            items.insert(key.clone(), Arc::new(value.clone()));
        }
        Ok(value)
    }
}
