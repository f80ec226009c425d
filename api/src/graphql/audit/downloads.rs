//! The addresses at which what a filter lets through can be downloaded.

use async_graphql::SimpleObject;
use serde::Serialize;

/// Addresses on this server; the same guard is before them as before `/graphql`.
#[derive(SimpleObject)]
pub(crate) struct Download {
    /// As CSV (RFC 4180): one line per entry, with a header.
    csv: String,
    /// As JSON lines: one object per line.
    jsonl: String,
    /// Rows as of now.
    rows: i64,
}

impl Download {
    pub(super) fn of(name: &str, filter: &impl Serialize, oldest_first: bool, rows: i64) -> Self {
        let filter =
            serde_json::to_string(filter).unwrap_or_else(|error| unreachable!("filters are plain data: {error}"));
        let order = if oldest_first { "&order=oldest" } else { "" };
        let address = |ending: &str| format!("/export/{name}.{ending}?filter={}{order}", encoded(&filter));
        Self { csv: address("csv"), jsonl: address("jsonl"), rows }
    }
}

/// Percent-encoding of everything that is not unreserved (RFC 3986, section 2.3).
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_is_in_the_address_whatever_it_holds() {
        let download = Download::of("audit", &serde_json::json!({ "text": "a & b" }), true, 3);
        assert_eq!(download.csv, "/export/audit.csv?filter=%7B%22text%22%3A%22a%20%26%20b%22%7D&order=oldest");
        assert!(download.jsonl.starts_with("/export/audit.jsonl?filter="));
    }
}
