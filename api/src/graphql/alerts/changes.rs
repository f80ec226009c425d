//! Alerts as they change.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, SimpleObject, Subscription};
use futures_util::stream::Stream;
use vigie_domain::alerts::AlertEvent;

use super::alert::{Alert, AlertFilter, AlertRow, filtered, settled};
use crate::graphql::follow::{Watched, changes};
use crate::graphql::live::{Item, Live, LiveRow, Query, live};
use crate::graphql::models::ALERTS;
use crate::graphql::page::Page;
use crate::graphql::scalars::Position;
use crate::graphql::time::Tree;

/// An alert that has been raised, acknowledged or resolved.
#[derive(SimpleObject)]
pub(crate) struct AlertChange {
    /// Resume after it.
    position: Position,
    /// How it is now; null for a heartbeat: nothing has changed up to here.
    alert: Option<Alert>,
}

impl LiveRow for AlertRow {
    const TAG: &'static str = "alert:";
    fn kinds() -> Vec<&'static str> {
        AlertEvent::TYPES.iter().map(|known| known.name).collect()
    }
    fn id(&self) -> String {
        self.alert.to_string()
    }
}

/// Subscriptions to alerts.
#[derive(Default)]
pub(crate) struct AlertsSubscription;

#[Subscription]
impl AlertsSubscription {
    /// Alerts as they change, after a position or from now on: all, those of a site, or one.
    async fn alert_changed(
        &self,
        ctx: &Context<'_>,
        id: Option<ID>,
        site: Option<ID>,
        after: Option<Position>,
    ) -> Result<impl Stream<Item = Result<Tree<AlertChange>, Error>> + use<>, Error> {
        let watched = Watched::new(&[ALERTS], id, site.as_ref())?;
        let make = |position, row: Option<Arc<AlertRow>>| AlertChange { position, alert: row.map(Into::into) };
        changes(ctx, after, watched, make).await
    }

    /// The list `alerts` and what changes in it; or only what changes after a position. `cursor` is the list's `after`,
    /// with `last` its `before`.
    async fn live_alerts(
        &self,
        ctx: &Context<'_>,
        filter: Option<AlertFilter>,
        first: Option<i32>,
        last: Option<i32>,
        cursor: Option<String>,
        after: Option<Position>,
    ) -> Result<impl Stream<Item = Result<Item<Live<Alert>>, Error>> + use<>, Error> {
        let page = Page::at(first, last, cursor)?;
        let filter = settled(ctx, filter.unwrap_or_default()).await?;
        let query = Query::new::<AlertRow>(&filter.clone(), page, filtered(filter));
        live::<AlertRow, Alert>(ctx, after, query).await
    }
}
