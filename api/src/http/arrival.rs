//! How a request came: from where, and over what.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap};

use crate::limits::{Address, client};

/// A mark on requests that come over a connection which this server encrypts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Encrypted;

/// What is known of a request's way here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// The client, as callers are counted.
    pub(crate) address: Address,
    /// Whether the client's side of the way is encrypted: by this server, or by a trusted proxy that says so.
    pub(crate) encrypted: bool,
    /// Whether the client is on this machine.
    pub(crate) local: bool,
}

impl Arrival {
    /// Of a request. Without a connection (a request made inside the process) it is from this machine.
    pub(crate) fn of(extensions: &Extensions, headers: &HeaderMap, trusted: &[IpAddr]) -> Self {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical());
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let client = client(peer, headers, trusted);
        let encrypted = extensions.get::<Encrypted>().is_some() || trusted.contains(&peer) && came_by_https(headers);
        Self { address: client.into(), encrypted, local: client.is_loopback() }
    }

    /// The scheme under which the client knows this server.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.encrypted { "https" } else { "http" }
    }
}

/// What the proxies in front saw. Where several have written something, each of them must have seen it.
fn came_by_https(headers: &HeaderMap) -> bool {
    let mut said = headers.get_all("x-forwarded-proto").iter().peekable();
    said.peek().is_some()
        && said.all(|line| {
            line.to_str().is_ok_and(|line| line.split(',').all(|scheme| scheme.trim().eq_ignore_ascii_case("https")))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(peer: &str, headers: &[(&'static str, &'static str)], encrypted: bool) -> Arrival {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
        if encrypted {
            extensions.insert(Encrypted);
        }
        let mut sent = HeaderMap::new();
        for (name, value) in headers {
            sent.append(*name, value.parse().unwrap());
        }
        Arrival::of(&extensions, &sent, &["10.0.0.1".parse().unwrap()])
    }

    #[test]
    fn only_trusted_proxies_say_that_a_request_was_encrypted() {
        let https = ("x-forwarded-proto", "https");
        assert!(arrival("10.0.0.1", &[https], false).encrypted);
        assert!(!arrival("10.0.0.2", &[https], false).encrypted);
        assert!(!arrival("10.0.0.1", &[], false).encrypted);
        assert!(!arrival("10.0.0.1", &[("x-forwarded-proto", "http")], false).encrypted);
        assert!(!arrival("10.0.0.1", &[("x-forwarded-proto", "https, http")], false).encrypted);
        assert!(!arrival("10.0.0.1", &[https, ("x-forwarded-proto", "http")], false).encrypted);
        assert!(arrival("10.0.0.2", &[("x-forwarded-proto", "http")], true).encrypted);
    }

    #[test]
    fn who_says_to_be_on_this_machine_is_not() {
        assert!(arrival("127.0.0.1", &[], false).local && arrival("::1", &[], false).local);
        assert!(!arrival("10.0.0.2", &[("x-forwarded-for", "127.0.0.1")], false).local);
        assert!(!arrival("10.0.0.1", &[("x-forwarded-for", "127.0.0.1, 1.2.3.4")], false).local);
    }
}
