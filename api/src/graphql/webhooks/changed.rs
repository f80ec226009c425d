//! Deliveries as they are tried.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use async_graphql::{Context, Error, ID, Subscription};
use futures_util::stream::{Stream, unfold};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use vigie_domain::webhooks::EndpointId;

use super::delivery::WebhookAttempt;
use super::unavailable;
use crate::graphql::context::Parts;
use crate::graphql::error::{argument, not_found};
use crate::rights::Right;
use crate::webhooks::{AttemptRow, site_of};

/// How often is looked for attempts.
const PERIOD: Duration = Duration::from_millis(500);
/// Attempts that are read at a time.
const PAGE: i64 = 500;
/// Attempts get their numbers before they are seen: so many before the newest are looked at again.
const AGAIN: i64 = 2_000;

/// Subscriptions to deliveries.
#[derive(Default)]
pub(crate) struct WebhooksSubscription;

#[Subscription]
impl WebhooksSubscription {
    /// Each attempt of a delivery to an endpoint, about a second after it was made. With the id of an attempt, those that
    /// came `since` are told first.
    async fn delivery_changed(
        &self,
        ctx: &Context<'_>,
        endpoint: ID,
        since: Option<i64>,
    ) -> Result<impl Stream<Item = Result<WebhookAttempt, Error>> + use<>, Error> {
        let id: EndpointId = argument("endpoint", endpoint.parse())?;
        let pool = ctx.services().pool.clone();
        let site = site_of(&pool, id).await.map_err(|error| unavailable(&error))?;
        if !site.is_some_and(|site| ctx.caller().rights.hold_at(Right::ManageWebhooks, &site)) {
            return Err(not_found("endpoint", "there is no such endpoint"));
        }
        let newest = AttemptRow::newest(&pool).await.map_err(|error| unavailable(&error))?;
        let first = since.unwrap_or(newest);
        let watch = Watch {
            pool,
            endpoint: id.uuid(),
            first,
            newest: first,
            told: BTreeSet::new(),
            waiting: VecDeque::new(),
            stopping: ctx.stopping(),
        };
        Ok(unfold(Some(watch), next))
    }
}

struct Watch {
    pool: PgPool,
    endpoint: Uuid,
    first: i64,
    newest: i64,
    /// Those of the last ones that were told.
    told: BTreeSet<i64>,
    waiting: VecDeque<AttemptRow>,
    stopping: CancellationToken,
}

async fn next(watch: Option<Watch>) -> Option<(Result<WebhookAttempt, Error>, Option<Watch>)> {
    let mut watch = watch?;
    loop {
        if let Some(attempt) = watch.waiting.pop_front() {
            return Some((Ok(WebhookAttempt(attempt)), Some(watch)));
        }
        match watch.look().await {
            Ok(()) if watch.waiting.is_empty() => {}
            Ok(()) => continue,
            // Told once, and then over: the client begins again after what it has.
            Err(error) => return Some((Err(unavailable(&error)), None)),
        }
        tokio::select! {
            () = watch.stopping.cancelled() => return None,
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

impl Watch {
    /// Looks from a little before the newest that was told: what was numbered earlier may be seen later.
    async fn look(&mut self) -> Result<(), sqlx::Error> {
        let mut after = (self.newest - AGAIN).max(self.first);
        loop {
            let page = AttemptRow::since(&self.pool, Some(self.endpoint), after, PAGE).await?;
            let Some(last) = page.last().map(|last| last.id) else { break };
            let whole = i64::try_from(page.len()).unwrap_or(PAGE) < PAGE;
            self.waiting.extend(page.into_iter().filter(|attempt| self.told.insert(attempt.id)));
            (after, self.newest) = (last, self.newest.max(last));
            if whole || !self.waiting.is_empty() {
                break;
            }
        }
        self.told = self.told.split_off(&(self.newest - AGAIN));
        Ok(())
    }
}
