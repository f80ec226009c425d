//! The query tree at another moment: as it was, or as it is once something has been folded.

mod after;
mod at;
mod moment;
mod tree;

use async_graphql::{Context, Error, MergedObject, Object};
use chrono::{DateTime, Utc};

use super::Contexts;
use super::context::Parts;
use super::scalars::Position;

use after::Awaited;
use at::PastTree;
pub(in crate::graphql) use moment::{bounded, checked};
pub(in crate::graphql) use tree::Tree;

/// Queries at another moment.
#[derive(Default)]
pub(crate) struct TimeQuery;

#[Object]
impl TimeQuery {
    /// Everything as it was when the event at `position` was the last, or at `time`: after the last event that the log had
    /// recorded by then. Exactly one of the two. The future, and what was before the first event, is refused with the
    /// error OUT_OF_RANGE, which names the `first` and the `last` that can be asked for. Rights are those of now.
    async fn at(
        &self,
        ctx: &Context<'_>,
        position: Option<Position>,
        time: Option<DateTime<Utc>>,
    ) -> Result<PastTree, Error> {
        at::at(ctx, position, time).await
    }

    /// Everything as it is, once what is at `position` can be read: read your own writes. A position that is not in the
    /// log yet is waited for too. Waits `timeoutMs` at most, up to 30,000.
    async fn after(
        &self,
        ctx: &Context<'_>,
        position: Position,
        #[graphql(default = 2_000)] timeout_ms: i32,
    ) -> Result<Awaited, Error> {
        after::after(ctx, position, timeout_ms).await
    }
}

/// What is asked only of the past.
#[derive(Default)]
pub(crate) struct PastQuery;

#[Object]
impl PastQuery {
    /// When the log recorded the event at `position`: what "now" means in everything below.
    async fn time(&self, ctx: &Context<'_>) -> Result<DateTime<Utc>, Error> {
        ctx.now().await
    }
}

/// Everything as it was.
#[derive(MergedObject, Default)]
pub(crate) struct Past(PastQuery, Contexts);
