//! What accounts work with.

use std::sync::Arc;

use quick_cache::sync::Cache;
use sqlx::PgPool;
use vigie_commands::{Executor, Order};

use super::authenticate::Seen;
use super::passwords::Passwords;
use super::secret::Hash;
use super::{Principal, Tokens};
use crate::actor::Actor;
use crate::limits::{Limits, Rates};
use crate::oidc::Oidc;
use crate::settings::{Accounts as Choices, Settings};

/// Who accounts themselves are in the log, where no person acts.
const ITSELF: &str = "vigie:accounts";

/// How many sessions and keys are remembered as seen a moment ago.
const REMEMBERED: usize = 10_000;

/// Accounts. Cheap to clone.
#[derive(Clone)]
pub struct Accounts(Arc<Parts>);

struct Parts {
    pool: PgPool,
    executor: Executor,
    choices: Choices,
    passwords: Passwords,
    tokens: Tokens,
    tries: Rates,
    seen: Cache<Hash, Seen>,
    /// The other system that people sign in with.
    oidc: Option<Oidc>,
}

/// Why accounts cannot be opened: the list of breached passwords, or what the provider's certificates are signed with,
/// cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("accounts cannot be opened")]
pub struct AccountsError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Accounts {
    /// Accounts in this database, whose facts go through `executor`.
    ///
    /// # Errors
    /// The list of breached passwords cannot be read.
    pub fn open(pool: PgPool, executor: Executor, settings: &Settings) -> Result<Self, AccountsError> {
        let choices = settings.accounts.clone();
        let redis = settings.redis_url.as_deref().and_then(|url| redis::Client::open(url).ok());
        let options = pool.connect_options();
        let space = format!("{}:sign-in", options.get_database().unwrap_or("vigie"));
        let limits = Limits {
            rate: choices.attempts,
            rate_window: choices.attempt_window,
            address_share: settings.limits.address_share,
            ..Limits::default()
        };
        Ok(Self(Arc::new(Parts {
            passwords: Passwords::new(&choices).map_err(|error| AccountsError(error.into()))?,
            tokens: Tokens::new(pool.clone(), choices.token, choices.signing),
            tries: Rates::new(&limits, redis, &space),
            seen: Cache::new(REMEMBERED),
            oidc: Oidc::of(settings).map_err(|error| AccountsError(error.into()))?,
            pool,
            executor,
            choices,
        })))
    }

    /// The database.
    pub(crate) fn pool(&self) -> &PgPool {
        &self.0.pool
    }

    /// The write side.
    pub(super) fn executor(&self) -> &Executor {
        &self.0.executor
    }

    pub(super) fn choices(&self) -> &Choices {
        &self.0.choices
    }

    pub(super) fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    pub(super) fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    /// How often sign-ins may be tried.
    pub(super) fn tries(&self) -> &Rates {
        &self.0.tries
    }

    /// The other system that people sign in with, if there is one.
    pub(crate) fn oidc(&self) -> Option<&Oidc> {
        self.0.oidc.as_ref()
    }

    /// What was looked up a moment ago.
    pub(super) fn seen(&self) -> &Cache<Hash, Seen> {
        &self.0.seen
    }
}

/// A command of accounts themselves.
pub(super) fn order_of_itself() -> Order {
    order_of(&Actor::new(ITSELF).expect("it is the name of an actor"))
}

/// A command of somebody.
pub(super) fn order_of(actor: &Actor) -> Order {
    Order::new(uuid::Uuid::now_v7(), actor.as_str())
}

/// A command of somebody about themselves.
pub(super) fn order_of_principal(principal: &Principal) -> Order {
    order_of(&principal.actor)
}
