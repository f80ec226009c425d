//! Where deliveries go.

use crate::kernel::text_id;

text_id!(
    /// The URL of an endpoint, without its query, which counts as a secret. Strict on purpose, so that no two programs
    /// read it differently: `http` or `https`, a host of ASCII letters, digits, dots and hyphens or an address, no user.
    EndpointUrl,
    "endpoint URL",
    "http:// or https://, a host (international names as xn--…), perhaps a port, and a path; printable ASCII of at most \
     1,000 characters without user, query, fragment, backslash or space",
    valid
);

fn valid(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest else { return false };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    text.len() <= 1_000 && is_authority(authority) && path.bytes().all(is_path)
}

fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|number| number > 0 && !port.starts_with('+')));
    let named = |host: &str| {
        let byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        (1..=253).contains(&host.len()) && !host.starts_with(['.', '-']) && host.bytes().all(byte)
    };
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    port && bracketed.map_or_else(|| named(host), |address| address.parse::<std::net::Ipv6Addr>().is_ok())
}

fn is_path(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(byte, b'?' | b'#' | b'\\' | b'"' | b'<' | b'>' | b'`' | b'{' | b'}' | b'|' | b'^')
}

impl EndpointUrl {
    /// Whether what is sent there is encrypted on its way.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.as_str().starts_with("https://")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_addresses_ports_and_paths_are_taken() {
        let long = format!("https://receiver.example/{}", "a".repeat(1_000 - 25));
        let good = [
            "https://receiver.example",
            "https://receiver.example:8443/hooks/vigie",
            "http://127.0.0.1:9000/",
            "https://[2001:db8::1]/hook",
            "https://[2001:db8::1]:8443/hook",
            "https://xn--rcepteur-b1a.example/h%C3%A9",
            "https://receiver.example/a@b",
            &long,
        ];
        for text in good {
            assert_eq!(EndpointUrl::new(text).unwrap().as_str(), text);
        }
        assert!(EndpointUrl::new("https://receiver.example").unwrap().is_https());
        assert!(!EndpointUrl::new("http://receiver.example").unwrap().is_https());
    }

    #[test]
    fn secrets_users_and_what_programs_read_differently_are_refused() {
        let long = format!("https://receiver.example/{}", "a".repeat(1_000));
        let bad = [
            "",
            "receiver.example",
            "ftp://receiver.example",
            "HTTPS://receiver.example",
            "https://",
            "https:///hook",
            "https://user:word@receiver.example/",
            "https://receiver.example/?token=1",
            "https://receiver.example/#part",
            "https://receiver.example\\@elsewhere.example/",
            "https://receiver.example/a b",
            "https://récepteur.example/",
            "https://receiver.example:0/",
            "https://receiver.example:+80/",
            "https://receiver.example:65536/",
            "https://receiver.example:/",
            "https://[::1/",
            "https://[receiver]/",
            "https://.example/",
            &long,
        ];
        for text in bad {
            assert!(EndpointUrl::new(text).is_err(), "{text:?}");
        }
    }
}
