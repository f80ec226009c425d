//! Sign-in through another system.

use std::path::PathBuf;

use chrono::TimeDelta;
use reqwest::Url;
use vigie_domain::identity::Grant;

use super::table::{Declared, number, parse};
use super::{Settings, SettingsError};

/// How people sign in through OpenID Connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oidc {
    /// `VIGIE_OIDC_ISSUER`: the provider, exactly as it names itself; none without it.
    pub issuer: Option<String>,
    /// `VIGIE_OIDC_CLIENT_ID`: what the provider calls this server.
    pub client_id: String,
    /// `VIGIE_OIDC_CLIENT_SECRET`: by what it knows it; none for a public client.
    pub client_secret: Option<String>,
    /// `VIGIE_OIDC_SCOPES`: what is asked for, with blanks between.
    pub scopes: String,
    /// `VIGIE_OIDC_GROUPS_CLAIM`: where the groups stand, with dots between nested names.
    pub groups_claim: String,
    /// `VIGIE_OIDC_ROLES`: what a group means here.
    pub roles: Vec<(String, Grant)>,
    /// `VIGIE_OIDC_PROVISION`: whether who was never here gets an account.
    pub provision: bool,
    /// `VIGIE_OIDC_SESSION_MINUTES`: how long what the provider said counts.
    pub session: TimeDelta,
    /// `VIGIE_OIDC_CA`: certificates that the provider's is signed with, besides the machine's.
    pub ca: Option<PathBuf>,
}

impl Default for Oidc {
    fn default() -> Self {
        Self {
            issuer: None,
            client_id: String::new(),
            client_secret: None,
            scopes: "openid profile email".to_owned(),
            groups_claim: "groups".to_owned(),
            roles: Vec::new(),
            provision: true,
            session: TimeDelta::minutes(240),
            ca: None,
        }
    }
}

/// Every setting of it.
pub(super) const TABLE: &[Declared] = &[
    Declared {
        variable: "VIGIE_OIDC_ISSUER",
        default: "(none)",
        says: "The OpenID Connect provider that people sign in with, as it names itself: `https://…` ([sign-in](sign-in.md)).",
        read: |settings, text| {
            base(text)?;
            settings.oidc.issuer = Some(text.to_owned());
            Ok(())
        },
    },
    Declared {
        variable: "VIGIE_OIDC_CLIENT_ID",
        default: "(none)",
        says: "What the provider calls this server. Needed with `VIGIE_OIDC_ISSUER`.",
        read: |settings, text| {
            text.clone_into(&mut settings.oidc.client_id);
            Ok(())
        },
    },
    Declared {
        variable: "VIGIE_OIDC_CLIENT_SECRET",
        default: "(none: a public client)",
        says: "By what the provider knows this server.",
        read: |settings, text| {
            settings.oidc.client_secret = Some(text.to_owned());
            Ok(())
        },
    },
    Declared {
        variable: "VIGIE_OIDC_SCOPES",
        default: "openid profile email",
        says: "The scopes that are asked for, with blanks between them; `openid` is one of them.",
        read: |settings, text| match text.split_whitespace().any(|scope| scope == "openid") {
            true => {
                text.clone_into(&mut settings.oidc.scopes);
                Ok(())
            }
            false => Err(format!("{text:?} is without openid")),
        },
    },
    Declared {
        variable: "VIGIE_OIDC_GROUPS_CLAIM",
        default: "groups",
        says: "The claim with a person's groups; with dots for nested ones, such as `realm_access.roles`.",
        read: |settings, text| {
            text.clone_into(&mut settings.oidc.groups_claim);
            Ok(())
        },
    },
    Declared {
        variable: "VIGIE_OIDC_ROLES",
        default: "(none)",
        says: "What groups mean: `group=role` or `group=role@SITE`, with semicolons between them, such as `ops=operator@LFW; it=admin`.",
        read: |settings, text| {
            let pairs = text.split(';').map(str::trim).filter(|pair| !pair.is_empty());
            pairs.map(role).collect::<Result<_, _>>().map(|roles| settings.oidc.roles = roles)
        },
    },
    Declared {
        variable: "VIGIE_OIDC_PROVISION",
        default: "true",
        says: "`false` lets nobody in who has not signed in through the provider before.",
        read: |settings, text| parse(text, "true or false").map(|provision| settings.oidc.provision = provision),
    },
    Declared {
        variable: "VIGIE_OIDC_SESSION_MINUTES",
        default: "240",
        says: "Minutes after which a session ends that the provider opened, however long others last: so long at most counts what it said of somebody's groups. 5 to 43,200.",
        read: |settings, text| {
            number(text, 5, 43_200).map(|minutes: i64| settings.oidc.session = TimeDelta::minutes(minutes))
        },
    },
    Declared {
        variable: "VIGIE_OIDC_CA",
        default: "(none)",
        says: "A PEM file with certificates to trust for the provider, besides the machine's.",
        read: |settings, text| {
            settings.oidc.ca = Some(text.into());
            Ok(())
        },
    },
    Declared {
        variable: "VIGIE_PUBLIC_URL",
        default: "(none)",
        says: "Under what browsers reach this server, such as `https://vigie.example.org`. Needed with `VIGIE_OIDC_ISSUER`.",
        read: |settings, text| {
            let url = base(text)?;
            match url.path() {
                "/" => {
                    settings.public_url = Some(text.trim_end_matches('/').to_owned());
                    Ok(())
                }
                path => Err(format!("has the path {path}: the server is at the root of its name")),
            }
        },
    },
];

/// An address that can be trusted to be what it says: over TLS, or on this machine.
fn base(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{text:?} is no URL: {error}"))?;
    let local = url.host_str().is_some_and(|host| matches!(host, "localhost" | "127.0.0.1" | "[::1]"));
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(format!("{text:?} has more than scheme, host and path"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if local => Ok(url),
        _ => Err(format!("{text:?} does not begin with https:// (or http://localhost)")),
    }
}

/// The last `=` divides: names of groups may hold others.
fn role(pair: &str) -> Result<(String, Grant), String> {
    let (group, grant) =
        pair.rsplit_once('=').ok_or_else(|| format!("{pair:?} is not group=role or group=role@SITE"))?;
    let grant = grant.trim().parse::<Grant>().map_err(|error| format!("{pair:?}: {error}"))?;
    match group.trim() {
        "" => Err(format!("{pair:?} names no group")),
        group => Ok((group.to_owned(), grant)),
    }
}

impl Settings {
    /// Whether everything that sign-in through another system needs is there.
    ///
    /// # Errors
    /// Something is missing.
    pub fn check_oidc(&self) -> Result<(), SettingsError> {
        let missing = |name: &str| {
            Err(SettingsError { name: name.to_owned(), problem: "is missing: VIGIE_OIDC_ISSUER is set".to_owned() })
        };
        match (&self.oidc.issuer, &self.public_url) {
            (None, _) => Ok(()),
            (Some(_), _) if self.oidc.client_id.is_empty() => missing("VIGIE_OIDC_CLIENT_ID"),
            (Some(_), None) => missing("VIGIE_PUBLIC_URL"),
            (Some(_), Some(_)) => Ok(()),
        }
    }
}
