//! An endpoint, as it is answered.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Enum, Error, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use sqlx::types::Json;
use sqlx::{FromRow, PgPool};
use uuid::Uuid;
use vigie_domain::webhooks::{self as domain, EndpointSettings};
use vigie_integrations::webhooks::Filter;
use vigie_projections::webhooks::RowSecret;

use super::delivery::{AttemptOutcome, Delivery, DeliveryState, WebhookAttempt, WebhookReplay};
use super::unavailable;
use crate::graphql::audit::Trail;
use crate::graphql::context::Parts;
use crate::graphql::error::bad_input;
use crate::graphql::events::log_fault;
use crate::graphql::keyset::{Kind, Part};
use crate::graphql::list::Row;
use crate::graphql::load::Keyed;
use crate::graphql::loader::Load;
use crate::graphql::page::MAX;
use crate::graphql::scalars::Position;
use crate::webhooks::{AttemptRow, Attempts, ReplayRow, StateRow, WaitingRow, texts};

/// Whether events are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, sqlx::Type)]
#[graphql(name = "WebhookState")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub(crate) enum EndpointState {
    /// They are.
    Enabled,
    /// Not until it is enabled.
    Disabled,
    /// Never again.
    Removed,
}

/// Why nothing is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, sqlx::Type)]
#[graphql(name = "WebhookDisableReason")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub(crate) enum DisableReason {
    /// Somebody wished so.
    Operator,
    /// The receiver answered that it is gone for good (410).
    Gone,
    /// Nothing went through for days.
    Failing,
}

/// What becomes of a delivery that has failed as often as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "WebhookExhaustion", remote = "domain::OnExhaustion")]
pub(crate) enum Exhaustion {
    /// It is tried again at the last interval, and later ones of the same key wait for it.
    Hold,
    /// It is set aside, and later ones of the same key go on.
    SetAside,
}

/// How deliveries are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "WebhookSignature", remote = "domain::SecretKind")]
pub(crate) enum Signature {
    /// `v1`: HMAC-SHA256, with a secret that both sides know.
    Hmac,
    /// `v1a`: Ed25519; receivers know the public key alone.
    #[graphql(name = "ED25519")]
    Ed25519,
}

/// A row of `read.webhook_endpoints`.
#[derive(Debug, Clone, FromRow)]
pub(in crate::graphql) struct EndpointRow {
    pub(super) endpoint: Uuid,
    pub(super) site: Option<String>,
    state: EndpointState,
    disabled_reason: Option<DisableReason>,
    disabled_at: Option<DateTime<Utc>>,
    settings: Json<EndpointSettings>,
    secrets: Json<Vec<RowSecret>>,
    after: i64,
    position: i64,
    created_at: DateTime<Utc>,
    changed_at: DateTime<Utc>,
}

impl Keyed for EndpointRow {
    type Key = Uuid;
    const TABLE: &'static str = "webhook_endpoints";
    const COLUMN: &'static str = "endpoint";
    fn key(&self) -> Uuid {
        self.endpoint
    }
}

impl Row for EndpointRow {
    const TABLE: &'static str = "webhook_endpoints";
    const ORDER: &'static [(&'static str, Kind)] = &[("endpoint", Kind::Id)];
    fn key(&self) -> Vec<Part> {
        vec![Part::Id(self.endpoint)]
    }
}

/// How far the deliveries to endpoints have come, for many at once.
pub(in crate::graphql) struct States(pub(super) PgPool);

impl Load for States {
    type Key = Uuid;
    type Value = Arc<StateRow>;
    async fn load(&self, endpoints: &[Uuid]) -> Result<HashMap<Uuid, Arc<StateRow>>, Error> {
        let found = StateRow::of(&self.0, endpoints).await.map_err(|error| unavailable(&error))?;
        Ok(found.into_iter().map(|(endpoint, row)| (endpoint, Arc::new(row))).collect())
    }
}

/// A secret that signs deliveries; itself it was shown once.
#[derive(SimpleObject)]
pub(crate) struct WebhookSecret {
    /// Which one.
    id: ID,
    /// How it signs.
    kind: Signature,
    /// What receivers of Ed25519 signatures check them with.
    public_key: Option<String>,
    /// When it was made.
    made_at: DateTime<Utc>,
    /// When it signs no more; null until it is replaced.
    until: Option<DateTime<Utc>>,
}

