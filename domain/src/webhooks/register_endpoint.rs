//! Delivers events to somebody new.

use serde::Serialize;

use super::refusal::{Decides, check_site};
use super::state::{Endpoint, check};
use super::{EndpointId, EndpointRegistered, EndpointSettings, Secret, WebhookRefusal};
use crate::kernel::{Context, Decided, Decision, Tag, World};
use crate::support::SiteId;

/// Delivers events to an endpoint from now on, or from an earlier position on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RegisterEndpoint {
    /// The endpoint: an id that was drawn for it.
    pub endpoint: EndpointId,
    /// The site whose events it receives, for good; none is those of every site and of the installation.
    pub site: Option<SiteId>,
    /// What it is like.
    pub settings: EndpointSettings,
    /// What signs its deliveries: one secret of each kind, at least of one.
    pub secrets: Vec<Secret>,
    /// The position after which its events begin; none is where it is registered.
    pub after: Option<i64>,
}

impl Decision for RegisterEndpoint {
    const NAME: &'static str = "webhooks.register_endpoint";
    type Answer = EndpointId;
    type Refusal = WebhookRefusal;

    fn things(&self) -> Vec<Tag> {
        // Nobody knows the endpoint yet.
        vec![self.site.as_ref().map_or_else(|| self.endpoint.tag(), SiteId::tag)]
    }

    fn decide(&self, world: &World, _context: &Context) -> Decides {
        let Self { endpoint, site, settings, secrets, after } = self.clone();
        if world.guard::<Endpoint>(&endpoint)?.settings.is_some() {
            return Ok(Decided::nothing(endpoint));
        }
        check_site(world, site.as_ref())?;
        check(&settings)?;
        let twice = |index: usize, secret: &Secret| secrets[..index].iter().any(|other| other.kind == secret.kind);
        if secrets.is_empty() || secrets.iter().enumerate().any(|(index, secret)| twice(index, secret)) {
            return Err(WebhookRefusal::SecretKinds.into());
        }
        Ok(Decided::events([EndpointRegistered { endpoint, site, settings, secrets, after }.into()], endpoint))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::*;
    use super::super::{FilterTag, TagKind, TypePattern};
    use super::*;
    use crate::kernel::spec;

    #[test]
    fn an_endpoint_is_registered_once() {
        let done = spec::given([site()]).when(register(1)).then([registered(1).into()]);
        assert!(done.guards_against(&registered(1).into()));
        assert!(!done.guards_against(&registered(2).into()));
        done.recorded().when(register(1)).then_nothing();
    }

    #[test]
    fn an_endpoint_of_a_site_that_is_not_set_up_is_refused() {
        spec::given([]).when(register(1)).then_refused("SITE_UNKNOWN");
        spec::given([]).when(RegisterEndpoint { site: None, ..register(1) }).events();
    }

    #[test]
    fn a_filter_asks_for_what_there_is() {
        let with = |types: &[&str]| {
            let mut command = register(1);
            command.settings.filter.types = types.iter().map(|text| TypePattern::new(text).unwrap()).collect();
            spec::given([site()]).when(command)
        };
        with(&["rail.*", "boat.*"]).then_refused("TYPE_UNKNOWN");
        with(&["rail.*", "rail.*"]).then_refused("LIST_TOO_LONG");
        with(&["rail.*", "airport.*"]).events();
        let mut command = register(1);
        command.settings.ordering = TagKind::new("stands").ok();
        spec::given([site()]).when(command).then_refused("TAG_KIND_UNKNOWN");
        let mut command = register(1);
        command.settings.filter.tags = vec![FilterTag::new("zzz:1").unwrap()];
        spec::given([site()]).when(command).then_refused("TAG_KIND_UNKNOWN");
        let mut command = register(1);
        command.settings.filter.tags = (0..51).map(|n| FilterTag::new(&format!("stand:{n}")).unwrap()).collect();
        spec::given([site()]).when(command).then_refused("LIST_TOO_LONG");
    }

    #[test]
    fn deliveries_are_signed_once_in_each_way() {
        for secrets in [vec![], vec![hmac(1), hmac(2)]] {
            let unsigned = RegisterEndpoint { secrets, ..register(1) };
            spec::given([site()]).when(unsigned).then_refused("SECRET_KINDS");
        }
        let both = RegisterEndpoint { secrets: vec![hmac(1), ed25519(2)], ..register(1) };
        spec::given([site()]).when(both).events();
    }
}
