//! One person or key, as the facts about them say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use vigie_domain::identity::{Grant, Holder, IdentityEvent, SessionId};
use vigie_domain::support::SiteId;

use super::Denied;
use crate::rights::{Rights, Sites};

/// How long it is remembered that a session has begun or is over: longer than any may last.
const REMEMBERED: TimeDelta = TimeDelta::days(31);

/// What is known of somebody.
#[derive(Debug, Default)]
pub(super) struct Person {
    known: bool,
    inactive: bool,
    gone: bool,
    expires_at: Option<DateTime<Utc>>,
    grants: BTreeSet<Grant>,
    /// Where they hold or ever held a role: nobody acts where they hold none. Without a site, everywhere.
    been: BTreeSet<Option<SiteId>>,
    /// When they signed in, by session; those that may still be open are among them.
    begun: BTreeMap<SessionId, DateTime<Utc>>,
    /// Sessions that are over, and since when.
    over: BTreeMap<SessionId, DateTime<Utc>>,
}

/// What they may do, as it is told to whoever watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    /// None while they may do nothing at all.
    rights: Option<Arc<Rights>>,
    expires_at: Option<DateTime<Utc>>,
    over: Arc<BTreeSet<SessionId>>,
}

impl Standing {
    /// What they may do in a session, if they are in one.
    ///
    /// # Errors
    /// Nothing: they may not act, or the session is over.
    pub(crate) fn rights(&self, session: Option<SessionId>, now: DateTime<Utc>) -> Result<Arc<Rights>, Denied> {
        let over = session.is_some_and(|session| self.over.contains(&session));
        let expired = self.expires_at.is_some_and(|end| end <= now);
        self.rights.clone().filter(|_| !over && !expired).ok_or(Denied::Ended)
    }
}

/// Whom a fact is about.
pub(super) fn about(fact: &IdentityEvent) -> Option<Holder> {
    use IdentityEvent as E;
    Some(match fact {
        E::UserCreated(event) => Holder::User(event.user),
        E::UserDeactivated(event) => Holder::User(event.user),
        E::UserReactivated(event) => Holder::User(event.user),
        E::UserErased(event) => Holder::User(event.user),
        E::RoleGranted(event) => event.holder,
        E::RoleRevoked(event) => event.holder,
        E::KeyIssued(event) => Holder::Key(event.key),
        E::KeyRevoked(event) => Holder::Key(event.key),
        E::SignedOut(event) => Holder::User(event.user),
        E::SessionEnded(event) => Holder::User(event.user),
        E::SignedIn(event) => Holder::User(event.user),
        E::PasswordSet(_) | E::LinkIssued(_) => return None,
    })
}

impl Person {
    /// Takes a fact in; whether it changes what they may do.
    pub(super) fn take(&mut self, fact: &IdentityEvent, at: DateTime<Utc>) -> bool {
        use IdentityEvent as E;
        match fact {
            E::UserCreated(_) => self.known = true,
            E::UserDeactivated(_) => {
                self.inactive = true;
                // For good: who is reactivated signs in anew.
                for session in std::mem::take(&mut self.begun).into_keys() {
                    self.end(session, at);
                }
            }
            E::UserReactivated(_) => self.inactive = false,
            E::UserErased(_) | E::KeyRevoked(_) => self.gone = true,
            E::KeyIssued(event) => (self.known, self.expires_at) = (true, Some(event.expires_at)),
            E::RoleGranted(event) => {
                self.been.insert(event.site.clone());
                return self.grants.insert(event.grant());
            }
            E::RoleRevoked(event) => return self.grants.remove(&event.grant()),
            E::SignedOut(event) => self.end(event.session, at),
            E::SessionEnded(event) => self.end(event.session, at),
            E::SignedIn(event) => {
                self.begun.retain(|_, begun| at - *begun < REMEMBERED);
                self.begun.insert(event.session, at);
                return false;
            }
            E::PasswordSet(_) | E::LinkIssued(_) => return false,
        }
        true
    }

    fn end(&mut self, session: SessionId, at: DateTime<Utc>) {
        self.begun.remove(&session);
        self.over.insert(session, at);
        self.over.retain(|_, since| at - *since < REMEMBERED);
    }

    /// Whether they may have acted at one of these sites.
    pub(super) fn may_have_acted_at(&self, sites: &Sites) -> bool {
        self.been.iter().any(|site| site.as_ref().is_none_or(|site| sites.contain(site.as_str())))
    }

    pub(super) fn standing(&self) -> Standing {
        let active = self.known && !self.inactive && !self.gone;
        Standing {
            rights: active.then(|| Arc::new(Rights::of(&self.grants))),
            expires_at: self.expires_at,
            over: Arc::new(self.over.keys().copied().collect()),
        }
    }
}
