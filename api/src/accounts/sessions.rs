//! Open sessions: the tables `session` and `refresh_token`.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;
use uuid::Uuid;
use vigie_domain::identity::{SessionId, UserId};

use super::secret::Hash;

/// A session that is open, as far as the table says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) ends_at: DateTime<Utc>,
}

/// The session of the system that signed somebody in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Provider {
    pub(crate) issuer: String,
    /// What it calls its session, if it says it.
    pub(crate) session: Option<String>,
    /// How long its word counts.
    pub(crate) lasts: TimeDelta,
}

/// Keeps a session; `cookie` is the hash of what the browser holds, `refresh` of what a program does.
pub(super) async fn insert(
    pool: &PgPool,
    open: Open,
    cookie: Option<Hash>,
    refresh: Option<Hash>,
    provider: Option<&Provider>,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let mut transaction = pool.begin().await?;
    sqlx::query!(
        "insert into session (session_id, user_id, cookie_hash, issuer, provider_id, created_at, seen_at, ends_at)
         values ($1, $2, $3, $4, $5, $6, $6, $7)",
        open.session.uuid(),
        open.user.uuid(),
        cookie.as_ref().map(<[u8; 32]>::as_slice),
        provider.map(|provider| provider.issuer.as_str()),
        provider.and_then(|provider| provider.session.as_deref()),
        now,
        open.ends_at,
    )
    .execute(&mut *transaction)
    .await?;
    if let Some(refresh) = refresh {
        sqlx::query!(
            "insert into refresh_token (hash, session_id, made_at) values ($1, $2, $3)",
            refresh.as_slice(),
            open.session.uuid(),
            now
        )
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await
}

/// The session of a cookie, which is seen now; none when it is over.
pub(super) async fn by_cookie(
    pool: &PgPool,
    cookie: Hash,
    idle: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Option<Open>, sqlx::Error> {
    let found = sqlx::query!(
        "select session_id, user_id, ends_at, seen_at from session
         where cookie_hash = $1 and ends_at > $2 and seen_at > $3",
        cookie.as_slice(),
        now,
        now - idle,
    );
    let Some(found) = found.fetch_optional(pool).await? else { return Ok(None) };
    if found.seen_at < now - TimeDelta::minutes(1) {
        sqlx::query!("update session set seen_at = greatest(seen_at, $2) where session_id = $1", found.session_id, now)
            .execute(pool)
            .await?;
    }
    Ok(Some(Open { user: found.user_id.into(), session: found.session_id.into(), ends_at: found.ends_at }))
}

/// What came of a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refreshed {
    /// It was good, and is used up; another is kept in its place.
    Goes(Open),
    /// It was used before.
    Reused(Open),
    /// There is none such, or its session is over.
    Unknown,
}

/// Uses a refresh token up, once, and keeps the next in its place.
pub(super) async fn refresh(
    pool: &PgPool,
    token: Hash,
    next: Hash,
    idle: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Refreshed, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    // Whoever comes second with the same token waits here, and sees that it is used.
    let found = sqlx::query!(
        "select s.session_id, s.user_id, s.ends_at, s.seen_at, t.used_at
         from refresh_token t join session s using (session_id) where t.hash = $1 for update",
        token.as_slice(),
    );
    let Some(found) = found.fetch_optional(&mut *transaction).await? else { return Ok(Refreshed::Unknown) };
    let open = Open { user: found.user_id.into(), session: found.session_id.into(), ends_at: found.ends_at };
    if found.used_at.is_some() {
        return Ok(Refreshed::Reused(open));
    }
    if found.ends_at <= now || found.seen_at <= now - idle {
        return Ok(Refreshed::Unknown);
    }
    sqlx::query!("update refresh_token set used_at = $2 where hash = $1", token.as_slice(), now)
        .execute(&mut *transaction)
        .await?;
    sqlx::query!(
        "insert into refresh_token (hash, session_id, made_at) values ($1, $2, $3)",
        next.as_slice(),
        open.session.uuid(),
        now
    )
    .execute(&mut *transaction)
    .await?;
    sqlx::query!("update session set seen_at = $2 where session_id = $1", open.session.uuid(), now)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(Refreshed::Goes(open))
}

/// The session that a refresh token is of, used or not, and whose that is.
pub(super) async fn by_refresh(pool: &PgPool, token: Hash) -> Result<Option<(SessionId, UserId)>, sqlx::Error> {
    let session = sqlx::query!(
        "select session_id, user_id from refresh_token join session using (session_id) where hash = $1",
        token.as_slice()
    );
    Ok(session.fetch_optional(pool).await?.map(|found| (found.session_id.into(), found.user_id.into())))
}

/// Forgets a session; the hash of its cookie, if it had one.
pub(super) async fn remove(pool: &PgPool, session: SessionId) -> Result<Option<Hash>, sqlx::Error> {
    let removed =
        sqlx::query_scalar!("delete from session where session_id = $1 returning cookie_hash", session.uuid());
    Ok(removed.fetch_optional(pool).await?.flatten().and_then(|cookie| Hash::try_from(cookie).ok()))
}

/// The open sessions of somebody.
pub(crate) async fn of(pool: &PgPool, user: UserId) -> Result<Vec<SessionId>, sqlx::Error> {
    let sessions =
        sqlx::query_scalar!("select session_id from session where user_id = $1 order by created_at", user.uuid());
    Ok(sessions.fetch_all(pool).await?.into_iter().map(SessionId::from).collect())
}

/// The sessions that came of a session of the system that signed somebody in, or of all of somebody's there.
pub(crate) async fn of_provider(
    pool: &PgPool,
    issuer: &str,
    session: Option<&str>,
    user: Option<UserId>,
) -> Result<Vec<SessionId>, sqlx::Error> {
    let sessions = sqlx::query_scalar!(
        "select session_id from session
         where issuer = $1 and ($2::text is null or provider_id = $2) and ($3::uuid is null or user_id = $3)
           and ($2::text is not null or $3::uuid is not null)",
        issuer,
        session,
        user.map(UserId::uuid) as Option<Uuid>,
    );
    Ok(sessions.fetch_all(pool).await?.into_iter().map(SessionId::from).collect())
}
