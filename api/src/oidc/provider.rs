//! The provider: what it publishes, and what it answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Header, decode_header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Certificate, Client, RequestBuilder, Response, StatusCode, Url, redirect};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use super::attempt::Attempt;
use super::groups::{Roles, groups};
use super::token::{LoggedOut, Parties, SignedIn, TokenError, id_token, key_of, logout_token};
use crate::settings;

/// How long the provider may take over one answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// More than this, in bytes, is no answer.
const LARGEST: usize = 1 << 20;
/// How long what the provider publishes is taken to hold.
const FRESH: Duration = Duration::from_secs(60 * 60);
/// How often at most it is asked again because of a key that is not known.
const AGAIN: Duration = Duration::from_secs(5);

/// Why nobody can be signed in or out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OidcError {
    /// The client cannot be made.
    #[error("the certificates of VIGIE_OIDC_CA cannot be read")]
    Certificates(#[source] std::io::Error),
    /// The provider does not answer as it should.
    #[error("the provider cannot be asked for {0}")]
    Unreachable(&'static str, #[source] reqwest::Error),
    /// It answers, but not with what was asked for.
    #[error("the provider's answer to {0} is none: {1}")]
    Answer(&'static str, String),
    /// What it has signed is not believed.
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// What a provider says of itself.
#[derive(Debug, Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: Option<String>,
    jwks_uri: String,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Keys {
    /// One that cannot be read is of a kind that is not used here.
    keys: Vec<Value>,
}

/// What the provider has published.
struct Published {
    metadata: Metadata,
    keys: Vec<Jwk>,
    read: Instant,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    access_token: Option<String>,
}

/// The provider of the settings, and this server as its client.
pub(crate) struct Oidc {
    settings: settings::Oidc,
    issuer: String,
    /// Where browsers come back to.
    redirect: String,
    client: Client,
    published: Mutex<Option<Arc<Published>>>,
}

impl Oidc {
    /// Of the settings; none without a provider. The provider is asked when the first person signs in, so that it may
    /// start later than this server.
    ///
    /// # Errors
    /// The certificates cannot be read.
    pub(crate) fn of(settings: &settings::Settings) -> Result<Option<Self>, OidcError> {
        let (Some(issuer), Some(url)) = (settings.oidc.issuer.clone(), &settings.public_url) else { return Ok(None) };
        let mut client = Client::builder()
            .timeout(PATIENCE)
            // Whom the provider sends somewhere else is asked for nothing there.
            .redirect(redirect::Policy::none())
            .https_only(issuer.starts_with("https:"));
        if let Some(path) = &settings.oidc.ca {
            let text = std::fs::read(path).map_err(OidcError::Certificates)?;
            let certificates = Certificate::from_pem_bundle(&text);
            let certificates = certificates.map_err(|e| OidcError::Certificates(std::io::Error::other(e)))?;
            client = client.tls_certs_merge(certificates);
        }
        let client = client.build().map_err(|error| OidcError::Unreachable("anything", error))?;
        let redirect = format!("{url}/auth/oidc/callback");
        let published = Mutex::default();
        Ok(Some(Self { settings: settings.oidc.clone(), issuer, redirect, client, published }))
    }

    /// What the provider is called.
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whether who was never here gets an account.
    pub(crate) fn provisions(&self) -> bool {
        self.settings.provision
    }

    /// How long what the provider said of somebody counts.
    pub(crate) fn session_lasts(&self) -> chrono::TimeDelta {
        self.settings.session
    }

    /// Where the browser goes to sign in.
    pub(crate) async fn begin(&self, attempt: &Attempt) -> Result<Url, OidcError> {
        let published = self.published(None).await?;
        let url = Url::parse(&published.metadata.authorization_endpoint);
        let mut url = url.map_err(|error| OidcError::Answer("its configuration", error.to_string()))?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("scope", &self.settings.scopes)
            .append_pair("state", &attempt.state())
            .append_pair("nonce", &attempt.nonce())
            .append_pair("code_challenge", &attempt.challenge())
            .append_pair("code_challenge_method", "S256");
        Ok(url)
    }

    /// Who has come back with a code, and what their groups give them.
    pub(crate) async fn finish(&self, attempt: &Attempt, code: &str) -> Result<(SignedIn, Roles), OidcError> {
        let tokens = self.exchange(attempt, code).await?;
        let (header, key) = self.key(&tokens.id_token).await?;
        let signed_in = id_token(&tokens.id_token, &header, &key, self.parties(), &attempt.nonce())?;
        let signed_in = self.with_user_info(signed_in, tokens.access_token).await?;
        let groups = groups(&signed_in.claims, &self.settings.groups_claim).unwrap_or_default();
        Ok((signed_in, Roles::of(&self.settings.roles, &groups)))
    }

    /// Whom the provider has signed out.
    pub(crate) async fn logged_out(&self, token: &str) -> Result<LoggedOut, OidcError> {
        let (header, key) = self.key(token).await?;
        Ok(logout_token(token, &header, &key, self.parties())?)
    }

    fn parties(&self) -> Parties<'_> {
        Parties { issuer: &self.issuer, client: &self.settings.client_id }
    }

    async fn exchange(&self, attempt: &Attempt, code: &str) -> Result<Tokens, OidcError> {
        let published = self.published(None).await?;
        let verifier = attempt.verifier();
        let id = self.settings.client_id.as_str();
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect),
            ("code_verifier", &verifier),
        ];
        let mut request = self.client.post(&published.metadata.token_endpoint);
        match self.settings.client_secret.as_deref() {
            None => form.push(("client_id", id)),
            Some(secret) if published.metadata.takes_basic() => {
                // RFC 6749, 2.3.1: both parts are encoded before they are put together.
                let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
                request = request.basic_auth(encoded(id), Some(encoded(secret)));
            }
            Some(secret) => form.extend([("client_id", id), ("client_secret", secret)]),
        }
        read("a token", request.form(&form)).await
    }

    /// With what the provider tells besides the token, unless that says everything already.
    async fn with_user_info(&self, mut signed_in: SignedIn, token: Option<String>) -> Result<SignedIn, OidcError> {
        let told = groups(&signed_in.claims, &self.settings.groups_claim).is_some();
        let published = self.published(None).await?;
        let (Some(url), Some(token), false) = (&published.metadata.userinfo_endpoint, token, told) else {
            return Ok(signed_in);
        };
        let more: Map<String, Value> = read("user info", self.client.get(url).bearer_auth(token)).await?;
        // Its answer is not signed: it may add, for the same person.
        if more.get("sub").and_then(Value::as_str) != Some(&signed_in.subject) {
            return Err(TokenError::Claim("sub").into());
        }
        for (name, value) in more {
            signed_in.claims.entry(name).or_insert(value);
        }
        Ok(signed_in)
    }

    /// The key that a token names. A provider that has changed its keys is asked for the new ones.
    async fn key(&self, token: &str) -> Result<(Header, Jwk), OidcError> {
        let header = decode_header(token).map_err(TokenError::Invalid)?;
        let published = self.published(None).await?;
        if let Some(key) = key_of(&header, &published.keys) {
            return Ok((header, key.clone()));
        }
        let published = self.published(Some(&published)).await?;
        let key = key_of(&header, &published.keys).ok_or(TokenError::UnknownKey)?.clone();
        Ok((header, key))
    }

    /// What the provider has published; read again when it is old, or is `stale` because something was not in it.
    async fn published(&self, stale: Option<&Arc<Published>>) -> Result<Arc<Published>, OidcError> {
        let mut known = self.published.lock().await;
        if let Some(known) = &*known {
            let age = known.read.elapsed();
            let limit = if stale.is_some_and(|stale| Arc::ptr_eq(stale, known)) { AGAIN } else { FRESH };
            if age < limit {
                return Ok(Arc::clone(known));
            }
        }
        let read = Arc::new(self.read_published().await?);
        *known = Some(Arc::clone(&read));
        Ok(read)
    }

    async fn read_published(&self) -> Result<Published, OidcError> {
        const WHAT: &str = "its configuration";
        let url = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let metadata: Metadata = read(WHAT, self.client.get(url)).await?;
        if metadata.issuer != self.issuer {
            let problem = format!("it calls itself {:?}, VIGIE_OIDC_ISSUER says {:?}", metadata.issuer, self.issuer);
            return Err(OidcError::Answer(WHAT, problem));
        }
        let keys: Keys = read("its keys", self.client.get(&metadata.jwks_uri)).await?;
        let keys = keys.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect();
        Ok(Published { metadata, keys, read: Instant::now() })
    }
}

impl Metadata {
    fn takes_basic(&self) -> bool {
        let methods = self.token_endpoint_auth_methods_supported.as_ref();
        methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"))
    }
}

/// An answer of at most a megabyte, as JSON.
async fn read<T: DeserializeOwned>(what: &'static str, request: RequestBuilder) -> Result<T, OidcError> {
    let failed = |error: reqwest::Error| OidcError::Unreachable(what, error.without_url());
    let mut response = request.send().await.map_err(failed)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > LARGEST {
            return Err(OidcError::Answer(what, "it is too large".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    if response.status() != StatusCode::OK {
        return Err(OidcError::Answer(what, refusal(&response, &body)));
    }
    serde_json::from_slice(&body).map_err(|error| OidcError::Answer(what, error.to_string()))
}

/// What an answer other than 200 says: its status, and the code of OAuth's errors.
fn refusal(response: &Response, body: &[u8]) -> String {
    let told = serde_json::from_slice::<Value>(body).ok();
    let code = told.as_ref().and_then(|told| told.get("error")?.as_str()).unwrap_or_default();
    let plain = code.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(64).collect::<String>();
    format!("{} {plain}", response.status().as_u16()).trim_end().to_owned()
}
