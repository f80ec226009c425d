//! Webhook endpoints: who receives which events, what was tried, what waits, and what is sent again.
//!
//! How endpoints are configured is in the log and can be asked as it was; what became of deliveries stands beside it, and
//! is always what it is now.

mod changed;
mod delivery;
mod endpoint;
mod inputs;
mod mutations;
mod preview;
mod refusals;

use std::sync::Arc;

use async_graphql::{Context, Data, Error, ID, Object};
use sqlx::{Postgres, QueryBuilder};
use vigie_domain::webhooks::EndpointId;

pub(in crate::graphql) use changed::WebhooksSubscription;
pub(in crate::graphql) use mutations::WebhooksMutation;
pub(in crate::graphql) use preview::DeliveriesQuery;

use super::context::Parts;
use super::error::{argument, fault};
use super::list::{List, equals, list};
use super::load::{ByKey, by_key};
use super::loader::Loader;
use super::page::Page;
use super::relation::View;
use super::services::Services;
use super::snapshot::Snapshot;
use crate::rights::{Right, forbidden};
use endpoint::{EndpointRow, EndpointState, States, WebhookEndpoint};

/// The read model of endpoints.
const ENDPOINTS: &str = "webhook_endpoints";

pub(in crate::graphql) fn loaders(data: &mut Data, snapshot: &Snapshot) {
    data.insert(by_key::<EndpointRow>(snapshot));
}

/// Loaders of what stands beside the log.
pub(in crate::graphql) fn register<Q, M, S>(
    schema: async_graphql::SchemaBuilder<Q, M, S>,
    services: &Services,
) -> async_graphql::SchemaBuilder<Q, M, S> {
    schema.data(Loader::new(States(services.pool.clone())))
}

/// Queries about endpoints.
#[derive(Default)]
pub(crate) struct WebhooksQuery;

#[Object]
impl WebhooksQuery {
    /// Webhook endpoints, in the order in which they were registered: those of a site, or in a state.
    #[expect(clippy::too_many_arguments, reason = "they are those of the field")]
    async fn webhook_endpoints(
        &self,
        ctx: &Context<'_>,
        site: Option<ID>,
        state: Option<EndpointState>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<List<WebhookEndpoint>, Error> {
        let page = Page::new(first, after, last, before)?;
        let site = site.map(|site| site.to_string());
        let filter = move |sql: &mut QueryBuilder<Postgres>, _: &View| {
            equals(sql, "site", site.clone());
            equals(sql, "state", state);
        };
        list::<EndpointRow, WebhookEndpoint>(ctx, page, Arc::new(filter)).await
    }

    /// One of them.
    async fn webhook_endpoint(&self, ctx: &Context<'_>, id: ID) -> Result<Option<WebhookEndpoint>, Error> {
        find(ctx, argument("id", id.parse())?).await
    }
}

/// An endpoint that the caller may operate.
async fn find(ctx: &Context<'_>, endpoint: EndpointId) -> Result<Option<WebhookEndpoint>, Error> {
    Ok(ctx.loader::<ByKey<EndpointRow>>().one(endpoint.uuid()).await?.map(WebhookEndpoint))
}

fn denied(right: Right, what: &str) -> Error {
    let error = forbidden(right, what);
    Error { message: error.message, extensions: error.extensions, source: None }
}

/// The caller is told that it failed; the cause is for our own log.
fn unavailable(error: &(dyn std::error::Error + 'static)) -> Error {
    tracing::error!(error, "webhooks could not be operated");
    fault("UNAVAILABLE", "webhooks could not be read or changed")
}
