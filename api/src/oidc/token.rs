//! What the provider has signed.

use chrono::TimeDelta;
use jsonwebtoken::jwk::{Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode};
use serde_json::{Map, Value};

use super::groups::text_at;
use crate::clock;

/// Signatures that only the provider can make. Those with a shared secret (HS256) are none.
const ALGORITHMS: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];
/// How far clocks may be apart.
const LEEWAY: TimeDelta = TimeDelta::seconds(60);
/// How old a token for one sign-in or sign-out may be.
const OLDEST: TimeDelta = TimeDelta::minutes(10);
/// What makes a token one that ends sessions.
const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Why a token is not believed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    /// Not signed by the provider, not for this server, expired.
    #[error("the token is not valid")]
    Invalid(#[from] jsonwebtoken::errors::Error),
    /// Its signature is of a kind that proves nothing.
    #[error("the token is signed with {0:?}")]
    Algorithm(Algorithm),
    /// The provider has no such key.
    #[error("the token is signed with an unknown key")]
    UnknownKey,
    /// It says something else than it has to.
    #[error("the token's {0} is not what it has to be")]
    Claim(&'static str),
}

/// Who somebody is, as the provider says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SignedIn {
    /// What the provider calls the person, for good.
    pub(crate) subject: String,
    /// What the provider calls its own session.
    pub(crate) session: Option<String>,
    /// Everything that it says.
    pub(crate) claims: Map<String, Value>,
}

/// Whose sessions the provider wants to end: a person's, or one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoggedOut {
    pub(crate) subject: Option<String>,
    pub(crate) session: Option<String>,
}

/// For whom tokens have to be, and from whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parties<'a> {
    pub(super) issuer: &'a str,
    pub(super) client: &'a str,
}

/// The key of a token among the provider's.
pub(super) fn key_of<'a>(header: &Header, keys: &'a [Jwk]) -> Option<&'a Jwk> {
    let fits = |key: &&Jwk| {
        key.common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature)
            && key.common.key_algorithm.is_none_or(|algorithm| same(algorithm, header.alg))
            && DecodingKey::from_jwk(key).is_ok_and(|key| key.family() == header.alg.family())
    };
    let mut fitting = keys.iter().filter(fits);
    match &header.kid {
        Some(kid) => fitting.find(|key| key.common.key_id.as_ref() == Some(kid)),
        // Without a name there must be no choice.
        None => fitting.next().filter(|_| fitting.next().is_none()),
    }
}

fn same(key: KeyAlgorithm, token: Algorithm) -> bool {
    key.to_string() == format!("{token:?}")
}

/// The claims of a token that the provider has signed for this server, and that has not expired.
fn claims(token: &str, header: &Header, key: &Jwk, parties: Parties<'_>) -> Result<Map<String, Value>, TokenError> {
    if !ALGORITHMS.contains(&header.alg) {
        return Err(TokenError::Algorithm(header.alg));
    }
    let mut rules = Validation::new(header.alg);
    rules.set_issuer(&[parties.issuer]);
    rules.set_audience(&[parties.client]);
    rules.set_required_spec_claims(&["exp", "iss", "aud"]);
    rules.validate_nbf = true;
    rules.leeway = LEEWAY.num_seconds().unsigned_abs();
    let claims = decode::<Map<String, Value>>(token, &DecodingKey::from_jwk(key)?, &rules)?.claims;
    let made = claims.get("iat").and_then(Value::as_i64).ok_or(TokenError::Claim("iat"))?;
    let age = clock::now().timestamp() - made;
    match age > (OLDEST + LEEWAY).num_seconds() || age < -LEEWAY.num_seconds() {
        true => Err(TokenError::Claim("iat")),
        false => Ok(claims),
    }
}

/// Checks an ID token. OpenID Connect Core 1.0, 3.1.3.7.
pub(super) fn id_token(
    token: &str,
    header: &Header,
    key: &Jwk,
    parties: Parties<'_>,
    nonce: &str,
) -> Result<SignedIn, TokenError> {
    let claims = claims(token, header, key, parties)?;
    if text_at(&claims, "nonce").as_deref() != Some(nonce) {
        return Err(TokenError::Claim("nonce"));
    }
    let several = claims.get("aud").and_then(Value::as_array).is_some_and(|audience| audience.len() > 1);
    match text_at(&claims, "azp") {
        Some(party) if party != parties.client => return Err(TokenError::Claim("azp")),
        None if several => return Err(TokenError::Claim("azp")),
        Some(_) | None => {}
    }
    let subject = text_at(&claims, "sub").filter(|subject| subject.len() <= 255).ok_or(TokenError::Claim("sub"))?;
    Ok(SignedIn { subject, session: text_at(&claims, "sid"), claims })
}