/// A webhook endpoint: where events are delivered to.
#[derive(Clone)]
pub(crate) struct WebhookEndpoint(pub(super) Arc<EndpointRow>);

impl From<EndpointRow> for WebhookEndpoint {
    fn from(row: EndpointRow) -> Self {
        Self(Arc::new(row))
    }
}

#[Object]
impl WebhookEndpoint {
    /// Its id; facts about it carry the tag `endpoint:` with it.
    async fn id(&self) -> ID {
        ID(self.0.endpoint.to_string())
    }
    /// The site whose events it receives; null is those of every site and of the installation.
    async fn site(&self) -> Option<ID> {
        self.0.site.clone().map(ID)
    }
    /// Whether events are delivered.
    async fn state(&self) -> EndpointState {
        self.0.state
    }
    /// Why not, if it is disabled.
    async fn disabled_reason(&self) -> Option<DisableReason> {
        self.0.disabled_reason
    }
    /// Since when not.
    async fn disabled_at(&self) -> Option<DateTime<Utc>> {
        self.0.disabled_at
    }
    /// What it is for.
    async fn description(&self) -> &str {
        self.0.settings.description.as_str()
    }
    /// Where to, without the query, which is kept secret.
    async fn url(&self) -> &str {
        self.0.settings.target.url.as_str()
    }
    /// Whether the URL has a query.
    async fn has_query(&self) -> bool {
        self.0.settings.target.query.is_some()
    }
    /// Types of the events that it receives, such as `airport.*`; none is all.
    async fn types(&self) -> Vec<String> {
        texts(&self.0.settings.filter.types)
    }
    /// Tags that all of its events carry.
    async fn tags(&self) -> Vec<String> {
        texts(&self.0.settings.filter.tags)
    }
    /// The kind of tag whose events are delivered in the order of the log, such as `stand`; null is no order.
    async fn ordering(&self) -> Option<String> {
        self.0.settings.ordering.as_ref().map(ToString::to_string)
    }
    /// What becomes of a delivery that has failed as often as it may.
    async fn on_exhaustion(&self) -> Exhaustion {
        self.0.settings.on_exhaustion.into()
    }
    /// The most requests per second; null is no limit.
    async fn rate(&self) -> Option<i32> {
        self.0.settings.rate.map(|rate| rate.get().into())
    }
    /// Seconds that a request may take.
    async fn timeout(&self) -> i32 {
        self.0.settings.timeout.get().into()
    }
    /// Seconds between one failed attempt and the next; null is the usual ones.
    async fn retries(&self) -> Option<Vec<i64>> {
        Some(self.0.settings.retries.as_ref()?.waits().iter().map(|wait| i64::from(*wait)).collect())
    }
    /// The names of the headers that each request carries; their values are kept secret.
    async fn headers(&self) -> Vec<String> {
        self.0.settings.headers.names.iter().map(ToString::to_string).collect()
    }
    /// What signs its deliveries, the oldest first; those that were replaced until they end.
    async fn secrets(&self) -> Vec<WebhookSecret> {
        let secret = |secret: &RowSecret| WebhookSecret {
            id: ID(secret.id.to_string()),
            kind: secret.kind.into(),
            public_key: secret.public_key.clone(),
            made_at: secret.made_at,
            until: secret.until,
        };
        self.0.secrets.iter().map(secret).collect()
    }
    /// Its events begin after this position.
    async fn after(&self) -> Position {
        Position(self.0.after)
    }
    /// When it was registered.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
    /// When it was changed last.
    async fn changed_at(&self) -> DateTime<Utc> {
        self.0.changed_at
    }
    /// The event that did.
    async fn position(&self) -> Position {
        Position(self.0.position)
    }
    /// How far its deliveries have come, now; null before there were any.
    async fn progress(&self, ctx: &Context<'_>) -> Result<Option<WebhookProgress>, Error> {
        Ok(ctx.loader::<States>().one(self.0.endpoint).await?.map(WebhookProgress))
    }
    /// Deliveries that did not go through at once, now, in the order in which they came. The next page is what comes after
    /// the last one's number.
    async fn waiting(
        &self,
        ctx: &Context<'_>,
        state: Option<DeliveryState>,
        #[graphql(default = 50)] first: i32,
        #[graphql(default)] after: i64,
    ) -> Result<Vec<Delivery>, Error> {
        let (pool, limit) = (&ctx.services().pool, at_most(first)?);
        let found = WaitingRow::page(pool, self.0.endpoint, state.map(Into::into), after, limit).await;
        Ok(found.map_err(|error| unavailable(&error))?.into_iter().map(Delivery).collect())
    }
    /// What was tried, newest first, for as long as it is kept; of one event, or with one outcome. The next page is what
    /// comes before the last one's id.
    async fn attempts(
        &self,
        ctx: &Context<'_>,
        position: Option<Position>,
        outcome: Option<AttemptOutcome>,
        #[graphql(default = 50)] first: i32,
        before: Option<i64>,
    ) -> Result<Vec<WebhookAttempt>, Error> {
        let which = Attempts { position: position.map(|position| position.0), outcome: outcome.map(Into::into) };
        let found = AttemptRow::page(&ctx.services().pool, self.0.endpoint, which, before, at_most(first)?).await;
        Ok(found.map_err(|error| unavailable(&error))?.into_iter().map(WebhookAttempt).collect())
    }
    /// What was asked to be sent again or let go, newest first.
    async fn replays(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 20)] first: i32,
    ) -> Result<Vec<WebhookReplay>, Error> {
        let found = ReplayRow::newest(&ctx.services().pool, self.0.endpoint, at_most(first)?).await;
        Ok(found.map_err(|error| unavailable(&error))?.into_iter().map(WebhookReplay).collect())
    }
    /// Who did what to it, newest first.
    async fn audit(&self, ctx: &Context<'_>, first: Option<i32>, after: Option<String>) -> Result<Trail, Error> {
        crate::graphql::audit::trail(ctx, format!("endpoint:{}", self.0.endpoint), first, after).await
    }
}

