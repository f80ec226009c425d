//! Alerts as they change.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, SimpleObject, Subscription};
use futures_util::stream::Stream;
use vigie_domain::alerts::AlertEvent;
use vigie_domain::support::SiteId;

use super::alert::{Alert, AlertFilter, AlertRow, filtered, settled};
use crate::graphql::error::optional;
use crate::graphql::follow::{Watched, changes};
use crate::graphql::live::{Live, LiveRow, Query, live};
use crate::graphql::models::ALERTS;
use crate::graphql::page::Page;
use crate::graphql::scalars::Position;
use crate::graphql::time::Tree;

/// An alert that has been raised, acknowledged or resolved.
#[derive(SimpleObject)]
pub(crate) struct AlertChange {
    /// Resume after it.
    position: Position,
    /// How it is now.
    alert: Alert,
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
    /// Alerts as they change, after a position or from now on.
    async fn alert_changed(
        &self,
        ctx: &Context<'_>,
        site: Option<ID>,
        after: Option<Position>,
    ) -> Result<impl Stream<Item = Result<Tree<AlertChange>, Error>> + use<>, Error> {
        let site = optional("site", site.as_ref().map(|site| site.0.as_str()), SiteId::new)?;
        let watched = Watched { kinds: AlertRow::kinds(), tag: AlertRow::TAG, models: &[ALERTS], site };
        let make = |position, row: Arc<AlertRow>| AlertChange { position, alert: row.into() };
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
    ) -> Result<impl Stream<Item = Result<Tree<Live<Alert>>, Error>> + use<>, Error> {
        let page = Page::at(first, last, cursor)?;
        let filter = settled(ctx, filter.unwrap_or_default()).await?;
        let query = Query::new::<AlertRow>(&filter.clone(), page, filtered(filter));
        live::<AlertRow, Alert>(ctx, after, query).await
    }
}
