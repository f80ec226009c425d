//! The client: sends one request, and says what became of it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, SET_COOKIE, USER_AGENT};
use reqwest::{Certificate, Client, Response, redirect, retry, tls};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::address::AddressRules;
use super::attempt::{Answer, Attempt, Failure, FailureKind, LARGEST_ANSWER};
use super::classify;
use super::headers::CustomHeaders;
use super::redact::{BLOT, Secrets};
use super::resolver::{Names, Resolver, system};
use super::secret::{SigningSecret, signatures};
use super::target::Target;

/// How long a connection that nothing goes over is kept. Many servers close theirs after 5 s: a request on its way while
/// they do is lost.
const IDLE: Duration = Duration::from_secs(4);
/// Connections to one receiver that are kept while nothing goes over them.
const KEPT: usize = 64;
/// How long a connection may take to come about. Requests have deadlines of their own; this ends what was begun for one that
/// has found another connection meanwhile.
const CONNECT: Duration = Duration::from_secs(30);
/// How long the rest of an answer is waited for once its status is known.
const REST: Duration = Duration::from_secs(1);
/// Bytes of the headers that are kept of an answer.
const LARGEST_HEAD: usize = 4_000;
/// A receiver that wants more time than this does not get it.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);

/// How a sender sends.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// What may be reached.
    pub rules: AddressRules,
    /// Certificates, as PEM, that are trusted besides those of the system.
    pub certificates: Option<Vec<u8>>,
}

/// Why there can be no sender.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    /// The certificates are none.
    #[error("the certificates for webhooks cannot be read")]
    Certificates(#[source] reqwest::Error),
    /// There are none.
    #[error("there is no certificate in PEM form among the certificates for webhooks")]
    NoCertificate,
    /// The client cannot be made.
    #[error("the client for webhooks cannot be made")]
    Client(#[source] reqwest::Error),
}

/// What is sent.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where to.
    pub target: Target,
    /// The event's id: the same in every attempt.
    pub id: Uuid,
    /// When it is sent: another one in every attempt.
    pub at: DateTime<Utc>,
    /// The body, as JSON.
    pub body: Arc<str>,
    /// What signs it: the newest first, with those beside it that are still to be accepted.
    pub secrets: Arc<[SigningSecret]>,
    /// The endpoint's own headers.
    pub headers: Arc<CustomHeaders>,
    /// How long it may take, from the look-up of the name to the last byte of the answer.
    pub timeout: Duration,
}

/// Sends. Cheap to clone; the clones share connections.
#[derive(Clone)]
pub struct Sender {
    client: Client,
    rules: Arc<AddressRules>,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Sender {
    /// A sender with these settings.
    ///
    /// # Errors
    /// The certificates cannot be read, or the system has none.
    pub fn new(settings: &Settings) -> Result<Self, SenderError> {
        Self::with_names(settings, system())
    }

    pub(super) fn with_names(settings: &Settings, names: Names) -> Result<Self, SenderError> {
        let rules = Arc::new(settings.rules.clone());
        let mut client = Client::builder()
            .dns_resolver(Resolver::new(names, Arc::clone(&rules)))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .referer(false)
            .http1_only()
            .https_only(!rules.plain_http)
            .tls_version_min(tls::Version::TLS_1_2)
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(KEPT)
            .tcp_nodelay(true);
        if let Some(pem) = &settings.certificates {
            let certificates = Certificate::from_pem_bundle(pem).map_err(SenderError::Certificates)?;
            if certificates.is_empty() {
                return Err(SenderError::NoCertificate);
            }
            client = client.tls_certs_merge(certificates);
        }
        Ok(Self { client: client.build().map_err(SenderError::Client)?, rules })
    }

    /// What it may reach.
    #[must_use]
    pub fn rules(&self) -> &AddressRules {
        &self.rules
    }

    /// Sends a request and waits for its answer, at most as long as the request may take. Dropping the future ends the
    /// exchange.
    pub async fn send(&self, request: &Request) -> Attempt {
        let begun = Instant::now();
        let deadline = begun + request.timeout;
        match timeout_at(deadline, self.begin(request)).await {
            Ok(Ok(response)) => {
                let latency = begun.elapsed();
                Attempt { outcome: Ok(read(response, request, deadline).await), latency }
            }
            Ok(Err(failure)) => Attempt { outcome: Err(failure), latency: begun.elapsed() },
            Err(_) => {
                let detail = format!("no answer within {} s", request.timeout.as_secs_f32());
                Attempt { outcome: Err(Failure::new(FailureKind::Timeout, detail)), latency: begun.elapsed() }
            }
        }
    }

    async fn begin(&self, request: &Request) -> Result<Response, Failure> {
        // Addresses in a URL are looked up by nobody, so that they are checked here; local names with them.
        self.rules.admit(&request.target).map_err(|error| Failure::new(FailureKind::Refused, error))?;
        let post = self.client.post(request.target.url().clone()).headers(heads(request));
        post.body(request.body.to_string()).send().await.map_err(classify::failure)
    }
}

impl Request {
    /// The headers as they are sent, one `name: value` per line, for the delivery log: what the endpoint has chosen as a
    /// value is left out.
    #[must_use]
    pub fn head(&self) -> String {
        let shown = |value: &HeaderValue| if value.is_sensitive() { BLOT.to_owned() } else { text(value.as_bytes()) };
        heads(self).iter().map(|(name, value)| format!("{name}: {}\n", shown(value))).collect()
    }
}

fn heads(request: &Request) -> HeaderMap {
    let timestamp = request.at.timestamp();
    let signatures = signatures(&request.secrets, request.id, timestamp, &request.body);
    let mut heads = HeaderMap::new();
    heads.insert(USER_AGENT, HeaderValue::from_static(concat!("vigie/", env!("CARGO_PKG_VERSION"))));
    heads.extend(request.headers.map().clone());
    heads.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let text = |text: String| HeaderValue::from_str(&text).expect("ids, numbers and base64 are visible ASCII");
    heads.insert("webhook-id", text(request.id.to_string()));
    heads.insert("webhook-timestamp", text(timestamp.to_string()));
    heads.insert("webhook-signature", text(signatures));
    heads
}

/// The answer, of which the status is known: with as much of the rest as comes soon.
async fn read(mut response: Response, request: &Request, deadline: Instant) -> Answer {
    let status = response.status().as_u16();
    let retry_after = retry_after(response.headers(), request.at);
    let shown: Vec<String> = request.secrets.iter().map(SigningSecret::show).collect();
    let texts = request.headers.values().chain(request.target.query()).chain(shown.iter().map(String::as_str));
    let secrets = Secrets::new(texts);
    let (head, head_cut) = head(response.headers());
    let deadline = deadline.min(Instant::now() + REST);
    let mut body = Vec::new();
    let cut = loop {
        match timeout_at(deadline, response.chunk()).await {
            Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
            Ok(Ok(None)) => break false,
            // The status has come, and is what counts.
            Ok(Err(_)) | Err(_) => break true,
        }
        if body.len() > LARGEST_ANSWER {
            break true;
        }
    };
    body.truncate(LARGEST_ANSWER);
    let body = secrets.blot(text(&body), cut);
    Answer { status, head: secrets.blot(head, head_cut), body, cut, retry_after }
}

/// As text that Postgres can hold.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}")
}

