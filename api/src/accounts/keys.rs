//! API keys of programs: the table `api_key`.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;
use uuid::Uuid;
use vigie_commands::{Done, Failure, Order};
use vigie_domain::identity::{Grant, IdentityRefusal, IssueKey, KeyId, RevokeKey, UserId};

use super::secret::{Hash, Kind, Secret};
use super::{Accounts, Principal};
use crate::clock;

/// A key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyRow {
    pub(crate) key: Uuid,
    pub(crate) name: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) last_used_at: Option<DateTime<Utc>>,
}

/// Why a key is not made or revoked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    /// The name.
    #[error("a key's name has 1 to 80 characters, without control characters")]
    Name,
    /// A rule forbids it, or the log failed.
    #[error("refused")]
    Command(#[from] Failure<IdentityRefusal>),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl Accounts {
    /// Makes a key with these roles that works until then. It is shown now and never again: when the command is repeated
    /// there is none.
    pub(crate) async fn issue_key(
        &self,
        name: &str,
        grants: BTreeSet<Grant>,
        expires_at: DateTime<Utc>,
        order: Order,
    ) -> Result<(Done<KeyId>, Option<Secret>), KeyError> {
        let name = name.trim();
        if !(1..=80).contains(&name.chars().count()) || name.chars().any(char::is_control) {
            return Err(KeyError::Name);
        }
        let (key, secret) = (KeyId::from(Uuid::now_v7()), Secret::draw(Kind::Key));
        let hash = secret.hash();
        let done = self.executor().execute(&IssueKey { key, expires_at, grants }, order).await?;
        if done.answer != key {
            return Ok((done, None));
        }
        sqlx::query!(
            "insert into api_key (key_id, hash, name, created_at, expires_at) values ($1, $2, $3, $4, $5)",
            key.uuid(),
            hash.as_slice(),
            name,
            clock::now(),
            expires_at,
        )
        .execute(self.pool())
        .await?;
        Ok((done, Some(secret)))
    }

    /// Refuses a key from now on.
    pub(crate) async fn revoke_key(&self, key: KeyId, order: Order) -> Result<Done<KeyId>, KeyError> {
        let done = self.executor().execute(&RevokeKey { key }, order).await?;
        let hash = sqlx::query_scalar!("delete from api_key where key_id = $1 returning hash", key.uuid());
        if let Some(Ok(hash)) = hash.fetch_optional(self.pool()).await?.map(Hash::try_from) {
            self.forget(hash);
        }
        Ok(done)
    }

    /// Those of these keys that were not revoked.
    pub(crate) async fn keys_of(&self, keys: &[Uuid]) -> Result<Vec<KeyRow>, sqlx::Error> {
        let keys = sqlx::query_as!(
            KeyRow,
            "select key_id as key, name, created_at, expires_at, last_used_at from api_key where key_id = any ($1)",
            keys,
        );
        keys.fetch_all(self.pool()).await
    }

    /// The keys that work, oldest first.
    pub(crate) async fn keys(&self) -> Result<Vec<KeyRow>, sqlx::Error> {
        let keys = sqlx::query_as!(
            KeyRow,
            "select key_id as key, name, created_at, expires_at, last_used_at from api_key
             where expires_at > $1 order by key_id",
            clock::now(),
        );
        keys.fetch_all(self.pool()).await
    }
}

/// Calls keys by their id that are called after somebody: their username as a word, their address, or a full name of four
/// characters or more, wherever it stands in the name.
pub(super) async fn unname(pool: &PgPool, user: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update api_key k set name = k.key_id::text from person p
         where p.user_id = $1
           and (lower(p.username) = any (regexp_split_to_array(lower(k.name), '[^a-z0-9._@-]+'))
                or position(lower(p.email) in lower(k.name)) > 0
                or char_length(p.full_name) >= 4 and position(lower(p.full_name) in lower(k.name)) > 0)",
        user.uuid()
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Whose key it is, which is used now; none when it does not work.
pub(super) async fn by_hash(pool: &PgPool, hash: Hash, now: DateTime<Utc>) -> Result<Option<Principal>, sqlx::Error> {
    let found = sqlx::query!(
        "select key_id, expires_at, last_used_at from api_key where hash = $1 and expires_at > $2",
        hash.as_slice(),
        now
    );
    let Some(found) = found.fetch_optional(pool).await? else { return Ok(None) };
    if found.last_used_at.is_none_or(|at| at < now - TimeDelta::minutes(1)) {
        sqlx::query!(
            "update api_key set last_used_at = greatest(last_used_at, $2) where key_id = $1",
            found.key_id,
            now
        )
        .execute(pool)
        .await?;
    }
    Ok(Some(Principal::key(found.key_id.into(), found.expires_at)))
}
