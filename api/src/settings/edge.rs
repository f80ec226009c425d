//! The network's edge: who may reach the server, under which names, and over what.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::table::{Declared, number, parse};
use super::{Settings, SettingsError};
use crate::http::TlsFiles;

/// How the server meets the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// `VIGIE_ALLOW_REMOTE`: whether other machines may reach the server.
    pub allow_remote: bool,
    /// `VIGIE_HOSTS`: the names that it answers to besides this machine's own, in lower case.
    pub hosts: Vec<String>,
    /// `VIGIE_TLS_CERTIFICATE`.
    pub tls_certificate: Option<PathBuf>,
    /// `VIGIE_TLS_KEY`.
    pub tls_key: Option<PathBuf>,
    /// `VIGIE_ALLOW_PLAIN`: whether other machines may speak HTTP without TLS.
    pub allow_plain: bool,
    /// `VIGIE_HEAD_SECONDS`: how long a client may take over the head of a request.
    pub head: Duration,
    /// `VIGIE_CONNECTIONS`: how many connections are open at once.
    pub connections: usize,
    /// `VIGIE_ADDRESS_CONNECTIONS`: how many of them one address has.
    pub address_connections: usize,
    /// `VIGIE_HSTS_SECONDS`: how long browsers keep to TLS; nothing is said to them when it is zero.
    pub hsts: Duration,
}

impl Default for Edge {
    fn default() -> Self {
        Self {
            allow_remote: false,
            hosts: Vec::new(),
            tls_certificate: None,
            tls_key: None,
            allow_plain: false,
            head: Duration::from_secs(20),
            connections: 10_000,
            address_connections: 1_000,
            hsts: Duration::from_secs(YEAR),
        }
    }
}

const YEAR: u64 = 365 * 24 * 60 * 60;

/// Every setting of the edge.
pub(super) const TABLE: &[Declared] = &[
    Declared {
        variable: "VIGIE_LISTEN",
        default: "127.0.0.1:8080",
        says: "Address and port to serve on. Anything but loopback needs `VIGIE_ALLOW_REMOTE`, and TLS: `VIGIE_TLS_CERTIFICATE`, or a proxy in `VIGIE_TRUSTED_PROXIES`.",
        read: |settings, text| {
            parse(text, "an address and a port, such as 127.0.0.1:8080").map(|listen| settings.listen = listen)
        },
    },
    Declared {
        variable: "VIGIE_ALLOW_REMOTE",
        default: "false",
        says: "`true` lets other machines reach the server, by its IP addresses and by the names in `VIGIE_HOSTS`.",
        read: |settings, text| parse(text, "true or false").map(|allow| settings.edge.allow_remote = allow),
    },
    Declared {
        variable: "VIGIE_HOSTS",
        default: "(none)",
        says: "Host names that the server answers to besides `localhost`, without ports, with commas between them.",
        read: |settings, text| {
            let names = text.split(',').map(|name| host(name.trim()));
            names.collect::<Result<_, _>>().map(|hosts| settings.edge.hosts = hosts)
        },
    },
    Declared {
        variable: "VIGIE_TLS_CERTIFICATE",
        default: "(none)",
        says: "A PEM file with the server's certificate and those that it was signed with: the server speaks TLS. Read again when it changes ([operations](operations.md#tls)).",
        read: |settings, text| {
            settings.edge.tls_certificate = Some(text.into());
            Ok(())
        },
    },
    Declared {
        variable: "VIGIE_TLS_KEY",
        default: "(none)",
        says: "A PEM file with the key of that certificate.",
        read: |settings, text| {
            settings.edge.tls_key = Some(text.into());
            Ok(())
        },
    },
    Declared {
        variable: "VIGIE_ALLOW_PLAIN",
        default: "false",
        says: "`true` lets other machines speak HTTP without TLS: whoever is on the way reads passwords and tokens.",
        read: |settings, text| parse(text, "true or false").map(|allow| settings.edge.allow_plain = allow),
    },
    Declared {
        variable: "VIGIE_HEAD_SECONDS",
        default: "20",
        says: "Seconds that a client may take over TLS's handshake, and over the head of each request: 1 to 600.",
        read: |settings, text| number(text, 1, 600).map(|seconds| settings.edge.head = Duration::from_secs(seconds)),
    },
    Declared {
        variable: "VIGIE_CONNECTIONS",
        default: "10000",
        says: "Connections, WebSockets among them, that are open at once: 10 to 1,000,000. Each takes a file descriptor, of which the system must give the process as many (`ulimit -n`). Further ones are answered 503, and over TLS closed.",
        read: |settings, text| number(text, 10, 1_000_000).map(|most| settings.edge.connections = most),
    },
    Declared {
        variable: "VIGIE_ADDRESS_CONNECTIONS",
        default: "1000",
        says: "How many of them one address has (an IPv6 network of 64 bits counts as one): 1 to 1,000,000. Those of `VIGIE_TRUSTED_PROXIES` have as many as there are.",
        read: |settings, text| number(text, 1, 1_000_000).map(|most| settings.edge.address_connections = most),
    },
    Declared {
        variable: "VIGIE_HSTS_SECONDS",
        default: "31536000",
        says: "Seconds for which browsers that came over TLS come by TLS alone (`Strict-Transport-Security`): 0 (not said) to 63,072,000.",
        read: |settings, text| {
            number(text, 0, 2 * YEAR).map(|seconds| settings.edge.hsts = Duration::from_secs(seconds))
        },
    },
];

