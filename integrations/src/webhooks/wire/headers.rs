//! Headers that an endpoint wants besides those of the standard, such as `Authorization`.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// How many there may be.
const MOST: usize = 20;
/// Bytes of a value.
const LONGEST: usize = 4_096;

/// Headers that say how the request is sent, and so are not the endpoint's to choose.
const OURS: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Why a header cannot be sent. Values are not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The name is none.
    #[error("{0:?} is no name of a header")]
    Name(String),
    /// The name is ours to set.
    #[error("the header {0} cannot be chosen")]
    Ours(String),
    /// The value has characters that a header cannot hold, or is too long.
    #[error("the value of the header {0} has up to {LONGEST} visible ASCII characters and spaces")]
    Value(String),
    /// There are too many, or one twice.
    #[error("there may be up to {MOST} headers, each once")]
    Many,
}

/// Headers of one endpoint. Their values are secrets, and not printed.
#[derive(Debug, Clone, Default)]
pub struct CustomHeaders(HeaderMap);

impl CustomHeaders {
    /// Checks names and values.
    ///
    /// # Errors
    /// One that cannot be sent.
    pub fn new<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, HeaderError> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let parsed = Self::name(name)?;
            let fits = value.len() <= LONGEST && value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
            let value = fits.then(|| HeaderValue::from_str(value).ok()).flatten();
            let mut value = value.ok_or_else(|| HeaderError::Value(name.to_owned()))?;
            value.set_sensitive(true);
            if map.insert(parsed, value).is_some() || map.len() > MOST {
                return Err(HeaderError::Many);
            }
        }
        Ok(Self(map))
    }

    /// A name that an endpoint may choose, in lower case.
    ///
    /// # Errors
    /// It is none, or ours.
    pub fn name(name: &str) -> Result<HeaderName, HeaderError> {
        let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| HeaderError::Name(name.to_owned()))?;
        let text = parsed.as_str();
        let ours = OURS.contains(&text) || text.starts_with("webhook-") || text.starts_with("proxy-");
        if ours { Err(HeaderError::Ours(text.to_owned())) } else { Ok(parsed) }
    }

    /// The names, in lower case.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(HeaderName::as_str)
    }

    pub(super) fn map(&self) -> &HeaderMap {
        &self.0
    }

    /// The values, which are not to be found in any log.
    pub(super) fn values(&self) -> impl Iterator<Item = &str> {
        self.0.values().filter_map(|value| value.to_str().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_say_how_a_request_is_sent_cannot_be_chosen() {
        for name in ["Host", "content-length", "Transfer-Encoding", "webhook-id", "Webhook-Signature", "proxy-anything"]
        {
            assert!(matches!(CustomHeaders::new([(name, "x")]), Err(HeaderError::Ours(_))), "{name}");
        }
        for name in ["", "a b", "a:b", "a\r\nb", "é"] {
            assert_eq!(CustomHeaders::new([(name, "x")]).unwrap_err(), HeaderError::Name(name.to_owned()));
        }
    }

    #[test]
    fn values_are_one_line_and_are_not_printed() {
        for value in ["a\r\nb: c", "a\0", "é", &"a".repeat(4_097)] {
            assert_eq!(CustomHeaders::new([("x-a", value)]).unwrap_err(), HeaderError::Value("x-a".to_owned()));
        }
        let headers = CustomHeaders::new([("Authorization", "Bearer abc"), ("x-b", "")]).unwrap();
        assert!(!format!("{headers:?}").contains("abc"));
        assert_eq!(headers.values().collect::<Vec<_>>(), ["Bearer abc", ""]);
    }

    #[test]
    fn there_is_an_end_to_them() {
        assert_eq!(CustomHeaders::new([("x-a", "1"), ("X-A", "2")]).unwrap_err(), HeaderError::Many);
        let names: Vec<String> = (0..21).map(|n| format!("x-{n}")).collect();
        let all = |n: usize| CustomHeaders::new(names.iter().take(n).map(|name| (name.as_str(), "1")));
        assert!(all(20).is_ok());
        assert_eq!(all(21).unwrap_err(), HeaderError::Many);
    }
}
