//! Webhook endpoints. What is secret of them is not known here: it stands encrypted beside the log.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use vigie_domain::Event;
use vigie_domain::support::SiteId;
use vigie_domain::webhooks::{
    DisableReason, EndpointId, EndpointRegistered, EndpointSettings, Secret, SecretId, SecretKind, WebhookEvent, names,
};

use crate::engine::row;
use crate::{Entry, FoldError, ReadModel, Rows};

/// Whether events are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointState {
    /// They are.
    Enabled,
    /// Not until it is enabled.
    Disabled,
    /// Never again.
    Removed,
}

/// A secret of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowSecret {
    /// Which one.
    pub id: SecretId,
    /// How it signs.
    pub kind: SecretKind,
    /// What receivers of Ed25519 signatures check them with.
    pub public_key: Option<String>,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// When it signs no more; none until it is replaced.
    pub until: Option<DateTime<Utc>>,
}

/// A webhook endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the columns are described in the migration")]
pub struct EndpointRow {
    pub endpoint: EndpointId,
    pub site: Option<SiteId>,
    pub state: EndpointState,
    pub disabled_reason: Option<DisableReason>,
    pub disabled_at: Option<DateTime<Utc>>,
    pub settings: EndpointSettings,
    pub secrets: Vec<RowSecret>,
    pub after: i64,
    pub position: i64,
    pub created_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
}
row!(EndpointRow in "webhook_endpoints" by endpoint: EndpointId);

/// Endpoints as they are configured.
pub struct Endpoints;

impl ReadModel for Endpoints {
    const NAME: &'static str = "webhook_endpoints";
    const VERSION: i32 = 1;
    const EVENTS: &'static [&'static str] = &[
        names::ENDPOINT_REGISTERED,
        names::ENDPOINT_CHANGED,
        names::ENDPOINT_DISABLED,
        names::ENDPOINT_ENABLED,
        names::SECRET_ROTATED,
        names::ENDPOINT_REMOVED,
    ];
    type Rows = (EndpointRow,);

    fn keys(entry: &Entry, rows: &mut Rows) {
        if let Event::Webhooks(event) = entry.event() {
            rows.want::<EndpointRow>((endpoint(event),));
        }
    }

    fn fold(entry: &Entry, rows: &mut Rows) -> Result<(), FoldError> {
        let Event::Webhooks(event) = entry.event() else { return Ok(()) };
        let key = (endpoint(event),);
        match event {
            WebhookEvent::EndpointRegistered(event) => rows.put(&key, entry, |_| EndpointRow::new(event, entry)),
            other => rows.change(&key, entry, |row: &mut EndpointRow| row.fold(other, entry)),
        }
    }
}

fn endpoint(event: &WebhookEvent) -> EndpointId {
    match event {
        WebhookEvent::EndpointRegistered(event) => event.endpoint,
        WebhookEvent::EndpointChanged(event) => event.endpoint,
        WebhookEvent::EndpointDisabled(event) => event.endpoint,
        WebhookEvent::EndpointEnabled(event) => event.endpoint,
        WebhookEvent::SecretRotated(event) => event.endpoint,
        WebhookEvent::EndpointRemoved(event) => event.endpoint,
    }
}

fn held(secret: &Secret, entry: &Entry) -> RowSecret {
    let Secret { id, kind, public_key } = secret.clone();
    RowSecret { id, kind, public_key, made_at: entry.stamp().recorded_at, until: None }
}

impl EndpointRow {
    fn new(event: &EndpointRegistered, entry: &Entry) -> Self {
        let recorded_at = entry.stamp().recorded_at;
        Self {
            endpoint: event.endpoint,
            site: event.site.clone(),
            state: EndpointState::Enabled,
            disabled_reason: None,
            disabled_at: None,
            settings: event.settings.clone(),
            secrets: event.secrets.iter().map(|secret| held(secret, entry)).collect(),
            after: event.after.unwrap_or(entry.stamp().position),
            position: 0,
            created_at: recorded_at,
            changed_at: recorded_at,
        }
    }

    fn fold(&mut self, event: &WebhookEvent, entry: &Entry) {
        match event {
            WebhookEvent::EndpointRegistered(_) => {}
            WebhookEvent::EndpointChanged(event) => self.settings = event.settings.clone(),
            WebhookEvent::EndpointDisabled(event) => {
                self.state = EndpointState::Disabled;
                self.disabled_reason = Some(event.reason);
                self.disabled_at = Some(entry.stamp().recorded_at);
            }
            WebhookEvent::EndpointEnabled(_) => {
                self.state = EndpointState::Enabled;
                self.disabled_reason = None;
                self.disabled_at = None;
            }
            WebhookEvent::SecretRotated(event) => {
                // What has ended is not carried along for ever.
                self.secrets.retain(|secret| secret.until.is_none_or(|until| until > entry.stamp().recorded_at));
                let retired = self.secrets.iter_mut().filter(|secret| event.retired.contains(&secret.id));
                retired.for_each(|secret| secret.until = Some(event.until));
                self.secrets.push(held(&event.secret, entry));
            }
            WebhookEvent::EndpointRemoved(_) => {
                self.state = EndpointState::Removed;
                self.secrets.clear();
            }
        }
    }
}