impl WebhookEndpoint {
    /// Which events it receives, as what delivers knows it.
    pub(super) fn filter(&self) -> Filter {
        let filter = &self.0.settings.filter;
        Filter { kinds: texts(&filter.types), tags: texts(&filter.tags), site: self.0.site.clone() }
    }
}

fn at_most(first: i32) -> Result<i64, Error> {
    if (0..=MAX).contains(&first) {
        return Ok(first.into());
    }
    Err(bad_input("first", format!("0 to {MAX} can be asked for")))
}

/// Whether an endpoint is spared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "WebhookBreaker")]
pub(crate) enum Breaker {
    /// It is not.
    Closed,
    /// Nothing is sent for a while: too much has failed in a row.
    Open,
    /// One delivery goes through, to see.
    HalfOpen,
}

/// How far the deliveries to an endpoint have come.
pub(crate) struct WebhookProgress(Arc<StateRow>);

#[Object]
impl WebhookProgress {
    /// Every event up to here that it asks for is delivered, set aside, or waits.
    async fn position(&self) -> Position {
        Position(self.0.position)
    }
    /// Events of the log after it, whether or not the endpoint asks for them.
    async fn lag(&self, ctx: &Context<'_>) -> Result<i64, Error> {
        let head = ctx.services().log.head().await.map_err(|error| log_fault(&error))?;
        Ok((head - self.0.position).max(0))
    }
    /// Deliveries that wait.
    async fn waiting(&self) -> i64 {
        self.0.waiting
    }
    /// Deliveries that were set aside.
    async fn set_aside(&self) -> i64 {
        self.0.set_aside
    }
    /// When something went through last.
    async fn succeeded_at(&self) -> Option<DateTime<Utc>> {
        self.0.succeeded_at
    }
    /// The first failure since then.
    async fn failing_since(&self) -> Option<DateTime<Utc>> {
        self.0.failing_since
    }
    /// Whether it is spared.
    async fn breaker(&self) -> Breaker {
        match self.0.breaker.as_str() {
            "open" => Breaker::Open,
            "half_open" => Breaker::HalfOpen,
            _ => Breaker::Closed,
        }
    }
    /// Until when nothing is sent, if the breaker is open.
    async fn breaker_until(&self) -> Option<DateTime<Utc>> {
        self.0.breaker_until
    }
    /// Until when the receiver has asked for a pause.
    async fn throttled_until(&self) -> Option<DateTime<Utc>> {
        self.0.throttled_until
    }
    /// Why it stands still, if it does.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }
    /// Whether some process delivers to it.
    async fn owned(&self) -> bool {
        self.0.owner.is_some()
    }
}
