//! Which addresses may be connected to.
//!
//! Refused is what is not an address of the public Internet, after the IANA registries of special-purpose addresses
//! (RFC 6890): a receiver could otherwise be somebody's router, database or cloud metadata service. Setting by setting,
//! ranges may be admitted.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, c: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

const REFUSED_V4: &[(&str, Ipv4Net)] = &[
    ("unspecified", v4(0, 0, 0, 0, 8)),
    ("private", v4(10, 0, 0, 0, 8)),
    ("shared by a carrier (CGNAT)", v4(100, 64, 0, 0, 10)),
    ("loopback", v4(127, 0, 0, 0, 8)),
    ("cloud metadata", v4(169, 254, 169, 254, 32)),
    ("link-local", v4(169, 254, 0, 0, 16)),
    ("private", v4(172, 16, 0, 0, 12)),
    ("for protocols", v4(192, 0, 0, 0, 24)),
    ("for documentation", v4(192, 0, 2, 0, 24)),
    ("a 6to4 relay", v4(192, 88, 99, 0, 24)),
    ("private", v4(192, 168, 0, 0, 16)),
    ("for measurements", v4(198, 18, 0, 0, 15)),
    ("for documentation", v4(198, 51, 100, 0, 24)),
    ("for documentation", v4(203, 0, 113, 0, 24)),
    ("multicast", v4(224, 0, 0, 0, 4)),
    ("broadcast", v4(255, 255, 255, 255, 32)),
    ("reserved", v4(240, 0, 0, 0, 4)),
    // Public by its number, and answered by the host of the machine in one large cloud.
    ("cloud metadata", v4(168, 63, 129, 16, 32)),
];

const REFUSED_V6: &[(&str, Ipv6Net)] = &[
    ("unspecified", v6(0, 0, 0, 128)),
    ("loopback", Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128)),
    ("cloud metadata", Ipv6Net::new_assert(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), 128)),
    ("private", v6(0xfc00, 0, 0, 7)),
    ("link-local", v6(0xfe80, 0, 0, 10)),
    ("multicast", v6(0xff00, 0, 0, 8)),
    ("for protocols", v6(0x2001, 0, 0, 23)),
    ("for documentation", v6(0x2001, 0xdb8, 0, 32)),
    ("6to4", v6(0x2002, 0, 0, 16)),
    ("for documentation", v6(0x3fff, 0, 0, 20)),
];

/// The only IPv6 addresses that are given out for the Internet.
const GLOBAL_UNICAST: Ipv6Net = v6(0x2000, 0, 0, 3);

/// Forms of IPv6 addresses that mean the IPv4 address at their end: mapped, translated (RFC 2765), NAT64 (RFC 6052).
const MEANS_V4: &[Ipv6Net] = &[
    Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96),
    Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0), 96),
    Ipv6Net::new_assert(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96),
];

const THIS_MACHINE: &[IpAddr] = &[IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
const METADATA: &[IpAddr] = &[IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254))];

/// Names that mean the machine that looks them up (RFC 6761) or its cloud, and what of it.
const LOCAL: &[(&str, &[IpAddr])] =
    &[("localhost", THIS_MACHINE), ("metadata.google.internal", METADATA), ("metadata.goog", METADATA)];

/// An address that may not be connected to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{address} is {range}, and no range that VIGIE_WEBHOOK_ALLOW lists")]
pub struct RefusedAddress {
    /// The address.
    pub address: IpAddr,
    /// What its range is for.
    pub range: &'static str,
}

/// What may be reached.
#[derive(Debug, Clone, Default)]
pub struct AddressRules {
    /// Ranges that are admitted although they are not of the public Internet.
    pub allowed: Vec<IpNet>,
    /// Whether `http:` is admitted besides `https:`.
    pub plain_http: bool,
}

impl AddressRules {
    /// Whether the address may be connected to.
    ///
    /// # Errors
    /// It may not; the range says why.
    pub fn check(&self, address: IpAddr) -> Result<(), RefusedAddress> {
        let meant = meant(address);
        match range(meant) {
            Some(range) if !self.allowed.iter().any(|net| net.contains(&meant)) => {
                Err(RefusedAddress { address, range })
            }
            _ => Ok(()),
        }
    }

