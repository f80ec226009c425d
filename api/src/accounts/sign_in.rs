//! Signing in, going on and signing out.

use std::fmt;

use chrono::{DateTime, Utc};
use uuid::Uuid;
use vigie_commands::{Done, Executor, Failure};
use vigie_domain::identity::{
    EndReason, EndSession, Holder, IdentityRefusal, SessionId, SignIn, SignInMethod, SignOut, UserId,
};

use super::attempts::{self, Reason};
use super::parts::{order_of, order_of_itself, order_of_principal};
use super::passwords::{Checked, PasswordError};
use super::principal::named;
use super::secret::{Kind, Secret, hash};
use super::sessions::{self, Open, Provider, Refreshed};
use super::tokens::SignError;
use super::{Accounts, Principal, Subject, links, people};
use crate::clock;
use crate::limits::Address;

/// What somebody holds of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// A browser, a cookie.
    Cookie,
    /// A program, an access token and a refresh token.
    Tokens,
}

/// A session that was opened or goes on, and what its holder is given.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    /// When the session ends, whatever is done with it.
    pub(crate) ends_at: DateTime<Utc>,
    /// The cookie, or the refresh token.
    pub(crate) secret: Secret,
    /// The access token, and when it stops working.
    pub(crate) access: Option<(String, DateTime<Utc>)>,
}

/// What somebody shows who wishes to sign in or to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// A username and a password.
    Password,
    /// A link that signs in once.
    Link,
    /// A refresh token.
    Refresh,
    /// The word of another system.
    Word,
}

impl fmt::Display for Shown {
    /// That it is not right.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password => "the username or the password is not right",
            Self::Link => "the link signs nobody in: it was used, has expired, or is none",
            Self::Refresh => "the refresh token is not valid: it was used, its session is over, or it is none",
            Self::Word => "nobody is signed in",
        })
    }
}

