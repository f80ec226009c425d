//! What is unsafe about how the server would meet the network.

use std::path::PathBuf;

use chrono::TimeDelta;
use serde_json::json;

use super::report::Check;
use crate::clock;
use crate::http::{TlsFiles, certificates, expiry, read_tls};
use crate::settings::secrets::{SECRETS, file_variable, readable_by_others};
use crate::settings::{CONFIG, Settings};

/// All of it.
pub(super) fn checks(settings: &Settings) -> Vec<Check> {
    let mut checks = vec![listen(settings)];
    checks.extend(settings.tls().map(|files| tls(&files)));
    checks.extend([names(settings), secrets(settings), webhooks(settings)]);
    checks
}

/// Who can reach the server, and over what.
fn listen(settings: &Settings) -> Check {
    if let Err(error) = settings.check_listen() {
        return Check::failed("listen", &error);
    }
    let (listen, edge) = (settings.listen, &settings.edge);
    let remote = !listen.ip().is_loopback();
    let tls = settings.tls().is_some();
    let proxies = &settings.limits.trusted_proxies;
    let facts = json!({ "address": listen.to_string(), "remote": remote, "tls": tls, "plain": edge.allow_plain });
    let check = if !remote && !tls {
        Check::fine("listen", format!("{listen}: this machine only"))
    } else if remote && edge.allow_plain {
        let problem = "whoever is on the way reads passwords and tokens (VIGIE_ALLOW_PLAIN)";
        Check::doubtful("listen", format!("{listen}, without TLS for other machines: {problem}"))
    } else if tls {
        Check::fine("listen", format!("{listen}, over TLS"))
    } else {
        Check::fine("listen", format!("{listen}, over TLS of the proxies {proxies:?}"))
    };
    check.with(facts)
}

/// Less than this is little time to renew a certificate in.
const RENEW: TimeDelta = TimeDelta::days(14);

/// The certificate and its key.
fn tls(files: &TlsFiles) -> Check {
    let certificates = match read_tls(files).and_then(|_| certificates(&files.certificate)) {
        Ok(certificates) => certificates,
        Err(error) => return Check::failed("tls", &error),
    };
    let end = certificates.first().and_then(|certificate| expiry(certificate));
    let until = end.map_or_else(|| "an unknown time".to_owned(), |end| end.format("%Y-%m-%d %H:%MZ").to_string());
    let says = format!("{}, until {until}", files.certificate.display());
    let check = if !readable_by_others([files.key.clone()]).is_empty() {
        Check::doubtful("tls", format!("{says}; every account of this machine can read {}", files.key.display()))
    } else if end.is_none_or(|end| end < clock::now() + RENEW) {
        Check::doubtful("tls", format!("{says}: renew it"))
    } else {
        Check::fine("tls", says)
    };
    check.with(json!({ "until": end }))
}

/// The names that the server answers to.
fn names(settings: &Settings) -> Check {
    let edge = &settings.edge;
    match (edge.allow_remote, edge.hosts.is_empty()) {
        (false, true) => Check::fine("names", "localhost and loopback addresses"),
        (true, true) => {
            Check::doubtful("names", "addresses only: browsers come by a name, which VIGIE_HOSTS must list")
        }
        (_, false) => Check::fine("names", edge.hosts.join(", ")),
    }
}

/// What webhooks may reach, and what their secrets are sealed with.
fn webhooks(settings: &Settings) -> Check {
    let webhooks = &settings.webhooks;
    let allow: Vec<String> = webhooks.allow.iter().map(ToString::to_string).collect();
    let reach = if allow.is_empty() {
        "public addresses".to_owned()
    } else {
        format!("public addresses, {}", allow.join(", "))
    };
    let check = if webhooks.plain {
        Check::doubtful(
            "webhooks",
            format!("{reach}; http: is admitted: whoever is on the way reads what is delivered"),
        )
    } else if settings.database_url.is_some() && webhooks.key.is_none() {
        Check::fine("webhooks", "off: no VIGIE_WEBHOOK_KEY")
    } else {
        Check::fine("webhooks", reach)
    };
    check.with(json!({ "allow": allow, "plain": webhooks.plain, "deliver": webhooks.deliver }))
}

/// Secrets that can be guessed, or read by others. With weak ones a server that others reach does not start.
fn secrets(settings: &Settings) -> Check {
    if let Err(error) = settings.check_secrets() {
        return Check::failed("secrets", &error);
    }
    let files = SECRETS.iter().map(|name| file_variable(name)).chain([CONFIG.to_owned()]);
    let files = files.filter_map(std::env::var_os).map(PathBuf::from);
    let open = readable_by_others(files);
    let weak = settings.weak_secrets();
    let open = open.iter().map(|path| format!("every account of this machine can read {}", path.display()));
    let problems: Vec<String> = weak.iter().map(ToString::to_string).chain(open).collect();
    match problems.is_empty() {
        true => Check::fine("secrets", "none that everybody tries, none that others read"),
        false => Check::doubtful("secrets", problems.join("\n")),
    }
}