/// A name as browsers send it, in lower case.
fn host(name: &str) -> Result<String, String> {
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    match name.split('.').all(label) {
        true => Ok(name.to_ascii_lowercase()),
        false => Err(format!("{name:?} is not a host name, such as vigie.example.org, without scheme and port")),
    }
}

impl Settings {
    /// Where browsers find this server when it listens at `address`: where the settings say that it is reached, else there;
    /// who listens everywhere is found on this machine, too.
    #[must_use]
    pub fn url_at(&self, address: SocketAddr) -> String {
        if let Some(url) = &self.public_url {
            return url.clone();
        }
        let ip = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        let scheme = if self.tls().is_some() { "https" } else { "http" };
        format!("{scheme}://{}", SocketAddr::new(ip, address.port()))
    }

    /// The files of TLS, if it is served.
    #[must_use]
    pub fn tls(&self) -> Option<TlsFiles> {
        let edge = &self.edge;
        let (certificate, key) = edge.tls_certificate.clone().zip(edge.tls_key.clone())?;
        Some(TlsFiles { certificate, key })
    }

    /// Whether `listen` may be listened on: only this machine may reach the server unless it is said explicitly, and
    /// then only over TLS unless that is said too.
    ///
    /// # Errors
    /// An address beyond loopback without `VIGIE_ALLOW_REMOTE`, without TLS or without accounts; half of what TLS needs.
    pub fn check_listen(&self) -> Result<(), SettingsError> {
        let refused = |name: &str, problem: String| Err(SettingsError { name: name.to_owned(), problem });
        let edge = &self.edge;
        match (&edge.tls_certificate, &edge.tls_key) {
            (Some(_), None) => return refused("VIGIE_TLS_KEY", "is missing: VIGIE_TLS_CERTIFICATE is set".to_owned()),
            (None, Some(_)) => return refused("VIGIE_TLS_CERTIFICATE", "is missing: VIGIE_TLS_KEY is set".to_owned()),
            (Some(_), Some(_)) | (None, None) => {}
        }
        let local = self.listen.ip().is_loopback();
        if !local && !edge.allow_remote {
            let problem = format!(
                "{} can be reached by other machines. Listen on 127.0.0.1 or [::1], or set VIGIE_ALLOW_REMOTE=true",
                self.listen
            );
            return refused("VIGIE_LISTEN", problem);
        }
        if self.open && (!local || edge.allow_remote) {
            let problem = "without accounts only this machine may reach the server: leave VIGIE_OPEN out, or listen on \
                           loopback without VIGIE_ALLOW_REMOTE";
            return refused("VIGIE_OPEN", problem.to_owned());
        }
        if !local && self.tls().is_none() && self.limits.trusted_proxies.is_empty() && !edge.allow_plain {
            let problem = format!(
                "{} can be reached by other machines without TLS. Set VIGIE_TLS_CERTIFICATE and VIGIE_TLS_KEY, or \
                 VIGIE_TRUSTED_PROXIES to the proxy in front that speaks TLS, or VIGIE_ALLOW_PLAIN=true where nobody is \
                 on the way",
                self.listen
            );
            return refused("VIGIE_LISTEN", problem);
        }
        Ok(())
    }
}
