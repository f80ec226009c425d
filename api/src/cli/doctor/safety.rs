//! What is unsafe about how the server would meet the network.

use std::path::PathBuf;

use serde_json::json;

use super::report::Check;
use crate::http::{TlsFiles, read_tls};
use crate::settings::secrets::{SECRETS, file_variable, readable_by_others};
use crate::settings::{CONFIG, Settings};

/// All of it.
pub(super) fn checks(settings: &Settings) -> Vec<Check> {
    let mut checks = vec![listen(settings)];
    checks.extend(settings.tls().map(|files| tls(&files)));
    checks.extend([names(settings), secrets(settings)]);
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

/// The certificate and its key.
fn tls(files: &TlsFiles) -> Check {
    if let Err(error) = read_tls(files) {
        return Check::failed("tls", &error);
    }
    let certificate = files.certificate.display();
    match readable_by_others([files.key.clone()]).is_empty() {
        true => Check::fine("tls", format!("{certificate} and its key can be used")),
        false => Check::doubtful("tls", format!("every account of this machine can read {}", files.key.display())),
    }
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
