//! Endpoints and facts for the rules' tests.

use uuid::Uuid;

use super::*;
use crate::Event;
use crate::kernel::{Note, spec};
use crate::support::{SiteDefined, SiteId, SiteKind, Zone};

pub(crate) fn endpoint(number: u128) -> EndpointId {
    Uuid::from_u128(number).into()
}

pub(crate) fn secret_id(number: u128) -> SecretId {
    Uuid::from_u128(number).into()
}

pub(crate) fn hmac(number: u128) -> Secret {
    Secret { id: secret_id(number), kind: SecretKind::Hmac, public_key: None }
}

pub(crate) fn ed25519(number: u128) -> Secret {
    Secret { id: secret_id(number), kind: SecretKind::Ed25519, public_key: Some("whpk_MCowBQYDK2VwAyEA".into()) }
}

pub(crate) fn lfw() -> SiteId {
    SiteId::new("LFW").unwrap()
}

pub(crate) fn site() -> Event {
    site_named("LFW")
}

pub(crate) fn site_named(site: &str) -> Event {
    let (site, zone) = (SiteId::new(site).unwrap(), Zone::new("Africa/Lome").unwrap());
    SiteDefined { site, name: "Somewhere".into(), kind: SiteKind::Airport, zone, icao: None }.into()
}

pub(crate) fn settings() -> EndpointSettings {
    EndpointSettings {
        description: Note::new("stand board of the handler").unwrap(),
        target: Target { url: EndpointUrl::new("https://receiver.example/hook").unwrap(), query: None },
        filter: Filter { types: vec![TypePattern::new("airport.*").unwrap()], tags: vec![] },
        ordering: None,
        on_exhaustion: OnExhaustion::SetAside,
        rate: None,
        timeout: Timeout::default(),
        retries: None,
        headers: Headers::default(),
    }
}

pub(crate) fn register(number: u128) -> RegisterEndpoint {
    let (settings, secrets) = (settings(), vec![hmac(1)]);
    RegisterEndpoint { endpoint: endpoint(number), site: Some(lfw()), settings, secrets, after: None }
}

pub(crate) fn registered(number: u128) -> EndpointRegistered {
    let RegisterEndpoint { endpoint, site, settings, secrets, after } = register(number);
    EndpointRegistered { endpoint, site, settings, secrets, after }
}

pub(crate) fn changed(number: u128, settings: EndpointSettings) -> EndpointChanged {
    EndpointChanged { endpoint: endpoint(number), site: Some(lfw()), settings }
}

pub(crate) fn disabled(number: u128, reason: DisableReason) -> EndpointDisabled {
    EndpointDisabled { endpoint: endpoint(number), site: Some(lfw()), reason }
}

pub(crate) fn enabled(number: u128) -> EndpointEnabled {
    EndpointEnabled { endpoint: endpoint(number), site: Some(lfw()) }
}

pub(crate) fn removed(number: u128) -> EndpointRemoved {
    EndpointRemoved { endpoint: endpoint(number), site: Some(lfw()) }
}

/// A site, and an endpoint of its.
pub(crate) fn one_endpoint() -> spec::Given {
    spec::given([site(), registered(1).into()])
}
