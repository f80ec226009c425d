//! Receives the webhooks of a Vigie server: checks who has sent them, and prints each event once.
//!
//! Usage: `WEBHOOK_SECRET='whsec_… whpk_…' cargo run -p vigie-example-watch --bin vigie-example-receive -- [PORT]`.
//! One secret, or several while they are being changed: `whsec_` for HMAC (v1), `whpk_` for Ed25519 (v1a).

use std::collections::HashSet;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

const TOLERANCE: Duration = Duration::from_secs(5 * 60);
const LARGEST_BODY: usize = 64 * 1024;

/// What a signature is checked with.
enum Check {
    Hmac(Box<hmac::Key>),
    Ed25519(UnparsedPublicKey<Vec<u8>>),
}

impl Check {
    fn new(text: &str) -> Result<Self, Box<dyn Error>> {
        if let Some(key) = text.strip_prefix("whpk_") {
            return Ok(Self::Ed25519(UnparsedPublicKey::new(&ED25519, STANDARD.decode(key)?)));
        }
        let key = text.strip_prefix("whsec_").ok_or("a secret begins with whsec_ or whpk_")?;
        Ok(Self::Hmac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(key)?))))
    }

    /// Whether this is its signature: `v1,…` or `v1a,…`.
    fn fits(&self, content: &[u8], signature: &str) -> bool {
        let Some((name, signature)) = signature.split_once(',') else { return false };
        let Ok(signature) = STANDARD.decode(signature) else { return false };
        match self {
            Self::Hmac(key) => name == "v1" && hmac::verify(key, content, &signature).is_ok(),
            Self::Ed25519(key) => name == "v1a" && key.verify(content, &signature).is_ok(),
        }
    }
}

struct Receiver {
    checks: Vec<Check>,
    /// Deliveries come at least once. A real receiver keeps the ids with what it makes of the events, in one transaction.
    known: Mutex<HashSet<String>>,
}

impl Receiver {
    /// Takes a delivery; the body is what came, byte by byte.
    fn take(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), Box<dyn Error>> {
        let header = |name: &str| {
            headers.get(name).ok_or_else(|| format!("{name} is missing"))?.to_str().map_err(|e| e.to_string())
        };
        let (id, timestamp) = (header("webhook-id")?, header("webhook-timestamp")?);
        let sent = UNIX_EPOCH.checked_add(Duration::from_secs(timestamp.parse()?)).ok_or("the time is none")?;
        #[expect(clippy::disallowed_methods, reason = "this is where the clock is read")]
        let now = SystemTime::now();
        if now.duration_since(sent).unwrap_or_else(|ahead| ahead.duration()) > TOLERANCE {
            return Err("it is too old, or too new".into());
        }
        let content = [format!("{id}.{timestamp}.").as_bytes(), body].concat();
        let signatures = header("webhook-signature")?;
        if !signatures.split(' ').any(|signature| self.checks.iter().any(|check| check.fits(&content, signature))) {
            return Err("no signature fits".into());
        }
        let event: Value = serde_json::from_slice(body)?;
        if self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned()) {
            let position = event["position"].as_i64().map_or("-".to_owned(), |position| position.to_string());
            println!("{position} {}", event["type"].as_str().unwrap_or_default());
        }
        Ok(())
    }
}

async fn receive(State(receiver): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    match receiver.take(&headers, &body) {
        // Soon: what takes long is done afterwards.
        Ok(()) => StatusCode::NO_CONTENT,
        Err(problem) => {
            eprintln!("refused: {problem}");
            StatusCode::BAD_REQUEST
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let secrets = std::env::var("WEBHOOK_SECRET").map_err(|_| "WEBHOOK_SECRET is not set")?;
    let checks = secrets.split_ascii_whitespace().map(Check::new).collect::<Result<_, _>>()?;
    let port = std::env::args().nth(1).map_or(Ok(9000), |port| port.parse())?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on {}", listener.local_addr()?);
    let receiver = Arc::new(Receiver { checks, known: Mutex::default() });
    let routes = Router::new().fallback(post(receive)).layer(DefaultBodyLimit::max(LARGEST_BODY)).with_state(receiver);
    Ok(axum::serve(listener, routes).await?)
}
