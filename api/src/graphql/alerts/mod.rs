//! Alerts: raised by policies, acknowledged by people.

mod alert;
mod changes;
mod mutations;

use async_graphql::{Context, Data, Error, ID, Object};
use vigie_domain::alerts::AlertId;

pub(in crate::graphql) use alert::{Alert, AlertsOfFlight, AlertsOfPass};
pub(in crate::graphql) use changes::AlertsSubscription;
pub(in crate::graphql) use mutations::AlertsMutation;

use alert::{AlertFilter, AlertRow, alerts};

use super::error::argument;
use super::list::List;
use super::load::by_key;
use super::loader::Loader;
use super::page::Page;
use super::snapshot::Snapshot;

pub(in crate::graphql) fn loaders(data: &mut Data, snapshot: &Snapshot) {
    data.insert(by_key::<AlertRow>(snapshot));
    data.insert(Loader::new(AlertsOfPass(snapshot.clone())));
    data.insert(Loader::new(AlertsOfFlight(snapshot.clone())));
}

/// Queries about alerts.
#[derive(Default)]
pub(crate) struct AlertsQuery;

#[Object]
impl AlertsQuery {
    /// Alerts, newest first.
    async fn alerts(
        &self,
        ctx: &Context<'_>,
        filter: Option<AlertFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<List<Alert>, Error> {
        alerts(ctx, filter.unwrap_or_default(), Page::new(first, after, last, before)?).await
    }

    /// One alert.
    async fn alert(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Alert>, Error> {
        let id = argument("id", AlertId::new(&id))?;
        Alert::find(ctx, Some(id.uuid())).await
    }
}
