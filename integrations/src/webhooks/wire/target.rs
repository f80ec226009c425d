//! Where an endpoint is.

use std::fmt;

use reqwest::Url;

use super::address::{AddressRules, RefusedAddress};

/// Bytes of a URL.
const LONGEST: usize = 2_048;

/// Why a URL is none for an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It cannot be read.
    #[error("it is no URL: {0}")]
    Malformed(String),
    /// It is longer than 2,048 bytes.
    #[error("it is longer than {LONGEST} bytes")]
    TooLong,
    /// Neither `https:` nor `http:`.
    #[error("it begins with {0}:, not with https:")]
    Scheme(String),
    /// It carries a name or a password.
    #[error("it holds a user or a password: give a header instead")]
    UserInfo,
    /// It has a `#` part, which is never sent.
    #[error("it has a fragment, which is never sent")]
    Fragment,
    /// It is `http:`, and that is not allowed.
    #[error("https is required; VIGIE_WEBHOOK_PLAIN=true admits http")]
    Plain,
    /// It names an address that may not be connected to.
    #[error(transparent)]
    Address(#[from] RefusedAddress),
    /// Its name means such an address, whoever is asked.
    #[error("{name} is local: {refused}")]
    Local {
        /// The name.
        name: String,
        /// What it means.
        refused: RefusedAddress,
    },
}

/// The URL of an endpoint. What follows the `?` counts as a secret: it is left out of everything that is printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Target(Url);

impl Target {
    /// Reads a URL. Whether it may be reached is [`AddressRules::admit`]'s to say.
    ///
    /// # Errors
    /// It is none for an endpoint.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        if text.len() > LONGEST {
            return Err(TargetError::TooLong);
        }
        let url = Url::parse(text).map_err(|error| TargetError::Malformed(error.to_string()))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(TargetError::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TargetError::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(TargetError::Fragment);
        }
        Ok(Self(url))
    }

    /// All of it.
    #[must_use]
    pub fn full(&self) -> &str {
        self.0.as_str()
    }

    /// Without what counts as a secret.
    #[must_use]
    pub fn public(&self) -> String {
        let mut url = self.0.clone();
        url.set_query(None);
        url.into()
    }

    /// What follows the `?`, if anything does.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.0.query().filter(|query| !query.is_empty())
    }

    pub(super) fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.public())
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({})", self.public())
    }
}

impl AddressRules {
    /// Whether a request may go there, as far as the URL says: a name is looked up, and its addresses checked, when the
    /// request is sent, unless it is local by itself.
    ///
    /// # Errors
    /// It may not.
    pub fn admit(&self, target: &Target) -> Result<(), TargetError> {
        if target.0.scheme() == "http" && !self.plain_http {
            return Err(TargetError::Plain);
        }
        // Numbers in whatever notation are addresses by now: `Url` reads them as browsers do.
        let host = target.0.host_str().unwrap_or_default();
        match host.trim_start_matches('[').trim_end_matches(']').parse() {
            Ok(address) => Ok(self.check(address)?),
            Err(_) => self.check_name(host).map_err(|refused| TargetError::Local { name: host.to_owned(), refused }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_an_https_url_without_credentials() {
        assert!(Target::parse("https://hooks.example:8443/vigie?token=abc").is_ok());
        for (text, problem) in [
            ("hooks.example/vigie", "no URL"),
            ("ftp://hooks.example/", "begins with ftp:"),
            ("file:///etc/passwd", "begins with file:"),
            ("https://", "no URL"),
            ("https://u@hooks.example/", "a user"),
            ("https://:p@hooks.example/", "a password"),
            ("https://hooks.example/#top", "fragment"),
            (&format!("https://hooks.example/{}", "a".repeat(2_048)), "longer"),
        ] {
            let error = Target::parse(text).expect_err(text).to_string();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }

    #[test]
    fn what_follows_the_question_mark_is_not_printed() {
        let target = Target::parse("https://hooks.example/vigie?token=abc").unwrap();
        assert_eq!(target.full(), "https://hooks.example/vigie?token=abc");
        assert_eq!(target.query(), Some("token=abc"));
        assert_eq!(format!("{target} {target:?}"), "https://hooks.example/vigie Target(https://hooks.example/vigie)");
    }

    #[test]
    fn addresses_in_every_notation_are_checked() {
        let rules = AddressRules::default();
        for text in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f.0.0.1/",
            "https://0177.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:7f00:1]/",
            "https://①②⑦.0.0.1/",
            "https://169.254.169.254/latest/meta-data/",
        ] {
            let target = Target::parse(text).expect(text);
            assert!(matches!(rules.admit(&target), Err(TargetError::Address(_))), "{text}");
        }
        assert_eq!(rules.admit(&Target::parse("https://1.1.1.1/").unwrap()), Ok(()));
        assert_eq!(rules.admit(&Target::parse("https://hooks.example/").unwrap()), Ok(()));
    }

    #[test]
    fn names_that_are_local_by_themselves_are_refused_unless_what_they_mean_is_allowed() {
        let allowing = |range: &str| AddressRules { allowed: vec![range.parse().unwrap()], ..AddressRules::default() };
        for (host, range, admitting) in [
            ("localhost", "127.0.0.1 is loopback", "127.0.0.0/8"),
            ("LOCALHOST.", "127.0.0.1 is loopback", "::1/128"),
            ("a.b.localhost", "127.0.0.1 is loopback", "127.0.0.1/32"),
            ("ｌocalhost", "127.0.0.1 is loopback", "127.0.0.0/8"),
            ("metadata.google.internal", "169.254.169.254 is cloud metadata", "169.254.169.254/32"),
            ("metadata.goog", "169.254.169.254 is cloud metadata", "169.254.0.0/16"),
        ] {
            let target = Target::parse(&format!("https://{host}:8443/hook")).expect(host);
            let refused = AddressRules::default().admit(&target).expect_err(host).to_string();
            assert!(refused.contains(range) && refused.contains("VIGIE_WEBHOOK_ALLOW"), "{refused}");
            assert!(allowing("10.0.0.0/8").admit(&target).is_err(), "{host}");
            assert_eq!(allowing(admitting).admit(&target), Ok(()), "{host}");
        }
        for host in ["localhost.example", "notlocalhost", "metadata.google.example", "internal"] {
            let target = Target::parse(&format!("https://{host}/")).unwrap();
            assert_eq!(AddressRules::default().admit(&target), Ok(()), "{host}");
        }
    }

    #[test]
    fn http_is_admitted_only_when_that_is_allowed() {
        let target = Target::parse("http://hooks.example/").unwrap();
        assert_eq!(AddressRules::default().admit(&target), Err(TargetError::Plain));
        assert_eq!(AddressRules { plain_http: true, ..AddressRules::default() }.admit(&target), Ok(()));
    }
}
