//! Registering and changing endpoints, and sending to them by hand.

use async_graphql::{Context, Error, ID, Object, SimpleObject};
use uuid::Uuid;
use vigie_commands::{Done, Failure, Order};
use vigie_domain::kernel::Decision;
use vigie_domain::webhooks::{
    Change, DisableEndpoint, DisableReason, EnableEndpoint, EndpointId, Filter, RemoveEndpoint, WebhookRefusal as Rule,
};

use super::delivery::{WebhookAttempt, WebhookReplay};
use super::endpoint::{Signature, WebhookEndpoint};
use super::inputs::*;
use super::preview::LogRangeInput;
use super::refusals::{Refused, no_replay, of, refused};
use super::{ENDPOINTS, denied, find, unavailable};
use crate::graphql::command::{Receipt, carry_out, failed, note, order, receipt};
use crate::graphql::context::Parts;
use crate::graphql::error::argument;
use crate::graphql::permit::{may_hear, permitted};
use crate::graphql::refusal::{WebhookRefusal, results};
use crate::rights::Right;
use crate::webhooks::{Given, Shown, Webhooks, cancel, replay};

/// The endpoint is as wished.
#[derive(SimpleObject)]
pub(crate) struct WebhookPayload {
    #[graphql(flatten)]
    receipt: Receipt,
    /// The endpoint.
    endpoint: Option<WebhookEndpoint>,
}

/// A signing secret that was made.
#[derive(SimpleObject)]
pub(crate) struct MadeWebhookSecret {
    /// How it signs.
    kind: Signature,
    /// Of HMAC the secret itself: `whsec_…`. Null of Ed25519: what signs leaves this server for nobody.
    secret: Option<String>,
    /// What receivers of Ed25519 signatures check them with: `whpk_…`.
    public_key: Option<String>,
}

impl From<Shown> for MadeWebhookSecret {
    fn from(Shown { kind, text, public_key }: Shown) -> Self {
        Self { kind: kind.into(), secret: text, public_key }
    }
}

/// The endpoint is registered, or signs with a new secret.
#[derive(SimpleObject)]
pub(crate) struct WebhookSecretPayload {
    #[graphql(flatten)]
    receipt: Receipt,
    /// The secrets that were made. They are shown this once: there are none when the command is repeated.
    secrets: Vec<MadeWebhookSecret>,
    /// The endpoint.
    endpoint: Option<WebhookEndpoint>,
}

/// A test event was sent.
#[derive(SimpleObject)]
pub(crate) struct WebhookTestPayload {
    /// What came of it.
    attempt: WebhookAttempt,
}

/// It is to be sent again, or let go; or not any more.
#[derive(SimpleObject)]
pub(crate) struct WebhookReplayPayload {
    /// What is asked for.
    replay: WebhookReplay,
}

results! {
    /// The endpoint, or the rule that forbids it.
    WebhookResult = WebhookPayload, Refused [WebhookRefusal];
    /// The endpoint with its new secrets, or the rule that forbids it.
    WebhookSecretResult = WebhookSecretPayload, Refused [WebhookRefusal];
    /// The attempt, or the rule that forbids it.
    WebhookTestResult = WebhookTestPayload, Refused [WebhookRefusal];
    /// What is asked for, or the rule that forbids it.
    WebhookReplayResult = WebhookReplayPayload, Refused [WebhookRefusal];
}

/// Mutations of endpoints.
#[derive(Default)]
pub(crate) struct WebhooksMutation;

#[Object]
impl WebhooksMutation {
    /// Delivers events to an endpoint from now on, or from an earlier position on.
    async fn register_webhook(
        &self,
        ctx: &Context<'_>,
        input: RegisterWebhookInput,
    ) -> Result<WebhookSecretResult, Error> {
        let command_id = input.command_id;
        let new = input.read()?;
        may_receive(ctx, &new.filter, new.site.as_ref().map(vigie_domain::support::SiteId::as_str))?;
        match webhooks(ctx).registration(new, &ctx.services().log).await {
            Ok(given) => made(ctx, given, command_id).await,
            Err(error) => of("webhooks.register_endpoint", &error).map(Into::into),
        }
    }

