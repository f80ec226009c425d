//! Access tokens: JSON Web Tokens signed with Ed25519 that any process can check by itself.
//!
//! Each process signs with a key of its own, whose private half never leaves its memory; the public half is in the
//! database, where every process finds it by the token's `kid`. A key signs for a bounded time and its tokens are checked
//! a token's life longer, so that at least two keys are valid around every change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use uuid::Uuid;
use vigie_domain::identity::{SessionId, UserId};

use super::{Principal, Unauthenticated};
use crate::clock;

/// Who makes the tokens, and for whom.
const ISSUER: &str = "vigie";
/// How old what is known of the keys may be: that a key was retired by hand is noticed within it.
const REFRESH: Duration = Duration::from_secs(5);

/// What a token says.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    /// The person.
    sub: Uuid,
    /// The session.
    sid: Uuid,
    iat: i64,
    exp: i64,
}

/// The key that this process signs with.
#[derive(Clone)]
struct Own {
    id: Uuid,
    key: Arc<EncodingKey>,
    retires_at: DateTime<Utc>,
}

/// The public half of a key.
#[derive(Clone)]
struct Public {
    key: Arc<DecodingKey>,
    retires_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

#[derive(Default)]
struct Known {
    keys: HashMap<Uuid, Public>,
    read: Option<Instant>,
}

/// Makes and checks access tokens.
pub(crate) struct Tokens {
    pool: PgPool,
    life: TimeDelta,
    /// How long a key signs.
    key_life: TimeDelta,
    own: tokio::sync::Mutex<Option<Own>>,
    known: Mutex<Known>,
}

/// Why a token cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignError {
    /// The database failed.
    #[error("the signing key cannot be published")]
    Database(#[from] sqlx::Error),
    /// The key cannot be made.
    #[error("the signing key cannot be made")]
    Key(#[from] aws_lc_rs::error::Unspecified),
    /// The token cannot be signed.
    #[error("the access token cannot be signed")]
    Token(#[from] jsonwebtoken::errors::Error),
}

impl Tokens {
    pub(crate) fn new(pool: PgPool, life: TimeDelta, key_life: TimeDelta) -> Self {
        Self { pool, life, key_life, own: tokio::sync::Mutex::default(), known: Mutex::default() }
    }

    /// A token for a session that ends then at the latest, and when the token does.
    pub(crate) async fn sign(
        &self,
        user: UserId,
        session: SessionId,
        ends_at: DateTime<Utc>,
    ) -> Result<(String, DateTime<Utc>), SignError> {
        let now = clock::now();
        let own = self.own(now).await?;
        let expires_at = ends_at.min(now + self.life);
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: ISSUER.to_owned(),
            sub: user.uuid(),
            sid: session.uuid(),
            iat: now.timestamp(),
            exp: expires_at.timestamp(),
        };
        let header = Header { kid: Some(own.id.to_string()), ..Header::new(Algorithm::EdDSA) };
        Ok((encode(&header, &claims, &own.key)?, expires_at))
    }

    /// Who shows the token. The algorithm is ours, whatever the token says of it.
    pub(crate) async fn check(&self, token: &str) -> Result<Principal, Unauthenticated> {
        let invalid = |_| Unauthenticated::Invalid;
        let header = decode_header(token).map_err(invalid)?;
        let id = header.kid.as_deref().and_then(|kid| Uuid::try_parse(kid).ok()).ok_or(Unauthenticated::Invalid)?;
        let now = clock::now();
        let public = self.public(id).await?.filter(|key| key.expires_at > now).ok_or(Unauthenticated::Invalid)?;
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[ISSUER]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        rules.leeway = 0;
        let claims = decode::<Claims>(token, &public.key, &rules).map_err(|_| Unauthenticated::Invalid)?.claims;
        let ends_at = DateTime::from_timestamp(claims.exp, 0).ok_or(Unauthenticated::Invalid)?;
        Ok(Principal::user(claims.sub.into(), claims.sid.into(), ends_at))
    }

    /// Lets every key retire now; with `revoke` what they have signed is refused too. How many there were.
    pub(crate) async fn rotate(pool: &PgPool, revoke: bool) -> Result<u64, sqlx::Error> {
        let rotated = sqlx::query!(
            "update signing_key set retires_at = least(retires_at, $1),
                                    expires_at = case when $2 then least(expires_at, $1) else expires_at end
             where expires_at > $1",
            clock::now(),
            revoke,
        );
        Ok(rotated.execute(pool).await?.rows_affected())
    }

    /// Forgets what was known of the keys, as it is forgotten after [`REFRESH`].
    #[cfg(test)]
    pub(crate) fn look_again(&self) {
        *lock(&self.known) = Known::default();
    }

    /// The key that signs now; a new one when there is none, or the one before is retired.
    async fn own(&self, now: DateTime<Utc>) -> Result<Own, SignError> {
        let mut own = self.own.lock().await;
        if let Some(key) = &*own {
            let published = self.public(key.id).await?;
            if key.retires_at > now && published.is_some_and(|published| published.retires_at > now) {
                return Ok(key.clone());
            }
        }
        let made = self.publish(now).await?;
        *own = Some(made.clone());
        Ok(made)
    }

    async fn publish(&self, now: DateTime<Utc>) -> Result<Own, SignError> {
        let pair = Ed25519KeyPair::generate()?;
        let private = pair.to_pkcs8v1()?;
        let (id, retires_at) = (Uuid::now_v7(), now + self.key_life);
        sqlx::query!(
            "insert into signing_key (key_id, public_key, made_at, retires_at, expires_at) values ($1, $2, $3, $4, $5)",
            id,
            pair.public_key().as_ref(),
            now,
            retires_at,
            retires_at + self.life,
        )
        .execute(&self.pool)
        .await?;
        tracing::info!(key.id = %id, "a new key signs access tokens");
        Ok(Own { id, key: Arc::new(EncodingKey::from_ed_der(private.as_ref())), retires_at })
    }

    /// The public half of a key, as it was known a moment ago.
    async fn public(&self, id: Uuid) -> Result<Option<Public>, sqlx::Error> {
        {
            let known = lock(&self.known);
            let fresh = known.read.is_some_and(|read| read.elapsed() < REFRESH);
            if let Some(public) = known.keys.get(&id).filter(|_| fresh) {
                return Ok(Some(public.clone()));
            }
        }
        let rows = sqlx::query!(
            "select key_id, public_key, retires_at, expires_at from signing_key where expires_at > $1",
            clock::now()
        );
        let rows = rows.fetch_all(&self.pool).await?.into_iter().map(|row| {
            let key = Arc::new(DecodingKey::from_ed_der(&row.public_key));
            (row.key_id, Public { key, retires_at: row.retires_at, expires_at: row.expires_at })
        });
        let keys: HashMap<Uuid, Public> = rows.collect();
        let found = keys.get(&id).cloned();
        *lock(&self.known) = Known { keys, read: Some(Instant::now()) };
        Ok(found)
    }
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}
