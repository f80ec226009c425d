//! Passes as they change.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, SimpleObject, Subscription};
use futures_util::stream::Stream;
use vigie_domain::alerts::AlertEvent;
use vigie_domain::rail::RailEvent;

use super::pass::{Pass, PassFilter, PassRow, filtered, settled};
use crate::graphql::follow::{Watched, changes};
use crate::graphql::live::{Item, Live, LiveRow, Query, live};
use crate::graphql::models::{ALERTS, PASSES};
use crate::graphql::page::Page;
use crate::graphql::scalars::Position;
use crate::graphql::time::Tree;

/// A pass that has changed, or whose alerts have.
#[derive(SimpleObject)]
pub(crate) struct PassChange {
    /// Resume after it.
    position: Position,
    /// How it is now; null for a heartbeat: nothing has changed up to here.
    pass: Option<Pass>,
}

impl LiveRow for PassRow {
    const TAG: &'static str = "pass:";
    fn kinds() -> Vec<&'static str> {
        RailEvent::TYPES.iter().chain(AlertEvent::TYPES).map(|known| known.name).collect()
    }
    fn id(&self) -> String {
        self.pass.clone()
    }
}

/// Subscriptions to train passes.
#[derive(Default)]
pub(crate) struct RailSubscription;

#[Subscription]
impl RailSubscription {
    /// Passes as they change, after a position or from now on: all, those of a site, or one.
    async fn pass_changed(
        &self,
        ctx: &Context<'_>,
        id: Option<ID>,
        site: Option<ID>,
        after: Option<Position>,
    ) -> Result<impl Stream<Item = Result<Tree<PassChange>, Error>> + use<>, Error> {
        let watched = Watched::new(&[PASSES, ALERTS], id, site.as_ref())?;
        let make = |position, row: Option<Arc<PassRow>>| PassChange { position, pass: row.map(Into::into) };
        changes(ctx, after, watched, make).await
    }

    /// The list `passes` and what changes in it, also through cars and alerts; or only what changes after a position.
    /// `cursor` is the list's `after`, with `last` its `before`.
    async fn live_passes(
        &self,
        ctx: &Context<'_>,
        filter: Option<PassFilter>,
        first: Option<i32>,
        last: Option<i32>,
        cursor: Option<String>,
        after: Option<Position>,
    ) -> Result<impl Stream<Item = Result<Item<Live<Pass>>, Error>> + use<>, Error> {
        let page = Page::at(first, last, cursor)?;
        let filter = settled(ctx, filter.unwrap_or_default()).await?;
        let query = Query::new::<PassRow>(&filter.clone(), page, filtered(filter));
        live::<PassRow, Pass>(ctx, after, query).await
    }
}