    /// Whether a name may be looked up: not if every address that it means by itself is refused.
    ///
    /// # Errors
    /// It may not; the range of what it means says why.
    pub(super) fn check_name(&self, name: &str) -> Result<(), RefusedAddress> {
        let name = name.trim_end_matches('.');
        let is = |local: &str| name.strip_suffix(local).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        let meant = LOCAL.iter().find(|(local, _)| is(local)).map_or([].as_slice(), |(_, meant)| *meant);
        // One address that is admitted is enough, as when it is looked up.
        meant
            .iter()
            .map(|address| self.check(*address))
            .reduce(|first, next| first.or_else(|refused| next.map_err(|_| refused)))
            .unwrap_or(Ok(()))
    }
}

/// The address that packets to this one reach.
fn meant(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    if !MEANS_V4.iter().any(|net| net.contains(&v6)) {
        return address;
    }
    let [.., a, b, c, d] = v6.octets();
    Ipv4Addr::new(a, b, c, d).into()
}

/// What the range of an address is for that is not of the public Internet.
fn range(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => REFUSED_V4.iter().find(|(_, net)| net.contains(&v4)).map(|(range, _)| *range),
        IpAddr::V6(v6) => {
            let named = REFUSED_V6.iter().find(|(_, net)| net.contains(&v6)).map(|(range, _)| *range);
            named.or_else(|| (!GLOBAL_UNICAST.contains(&v6)).then_some("reserved"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(address: &str, rules: &AddressRules) -> Option<&'static str> {
        rules.check(address.parse().unwrap()).err().map(|refused| refused.range)
    }

    #[test]
    fn what_is_not_of_the_public_internet_is_refused() {
        for (address, range) in [
            ("0.0.0.0", "unspecified"),
            ("0.1.2.3", "unspecified"),
            ("10.255.255.255", "private"),
            ("100.64.0.1", "shared by a carrier (CGNAT)"),
            ("100.100.100.200", "shared by a carrier (CGNAT)"),
            ("100.127.255.255", "shared by a carrier (CGNAT)"),
            ("127.0.0.1", "loopback"),
            ("127.255.0.1", "loopback"),
            ("169.254.169.254", "cloud metadata"),
            ("169.254.0.1", "link-local"),
            ("172.16.0.1", "private"),
            ("172.31.255.255", "private"),
            ("192.0.0.192", "for protocols"),
            ("192.0.2.1", "for documentation"),
            ("192.168.1.1", "private"),
            ("198.19.0.1", "for measurements"),
            ("198.51.100.1", "for documentation"),
            ("203.0.113.1", "for documentation"),
            ("224.0.0.1", "multicast"),
            ("239.255.255.255", "multicast"),
            ("240.0.0.1", "reserved"),
            ("255.255.255.255", "broadcast"),
            ("168.63.129.16", "cloud metadata"),
            ("::", "unspecified"),
            ("::1", "loopback"),
            ("::2", "reserved"),
            ("::127.0.0.1", "reserved"),
            ("::ffff:127.0.0.1", "loopback"),
            ("::ffff:a9fe:a9fe", "cloud metadata"),
            ("::ffff:0:10.0.0.1", "private"),
            ("64:ff9b::10.0.0.1", "private"),
            ("64:ff9b:1::1", "reserved"),
            ("100::1", "reserved"),
            ("2001::1", "for protocols"),
            ("2001:db8::1", "for documentation"),
            ("2002:7f00:1::", "6to4"),
            ("3fff::1", "for documentation"),
            ("fc00::1", "private"),
            ("fd00:ec2::254", "cloud metadata"),
            ("fdff::1", "private"),
            ("fe80::1", "link-local"),
            ("fec0::1", "reserved"),
            ("ff02::1", "multicast"),
        ] {
            assert_eq!(refused(address, &AddressRules::default()), Some(range), "{address}");
        }
    }

    #[test]
    fn addresses_of_the_public_internet_are_not() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450:4001::1",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
        ] {
            assert_eq!(refused(address, &AddressRules::default()), None, "{address}");
        }
    }

    #[test]
    fn a_range_that_is_allowed_is_admitted_in_each_of_its_forms() {
        let allowed = vec!["127.0.0.0/8".parse().unwrap(), "fd12::/16".parse().unwrap()];
        let rules = AddressRules { allowed, ..AddressRules::default() };
        for address in ["127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::127.9.9.9", "fd12::7"] {
            assert_eq!(refused(address, &rules), None, "{address}");
        }
        for address in ["10.0.0.1", "::1", "fd13::7"] {
            assert!(refused(address, &rules).is_some(), "{address}");
        }
    }
}
