//! Who sends a request: by an access token or API key in `Authorization`, or by the cookie of a browser's session.

use std::time::{Duration, Instant};

use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};

use super::secret::{Hash, Kind, hash};
use super::sessions::by_cookie;
use super::{Accounts, Principal, Unauthenticated, keys};
use crate::clock;
use crate::http::{Arrival, names_this_server};

/// The cookie of a session: over TLS under a name that browsers let nobody else set, and without.
pub(crate) const SESSION_COOKIES: [&str; 2] = ["__Host-vigie", "vigie"];

/// How long what was looked up is taken for true. What ended meanwhile is noticed by the log, not by this.
const FRESH: Duration = Duration::from_secs(5);

/// What was looked up, and when.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    principal: Principal,
    at: Instant,
}

impl Accounts {
    /// Who sends a request. A cookie counts for what changes something, and for WebSockets, from pages of this server
    /// alone.
    pub(crate) async fn authenticate(&self, parts: &Parts, arrival: &Arrival) -> Result<Principal, Unauthenticated> {
        if let Some(shown) = bearer(&parts.headers)? {
            return self.bearer(shown).await;
        }
        let Some(cookie) = read_cookie(&parts.headers, SESSION_COOKIES, arrival.encrypted) else {
            return Err(Unauthenticated::Nothing);
        };
        let safe = matches!(parts.method, Method::GET | Method::HEAD) && !parts.headers.contains_key(header::UPGRADE);
        if !safe && !names_this_server(&parts.headers, arrival) {
            return Err(Unauthenticated::Origin);
        }
        self.lookup(cookie, Kind::Cookie).await
    }

    /// Who shows an access token or API key.
    pub(crate) async fn bearer(&self, shown: &str) -> Result<Principal, Unauthenticated> {
        if shown.starts_with(Kind::Key.prefix()) {
            self.lookup(shown, Kind::Key).await
        } else {
            self.tokens().check(shown).await
        }
    }

    /// Forgets that a secret was good a moment ago.
    pub(super) fn forget(&self, secret: Hash) {
        self.seen().remove(&secret);
    }

    async fn lookup(&self, shown: &str, kind: Kind) -> Result<Principal, Unauthenticated> {
        let (secret, now) = (hash(shown), clock::now());
        let fresh = |seen: &Seen| seen.at.elapsed() < FRESH && seen.principal.ends_at.is_none_or(|end| end > now);
        if let Some(seen) = self.seen().get(&secret).filter(fresh) {
            return Ok(seen.principal);
        }
        let principal = match kind {
            Kind::Key => keys::by_hash(self.pool(), secret, now).await?,
            Kind::Cookie | Kind::Refresh | Kind::Link => by_cookie(self.pool(), secret, self.choices().idle, now)
                .await?
                .map(|open| Principal::user(open.user, open.session, open.ends_at)),
        };
        let Some(principal) = principal else {
            self.forget(secret);
            return Err(Unauthenticated::Invalid);
        };
        self.seen().insert(secret, Seen { principal: principal.clone(), at: Instant::now() });
        Ok(principal)
    }
}

/// What `Authorization` shows; whoever sends one is not taken for the browser that sends a cookie besides.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Unauthenticated> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let (scheme, shown) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(Unauthenticated::Invalid)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(Some(shown.trim())) } else { Err(Unauthenticated::Invalid) }
}

/// A cookie that a browser sends, by its name over TLS and the one without: over TLS the former alone, which nobody else
/// can have set.
pub(crate) fn read_cookie<'a>(headers: &'a HeaderMap, [hosted, plain]: [&str; 2], encrypted: bool) -> Option<&'a str> {
    let name = if encrypted { hosted } else { plain };
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn with(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn the_cookie_of_a_session_is_found_among_others() {
        let found =
            |value, encrypted| read_cookie(&with(header::COOKIE, value), SESSION_COOKIES, encrypted).map(str::to_owned);
        let sent = "a=b; vigie=x; __Host-vigie=y; novigie=z";
        assert_eq!((found(sent, false).as_deref(), found(sent, true).as_deref()), (Some("x"), Some("y")));
        assert_eq!((found("vigie=x", true), found("novigie=x; vigie2=y", false)), (None, None));
    }

    #[test]
    fn only_a_bearer_token_is_taken_from_authorization() {
        let read = |value| bearer(&with(header::AUTHORIZATION, value)).map(|shown| shown.map(str::to_owned)).ok();
        assert_eq!(read("Bearer abc"), Some(Some("abc".to_owned())));
        assert_eq!(read("bearer abc"), Some(Some("abc".to_owned())));
        for wrong in ["Basic dTpw", "abc", ""] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }
}
