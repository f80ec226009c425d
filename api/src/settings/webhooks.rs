//! How events are delivered to other systems.

use std::path::PathBuf;

use chrono::TimeDelta;
use ipnet::IpNet;
use vigie_integrations::webhooks::wire::{AddressRules, Vault};

use super::table::{Declared, number, parse};

/// How events are delivered to other systems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhooks {
    /// `VIGIE_WEBHOOK_KEY`: what secrets are sealed with, and before it what they were sealed with.
    pub key: Option<String>,
    /// `VIGIE_WEBHOOK_ALLOW`: ranges of addresses that are admitted although they are not of the public Internet.
    pub allow: Vec<IpNet>,
    /// `VIGIE_WEBHOOK_PLAIN`: whether `http:` is admitted.
    pub plain: bool,
    /// `VIGIE_WEBHOOK_CA`: certificates that are trusted besides the machine's.
    pub ca: Option<PathBuf>,
    /// `VIGIE_WEBHOOK_DELIVER`: whether this process delivers.
    pub deliver: bool,
    /// `VIGIE_WEBHOOK_REQUESTS`: the most requests at a time.
    pub requests: usize,
    /// `VIGIE_WEBHOOK_DAYS`: how long attempts are kept.
    pub keep: TimeDelta,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self {
            key: None,
            allow: Vec::new(),
            plain: false,
            ca: None,
            deliver: true,
            requests: 512,
            keep: TimeDelta::days(30),
        }
    }
}

impl Webhooks {
    /// What may be reached.
    #[must_use]
    pub fn rules(&self) -> AddressRules {
        AddressRules { allowed: self.allow.clone(), plain_http: self.plain }
    }
}

/// Every setting of it.
pub(super) const TABLE: &[Declared] = &[
    Declared {
        variable: "VIGIE_WEBHOOK_KEY",
        default: "(`webhooks.key` in the data folder of the private Postgres; none with `DATABASE_URL`)",
        says: "What the secrets of webhook endpoints are sealed with: 32 bytes in base64, as `openssl rand -base64 32` \
               makes them. Several with blanks between: the first seals, each opens, so that they can be changed.",
        read: |settings, text| {
            Vault::parse(text).map_err(|error| error.to_string())?;
            settings.webhooks.key = Some(text.to_owned());
            Ok(())
        },
    },
    Declared {
        variable: "VIGIE_WEBHOOK_ALLOW",
        default: "(none)",
        says: "Ranges of addresses, such as `10.1.0.0/16,fd00::/8`, that webhooks may reach although they are private, \
               loopback or link-local.",
        read: |settings, text| {
            let ranges = text.split(',').map(|range| {
                let range = range.trim();
                range.parse().map_err(|_| format!("{range:?} is not a range of addresses such as 10.1.0.0/16"))
            });
            settings.webhooks.allow = ranges.collect::<Result<_, _>>()?;
            Ok(())
        },
    },
    Declared {
        variable: "VIGIE_WEBHOOK_PLAIN",
        default: "false",
        says: "`true` admits endpoints with `http:`: whoever is on the way reads what is delivered.",
        read: |settings, text| parse(text, "true or false").map(|plain| settings.webhooks.plain = plain),
    },
    Declared {
        variable: "VIGIE_WEBHOOK_CA",
        default: "(none)",
        says: "A PEM file with certificates that those of receivers may be signed with, besides the machine's.",
        read: |settings, text| {
            settings.webhooks.ca = Some(text.into());
            Ok(())
        },
    },
    Declared {
        variable: "VIGIE_WEBHOOK_DELIVER",
        default: "true",
        says: "`false` leaves the deliveries to other processes.",
        read: |settings, text| parse(text, "true or false").map(|deliver| settings.webhooks.deliver = deliver),
    },
    Declared {
        variable: "VIGIE_WEBHOOK_REQUESTS",
        default: "512",
        says: "The most deliveries of this process that are on their way at a time: 16 to 10,000.",
        read: |settings, text| number(text, 16, 10_000).map(|most| settings.webhooks.requests = most),
    },
    Declared {
        variable: "VIGIE_WEBHOOK_DAYS",
        default: "30",
        says: "Days that attempts of deliveries are kept: 1 to 3,650.",
        read: |settings, text| number(text, 1, 3_650).map(|days| settings.webhooks.keep = TimeDelta::days(days)),
    },
];
