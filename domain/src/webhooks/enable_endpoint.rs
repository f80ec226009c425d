//! Delivers events to an endpoint again.

use serde::{Deserialize, Serialize};

use super::refusal::Decides;
use super::state::Endpoint;
use super::{EndpointEnabled, EndpointId, WebhookRefusal};
use crate::kernel::{Context, Decided, Decision, Tag, World};

/// Delivers events to an endpoint again, from where it stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnableEndpoint {
    /// The endpoint.
    pub endpoint: EndpointId,
}

impl Decision for EnableEndpoint {
    const NAME: &'static str = "webhooks.enable_endpoint";
    type Answer = EndpointId;
    type Refusal = WebhookRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.endpoint.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Decides {
        let endpoint = self.endpoint;
        let known = world.guard::<Endpoint>(&endpoint)?;
        known.check_there(endpoint)?;
        if known.disabled.is_none() {
            return Ok(Decided::nothing(endpoint));
        }
        Ok(Decided::events([EndpointEnabled { endpoint, site: known.site.clone() }.into()], endpoint))
    }
}

#[cfg(test)]
mod tests {
    use super::super::DisableReason;
    use super::super::fixtures::*;
    use super::*;

    #[test]
    fn a_disabled_endpoint_is_enabled_once() {
        let enable = || EnableEndpoint { endpoint: endpoint(1) };
        one_endpoint().when(enable()).then_nothing();
        let off = one_endpoint().and([disabled(1, DisableReason::Failing).into()]);
        off.when(enable()).then([enabled(1).into()]).recorded().when(enable()).then_nothing();
    }

    #[test]
    fn an_endpoint_that_is_not_there_cannot_be_enabled() {
        one_endpoint().when(EnableEndpoint { endpoint: endpoint(2) }).then_refused("ENDPOINT_UNKNOWN");
        let gone = one_endpoint().and([removed(1).into()]);
        gone.when(EnableEndpoint { endpoint: endpoint(1) }).then_refused("ENDPOINT_REMOVED");
    }
}
