//! What a reader is shown of each kind of thing.

use std::sync::Arc;

use super::{Right, Rights, Sites};

/// The sites of which somebody sees boards, events and the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Scope {
    /// Of which the present is seen.
    pub(crate) read: Sites,
    /// Of which the past is seen.
    pub(crate) past: Sites,
    /// Of which the audit trail is seen.
    pub(crate) audit: Sites,
    /// Of which events are seen.
    pub(crate) events: Sites,
    /// Of which webhook endpoints are seen.
    pub(crate) webhooks: Sites,
}

impl Scope {
    /// Everything.
    pub(crate) fn whole() -> Arc<Self> {
        Self::of(&Rights::all())
    }

    /// What these rights show.
    pub(crate) fn of(rights: &Rights) -> Arc<Self> {
        let read = rights.sites(Right::Read);
        Arc::new(Self {
            past: rights.sites(Right::Past),
            audit: rights.sites(Right::Audit),
            events: rights.sites(Right::Events),
            webhooks: rights.sites(Right::ManageWebhooks),
            read,
        })
    }

    /// What was done at one site, and nothing else.
    pub(crate) fn of_deeds_at(site: &str) -> Arc<Self> {
        let (none, one) = (Sites::Some([].into()), Sites::Some([site.to_owned()].into()));
        Arc::new(Self { read: none.clone(), past: none.clone(), audit: one, webhooks: none.clone(), events: none })
    }

    /// What is seen of the past.
    pub(crate) fn past(self: &Arc<Self>) -> Arc<Self> {
        if self.past == self.read {
            return Arc::clone(self);
        }
        Arc::new(Self { read: self.past.clone(), ..(**self).clone() })
    }

    /// The same for whoever only asks whether and when something happened at a site, not who did it.
    pub(crate) fn happenings(self: &Arc<Self>) -> Arc<Self> {
        if self.past == self.audit {
            return Arc::clone(self);
        }
        Arc::new(Self { audit: self.past.clone(), ..(**self).clone() })
    }

    /// Whether an event of this type and site is shown. What is about people is for those who see the audit trail.
    pub(crate) fn admits(&self, kind: &str, site: &str) -> bool {
        let sites = if kind.starts_with("identity.") { &self.audit } else { &self.events };
        sites.contain(site)
    }

    /// Whether every event is shown.
    pub(crate) fn admits_all(&self) -> bool {
        self.events == Sites::All && self.audit == Sites::All
    }
}
