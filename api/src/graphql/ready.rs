//! Objects most of whose fields are there already.
//!
//! async-graphql makes a future of each field, allocates it, and puts it among others in a set that knows who is to be
//! woken. Fields that wait for something need that; most are in memory and do not. So each leaf is first asked on the
//! spot, and only what has to wait is allocated.

use std::borrow::Cow;
use std::future::poll_fn;
use std::ops::Deref;
use std::pin::{Pin, pin};
use std::task::{Context as Polled, Poll};

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection};
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::{Fields, resolve_container};
use async_graphql::{
    ContainerType, Context, ContextSelectionSet, Name, ObjectType, OutputType, Positioned, ServerError, ServerResult,
    Value,
};
use futures_util::future::join_all;

/// An object with leaves.
pub(crate) trait Leaves: ObjectType {
    /// Those that wait for something: they are not begun twice.
    const WAITING: &'static [&'static str] = &[];
}

/// The object `T`, resolved in that way.
#[derive(Clone)]
pub(crate) struct Ready<T> {
    object: T,
}

impl<T> Ready<T> {
    /// The same object.
    pub(super) fn new(object: T) -> Self {
        Self { object }
    }
}

impl<T> Deref for Ready<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.object
    }
}

impl<T: Leaves> OutputType for Ready<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _field: &Positioned<Field>) -> ServerResult<Value> {
        match plain(ctx) {
            Some(fields) => Ok(resolve(&self.object, ctx, &fields).await),
            None => resolve_container(ctx, &self.object).await,
        }
    }
}

impl<T: Leaves> ContainerType for Ready<T> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        self.object.resolve_field(ctx).await
    }

    fn collect_all_fields<'a>(&'a self, ctx: &ContextSelectionSet<'a>, fields: &mut Fields<'a>) -> ServerResult<()> {
        self.object.collect_all_fields(ctx, fields)
    }
}

impl<T: Leaves> ObjectType for Ready<T> {}

/// The selected fields, if there is nothing else: no fragment, no directive, no name of the type, and no field whose
/// answer is merged with that of another.
fn plain<'a>(ctx: &ContextSelectionSet<'a>) -> Option<Vec<&'a Positioned<Field>>> {
    let selections = &ctx.item.node.items;
    let mut fields: Vec<&Positioned<Field>> = Vec::with_capacity(selections.len());
    for selection in selections {
        let Selection::Field(field) = &selection.node else { return None };
        let key = &field.node.response_key().node;
        let plain = field.node.directives.is_empty() && field.node.name.node != "__typename";
        if !plain || fields.iter().any(|other| other.node.response_key().node == *key) {
            return None;
        }
        fields.push(field);
    }
    Some(fields)
}

type Waiting<'a> = Pin<Box<dyn Future<Output = ServerResult<Value>> + Send + 'a>>;

/// The answer in the order of the fields. Faults of fields are told beside it, as async-graphql does it.
async fn resolve<'a, T: Leaves>(
    object: &'a T,
    ctx: &ContextSelectionSet<'a>,
    fields: &[&'a Positioned<Field>],
) -> Value {
    let mut values: Vec<Option<ServerResult<Value>>> =
        poll_fn(|polled| Poll::Ready(fields.iter().map(|field| on_the_spot(object, ctx, field, polled)).collect()))
            .await;
    let waiting = values.iter().zip(fields).filter(|(value, _)| value.is_none());
    let waiting: Vec<Waiting<'_>> =
        waiting.map(|(_, field)| -> Waiting<'_> { Box::pin(one(object, ctx, field)) }).collect();
    if !waiting.is_empty() {
        let mut waited = join_all(waiting).await.into_iter();
        values.iter_mut().filter(|value| value.is_none()).for_each(|value| *value = waited.next());
    }
    let mut answer = IndexMap::with_capacity(fields.len());
    for (field, value) in fields.iter().zip(values.into_iter().flatten()) {
        put(&mut answer, &field.node.response_key().node, value).unwrap_or_else(|error| ctx.add_error(error));
    }
    if answer.is_empty() { Value::Null } else { Value::Object(answer) }
}

fn put(answer: &mut IndexMap<Name, Value>, key: &Name, value: ServerResult<Value>) -> Result<(), ServerError> {
    answer.insert(key.clone(), value?);
    Ok(())
}

async fn one<T: Leaves>(object: &T, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
    Ok(object.resolve_field(&ctx.with_field(field)).await?.unwrap_or_default())
}

/// A leaf that need not wait. One that does, and is not known to, is asked again: what it has begun is dropped, which
/// any field may be.
fn on_the_spot<T: Leaves>(
    object: &T,
    ctx: &ContextSelectionSet<'_>,
    field: &Positioned<Field>,
    polled: &mut Polled<'_>,
) -> Option<ServerResult<Value>> {
    let leaf = field.node.selection_set.node.items.is_empty();
    if !leaf || T::WAITING.contains(&field.node.name.node.as_str()) {
        return None;
    }
    match pin!(one(object, ctx, field)).poll(polled) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
