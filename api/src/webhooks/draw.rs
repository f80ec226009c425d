//! What is secret of an endpoint: the table `webhook_secret`.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use sqlx::PgPool;
use uuid::Uuid;
use vigie_domain::webhooks::{EndpointId, EndpointUrl, HeaderName, Headers, Secret, SecretId, SecretKind, Target};
use vigie_integrations::webhooks::wire::{
    CustomHeaders, Place, Scheme, SigningSecret, Target as WireTarget, Vault, VaultError,
};

use super::{WebhookError, Webhooks};
use crate::clock;

/// What of a signing secret is shown, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    /// How it signs.
    pub(crate) kind: SecretKind,
    /// Itself, which receivers of HMAC signatures check them with; of Ed25519 it is nobody's but this program's.
    pub(crate) text: Option<String>,
    /// What receivers of Ed25519 signatures check them with.
    pub(crate) public_key: Option<String>,
}

/// Sealed texts that are not stored yet.
#[derive(Default)]
pub(super) struct Sealed(Vec<SealedRow>);

struct SealedRow {
    id: SecretId,
    kind: &'static str,
    sealed: Vec<u8>,
    sealed_by: String,
}

impl Sealed {
    fn add(&mut self, vault: &Vault, endpoint: EndpointId, kind: &'static str, text: &str) -> SecretId {
        let id = SecretId::from(Uuid::now_v7());
        let sealed = vault.seal(Place { endpoint: endpoint.uuid(), secret: id.uuid() }, text);
        self.0.push(SealedRow { id, kind, sealed, sealed_by: vault.current() });
        id
    }

    /// Draws a signing secret.
    pub(super) fn draw(&mut self, vault: &Vault, endpoint: EndpointId, kind: SecretKind) -> (Secret, Shown) {
        let scheme = match kind {
            SecretKind::Hmac => Scheme::Hmac,
            SecretKind::Ed25519 => Scheme::Ed25519,
        };
        let drawn = SigningSecret::draw(scheme);
        let (text, public_key) = (drawn.show(), drawn.public());
        let id = self.add(vault, endpoint, kind.as_str(), &text);
        let text = public_key.is_none().then_some(text);
        (Secret { id, kind, public_key: public_key.clone() }, Shown { kind, text, public_key })
    }

    /// Where to: what stands behind the `?` is sealed.
    pub(super) fn target(
        &mut self,
        webhooks: &Webhooks,
        endpoint: EndpointId,
        text: &str,
    ) -> Result<Target, WebhookError> {
        // What it holds that it may not, such as a password, is told before any of it would be repeated.
        webhooks.rules().admit(&WireTarget::parse(text)?)?;
        let (url, query) = text.split_once('?').map_or((text, None), |(url, query)| (url, Some(query)));
        let url = EndpointUrl::new(url).map_err(|error| WebhookError::Url(error.to_string()))?;
        let query = query.filter(|query| !query.is_empty());
        let query = query.map(|_| Ok::<_, WebhookError>(self.add(webhooks.key()?, endpoint, "url", text)));
        Ok(Target { url, query: query.transpose()? })
    }

    /// The headers: their values are sealed.
    pub(super) fn headers(
        &mut self,
        webhooks: &Webhooks,
        endpoint: EndpointId,
        given: &[(String, String)],
    ) -> Result<Headers, WebhookError> {
        let lower: Vec<(String, &str)> =
            given.iter().map(|(name, value)| (name.to_lowercase(), value.as_str())).collect();
        CustomHeaders::new(lower.iter().map(|(name, value)| (name.as_str(), *value)))?;
        let names: Vec<HeaderName> = lower.iter().map(|(name, _)| HeaderName::new(name)).collect::<Result<_, _>>()?;
        if names.is_empty() {
            return Ok(Headers::default());
        }
        let values: BTreeMap<_, _> = lower.iter().map(|(name, value)| (name, value)).collect();
        let text = serde_json::to_string(&values).expect("texts by text are JSON");
        Ok(Headers { names, values: Some(self.add(webhooks.key()?, endpoint, "header", &text)) })
    }

    /// Stores them. With a key that opens nothing of what there is, whoever delivers would not open them either: an endpoint
    /// that has nothing yet is refused then. One that has something may be given anew what it has, for a key may be lost.
    pub(super) async fn store(&self, webhooks: &Webhooks, endpoint: EndpointId) -> Result<(), WebhookError> {
        let (pool, vault) = (webhooks.pool(), webhooks.vault());
        let others = sqlx::query_scalar!(
            "select distinct sealed_by from webhook_secret
             where not exists (select from webhook_secret own where own.endpoint = $1) order by sealed_by limit 100",
            endpoint.uuid()
        );
        let others = others.fetch_all(pool).await?;
        if let Some(other) =
            others.first().filter(|_| !others.iter().any(|name| vault.is_some_and(|vault| vault.has(name))))
        {
            return Err(VaultError::UnknownKey(other.clone()).into());
        }
        for SealedRow { id, kind, sealed, sealed_by } in &self.0 {
            sqlx::query!(
                "insert into webhook_secret (id, endpoint, kind, sealed, sealed_by, made_at) values ($1, $2, $3, $4, $5, $6)",
                id.uuid(),
                endpoint.uuid(),
                kind,
                sealed,
                sealed_by,
                clock::now(),
            )
            .execute(pool)
            .await?;
        }
        Ok(())
    }

    /// Takes them back: nothing names them.
    pub(super) async fn take_back(self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let ids: Vec<Uuid> = self.0.iter().map(|row| row.id.uuid()).collect();
        sqlx::query!("delete from webhook_secret where id = any ($1)", &ids).execute(pool).await.map(drop)
    }
}

/// Deletes what no endpoint names any more: replaced secrets whose time is over, headers and queries that are others now,
/// and what was drawn for commands that came to nothing. What is younger than a day is spared: it may be about to be named.
pub(crate) async fn sweep(pool: &PgPool) -> Result<u64, sqlx::Error> {
    let swept = sqlx::query!(
        "delete from webhook_secret s
         where made_at < $1 and not exists (
             select from read.webhook_endpoints e
             where e.endpoint = s.endpoint and e.state <> 'removed'
               and (e.settings #>> '{target,query}' = s.id::text or e.settings #>> '{headers,values}' = s.id::text
                    or exists (select from jsonb_array_elements(e.secrets) held
                               where held ->> 'id' = s.id::text
                                 and coalesce((held ->> 'until')::timestamptz > $1, true))))",
        clock::now() - TimeDelta::days(1),
    );
    Ok(swept.execute(pool).await?.rows_affected())
}

/// Deletes everything that is secret of an endpoint.
pub(super) async fn forget(pool: &PgPool, endpoint: EndpointId) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from webhook_secret where endpoint = $1", endpoint.uuid()).execute(pool).await.map(drop)
}

/// Deletes everything that is kept of endpoints that were removed; of how many.
pub(crate) async fn clear(pool: &PgPool) -> Result<u64, sqlx::Error> {
    let removed = sqlx::query_scalar!(
        "select s.endpoint from webhook_state s
         join read.webhook_endpoints e on e.endpoint = s.endpoint where e.state = 'removed'"
    );
    let removed = removed.fetch_all(pool).await?;
    for endpoint in &removed {
        while vigie_integrations::webhooks::forget(*endpoint, pool).await? {}
    }
    Ok(u64::try_from(removed.len()).unwrap_or(u64::MAX))
}
