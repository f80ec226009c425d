//! Delivers nothing to an endpoint until further notice.

use serde::{Deserialize, Serialize};

use super::refusal::Decides;
use super::state::Endpoint;
use super::{DisableReason, EndpointDisabled, EndpointId, WebhookRefusal};
use crate::kernel::{Context, Decided, Decision, Tag, World};

/// Delivers nothing to an endpoint until it is enabled; then it goes on where it stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisableEndpoint {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Why.
    pub reason: DisableReason,
}

impl Decision for DisableEndpoint {
    const NAME: &'static str = "webhooks.disable_endpoint";
    type Answer = EndpointId;
    type Refusal = WebhookRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.endpoint.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Decides {
        let Self { endpoint, reason } = *self;
        let known = world.guard::<Endpoint>(&endpoint)?;
        known.check_there(endpoint)?;
        if known.disabled.is_some() {
            return Ok(Decided::nothing(endpoint));
        }
        let site = known.site.clone();
        Ok(Decided::events([EndpointDisabled { endpoint, site, reason }.into()], endpoint))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::*;
    use super::*;

    fn disable(reason: DisableReason) -> DisableEndpoint {
        DisableEndpoint { endpoint: endpoint(1), reason }
    }

    #[test]
    fn an_endpoint_is_disabled_once_whatever_for() {
        let done = one_endpoint().when(disable(DisableReason::Gone)).then([disabled(1, DisableReason::Gone).into()]);
        done.recorded().when(disable(DisableReason::Operator)).then_nothing();
    }

    #[test]
    fn an_endpoint_that_is_not_there_cannot_be_disabled() {
        let gone = one_endpoint().and([removed(1).into()]);
        gone.when(disable(DisableReason::Failing)).then_refused("ENDPOINT_REMOVED");
        let unknown = DisableEndpoint { endpoint: endpoint(2), reason: DisableReason::Operator };
        one_endpoint().when(unknown).then_refused("ENDPOINT_UNKNOWN");
    }
}
