//! Trying an endpoint: what it asks for, and a test event, signed and sent like any other, in no log, and kept among the
//! attempts.

use uuid::Uuid;
use vigie_domain::webhooks::EndpointId;
use vigie_integrations::webhooks::{Filter, probe};

use super::configured::one;
use super::{AttemptRow, WebhookError, Webhooks};
use crate::clock;

impl Webhooks {
    /// Which events an endpoint asks for.
    pub(crate) async fn filter(&self, endpoint: EndpointId) -> Result<Filter, WebhookError> {
        Ok(one(self.pool(), endpoint.uuid()).await?.ok_or(WebhookError::Nowhere)?.filter())
    }

    /// Sends a test event to an endpoint, also to one that is disabled, and waits for the answer.
    pub(crate) async fn test(&self, endpoint: EndpointId) -> Result<AttemptRow, WebhookError> {
        let known = one(self.pool(), endpoint.uuid()).await?.ok_or(WebhookError::Nowhere)?.open(self.key()?)?;
        let id = Uuid::now_v7();
        probe(&known, id, &self.sender()?, &clock::time(), self.pool()).await?;
        AttemptRow::of_event(self.pool(), endpoint.uuid(), id).await?.ok_or(WebhookError::Nowhere)
    }
}