impl From<SignInMethod> for Shown {
    fn from(method: SignInMethod) -> Self {
        match method {
            SignInMethod::Password => Self::Password,
            SignInMethod::Link => Self::Link,
            SignInMethod::Oidc => Self::Word,
        }
    }
}

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInError {
    /// What was shown is not right. Why is not said: unknown, wrong, deactivated and expired look the same.
    #[error("{0}")]
    Wrong(Shown),
    /// Too many tries.
    #[error("too many sign-ins were tried for this account or from this address")]
    Throttled {
        /// Seconds after which it can be tried again.
        retry: u64,
    },
    /// The passwords cannot be worked with now.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// No access token can be made.
    #[error(transparent)]
    Token(#[from] SignError),
    /// The log failed.
    #[error("the sign-in cannot be recorded")]
    Command(#[source] Failure<IdentityRefusal>),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl Accounts {
    /// Signs somebody in who knows their password.
    pub(crate) async fn sign_in(
        &self,
        username: &str,
        password: &str,
        holds: Holds,
        address: Address,
    ) -> Result<Opened, SignInError> {
        const METHOD: SignInMethod = SignInMethod::Password;
        let now = clock::now();
        let person = people::by_username(self.pool(), username).await?;
        let user = person.as_ref().map(|person| person.user);
        self.throttle(username, user, METHOD, address).await?;
        let kept = match user {
            Some(user) => people::password_of(self.pool(), user).await?,
            None => None,
        };
        let checked = self.passwords().check(password, kept).await?;
        let (Some(user), Checked::Right(anew)) = (user, checked) else {
            let reason = if user.is_some() { Reason::WrongPassword } else { Reason::UnknownName };
            attempts::keep(self.pool(), user, METHOD, reason, address, now).await;
            return Err(SignInError::Wrong(Shown::Password));
        };
        if let Some(anew) = anew {
            people::keep_password(self.pool(), user, &anew, now).await?;
        }
        self.open_session(user, METHOD, holds, None, address).await
    }

    /// Signs somebody in who has a link, which works no more.
    pub(crate) async fn sign_in_by_link(
        &self,
        link: &str,
        holds: Holds,
        address: Address,
    ) -> Result<Opened, SignInError> {
        const METHOD: SignInMethod = SignInMethod::Link;
        self.throttle("", None, METHOD, address).await?;
        match links::take(self.pool(), hash(link), clock::now()).await? {
            Some(user) => self.open_session(user, METHOD, holds, None, address).await,
            None => {
                attempts::keep(self.pool(), None, METHOD, Reason::WrongLink, address, clock::now()).await;
                Err(SignInError::Wrong(Shown::Link))
            }
        }
    }

    /// Opens a session for somebody who has proved who they are.
    pub(crate) async fn open_session(
        &self,
        user: UserId,
        method: SignInMethod,
        holds: Holds,
        provider: Option<&Provider>,
        address: Address,
    ) -> Result<Opened, SignInError> {
        let now = clock::now();
        let session = SessionId::from(Uuid::now_v7());
        let order = order_of(&named(Holder::User(user)));
        if let Err(failure) = self.executor().execute(&SignIn { user, session, method }, order).await {
            let Failure::Refused(_) = failure else { return Err(SignInError::Command(failure)) };
            attempts::keep(self.pool(), Some(user), method, Reason::Deactivated, address, now).await;
            return Err(SignInError::Wrong(method.into()));
        }
        let longest = self.choices().session;
        let lasts = provider.map_or(longest, |provider| longest.min(provider.lasts));
        let open = Open { user, session, ends_at: now + lasts };
        let secret = Secret::draw(match holds {
            Holds::Cookie => Kind::Cookie,
            Holds::Tokens => Kind::Refresh,
        });
        let (cookie, refresh) = match holds {
            Holds::Cookie => (Some(secret.hash()), None),
            Holds::Tokens => (None, Some(secret.hash())),
        };
        sessions::insert(self.pool(), open, cookie, refresh, provider, now).await?;
        let access = match holds {
            Holds::Cookie => None,
            Holds::Tokens => Some(self.tokens().sign(user, session, open.ends_at).await?),
        };
        metrics::counter!("vigie_sign_ins_total", "outcome" => "signed_in").increment(1);
        Ok(Opened { user, session, ends_at: open.ends_at, secret, access })
    }

    /// Whose a refresh token is, used or not; none if it is none.
    pub(crate) async fn of_refresh(&self, token: &str) -> Result<Option<Subject>, SignInError> {
        let found = sessions::by_refresh(self.pool(), hash(token)).await?;
        Ok(found.map(|(session, user)| Subject::User { user, session }))
    }

    /// The next access token of a session. A refresh token works once: whoever comes with it again ends the session, since
    /// one of the two has stolen it.
    pub(crate) async fn refresh(&self, token: &str) -> Result<Opened, SignInError> {
        let next = Secret::draw(Kind::Refresh);
        let refreshed =
            sessions::refresh(self.pool(), hash(token), next.hash(), self.choices().idle, clock::now()).await?;
        match refreshed {
            Refreshed::Unknown => Err(SignInError::Wrong(Shown::Refresh)),
            Refreshed::Reused(open) => {
                tracing::warn!(session.id = %open.session, "a refresh token was used twice: its session ends");
                self.end(open.session, EndReason::Reuse, order_of_itself()).await?;
                Err(SignInError::Wrong(Shown::Refresh))
            }
            Refreshed::Goes(Open { user, session, ends_at }) => {
                let access = self.tokens().sign(user, session, ends_at).await?;
                Ok(Opened { user, session, ends_at, secret: next, access: Some(access) })
            }
        }
    }

    /// Ends the session of whoever asks for it; a key has none.
    pub(crate) async fn sign_out(&self, principal: &Principal) -> Result<(), SignInError> {
        let Subject::User { session, .. } = principal.subject else { return Ok(()) };
        let order = order_of_principal(principal);
        finished(self.executor(), &SignOut { session }, order).await?;
        Ok(self.remove(session).await?)
    }

    /// Ends the session that a refresh token is of; none of it is told.
    pub(crate) async fn sign_out_by_refresh(&self, token: &str) -> Result<(), SignInError> {
        let Some((session, user)) = sessions::by_refresh(self.pool(), hash(token)).await? else { return Ok(()) };
        finished(self.executor(), &SignOut { session }, order_of(&named(Holder::User(user)))).await?;
        Ok(self.remove(session).await?)
    }

    /// Ends a session without its person.
    pub(crate) async fn end(
        &self,
        session: SessionId,
        reason: EndReason,
        order: vigie_commands::Order,
    ) -> Result<Done<SessionId>, SignInError> {
        let done = self.executor().execute(&EndSession { session, reason }, order).await;
        let done = done.map_err(SignInError::Command)?;
        self.remove(session).await?;
        Ok(done)
    }

    /// What is held of a session works no more.
    pub(super) async fn remove(&self, session: SessionId) -> Result<(), sqlx::Error> {
        if let Some(cookie) = sessions::remove(self.pool(), session).await? {
            self.forget(cookie);
        }
        Ok(())
    }

    /// Counts a try, whoever is meant by it: a name that nobody has is counted too.
    pub(super) async fn throttle(
        &self,
        username: &str,
        user: Option<UserId>,
        method: SignInMethod,
        address: Address,
    ) -> Result<(), SignInError> {
        // Beside the address each has a bucket of its own; a link has none, since it cannot be guessed.
        let account = match method {
            SignInMethod::Password => username.to_lowercase().chars().take(64).collect(),
            SignInMethod::Link | SignInMethod::Oidc => format!("\u{1f}{address}"),
        };
        let Err(overdrawn) = self.tries().take([format!("account {account}"), address.to_string()], 1).await else {
            return Ok(());
        };
        attempts::keep(self.pool(), user, method, Reason::Throttled, address, clock::now()).await;
        Err(SignInError::Throttled { retry: overdrawn.quota.retry_after().unwrap_or(1) })
    }
}

/// Carries out what may have been done before.
async fn finished<D>(executor: &Executor, command: &D, order: vigie_commands::Order) -> Result<(), SignInError>
where
    D: vigie_domain::kernel::Decision<Refusal = IdentityRefusal>,
{
    match executor.execute(command, order).await {
        Ok(_) | Err(Failure::Refused(_)) => Ok(()),
        Err(failure) => Err(SignInError::Command(failure)),
    }
}
