//! When a certificate expires.

use chrono::{DateTime, NaiveDateTime, Utc};

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The end of a certificate's validity (RFC 5280, 4.1), which is all that is read of it here; nothing for what is no
/// certificate. Whether it is good for anything else is for whoever connects to find out.
pub(crate) fn expiry(der: &[u8]) -> Option<DateTime<Utc>> {
    let (certificate, _) = field(der, SEQUENCE)?;
    let (mut rest, _) = field(certificate, SEQUENCE)?;
    if rest.first() == Some(&VERSION) {
        rest = any(rest)?.2;
    }
    // Serial number, algorithm, issuer.
    for _ in 0..3 {
        rest = any(rest)?.2;
    }
    let (validity, _) = field(rest, SEQUENCE)?;
    let (_, _, end) = any(validity)?;
    let (kind, text, _) = any(end)?;
    let text = std::str::from_utf8(text).ok()?;
    let full = match kind {
        GENERALIZED_TIME => text.to_owned(),
        // Two digits of the year: 50 and later are of the century before.
        UTC_TIME => format!("{}{text}", if text.get(..2)? < "50" { "20" } else { "19" }),
        _ => return None,
    };
    NaiveDateTime::parse_from_str(&full, "%Y%m%d%H%M%SZ").ok().map(|time| time.and_utc())
}

/// The content of the field that comes next, and what is behind it, if it is of that kind.
fn field(der: &[u8], kind: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = any(der)?;
    (found == kind).then_some((content, rest))
}

/// The kind and content of the field that comes next, and what is behind it.
fn any(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&kind, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if bytes.len() > 4 {
            return None;
        }
        (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((kind, content, rest))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(until: i32) -> Vec<u8> {
        let mut params = CertificateParams::new(["vigie.example".to_owned()]).unwrap();
        params.not_after = date_time_ymd(until, 2, 3);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn the_end_is_read_in_either_form() {
        for (until, end) in
            [(2027, "2027-02-03T00:00:00Z"), (2049, "2049-02-03T00:00:00Z"), (2051, "2051-02-03T00:00:00Z")]
        {
            assert_eq!(expiry(&certificate(until)), Some(end.parse().unwrap()));
        }
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        let whole = certificate(2030);
        for length in 0..whole.len() {
            // Cut off anywhere it must not panic; the outermost length is wrong then.
            assert_eq!(expiry(&whole[..length]), None);
        }
        assert_eq!(expiry(b"not a certificate"), None);
        assert_eq!(expiry(&[0x30, 0xff, 1, 2, 3]), None);
    }
}
