//! The endpoints as what delivers needs them: with their secrets opened.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use sqlx::types::Json;
use uuid::Uuid;
use vigie_domain::webhooks::{EndpointSettings, OnExhaustion, RetrySchedule, SecretId};
use vigie_integrations::webhooks::wire::{CustomHeaders, Place, SigningSecret, Target, Vault, VaultError};
use vigie_integrations::webhooks::{Endpoint, Exhausted, Filter};
use vigie_projections::webhooks::RowSecret;

use super::WebhookError;
use crate::clock;

/// An endpoint as it is configured, its secrets sealed. Equal ones are delivered to in the same way.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Configured {
    /// Which one.
    pub(super) endpoint: Uuid,
    site: Option<String>,
    settings: EndpointSettings,
    /// Those that sign now, the newest first.
    signing: Vec<SecretId>,
    sealed: BTreeMap<Uuid, Vec<u8>>,
    after: i64,
}

struct Row {
    endpoint: Uuid,
    site: Option<String>,
    settings: Json<EndpointSettings>,
    secrets: Json<Vec<RowSecret>>,
    after: i64,
}

/// Every endpoint that is enabled.
pub(super) async fn load(pool: &PgPool) -> Result<Vec<Configured>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select endpoint, site, settings as "settings: Json<EndpointSettings>",
                  secrets as "secrets: Json<Vec<RowSecret>>", after
           from read.webhook_endpoints where state = 'enabled' order by endpoint"#
    );
    with_secrets(rows.fetch_all(pool).await?, pool).await
}

/// One endpoint, enabled or not.
pub(super) async fn one(pool: &PgPool, endpoint: Uuid) -> Result<Option<Configured>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        r#"select endpoint, site, settings as "settings: Json<EndpointSettings>",
                  secrets as "secrets: Json<Vec<RowSecret>>", after
           from read.webhook_endpoints where endpoint = $1 and state <> 'removed'"#,
        endpoint
    );
    Ok(with_secrets(row.fetch_all(pool).await?, pool).await?.pop())
}

/// Every endpoint that is enabled, opened. One whose secrets cannot be opened is an error.
///
/// # Errors
/// The database cannot be read, or something sealed cannot be opened.
pub async fn configured(pool: &PgPool, vault: &Vault) -> Result<Vec<Endpoint>, super::WebhookError> {
    load(pool).await?.iter().map(|configured| configured.open(vault)).collect()
}

async fn with_secrets(rows: Vec<Row>, pool: &PgPool) -> Result<Vec<Configured>, sqlx::Error> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.endpoint).collect();
    let secrets = sqlx::query!("select id, endpoint, sealed from webhook_secret where endpoint = any ($1)", &ids);
    let mut sealed: HashMap<Uuid, BTreeMap<Uuid, Vec<u8>>> = HashMap::new();
    for secret in secrets.fetch_all(pool).await? {
        sealed.entry(secret.endpoint).or_default().insert(secret.id, secret.sealed);
    }
    let now = clock::now();
    let configured = rows.into_iter().map(|Row { endpoint, site, settings, secrets, after }| {
        let signing = secrets.0.iter().rev().filter(|secret| secret.until.is_none_or(|until| until > now));
        let signing: Vec<SecretId> = signing.map(|secret| secret.id).collect();
        let mut sealed = sealed.remove(&endpoint).unwrap_or_default();
        let settings = settings.0;
        let named = [settings.target.query, settings.headers.values].into_iter().flatten();
        let named: Vec<Uuid> = named.chain(signing.iter().copied()).map(SecretId::uuid).collect();
        sealed.retain(|id, _| named.contains(id));
        Configured { endpoint, site, settings, signing, sealed, after }
    });
    Ok(configured.collect())
}

impl Configured {
    /// Which events it asks for.
    pub(super) fn filter(&self) -> Filter {
        let filter = &self.settings.filter;
        Filter { kinds: texts(&filter.types), tags: texts(&filter.tags), site: self.site.clone() }
    }

    fn reveal(&self, secret: SecretId, vault: &Vault) -> Result<String, WebhookError> {
        let (endpoint, secret) = (self.endpoint, secret.uuid());
        let sealed = self.sealed.get(&secret).ok_or(VaultError::Changed)?;
        Ok(vault.open(Place { endpoint, secret }, sealed)?)
    }

    /// With everything that is secret of it.
    pub(super) fn open(&self, vault: &Vault) -> Result<Endpoint, WebhookError> {
        let EndpointSettings { ordering, on_exhaustion, rate, timeout, retries, target, headers, .. } = &self.settings;
        let url = target.query.map_or_else(|| Ok(target.url.to_string()), |query| self.reveal(query, vault))?;
        let values = headers.values.map_or_else(|| Ok("{}".to_owned()), |values| self.reveal(values, vault))?;
        let values: BTreeMap<String, String> = serde_json::from_str(&values).map_err(|_| VaultError::Changed)?;
        let headers = CustomHeaders::new(values.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
        let signing = self.signing.iter().map(|secret| Ok(SigningSecret::parse(&self.reveal(*secret, vault)?)?));
        Ok(Endpoint {
            id: self.endpoint,
            target: Target::parse(&url)?,
            filter: self.filter(),
            ordering: ordering.as_ref().map(ToString::to_string),
            exhausted: match on_exhaustion {
                OnExhaustion::Hold => Exhausted::Hold,
                OnExhaustion::SetAside => Exhausted::SetAside,
            },
            rate: rate.map(|rate| rate.get().into()),
            timeout: Duration::from_secs(timeout.get().into()),
            retries: retries.as_ref().map_or_else(|| Endpoint::RETRIES.into(), waits),
            headers: Arc::new(headers),
            secrets: signing.collect::<Result<_, WebhookError>>()?,
            after: self.after,
        })
    }
}

fn waits(retries: &RetrySchedule) -> Arc<[Duration]> {
    retries.waits().iter().map(|wait| Duration::from_secs((*wait).max(1).into())).collect()
}

/// Texts of ids.
pub(crate) fn texts<T: ToString>(ids: &[T]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}
