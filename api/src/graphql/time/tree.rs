//! The query tree under a field: the same contexts, on another state of the world.

use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::{Fields, resolve_container};
use async_graphql::{
    ContainerType, Context, ContextSelectionSet, Data, ObjectType, OutputType, Positioned, ServerResult, Value,
};

use crate::graphql::{Snapshot, loaders};

/// The fields of `Q`, whose resolvers find a snapshot and loaders of their own in their context.
pub(crate) struct Tree<Q> {
    data: Arc<Data>,
    fields: Q,
}

impl<Q> Tree<Q> {
    /// `fields` on the state that `snapshot` reads.
    pub(in crate::graphql) fn new(snapshot: Snapshot, fields: Q) -> Self {
        let mut data = Data::default();
        loaders(&mut data, &snapshot);
        data.insert(snapshot);
        Self::of(Arc::new(data), fields)
    }

    /// `fields` whose resolvers find this in their context.
    pub(in crate::graphql) fn of(data: Arc<Data>, fields: Q) -> Self {
        Self { data, fields }
    }
}

impl<Q: ObjectType> OutputType for Tree<Q> {
    fn type_name() -> Cow<'static, str> {
        Q::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Q::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _field: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl<Q: ObjectType> ContainerType for Tree<Q> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let mut ctx = ctx.clone();
        ctx.execute_data = Some(&*self.data);
        self.fields.resolve_field(&ctx).await
    }

    /// Every field below is resolved with what this collects.
    fn collect_all_fields<'a>(&'a self, ctx: &ContextSelectionSet<'a>, fields: &mut Fields<'a>) -> ServerResult<()> {
        let mut ctx = ctx.clone();
        ctx.execute_data = Some(&*self.data);
        fields.add_set(&ctx, &self.fields)
    }
}

impl<Q: ObjectType> ObjectType for Tree<Q> {}
