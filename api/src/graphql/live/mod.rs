//! Lists that stay as their query would answer them: a snapshot at a position, and what changes after it.
//!
//! Every step is read as the past is: the list as it was at exactly one position. Two lists at two positions have one
//! difference, whichever process computes it and whenever, so that a subscription resumes after any position that is still
//! answerable, and a client that takes the changes in has what the query answers there. What may have changed in between
//! is told by the events: each names the things that it is about.

mod difference;
mod item;
mod rows;
mod watch;
mod windows;

use std::borrow::Cow;

use async_graphql::{Enum, ID, OutputType, SimpleObject, TypeName};

use super::scalars::Position;
use difference::{Change, difference};

pub(super) use item::Item;
pub(super) use rows::LiveRow;
pub(super) use watch::{Query, live};
pub(super) use windows::Windows;

/// What has happened to a row of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum RowChangeKind {
    /// It has come into the list.
    Inserted,
    /// It, or what hangs on it, has changed; perhaps its place too.
    Updated,
    /// It is no longer in the list: it does not match any more, or has fallen out of the page.
    Removed,
}

/// A change of a list. To take several in: take every `id` out of the list, then put each `node` in at its `index`, in the
/// order given.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub(crate) struct RowChange<T: OutputType> {
    /// What has happened.
    kind: RowChangeKind,
    /// The id of the row.
    id: ID,
    /// Its place in the list, from 0; null when it is removed.
    index: Option<usize>,
    /// The row as it is at the position of the item; null when it is removed.
    node: Option<T>,
}

/// A list at a position, or what has changed in it since the last item.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub(crate) struct Live<T: OutputType> {
    /// With this item taken in, the list is what the query answers at this position: resume after it.
    position: Position,
    /// The whole list, in its order; null in every other item than the first of a subscription without `after`.
    snapshot: Option<Vec<T>>,
    /// What has changed; nothing in a snapshot, and in the news that up to `position` nothing has.
    changes: Vec<RowChange<T>>,
}

impl<T: OutputType> TypeName for RowChange<T> {
    fn type_name() -> Cow<'static, str> {
        format!("Live{}Change", T::type_name()).into()
    }
}

impl<T: OutputType> TypeName for Live<T> {
    fn type_name() -> Cow<'static, str> {
        format!("Live{}List", T::type_name()).into()
    }
}

impl<T: OutputType> Live<T> {
    fn whole<R: LiveRow>(position: i64, rows: &[R]) -> Self
    where
        T: From<R>,
    {
        let rows = rows.iter().cloned().map(T::from).collect();
        Self { position: Position(position), snapshot: Some(rows), changes: Vec::new() }
    }

    fn same(position: i64) -> Self {
        Self { position: Position(position), snapshot: None, changes: Vec::new() }
    }

    fn next<R: LiveRow>(position: i64, changes: Vec<Change<'_>>, rows: &[R]) -> Self
    where
        T: From<R>,
    {
        let changes = changes.into_iter().map(|change| match change {
            Change::Removed(id) => {
                RowChange { kind: RowChangeKind::Removed, id: ID(id.to_owned()), index: None, node: None }
            }
            Change::Placed { id, index, is_new } => RowChange {
                kind: if is_new { RowChangeKind::Inserted } else { RowChangeKind::Updated },
                id: ID(id.to_owned()),
                index: Some(index),
                node: rows.get(index).cloned().map(T::from),
            },
        });
        Self { position: Position(position), snapshot: None, changes: changes.collect() }
    }
}
