//! What is known of an endpoint: the fold of the facts about it.

use chrono::{DateTime, Utc};

use super::{
    DisableReason, EndpointId, EndpointSettings, MAX_HEADERS, MAX_PATTERNS, Secret, TagKind, WebhookEvent,
    WebhookRefusal, names,
};
use crate::Event;
use crate::kernel::{Fact, Query, View};
use crate::support::SiteId;

/// A secret of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldSecret {
    /// Which one.
    pub secret: Secret,
    /// When it signs no more; none if it was not replaced.
    pub until: Option<DateTime<Utc>>,
}

/// An endpoint, as far as the log knows it.
#[derive(Debug, Clone, Default)]
pub struct Endpoint {
    /// What it is like, once it was registered.
    pub settings: Option<EndpointSettings>,
    /// The site whose events it receives, if it is bound to one.
    pub site: Option<SiteId>,
    /// Its secrets, those that were replaced included.
    pub secrets: Vec<HeldSecret>,
    /// Why nothing is delivered to it at present.
    pub disabled: Option<DisableReason>,
    /// Whether it was removed.
    pub removed: bool,
}

const FACTS: &[&str] = &[
    names::ENDPOINT_REGISTERED,
    names::ENDPOINT_CHANGED,
    names::ENDPOINT_DISABLED,
    names::ENDPOINT_ENABLED,
    names::SECRET_ROTATED,
    names::ENDPOINT_REMOVED,
];

impl View for Endpoint {
    type Key = EndpointId;
    fn boundary(endpoint: &EndpointId) -> Query {
        Query::of(FACTS, [endpoint.tag()])
    }
    fn evolve(&mut self, fact: &Fact) {
        let Event::Webhooks(event) = &fact.event else { return };
        match event {
            WebhookEvent::EndpointRegistered(event) => {
                let held = |secret: &Secret| HeldSecret { secret: secret.clone(), until: None };
                self.settings = Some(event.settings.clone());
                self.site.clone_from(&event.site);
                self.secrets = event.secrets.iter().map(held).collect();
            }
            WebhookEvent::EndpointChanged(event) => self.settings = Some(event.settings.clone()),
            WebhookEvent::EndpointDisabled(event) => self.disabled = Some(event.reason),
            WebhookEvent::EndpointEnabled(_) => self.disabled = None,
            WebhookEvent::SecretRotated(event) => {
                let retired = self.secrets.iter_mut().filter(|held| event.retired.contains(&held.secret.id));
                retired.for_each(|held| held.until = Some(event.until));
                self.secrets.push(HeldSecret { secret: event.secret.clone(), until: None });
            }
            WebhookEvent::EndpointRemoved(_) => self.removed = true,
        }
    }
}

impl Endpoint {
    /// What it is like, if it is there.
    pub(super) fn check_there(&self, endpoint: EndpointId) -> Result<&EndpointSettings, WebhookRefusal> {
        match &self.settings {
            None => Err(WebhookRefusal::EndpointUnknown { endpoint }),
            Some(_) if self.removed => Err(WebhookRefusal::EndpointRemoved { endpoint }),
            Some(settings) => Ok(settings),
        }
    }

    /// The secrets that sign at a time.
    pub(super) fn signing(&self, now: DateTime<Utc>) -> impl Iterator<Item = &HeldSecret> {
        self.secrets.iter().filter(move |held| held.until.is_none_or(|until| until > now))
    }
}

/// Checks what the types of the settings cannot say.
pub(super) fn check(settings: &EndpointSettings) -> Result<(), WebhookRefusal> {
    let EndpointSettings { filter, ordering, headers, .. } = settings;
    filter.check_types()?;
    filter.check_tags()?;
    ordering.as_ref().map_or(Ok(()), TagKind::check_known)?;
    check_list(&filter.types, MAX_PATTERNS)?;
    check_list(&filter.tags, MAX_PATTERNS)?;
    check_list(&headers.names, MAX_HEADERS)
}

fn check_list<T: PartialEq>(list: &[T], most: usize) -> Result<(), WebhookRefusal> {
    let twice = list.iter().enumerate().any(|(index, one)| list[..index].contains(one));
    if twice || list.len() > most { Err(WebhookRefusal::ListTooLong { most }) } else { Ok(()) }
}
