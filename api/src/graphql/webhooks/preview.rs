//! What a filter would have sent.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use vigie_domain::webhooks::EndpointId;

use super::denied;
use super::inputs::FilterInput;
use crate::graphql::context::Parts;
use crate::graphql::error::{argument, bad_input};
use crate::graphql::events::{Event, log_fault};
use crate::graphql::page::MAX;
use crate::graphql::scalars::Position;
use crate::graphql::time::moment;
use crate::rights::Right;
use crate::webhooks::preview;

/// Part of the log: after a position or from a time on, up to another position or time. From its beginning, and up to its
/// end, where nothing is said.
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

impl LogRangeInput {
    /// After which position, and up to which.
    pub(super) async fn read(self, ctx: &Context<'_>) -> Result<(i64, i64), Error> {
        let after = match (self.after, self.from) {
            (None | Some(Position(0)), None) => 0,
            (after, from) => moment(ctx, after, from).await?,
        };
        let until = match (self.until, self.to) {
            (None, None) => ctx.services().last().await.map_err(|error| log_fault(&error))?,
            (until, to) => moment(ctx, until, to).await?,
        };
        if until < after {
            return Err(bad_input("range", "it ends before it begins"));
        }
        Ok((after, until))
    }
}

/// What a filter would have sent.
#[derive(SimpleObject)]
pub(crate) struct WebhookPreview {
    /// How many events.
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
    /// is about itself is left out, as it is never sent to it. At most 100,000 events are looked at.
    async fn webhook_preview(
        &self,
        ctx: &Context<'_>,
        filter: FilterInput,
        site: Option<ID>,
        endpoint: Option<ID>,
        range: Option<LogRangeInput>,
        #[graphql(default = 20)] first: i32,
    ) -> Result<WebhookPreview, Error> {
        if !(0..=MAX).contains(&first) {
            return Err(bad_input("first", format!("0 to {MAX} can be asked for")));
        }
        let site = site.map(|site| site.to_string());
        // What is of all sites is shown to who registers endpoints for all sites.
        if !ctx.caller().rights.hold_at(Right::ManageWebhooks, site.as_deref().unwrap_or_default()) {
            return Err(denied(Right::ManageWebhooks, "webhookPreview"));
        }
        let own = endpoint.map(|id| argument("endpoint", id.parse::<EndpointId>())).transpose()?;
        let (after, until) = range.unwrap_or_default().read(ctx).await?;
        let filter = filter.wire("filter", site)?;
        let (log, scope) = (&ctx.services().log, ctx.snapshot().view().scope());
        let first = usize::try_from(first).unwrap_or_default();
        let found = preview(log, (&filter, own.map(EndpointId::uuid)), scope, (after, until), first).await;
        let found = found.map_err(|error| log_fault(&error))?;
        Ok(WebhookPreview {
            count: found.count,
            complete: found.complete,
            after: Position(after),
            until: Position(found.until),
            events: found.events.into_iter().map(|event| Event(Arc::new(event))).collect(),
        })
    }
}
