//! What is unsafe about how the server would meet the network.

use std::collections::BTreeSet;
use std::path::PathBuf;

use chrono::TimeDelta;
use serde_json::json;

use super::report::Check;
use crate::clock;
use crate::http::{TlsFiles, certificates, expiry, is_for, read_tls};
use crate::settings::secrets::{SECRETS, file_variable, readable_by_others};
use crate::settings::{CONFIG, Settings};
use crate::webhooks::usable;

/// All of it.
pub(super) fn checks(settings: &Settings) -> Vec<Check> {
    let mut checks = vec![listen(settings)];
    checks.extend(settings.tls().map(|files| tls(&files, settings)));
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
fn tls(files: &TlsFiles, settings: &Settings) -> Check {
    let certificates = match read_tls(files).and_then(|_| certificates(&files.certificate)) {
        Ok(certificates) => certificates,
        Err(error) => return Check::failed("tls", &error),
    };
    let end = certificates.first().and_then(|certificate| expiry(certificate));
    let until = end.map_or_else(|| "an unknown time".to_owned(), |end| end.format("%Y-%m-%d %H:%MZ").to_string());
    let covered = |name: &String| certificates.first().is_some_and(|certificate| is_for(certificate, name));
    let missing: Vec<String> = reached_as(settings).into_iter().filter(|name| !covered(name)).collect();
    let mut says = vec![format!("{}, until {until}", files.certificate.display())];
    if !readable_by_others([files.key.clone()]).is_empty() {
        says.push(format!("every account of this machine can read {}", files.key.display()));
    }
    match end {
        Some(end) if end < clock::now() => says.push("it has expired: renew it".to_owned()),
        Some(end) if end < clock::now() + RENEW => says.push("it ends soon: renew it".to_owned()),
        Some(_) => {}
        None => says.push("when it ends cannot be read".to_owned()),
    }
    if !missing.is_empty() {
        says.push(format!("it is not for {} (VIGIE_HOSTS, VIGIE_PUBLIC_URL): browsers refuse it", missing.join(", ")));
    }
    let check = match says.as_slice() {
        [one] => Check::fine("tls", one.as_str()),
        _ => Check::doubtful("tls", says.join("\n")),
    };
    check.with(json!({ "until": end, "not_for": missing }))
}

/// The names that browsers come by, as far as the settings say.
fn reached_as(settings: &Settings) -> BTreeSet<String> {
    let url = settings.public_url.as_deref().and_then(|url| reqwest::Url::parse(url).ok());
    // An IPv6 address stands in brackets.
    let host = url
        .filter(|url| url.scheme() == "https")
        .and_then(|url| url.host_str().map(|host| host.trim_start_matches('[').trim_end_matches(']').to_owned()));
    settings.edge.hosts.iter().cloned().chain(host).collect()
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
    if let Err(error) = usable(settings) {
        return Check::failed("webhooks", &error);
    }
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use rcgen::{CertificateParams, KeyPair};
    use serde_json::Value;
    use tempfile::TempDir;

    use super::*;
    use crate::settings::Edge;

    /// What is said of a certificate for these names that ends after so many days.
    fn said(names: &[&str], days: i64, settings: &Settings) -> Value {
        let folder = TempDir::new().unwrap();
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        let end = clock::now() + TimeDelta::days(days);
        params.not_after = std::time::SystemTime::from(end).into();
        let files = TlsFiles { certificate: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
        fs::write(&files.certificate, params.self_signed(&key).unwrap().pem()).unwrap();
        fs::write(&files.key, key.serialize_pem()).unwrap();
        fs::set_permissions(&files.key, fs::Permissions::from_mode(0o600)).unwrap();
        serde_json::to_value(tls(&files, settings)).unwrap()
    }

    fn reached(hosts: &[&str], url: &str) -> Settings {
        let hosts = hosts.iter().map(ToString::to_string).collect();
        let edge = Edge { hosts, ..Edge::default() };
        Settings { edge, public_url: Some(url.to_owned()), ..Settings::defaults() }
    }

    #[test]
    fn a_certificate_is_for_every_name_that_browsers_come_by() {
        let settings = reached(&["vigie.example", "ops.vigie.example"], "https://[2001:db8::1]:8443");
        let all = said(&["vigie.example", "*.vigie.example", "2001:db8::1"], 100, &settings);
        assert_eq!((&all["state"], &all["facts"]["not_for"]), (&json!("fine"), &json!([])), "{all}");
        let one = said(&["vigie.example"], 100, &settings);
        assert_eq!(one["state"], "doubtful", "{one}");
        assert_eq!(one["facts"]["not_for"], json!(["2001:db8::1", "ops.vigie.example"]));
        // A proxy that speaks TLS has a certificate of its own.
        let plain = said(&["vigie.example"], 100, &reached(&["vigie.example"], "http://localhost:8080"));
        assert_eq!(plain["state"], "fine", "{plain}");
    }

    #[test]
    fn a_certificate_that_ends_soon_or_has_ended_is_told() {
        let settings = reached(&["vigie.example"], "https://vigie.example");
        for (days, told) in [(13, "it ends soon"), (-1, "it has expired")] {
            let said = said(&["vigie.example"], days, &settings);
            assert!(said["state"] == "doubtful" && said["says"].as_str().unwrap().contains(told), "{said}");
        }
        assert_eq!(said(&["vigie.example"], 15, &settings)["state"], "fine");
    }
}
