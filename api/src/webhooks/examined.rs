//! Whether webhooks can be delivered as they are configured, without delivering anything.

use std::path::Path;

use sqlx::PgPool;
use uuid::Uuid;
use vigie_integrations::webhooks::wire::{Sender, VaultError};

use super::configured::load;
use super::{OpenError, WebhookError, key_file, sending, vault};
use crate::settings::Settings;

/// Whether the key and the certificates that the settings name can be used.
///
/// # Errors
/// One of them cannot.
pub(crate) fn usable(settings: &Settings) -> Result<(), OpenError> {
    vault(settings, None)?;
    Sender::new(&sending(settings)?)?;
    Ok(())
}

/// How many endpoints are enabled, and which of them cannot be delivered to, with the reason. A key that the data folder
/// does not have yet is not made.
///
/// # Errors
/// The database cannot be read, or the key cannot be used.
pub(crate) async fn sealed(
    pool: &PgPool,
    settings: &Settings,
    data: Option<&Path>,
) -> Result<(usize, Vec<(Uuid, WebhookError)>), WebhookError> {
    let vault = vault(settings, data.filter(|data| key_file(data).exists()))?;
    let vault = vault.as_ref();
    let endpoints = load(pool).await?;
    let closed = endpoints.iter().filter_map(|configured| {
        let opened = vault.ok_or(VaultError::NoKey).map_err(WebhookError::from);
        opened.and_then(|vault| configured.open(vault)).err().map(|error| (configured.endpoint, error))
    });
    Ok((endpoints.len(), closed.collect()))
}
