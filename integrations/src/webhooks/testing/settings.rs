//! An endpoint on this machine, and a sender that may reach it.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use vigie_domain::kernel::derived_uuid;

use crate::webhooks::wire::{AddressRules, CustomHeaders, Scheme, Sender, Settings, SigningSecret, Target};
use crate::webhooks::{Endpoint, Exhausted, Filter};

/// An endpoint that asks for everything, from the beginning of the log, without an order. Its id follows from the URL.
///
/// # Panics
/// The URL is none.
#[must_use]
pub fn endpoint(url: &str) -> Endpoint {
    Endpoint {
        id: id(url),
        target: Target::parse(url).expect("the URL of a receiver is one"),
        filter: Filter::default(),
        ordering: None,
        exhausted: Exhausted::Hold,
        rate: None,
        timeout: Duration::from_secs(15),
        retries: Endpoint::RETRIES.into(),
        headers: Arc::new(CustomHeaders::default()),
        secrets: [SigningSecret::draw(Scheme::Hmac)].into(),
        after: 0,
    }
}

fn id(url: &str) -> Uuid {
    derived_uuid("endpoint", url)
}

/// A sender that may go to this machine, also over HTTP.
///
/// # Panics
/// There can be none.
#[must_use]
pub fn local() -> Sender {
    let rules = AddressRules { plain_http: true, allowed: vec!["127.0.0.0/8".parse().expect("this is a range")] };
    Sender::new(&Settings { rules, ..Settings::default() }).expect("a sender can be made")
}
