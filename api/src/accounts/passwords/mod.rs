//! Passwords: kept as argon2id hashes, checked against what others have lost.

mod breached;
mod rules;

use std::sync::Arc;

use argon2::password_hash::phc::{ParamsString, PasswordHash};
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as Base64Unpadded;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::settings::Accounts as Choices;
use breached::Breached;
pub(crate) use rules::Unfit;

/// How many wait for their turn at most, per hash that is computed at once.
const QUEUE: usize = 16;

/// Hashes passwords and checks them.
pub(crate) struct Passwords {
    hasher: Hasher,
    /// A hash that no password has: who is unknown takes as long as who is known.
    nobody: String,
    running: Semaphore,
    waiting: Semaphore,
    breached: Breached,
    least: usize,
    most: usize,
}

/// Why passwords cannot be worked with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasswordError {
    /// Too many are waiting.
    #[error("too many passwords are being checked: try again in a moment")]
    Busy,
    /// argon2 does not work as set, or on a hash that is kept.
    #[error("a password cannot be hashed: {0}")]
    Hash(argon2::password_hash::Error),
    /// The list of breached passwords cannot be read.
    #[error("VIGIE_BREACHED_PASSWORDS cannot be read")]
    Breached(#[from] std::io::Error),
    /// Whoever was computing has panicked.
    #[error("a password could not be hashed")]
    Lost(#[from] tokio::task::JoinError),
}

/// What came of checking a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Checked {
    /// It is another.
    Wrong,
    /// It is the right one; a new hash when settings have changed since it was hashed.
    Right(Option<String>),
}

#[derive(Clone)]
struct Hasher(Arc<Params>);

impl Passwords {
    /// As the settings say.
    ///
    /// # Errors
    /// The list of breached passwords cannot be read, or argon2 refuses its settings.
    pub(crate) fn new(choices: &Choices) -> Result<Self, PasswordError> {
        let params = Params::new(choices.password_kib, choices.password_passes, 1, None);
        let hasher = Hasher(Arc::new(params.map_err(|error| PasswordError::Hash(error.into()))?));
        Ok(Self {
            nobody: hasher.of_nobody(),
            hasher,
            running: Semaphore::new(choices.password_hashes),
            waiting: Semaphore::new(choices.password_hashes * QUEUE),
            breached: Breached::open(choices.breached.as_deref())?,
            least: choices.password_min,
            most: choices.password_max,
        })
    }

    /// Whether a password may be chosen by somebody called so.
    pub(crate) fn check_choice(&self, password: &str, username: &str) -> Result<Result<(), Unfit>, PasswordError> {
        if let Err(unfit) = rules::check(password, username, self.least, self.most) {
            return Ok(Err(unfit));
        }
        Ok(if self.breached.contains(password)? { Err(Unfit::Breached) } else { Ok(()) })
    }

    /// The hash to keep of a password.
    pub(crate) async fn hash(&self, password: &str) -> Result<String, PasswordError> {
        let (hasher, password) = (self.hasher.clone(), password.to_owned());
        let _turn = self.turn().await?;
        tokio::task::spawn_blocking(move || hasher.hash(&password)).await?
    }

    /// Whether it is the password of which `kept` is the hash. Without one it takes as long and is wrong.
    pub(crate) async fn check(&self, password: &str, kept: Option<String>) -> Result<Checked, PasswordError> {
        // No password is longer, and hashing takes longer for a long one.
        let known = kept.is_some() && password.chars().count() <= self.most;
        let password = if known { password.to_owned() } else { password.chars().take(self.most).collect() };
        let (hasher, kept) = (self.hasher.clone(), kept.unwrap_or_else(|| self.nobody.clone()));
        let _turn = self.turn().await?;
        let checked = tokio::task::spawn_blocking(move || hasher.check(&password, &kept)).await??;
        Ok(if known { checked } else { Checked::Wrong })
    }

    /// Lets nobody else have a turn.
    #[cfg(test)]
    pub(crate) async fn hold(&self) -> SemaphorePermit<'_> {
        let all = u32::try_from(self.running.available_permits()).unwrap();
        self.running.acquire_many(all).await.unwrap()
    }

    async fn turn(&self) -> Result<(SemaphorePermit<'_>, SemaphorePermit<'_>), PasswordError> {
        let place = self.waiting.try_acquire().map_err(|_| PasswordError::Busy)?;
        let turn = self.running.acquire().await.map_err(|_| PasswordError::Busy)?;
        Ok((place, turn))
    }
}

impl Hasher {
    fn argon2(&self) -> Argon2<'static> {
        Argon2::new(Algorithm::Argon2id, Version::V0x13, (*self.0).clone())
    }

    fn hash(&self, password: &str) -> Result<String, PasswordError> {
        self.argon2().hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(PasswordError::Hash)
    }

    /// A hash with today's settings whose result is made up.
    fn of_nobody(&self) -> String {
        let (memory, passes) = (self.0.m_cost(), self.0.t_cost());
        let (salt, made_up) = (Base64Unpadded.encode([7; 16]), Base64Unpadded.encode([7; 32]));
        format!("$argon2id$v=19$m={memory},t={passes},p=1${salt}${made_up}")
    }

    fn check(&self, password: &str, kept: &str) -> Result<Checked, PasswordError> {
        let parsed = PasswordHash::new(kept).map_err(|error| PasswordError::Hash(error.into()))?;
        match self.argon2().verify_password(password.as_bytes(), &parsed) {
            Err(argon2::password_hash::Error::PasswordInvalid) => Ok(Checked::Wrong),
            Err(error) => Err(PasswordError::Hash(error)),
            Ok(()) if self.is_current(&parsed) => Ok(Checked::Right(None)),
            Ok(()) => Ok(Checked::Right(Some(self.hash(password)?))),
        }
    }

    fn is_current(&self, kept: &PasswordHash) -> bool {
        let today = ParamsString::try_from(&*self.0);
        kept.algorithm == Algorithm::Argon2id.ident()
            && kept.version == Some(Version::V0x13.into())
            && today.is_ok_and(|today| today == kept.params)
    }
}

#[cfg(test)]
mod tests;