    /// Changes what is said of an endpoint, and nothing else of it.
    async fn change_webhook(&self, ctx: &Context<'_>, input: ChangeWebhookInput) -> Result<WebhookResult, Error> {
        let (endpoint, command_id) = (endpoint(&input.endpoint)?, input.command_id);
        let changes = input.read()?;
        if let (Change::To(filter), Some(known)) = (&changes.filter, find(ctx, endpoint).await?) {
            may_receive(ctx, filter, known.0.site.as_deref())?;
        }
        let given = match webhooks(ctx).change(endpoint, changes) {
            Ok(given) => given,
            Err(error) => return of("webhooks.change_endpoint", &error).map(Into::into),
        };
        match give(ctx, given, command_id).await? {
            Ok((receipt, ..)) => Ok(payload(ctx, receipt, endpoint).await?.into()),
            Err(refused) => Ok(refused.into()),
        }
    }

    /// Delivers nothing to an endpoint until it is enabled; then it goes on where it stopped.
    async fn disable_webhook(&self, ctx: &Context<'_>, input: WebhookInput) -> Result<WebhookResult, Error> {
        let endpoint = endpoint(&input.endpoint)?;
        act(ctx, DisableEndpoint { endpoint, reason: DisableReason::Operator }, input.command_id).await
    }

    /// Delivers events to an endpoint again, from where it stopped.
    async fn enable_webhook(&self, ctx: &Context<'_>, input: WebhookInput) -> Result<WebhookResult, Error> {
        act(ctx, EnableEndpoint { endpoint: endpoint(&input.endpoint)? }, input.command_id).await
    }

    /// Delivers nothing to an endpoint any more, for good. What waits for it is dropped, its secrets are deleted.
    async fn remove_webhook(&self, ctx: &Context<'_>, input: WebhookInput) -> Result<WebhookResult, Error> {
        let endpoint = endpoint(&input.endpoint)?;
        let done = act(ctx, RemoveEndpoint { endpoint }, input.command_id).await?;
        if let WebhookResult::Done(_) = done {
            webhooks(ctx).forget(endpoint).await.map_err(|error| unavailable(&error))?;
        }
        Ok(done)
    }

    /// Signs deliveries to an endpoint with a new secret. Those of the same kind go on for a while.
    async fn rotate_webhook_secret(
        &self,
        ctx: &Context<'_>,
        input: RotateWebhookSecretInput,
    ) -> Result<WebhookSecretResult, Error> {
        match webhooks(ctx).rotation(endpoint(&input.endpoint)?, input.kind.into(), input.overlap()?) {
            Ok(given) => made(ctx, given, input.command_id).await,
            Err(error) => of("webhooks.rotate_secret", &error).map(Into::into),
        }
    }

    /// Sends a signed test event (`webhooks.test`), which is in no log, and waits for the answer; also to an endpoint that
    /// is disabled.
    async fn test_webhook(&self, ctx: &Context<'_>, endpoint: ID) -> Result<WebhookTestResult, Error> {
        let endpoint = self::endpoint(&endpoint)?;
        if find(ctx, endpoint).await?.is_none() {
            return Ok(refused(&Rule::EndpointUnknown { endpoint }).into());
        }
        // Nothing is held open while a receiver takes its time.
        ctx.snapshot().renew().await;
        match webhooks(ctx).test(endpoint).await {
            Ok(attempt) => Ok(WebhookTestPayload { attempt: WebhookAttempt(attempt) }.into()),
            Err(error) => of("webhooks.test", &error).map(Into::into),
        }
    }

    /// Sends events to an endpoint again, with the ids that they had, in the order of each key; or lets go of those that
    /// wait. `webhookPreview` says before what would be sent.
    async fn replay_webhook(&self, ctx: &Context<'_>, input: ReplayWebhookInput) -> Result<WebhookReplayResult, Error> {
        let (endpoint, reason) = (endpoint(&input.endpoint)?, note("input.reason", Some(&input.reason))?);
        if find(ctx, endpoint).await?.is_none() {
            return Ok(refused(&Rule::EndpointUnknown { endpoint }).into());
        }
        let range = input.range.read(LogRangeInput::GIVEN, ctx).await?;
        let by = (ctx.caller().actor.as_str(), reason.as_str());
        let asked = replay(&ctx.services().pool, &ctx.services().log, endpoint, input.what.into(), range, by).await;
        match asked {
            Ok(replay) => Ok(WebhookReplayPayload { replay: WebhookReplay(replay) }.into()),
            Err(error) => of("webhooks.replay", &error).map(Into::into),
        }
    }

