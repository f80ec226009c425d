//! What a filter would have sent.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use uuid::Uuid;
use vigie_domain::webhooks::EndpointId;
use vigie_eventlog::Recorded;
use vigie_integrations::webhooks::{Endpoint, Filter, Preview, preview};

use super::delivery::ReplayOf;
use super::endpoint::WebhookEndpoint;
use super::inputs::FilterInput;
use super::{denied, find, unavailable};
use crate::graphql::context::Parts;
use crate::graphql::error::{argument, bad_input, not_found};
use crate::graphql::events::{Event, log_fault};
use crate::graphql::page::Page;
use crate::graphql::scalars::Position;
use crate::graphql::time::{bounded, checked};
use crate::rights::Right;
use crate::webhooks::{WebhookError, kept};

/// Part of the log: after a position or from a time on, up to another position or time. From its beginning, and up to its
/// end, where nothing is said. A time before the log is its beginning, one that is to come its end.
#[derive(Debug, Clone, Copy, Default, InputObject)]
pub(crate) struct LogRangeInput {
    /// After this position.
    after: Option<Position>,
    /// From this time on.
    from: Option<DateTime<Utc>>,
    /// Up to this position.
    until: Option<Position>,
    /// Up to this time.
    to: Option<DateTime<Utc>>,
}

