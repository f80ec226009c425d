//! Delivers nothing to an endpoint any more.

use serde::{Deserialize, Serialize};

use super::refusal::Decides;
use super::state::Endpoint;
use super::{EndpointId, EndpointRemoved, WebhookRefusal};
use crate::kernel::{Context, Decided, Decision, Tag, World};

/// Delivers nothing to an endpoint any more, for good. What waits for it is dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveEndpoint {
    /// The endpoint.
    pub endpoint: EndpointId,
}

impl Decision for RemoveEndpoint {
    const NAME: &'static str = "webhooks.remove_endpoint";
    type Answer = EndpointId;
    type Refusal = WebhookRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.endpoint.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Decides {
        let endpoint = self.endpoint;
        let known = world.guard::<Endpoint>(&endpoint)?;
        if known.removed {
            return Ok(Decided::nothing(endpoint));
        }
        known.check_there(endpoint)?;
        Ok(Decided::events([EndpointRemoved { endpoint, site: known.site.clone() }.into()], endpoint))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::*;
    use super::*;

    #[test]
    fn an_endpoint_is_removed_once() {
        let remove = |number| RemoveEndpoint { endpoint: endpoint(number) };
        one_endpoint().when(remove(2)).then_refused("ENDPOINT_UNKNOWN");
        one_endpoint().when(remove(1)).then([removed(1).into()]).recorded().when(remove(1)).then_nothing();
    }
}