    /// Ends a replay that is not done. What it has put on its way still arrives.
    async fn cancel_webhook_replay(
        &self,
        ctx: &Context<'_>,
        endpoint: ID,
        replay: ID,
    ) -> Result<WebhookReplayResult, Error> {
        let endpoint = self::endpoint(&endpoint)?;
        let number: i64 = argument("replay", replay.parse())?;
        let cancelled = match find(ctx, endpoint).await? {
            Some(_) => cancel(&ctx.services().pool, endpoint, number).await.map_err(|error| unavailable(&error))?,
            None => return Ok(refused(&Rule::EndpointUnknown { endpoint }).into()),
        };
        Ok(match cancelled {
            Some(replay) => WebhookReplayPayload { replay: WebhookReplay(replay) }.into(),
            None => no_replay(&replay).into(),
        })
    }
}

fn endpoint(id: &ID) -> Result<EndpointId, Error> {
    argument("endpoint", id.parse())
}

fn webhooks<'a>(ctx: &Context<'a>) -> &'a Webhooks {
    &ctx.data_unchecked::<crate::graphql::Services>().webhooks
}

/// Facts about people are delivered only where the caller may see them: they are named by type, or nothing is left out.
fn may_receive(ctx: &Context<'_>, filter: &Filter, site: Option<&str>) -> Result<(), Error> {
    let people = vigie_domain::identity::IdentityEvent::TYPES;
    let wants = people.iter().any(|info| filter.types.is_empty() || filter.types.iter().any(|p| p.matches(info.name)));
    if wants && !ctx.caller().rights.hold_at(Right::Audit, site.unwrap_or_default()) {
        return Err(denied(Right::Audit, "a filter that takes identity.*, as one without types does,"));
    }
    Ok(())
}

/// Gives a command that may make secrets.
async fn give<D>(
    ctx: &Context<'_>,
    given: Given<D>,
    command_id: Option<Uuid>,
) -> Result<Result<(Receipt, EndpointId, Vec<Shown>), Refused>, Error>
where
    D: Decision<Answer = EndpointId, Refusal = Rule>,
{
    let order: Order = order(ctx, command_id).await;
    if let Err(rule) = permitted(ctx, &given.command, &order).await? {
        return Ok(Err(refused(&rule)));
    }
    let command_id = order.command_id;
    let (done, shown): (Done<EndpointId>, _) = match webhooks(ctx).give(given, order).await {
        Ok(done) => done,
        Err(error) => return of(D::NAME, &error).map(Err),
    };
    if done.appended == 0 && !may_hear(ctx, command_id).await? {
        return Err(failed(D::NAME, &Failure::<Rule>::CommandIdReused { command_id }));
    }
    let receipt = receipt(ctx, &done, command_id, &[ENDPOINTS]).await;
    Ok(Ok((receipt, done.answer, shown)))
}

async fn made<D>(ctx: &Context<'_>, given: Given<D>, command_id: Option<Uuid>) -> Result<WebhookSecretResult, Error>
where
    D: Decision<Answer = EndpointId, Refusal = Rule>,
{
    Ok(match give(ctx, given, command_id).await? {
        Ok((receipt, id, shown)) => {
            let endpoint = readable(ctx, &receipt, id).await?;
            let secrets = shown.into_iter().map(Into::into).collect();
            WebhookSecretPayload { receipt, secrets, endpoint }.into()
        }
        Err(refused) => refused.into(),
    })
}

async fn act<D>(ctx: &Context<'_>, command: D, command_id: Option<Uuid>) -> Result<WebhookResult, Error>
where
    D: Decision<Answer = EndpointId, Refusal = Rule>,
{
    match carry_out(ctx, command, command_id, &[ENDPOINTS]).await? {
        Ok((receipt, endpoint)) => Ok(payload(ctx, receipt, endpoint).await?.into()),
        Err(rule) => Ok(refused(&rule).into()),
    }
}

async fn payload(ctx: &Context<'_>, receipt: Receipt, id: EndpointId) -> Result<WebhookPayload, Error> {
    let endpoint = readable(ctx, &receipt, id).await?;
    Ok(WebhookPayload { receipt, endpoint })
}

async fn readable(ctx: &Context<'_>, receipt: &Receipt, id: EndpointId) -> Result<Option<WebhookEndpoint>, Error> {
    if receipt.is_readable() { find(ctx, id).await } else { Ok(None) }
}
