//! Webhook endpoints.

use uuid::Uuid;
use vigie_domain::Event;
use vigie_domain::kernel::Note;
use vigie_domain::webhooks::*;

use crate::airport::{at, lfw};

fn id(n: u128) -> Uuid {
    Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0200 + n)
}

fn plain() -> EndpointSettings {
    EndpointSettings {
        description: Note::new("stand board of the handler").unwrap(),
        target: Target { url: EndpointUrl::new("https://receiver.example/hook").unwrap(), query: None },
        filter: Filter::default(),
        ordering: None,
        on_exhaustion: OnExhaustion::SetAside,
        rate: None,
        timeout: Timeout::default(),
        retries: None,
        headers: Headers::default(),
    }
}

fn full() -> EndpointSettings {
    let (types, tags) = (TypePattern::new("airport.*").unwrap(), FilterTag::new("stand:LFW/C03").unwrap());
    EndpointSettings {
        target: Target { query: Some(id(4).into()), ..plain().target },
        filter: Filter { types: vec![types], tags: vec![tags] },
        ordering: TagKind::new("stand").ok(),
        on_exhaustion: OnExhaustion::Hold,
        rate: Rate::new(50).ok(),
        timeout: Timeout::new(30).unwrap(),
        retries: RetrySchedule::try_from(vec![0, 5, 300]).ok(),
        headers: Headers { names: vec![HeaderName::new("authorization").unwrap()], values: Some(id(5).into()) },
        ..plain()
    }
}

pub(crate) fn samples() -> Vec<(&'static str, Event)> {
    let (endpoint, site) = (EndpointId::from(id(1)), Some(lfw()));
    let hmac = Secret { id: id(2).into(), kind: SecretKind::Hmac, public_key: None };
    let public_key = Some("whpk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned());
    let ed25519 = Secret { id: id(3).into(), kind: SecretKind::Ed25519, public_key };
    let secrets = vec![hmac.clone(), ed25519.clone()];
    let registered = EndpointRegistered { endpoint, site: site.clone(), settings: full(), secrets, after: Some(17) };
    let anywhere = EndpointRegistered {
        site: None,
        settings: plain(),
        secrets: vec![hmac.clone()],
        after: None,
        ..registered.clone()
    };
    let disabled = |reason| Event::from(EndpointDisabled { endpoint, site: lfw().into(), reason });
    let retired = vec![hmac.id];
    vec![
        ("", registered.into()),
        ("everywhere", anywhere.into()),
        ("", EndpointChanged { endpoint, site: site.clone(), settings: plain() }.into()),
        ("", disabled(DisableReason::Operator)),
        ("gone", disabled(DisableReason::Gone)),
        ("failing", disabled(DisableReason::Failing)),
        ("", EndpointEnabled { endpoint, site: site.clone() }.into()),
        ("", SecretRotated { endpoint, site: site.clone(), secret: ed25519, retired, until: at("12:00:00") }.into()),
        ("", EndpointRemoved { endpoint, site }.into()),
    ]
}