/// One header per line, without cookies, and whether there were more.
fn head(headers: &HeaderMap) -> (String, bool) {
    let mut head = String::new();
    for (name, value) in headers.iter().filter(|(name, _)| *name != SET_COOKIE) {
        head.push_str(&format!("{name}: {}\n", text(value.as_bytes())));
        if head.len() > LARGEST_HEAD {
            head.truncate(head.floor_char_boundary(LARGEST_HEAD));
            return (head, true);
        }
    }
    (head, false)
}

/// RFC 9110, 10.2.3: seconds, or a date. Bounded, so that no receiver puts itself off for ever.
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let value = headers.get(reqwest::header::RETRY_AFTER)?.to_str().ok()?.trim();
    let pause = if value.bytes().all(|byte| byte.is_ascii_digit()) && !value.is_empty() {
        // More digits than a number holds are more than the bound.
        value.parse().map_or(LONGEST_PAUSE, Duration::from_secs)
    } else {
        let date = httpdate::parse_http_date(value).ok()?;
        date.duration_since(SystemTime::from(now)).unwrap_or_default()
    };
    Some(pause.min(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests {
    use super::super::secret::Scheme;
    use super::*;

    fn after(value: &str) -> Option<u64> {
        let headers = HeaderMap::from_iter([(reqwest::header::RETRY_AFTER, value.parse().unwrap())]);
        let now = "1994-11-06T08:49:07Z".parse().unwrap();
        retry_after(&headers, now).map(|pause| pause.as_secs())
    }

    #[test]
    fn the_head_of_a_request_is_told_without_its_secrets() {
        let request = Request {
            target: Target::parse("https://receiver.example/").unwrap(),
            id: Uuid::nil(),
            at: DateTime::UNIX_EPOCH,
            body: "{}".into(),
            secrets: [SigningSecret::draw(Scheme::Hmac), SigningSecret::draw(Scheme::Ed25519)].into(),
            headers: Arc::new(CustomHeaders::new([("Authorization", "Bearer abc"), ("user-agent", "mine")]).unwrap()),
            timeout: Duration::from_secs(15),
        };
        let head = request.head();
        assert!(head.contains("authorization: [secret]\n") && !head.contains("abc"), "{head}");
        assert!(head.contains("webhook-id: 00000000-0000-0000-0000-000000000000\nwebhook-timestamp: 0\n"), "{head}");
        assert!(head.contains("webhook-signature: v1,") && head.contains(" v1a,"), "{head}");
        assert_eq!(head.matches("user-agent: ").count(), 1, "{head}");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_in_any_of_its_forms() {
        for (value, seconds) in [
            ("0", Some(0)),
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(30)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(30)),
            ("Sun Nov  6 08:49:37 1994", Some(30)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("86401", Some(86_400)),
            ("99999999999999999999999999", Some(86_400)),
            ("Sat, 06 Nov 2094 08:49:37 GMT", Some(86_400)),
            ("soon", None),
            ("-1", None),
            ("1.5", None),
            ("", None),
        ] {
            assert_eq!(after(value), seconds, "{value:?}");
        }
    }
}