/// What the fields of a range are called where it stands.
pub(super) struct Names([&'static str; 4]);

impl LogRangeInput {
    const ASKED: Names = Names(["range.after", "range.from", "range.until", "range.to"]);
    /// In an input.
    pub(super) const GIVEN: Names =
        Names(["input.range.after", "input.range.from", "input.range.until", "input.range.to"]);

    /// After which position, and up to which.
    pub(super) async fn read(self, names: Names, ctx: &Context<'_>) -> Result<(i64, i64), Error> {
        let Names([after, from, until, to]) = names;
        let begin = match (self.after, self.from) {
            (None | Some(Position(0)), None) => 0,
            (Some(Position(position)), None) => checked(ctx, after, position).await?,
            (None, Some(time)) => bounded(ctx, time).await?,
            (Some(_), Some(_)) => {
                return Err(bad_input(from, "the range begins at a position or at a time, not at both"));
            }
        };
        let end = match (self.until, self.to) {
            (None, None) => ctx.services().last().await.map_err(|error| log_fault(&error))?,
            (Some(Position(position)), None) => checked(ctx, until, position).await?,
            (None, Some(time)) => bounded(ctx, time).await?,
            (Some(_), Some(_)) => return Err(bad_input(to, "the range ends at a position or at a time, not at both")),
        };
        if end < begin {
            let begins = if self.from.is_some() { from } else { after };
            return Err(bad_input(begins, format!("the range ends at {end}, before it begins at {begin}")));
        }
        Ok((begin, end))
    }
}

/// What a filter would have sent.
#[derive(SimpleObject)]
pub(crate) struct WebhookPreview {
    /// How many events, or deliveries.
    count: i64,
    /// Whether everything up to the end was looked at; otherwise ask again after `until`.
    complete: bool,
    /// After this position.
    after: Position,
    /// Up to this one.
    until: Position,
    /// The first of them, as many as were asked for.
    events: Vec<Event>,
}

/// Queries about deliveries, which have no past.
#[derive(Default)]
pub(crate) struct DeliveriesQuery;

#[Object]
impl DeliveriesQuery {
    /// What a filter would have sent of a part of the log: how many events, and the first of them. With an `endpoint`, what
    /// its own filter would have, or what another one would: at its site, and without what is about itself, which is never
    /// sent to it. At most 100,000 events are looked at. With `what` else than `EVERYTHING`, the deliveries of an endpoint
    /// that a replay of it would send again or let go, now.
    #[expect(clippy::too_many_arguments, reason = "they are those of the field")]
    async fn webhook_preview(
        &self,
        ctx: &Context<'_>,
        filter: Option<FilterInput>,
        site: Option<ID>,
        endpoint: Option<ID>,
        #[graphql(default_with = "ReplayOf::Everything")] what: ReplayOf,
        range: Option<LogRangeInput>,
        #[graphql(default = 20)] first: i32,
    ) -> Result<WebhookPreview, Error> {
        let first = Page::new(Some(first), None, None, None)?.limit;
        let endpoint = match endpoint {
            Some(id) => Some(known(ctx, argument("endpoint", id.parse())?).await?),
            None => None,
        };
        let site = site_asked(ctx, site, endpoint.as_ref())?;
        let range = range.unwrap_or_default().read(LogRangeInput::ASKED, ctx).await?;
        let first = usize::try_from(first).unwrap_or_default();
        if what != ReplayOf::Everything {
            let endpoint = endpoint.filter(|_| filter.is_none());
            let endpoint =
                endpoint.ok_or_else(|| bad_input("what", "an endpoint is needed for that, and no filter"))?;
            return deliveries(ctx, endpoint.0.endpoint, what, range, first).await;
        }
        let filter = match (filter, &endpoint) {
            (Some(filter), _) => filter.wire("filter", site)?,
            (None, Some(endpoint)) => endpoint.filter(),
            (None, None) => return Err(bad_input("filter", "a filter or an endpoint is needed")),
        };
        events(ctx, &filter, endpoint.map(|endpoint| endpoint.0.endpoint), range, first).await
    }
}

async fn known(ctx: &Context<'_>, endpoint: EndpointId) -> Result<WebhookEndpoint, Error> {
    find(ctx, endpoint).await?.ok_or_else(|| not_found("endpoint", "there is no such endpoint"))
}

/// The site whose events are asked for: an endpoint's own.
fn site_asked(
    ctx: &Context<'_>,
    site: Option<ID>,
    endpoint: Option<&WebhookEndpoint>,
) -> Result<Option<String>, Error> {
    let site = site.map(|site| site.to_string());
    let site = match endpoint {
        None => site,
        Some(endpoint) if site.is_none() || site == endpoint.0.site => endpoint.0.site.clone(),
        Some(_) => return Err(bad_input("site", "the endpoint receives events of another site")),
    };
    // What is of all sites is shown to who registers endpoints for all sites.
    if !ctx.caller().rights.hold_at(Right::ManageWebhooks, site.as_deref().unwrap_or_default()) {
        return Err(denied(Right::ManageWebhooks, "webhookPreview"));
    }
    Ok(site)
}

async fn events(
    ctx: &Context<'_>,
    filter: &Filter,
    endpoint: Option<Uuid>,
    range: (i64, i64),
    first: usize,
) -> Result<WebhookPreview, Error> {
    let (log, scope, own) = (&ctx.services().log, ctx.snapshot().view().scope(), endpoint.map(Endpoint::tag));
    let admits = |event: &Recorded| {
        scope.admits(&event.kind, &event.site) && own.as_ref().is_none_or(|own| !event.tags.contains(own))
    };
    let found = preview(log, filter, admits, range, first).await.map_err(|error| log_fault(&error))?;
    Ok(shown(found, range.0))
}

async fn deliveries(
    ctx: &Context<'_>,
    endpoint: Uuid,
    what: ReplayOf,
    range: (i64, i64),
    first: usize,
) -> Result<WebhookPreview, Error> {
    let services = ctx.services();
    match kept(&services.pool, &services.log, endpoint, what.into(), range, first).await {
        Ok(found) => Ok(shown(found, range.0)),
        Err(WebhookError::Log(error)) => Err(log_fault(&error)),
        Err(error) => Err(unavailable(&error)),
    }
}

fn shown(Preview { count, events, until, complete }: Preview, after: i64) -> WebhookPreview {
    let events = events.into_iter().map(|event| Event(Arc::new(event))).collect();
    WebhookPreview { count, complete, after: Position(after), until: Position(until), events }
}
