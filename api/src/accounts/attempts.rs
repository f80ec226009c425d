//! Sign-ins that failed: the table `sign_in_attempt`. They are no facts of the log, which anybody could fill with them.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;
use vigie_domain::identity::{SignInMethod, UserId};

use crate::limits::Address;

/// Why a sign-in failed; whoever tried is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Nobody is called so. The name is not kept: it may be a password.
    UnknownName,
    /// Another password.
    WrongPassword,
    /// A link that is none, was used or has expired.
    WrongLink,
    /// The person is deactivated.
    Deactivated,
    /// Too many tries.
    Throttled,
    /// The system that signs people in did not say so, or does not know them here.
    Provider,
}

impl Reason {
    /// As it is kept.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::UnknownName => "unknown_name",
            Self::WrongPassword => "wrong_password",
            Self::WrongLink => "wrong_link",
            Self::Deactivated => "deactivated",
            Self::Throttled => "throttled",
            Self::Provider => "provider",
        }
    }
}

/// A sign-in that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) id: i64,
    pub(crate) at: DateTime<Utc>,
    /// Whose account; none when nobody is called so.
    pub(crate) user_id: Option<uuid::Uuid>,
    pub(crate) method: String,
    pub(crate) reason: String,
    pub(crate) address: String,
}

/// Keeps one; that it cannot be kept changes nothing for whoever signs in.
pub(crate) async fn keep(
    pool: &PgPool,
    user: Option<UserId>,
    method: SignInMethod,
    reason: Reason,
    address: Address,
    now: DateTime<Utc>,
) {
    metrics::counter!("vigie_sign_ins_total", "outcome" => reason.as_str()).increment(1);
    let kept = sqlx::query!(
        "insert into sign_in_attempt (at, user_id, method, reason, address)
         values ($1, (select user_id from person where user_id = $2), $3, $4, $5)",
        now,
        user.map(UserId::uuid),
        method_name(method),
        reason.as_str(),
        address.to_string(),
    );
    if let Err(error) = kept.execute(pool).await {
        tracing::error!(error = &error as &dyn std::error::Error, "a failed sign-in could not be kept");
    }
}

fn method_name(method: SignInMethod) -> &'static str {
    match method {
        SignInMethod::Password => "password",
        SignInMethod::Link => "link",
        SignInMethod::Oidc => "oidc",
    }
}

/// The newest, before the one of an id.
pub(crate) async fn newest(pool: &PgPool, before: Option<i64>, limit: i64) -> Result<Vec<Attempt>, sqlx::Error> {
    let attempts = sqlx::query_as!(
        Attempt,
        "select id, at, user_id, method, reason, address from sign_in_attempt
         where id < coalesce($1, 9223372036854775807) order by id desc limit $2",
        before,
        limit,
    );
    attempts.fetch_all(pool).await
}

/// How much accounts keep of what is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keep {
    /// The newest failed sign-ins.
    pub(crate) attempts: i64,
    /// How old they may be.
    pub(crate) age: TimeDelta,
}

/// Removes what is over: sessions, links and signing keys that have ended, and failed sign-ins beyond the bound. How many
/// rows there were.
pub(crate) async fn prune(pool: &PgPool, keep: Keep, now: DateTime<Utc>) -> Result<u64, sqlx::Error> {
    let sessions = sqlx::query!("delete from session where ends_at < $1", now).execute(pool).await?;
    let links = sqlx::query!("delete from sign_in_link where expires_at < $1", now).execute(pool).await?;
    let keys = sqlx::query!("delete from signing_key where expires_at < $1", now).execute(pool).await?;
    let attempts = sqlx::query!(
        "delete from sign_in_attempt where at < $1 or id <= (select max(id) from sign_in_attempt) - $2",
        now - keep.age,
        keep.attempts,
    );
    let attempts = attempts.execute(pool).await?;
    Ok([sessions, links, keys, attempts].iter().map(sqlx::postgres::PgQueryResult::rows_affected).sum())
}
