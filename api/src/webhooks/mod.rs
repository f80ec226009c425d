//! Webhook endpoints as people operate them: what is secret of them, what was tried, what waits, what is sent again.
//!
//! Secrets are sealed before the fact that names them is recorded, so that whoever hears of the fact finds them; where the
//! fact is not recorded they are taken back. They are shown once, to whoever has made them.

mod asked;
mod change;
mod configured;
mod delivering;
mod draw;
mod examined;
mod trial;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::PgPool;
use vigie_commands::{Executor, Failure};
use vigie_domain::kernel::IdError;
use vigie_domain::webhooks::WebhookRefusal;
use vigie_eventlog::LogError;
use vigie_integrations::webhooks::wire::{
    AddressRules, HeaderError, SecretError, Sender, SenderError, Settings as SenderSettings, TargetError, Vault,
    VaultError,
};

pub(crate) use asked::{
    AttemptRow, Attempts, Outcome, ReplayRow, ReplayWhat, StateRow, WaitingRow, WaitingState, cancel, kept, needed,
    replay, site_of,
};
pub(crate) use change::{Changes, Given, NewEndpoint};
pub use configured::configured;
pub(crate) use configured::texts;
pub(crate) use delivering::Delivering;
pub(crate) use draw::{Shown, clear, sweep};
pub(crate) use examined::{sealed, usable};

use crate::runtime::Runtime;
use crate::settings::Settings;

/// Webhook endpoints as people operate them. Cheap to clone.
#[derive(Clone)]
pub struct Webhooks(Arc<Parts>);

struct Parts {
    pool: PgPool,
    executor: Executor,
    vault: Option<Arc<Vault>>,
    sending: SenderSettings,
}

/// Why webhooks cannot be operated.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The key.
    #[error("VIGIE_WEBHOOK_KEY")]
    Key(#[from] VaultError),
    /// The certificates that are trusted.
    #[error("VIGIE_WEBHOOK_CA cannot be read")]
    Certificates(#[source] std::io::Error),
    /// What sends cannot be made with them.
    #[error("VIGIE_WEBHOOK_CA")]
    Sender(#[from] SenderError),
}

/// Why something cannot be done with an endpoint.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// A rule forbids it, or the log failed.
    #[error("refused")]
    Command(#[from] Failure<WebhookRefusal>),
    /// The URL.
    #[error("the URL: {0}")]
    Url(String),
    /// A header.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The name of a header.
    #[error(transparent)]
    HeaderName(#[from] IdError),
    /// A position that the log does not have.
    #[error("the log goes to position {head}: {after} is not in it")]
    Position {
        /// As asked.
        after: i64,
        /// The last one.
        head: i64,
    },
    /// Part of the log is archived.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A signing secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// There is no endpoint of that id.
    #[error("there is no such endpoint")]
    Nowhere,
    /// What is sealed cannot be opened.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The client.
    #[error(transparent)]
    Sender(#[from] SenderError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl From<TargetError> for WebhookError {
    fn from(error: TargetError) -> Self {
        Self::Url(error.to_string())
    }
}

impl Webhooks {
    /// Opens them. Without a key in the settings, the one in `data` is used, which is made at the first time.
    ///
    /// # Errors
    /// The key or the certificates cannot be used.
    pub fn open(pool: PgPool, executor: Executor, settings: &Settings, data: Option<&Path>) -> Result<Self, OpenError> {
        let (vault, sending) = (vault(settings, data)?, sending(settings)?);
        Ok(Self(Arc::new(Parts { pool, executor, vault: vault.map(Arc::new), sending })))
    }

    /// Those of a process.
    ///
    /// # Errors
    /// The key or the certificates cannot be used.
    pub fn of(runtime: &Runtime, settings: &Settings) -> Result<Self, OpenError> {
        Self::open(runtime.pool.clone(), runtime.executor.clone(), settings, runtime.data_dir())
    }

    fn pool(&self) -> &PgPool {
        &self.0.pool
    }

    fn executor(&self) -> &Executor {
        &self.0.executor
    }

    /// What sends. Made when it is needed: it reads the certificates of the machine.
    ///
    /// # Errors
    /// The certificates cannot be used.
    pub fn sender(&self) -> Result<Sender, SenderError> {
        Sender::new(&self.0.sending)
    }

    /// What opens secrets, if there is a key.
    #[must_use]
    pub fn vault(&self) -> Option<&Arc<Vault>> {
        self.0.vault.as_ref()
    }

    fn key(&self) -> Result<&Vault, VaultError> {
        self.0.vault.as_deref().ok_or(VaultError::NoKey)
    }

    fn rules(&self) -> &AddressRules {
        &self.0.sending.rules
    }
}

/// What opens secrets: the key of the settings, or else the one in `data`, which is made at the first time.
fn vault(settings: &Settings, data: Option<&Path>) -> Result<Option<Vault>, VaultError> {
    match (&settings.webhooks.key, data) {
        (Some(key), _) => Vault::parse(key).map(Some),
        (None, Some(data)) => Vault::of_file(&key_file(data)).map(Some),
        (None, None) => Ok(None),
    }
}

fn key_file(data: &Path) -> PathBuf {
    data.join("webhooks.key")
}

/// How this process sends.
fn sending(settings: &Settings) -> Result<SenderSettings, OpenError> {
    let certificates = settings.webhooks.ca.as_ref().map(std::fs::read).transpose().map_err(OpenError::Certificates)?;
    Ok(SenderSettings { rules: settings.webhooks.rules(), certificates })
}