/// Checks a logout token. OpenID Connect Back-Channel Logout 1.0, 2.6.
pub(super) fn logout_token(
    token: &str,
    header: &Header,
    key: &Jwk,
    parties: Parties<'_>,
) -> Result<LoggedOut, TokenError> {
    let kind = header.typ.as_deref().unwrap_or("JWT");
    if !kind.eq_ignore_ascii_case("logout+jwt") && !kind.eq_ignore_ascii_case("JWT") {
        return Err(TokenError::Claim("typ"));
    }
    let claims = claims(token, header, key, parties)?;
    if !claims.get("events").and_then(|events| events.get(LOGOUT)).is_some_and(Value::is_object) {
        return Err(TokenError::Claim("events"));
    }
    // An ID token is not to be taken for one.
    if claims.contains_key("nonce") {
        return Err(TokenError::Claim("nonce"));
    }
    let (subject, session) = (text_at(&claims, "sub"), text_at(&claims, "sid"));
    match subject.is_none() && session.is_none() {
        true => Err(TokenError::Claim("sub")),
        false => Ok(LoggedOut { subject, session }),
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jsonwebtoken::{EncodingKey, decode_header, encode};
    use serde_json::json;

    use super::*;

    const PARTIES: Parties<'_> = Parties { issuer: "https://id.example", client: "vigie" };

    /// A provider with one key.
    struct Signer {
        key: EncodingKey,
        public: Jwk,
    }

    impl Signer {
        fn new() -> Self {
            let pair = Ed25519KeyPair::generate().unwrap();
            let key = EncodingKey::from_ed_der(pair.to_pkcs8v1().unwrap().as_ref());
            let x = URL_SAFE_NO_PAD.encode(pair.public_key());
            let public = json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": "1", "use": "sig", "alg": "EdDSA" });
            Self { key, public: serde_json::from_value(public).unwrap() }
        }

        fn sign(&self, claims: &Value) -> String {
            encode(&Header { kid: Some("1".to_owned()), ..Header::new(Algorithm::EdDSA) }, claims, &self.key).unwrap()
        }

        fn signed_in(&self, token: &str) -> Result<SignedIn, TokenError> {
            let header = decode_header(token)?;
            id_token(token, &header, &self.public, PARTIES, "n")
        }

        fn logged_out(&self, token: &str) -> Result<LoggedOut, TokenError> {
            let header = decode_header(token)?;
            logout_token(token, &header, &self.public, PARTIES)
        }
    }

    /// The claims with others in their place; null takes one away.
    fn with(mut claims: Value, other: Value) -> Value {
        let claims_now = claims.as_object_mut().unwrap();
        for (name, value) in other.as_object().unwrap() {
            match value {
                Value::Null => claims_now.remove(name),
                value => claims_now.insert(name.clone(), value.clone()),
            };
        }
        claims
    }

    fn id_claims(other: Value) -> Value {
        let now = clock::now().timestamp();
        let claims = json!({ "iss": "https://id.example", "aud": "vigie", "sub": "7", "nonce": "n", "iat": now, "exp": now + 60 });
        with(claims, other)
    }

    fn logout_claims(other: Value) -> Value {
        let now = clock::now().timestamp();
        let claims = json!({ "iss": "https://id.example", "aud": "vigie", "sub": "7", "sid": "s", "jti": "1", "iat": now,
            "exp": now + 60, "events": { LOGOUT: {} } });
        with(claims, other)
    }

    #[test]
    fn what_the_provider_has_signed_for_this_sign_in_is_believed() {
        let provider = Signer::new();
        let found = provider.signed_in(&provider.sign(&id_claims(json!({ "sid": "s", "groups": ["ops"] })))).unwrap();
        assert_eq!((found.subject.as_str(), found.session.as_deref()), ("7", Some("s")));
        assert_eq!(found.claims["groups"], json!(["ops"]));
        let of_two = id_claims(json!({ "aud": ["vigie", "other"], "azp": "vigie" }));
        assert!(provider.signed_in(&provider.sign(&of_two)).is_ok());
    }

    #[test]
    fn a_token_for_another_purpose_is_not_believed() {
        let provider = Signer::new();
        let now = clock::now().timestamp();
        for other in [
            json!({ "iss": "https://other.example" }),
            json!({ "iss": null }),
            json!({ "aud": "other" }),
            json!({ "aud": null }),
            json!({ "aud": ["vigie", "other"] }),
            json!({ "azp": "other" }),
            json!({ "nonce": "m" }),
            json!({ "nonce": null }),
            json!({ "sub": null }),
            json!({ "sub": "" }),
            json!({ "sub": "x".repeat(256) }),
            json!({ "exp": now - 120 }),
            json!({ "exp": null }),
            json!({ "nbf": now + 600 }),
            json!({ "iat": now - 3600, "exp": now + 3600 }),
            json!({ "iat": now + 600, "exp": now + 3600 }),
            json!({ "iat": null }),
        ] {
            assert!(provider.signed_in(&provider.sign(&id_claims(other.clone()))).is_err(), "{other}");
        }
    }

    #[test]
    fn what_somebody_else_has_signed_is_not_believed() {
        let (provider, other) = (Signer::new(), Signer::new());
        assert!(provider.signed_in(&other.sign(&id_claims(json!({})))).is_err());
        let token = provider.sign(&id_claims(json!({})));
        let (head, rest) = token.split_once('.').unwrap();
        let (body, signature) = rest.split_once('.').unwrap();
        let admin = URL_SAFE_NO_PAD.encode(id_claims(json!({ "sub": "1" })).to_string());
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        for forged in [
            format!("{head}.{admin}.{signature}"),
            format!("{head}.{body}."),
            format!("{none}.{body}."),
            format!("{none}.{body}.{signature}"),
            String::new(),
        ] {
            assert!(provider.signed_in(&forged).is_err(), "{forged}");
        }
    }

    #[test]
    fn a_public_key_is_no_shared_secret() {
        let provider = Signer::new();
        let shared = EncodingKey::from_secret(&serde_json::to_vec(&provider.public).unwrap());
        let header = Header { kid: Some("1".to_owned()), ..Header::new(Algorithm::HS256) };
        let forged = encode(&header, &id_claims(json!({})), &shared).unwrap();
        assert!(matches!(provider.signed_in(&forged), Err(TokenError::Algorithm(Algorithm::HS256))));
        assert!(key_of(&header, std::slice::from_ref(&provider.public)).is_none());
    }

    #[test]
    fn the_key_is_the_one_that_the_token_names() {
        let named = |kid: Option<&str>| Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::EdDSA) };
        let (one, mut two, mut encrypts) = (Signer::new().public, Signer::new().public, Signer::new().public);
        two.common.key_id = Some("2".to_owned());
        encrypts.common.public_key_use = Some(PublicKeyUse::Encryption);
        let keys = [encrypts, one.clone(), two];
        assert_eq!(key_of(&named(Some("1")), &keys), Some(&one));
        assert_eq!(key_of(&named(Some("3")), &keys), None);
        assert_eq!(key_of(&named(None), &keys), None);
        assert_eq!(key_of(&named(None), &keys[..2]), Some(&one));
    }

    #[test]
    fn only_a_logout_token_ends_sessions() {
        let provider = Signer::new();
        let both = provider.logged_out(&provider.sign(&logout_claims(json!({})))).unwrap();
        assert_eq!(both, LoggedOut { subject: Some("7".to_owned()), session: Some("s".to_owned()) });
        assert!(provider.logged_out(&provider.sign(&logout_claims(json!({ "sub": null })))).is_ok());
        for other in [
            json!({ "events": null }),
            json!({ "events": { LOGOUT: 1 } }),
            json!({ "events": {} }),
            json!({ "nonce": "n" }),
            json!({ "sub": null, "sid": null }),
            json!({ "aud": "other" }),
            json!({ "iat": 1 }),
        ] {
            assert!(provider.logged_out(&provider.sign(&logout_claims(other.clone()))).is_err(), "{other}");
        }
        // Nor does one end sessions by signing in, or the other way round.
        assert!(provider.logged_out(&provider.sign(&id_claims(json!({ "sid": "s" })))).is_err());
        assert!(provider.signed_in(&provider.sign(&logout_claims(json!({})))).is_err());
    }
}
