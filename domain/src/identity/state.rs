//! What is known of people, keys, roles and sessions: folds of the facts about them.

use std::collections::BTreeSet;
use std::fmt::{self, Display};

use chrono::{DateTime, Utc};

use super::{Grant, Holder, IdentityEvent, IdentityRefusal, KeyId, Role, SessionId, UserId, names};
use crate::Event;
use crate::kernel::{Fact, Query, Stop, View, World};
use crate::support::{Site, SiteId};

fn identity(fact: &Fact) -> Option<&IdentityEvent> {
    match &fact.event {
        Event::Identity(event) => Some(event),
        Event::Support(_) | Event::Airport(_) | Event::Rail(_) | Event::Alerts(_) | Event::Webhooks(_) => None,
    }
}

/// A person, as far as the log knows them.
#[derive(Debug, Clone, Default)]
pub struct User {
    created: bool,
    inactive: bool,
    erased: bool,
}

const USER_STATES: &[&str] =
    &[names::USER_CREATED, names::USER_DEACTIVATED, names::USER_REACTIVATED, names::USER_ERASED];

impl View for User {
    type Key = UserId;
    fn boundary(user: &UserId) -> Query {
        Query::of(USER_STATES, [user.tag()])
    }
    fn evolve(&mut self, fact: &Fact) {
        match identity(fact) {
            Some(IdentityEvent::UserCreated(_)) => self.created = true,
            Some(IdentityEvent::UserDeactivated(_)) => self.inactive = true,
            Some(IdentityEvent::UserReactivated(_)) => self.inactive = false,
            Some(IdentityEvent::UserErased(_)) => self.erased = true,
            _ => {}
        }
    }
}

impl User {
    /// Whether the person was created before.
    #[must_use]
    pub fn is_created(&self) -> bool {
        self.created
    }

    /// Whether they can sign in, as far as the log says.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.created && !self.inactive && !self.erased
    }

    /// Whether they may do nothing until further notice.
    #[must_use]
    pub fn is_inactive(&self) -> bool {
        self.inactive
    }

    /// Whether who they were is forgotten.
    #[must_use]
    pub fn is_erased(&self) -> bool {
        self.erased
    }

    /// There is such a person, and they were not erased.
    pub(super) fn check_there(&self, user: UserId) -> Result<(), IdentityRefusal> {
        match self {
            Self { created: false, .. } => Err(IdentityRefusal::UserUnknown { user }),
            Self { erased: true, .. } => Err(IdentityRefusal::UserErased { user }),
            _ => Ok(()),
        }
    }

    /// They are there, and can act.
    pub(super) fn check_active(&self, user: UserId) -> Result<(), IdentityRefusal> {
        self.check_there(user)?;
        if self.inactive { Err(IdentityRefusal::UserDeactivated { user }) } else { Ok(()) }
    }
}

/// An API key, as far as the log knows it.
#[derive(Debug, Clone, Default)]
pub struct Key {
    /// When it stops working, once it was issued.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether it is refused for good.
    pub revoked: bool,
}

impl View for Key {
    type Key = KeyId;
    fn boundary(key: &KeyId) -> Query {
        Query::of(&[names::KEY_ISSUED, names::KEY_REVOKED], [key.tag()])
    }
    fn evolve(&mut self, fact: &Fact) {
        match identity(fact) {
            Some(IdentityEvent::KeyIssued(issued)) => self.expires_at = Some(issued.expires_at),
            Some(IdentityEvent::KeyRevoked(_)) => self.revoked = true,
            _ => {}
        }
    }
}

/// The roles of a person or key.
#[derive(Debug, Clone, Default)]
pub struct Grants(BTreeSet<Grant>);

impl View for Grants {
    type Key = Holder;
    fn boundary(holder: &Holder) -> Query {
        Query::of(&[names::ROLE_GRANTED, names::ROLE_REVOKED], [holder.tag()])
    }
    fn evolve(&mut self, fact: &Fact) {
        match identity(fact) {
            Some(IdentityEvent::RoleGranted(event)) => {
                self.0.insert(event.grant());
            }
            Some(IdentityEvent::RoleRevoked(event)) => {
                self.0.remove(&event.grant());
            }
            _ => {}
        }
    }
}

impl Grants {
    /// Whether exactly this was granted.
    #[must_use]
    pub fn contain(&self, grant: &Grant) -> bool {
        self.0.contains(grant)
    }
}

/// A session, as far as the log knows it.
#[derive(Debug, Clone, Default)]
pub struct Session {
    /// Whose it is, once somebody signed in.
    pub user: Option<UserId>,
    /// Whether it is over.
    pub over: bool,
}

impl View for Session {
    type Key = SessionId;
    fn boundary(session: &SessionId) -> Query {
        Query::of(&[names::SIGNED_IN, names::SIGNED_OUT, names::SESSION_ENDED], [session.tag()])
    }
    fn evolve(&mut self, fact: &Fact) {
        match identity(fact) {
            Some(IdentityEvent::SignedIn(event)) => self.user = Some(event.user),
            Some(IdentityEvent::SignedOut(_) | IdentityEvent::SessionEnded(_)) => self.over = true,
            _ => {}
        }
    }
}

/// The whole of what this log is about.
#[derive(Debug, Clone, Copy)]
pub struct Installation;

impl Display for Installation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("installation")
    }
}

/// The people who hold the role of administrator everywhere.
#[derive(Debug, Clone, Default)]
pub struct Administrators {
    granted: BTreeSet<UserId>,
    inactive: BTreeSet<UserId>,
}

impl View for Administrators {
    type Key = Installation;
    fn boundary(_: &Installation) -> Query {
        let states = [names::USER_DEACTIVATED, names::USER_REACTIVATED, names::USER_ERASED];
        Query::of(&[names::ROLE_GRANTED, names::ROLE_REVOKED], [Role::Admin.tag()]).or(Query::of(&states, []))
    }
    fn evolve(&mut self, fact: &Fact) {
        match identity(fact) {
            Some(IdentityEvent::RoleGranted(event)) if event.site.is_none() => {
                if let Holder::User(user) = event.holder {
                    self.granted.insert(user);
                }
            }
            Some(IdentityEvent::RoleRevoked(event)) if event.site.is_none() => {
                if let Holder::User(user) = event.holder {
                    self.granted.remove(&user);
                }
            }
            Some(IdentityEvent::UserErased(event)) => {
                self.granted.remove(&event.user);
            }
            Some(IdentityEvent::UserDeactivated(event)) => {
                self.inactive.insert(event.user);
            }
            Some(IdentityEvent::UserReactivated(event)) => {
                self.inactive.remove(&event.user);
            }
            _ => {}
        }
    }
}

impl Administrators {
    fn active(&self) -> impl Iterator<Item = &UserId> {
        self.granted.difference(&self.inactive)
    }

    /// Whether there is one who can act.
    #[must_use]
    pub fn exist(&self) -> bool {
        self.active().next().is_some()
    }

    /// Somebody else remains who can act, or `user` is none of them.
    fn check_another_than(&self, user: UserId) -> Result<(), IdentityRefusal> {
        let mut active = self.active();
        if active.next() == Some(&user) && active.next().is_none() {
            return Err(IdentityRefusal::LastAdministrator { user });
        }
        Ok(())
    }
}

/// Checks that an administrator of everything remains when `user` is none any more.
pub(super) fn check_administrator_remains(world: &World, user: UserId) -> Result<(), Stop<IdentityRefusal>> {
    Ok(world.guard::<Administrators>(&Installation)?.check_another_than(user)?)
}

/// Checks that a role can be held where it is granted. Not guarded: a site that is set up stays set up.
pub(super) fn check_site(world: &World, site: Option<&SiteId>) -> Result<(), Stop<IdentityRefusal>> {
    match site {
        Some(site) if world.consult::<Site>(site)?.defined.is_none() => {
            Err(IdentityRefusal::SiteUnknown { site: site.clone() }.into())
        }
        _ => Ok(()),
    }
}

/// Checks that the holder of roles is there.
pub(super) fn check_holder(world: &World, holder: Holder) -> Result<(), Stop<IdentityRefusal>> {
    match holder {
        Holder::User(user) => world.guard::<User>(&user)?.check_there(user)?,
        Holder::Key(key) => {
            let known = world.guard::<Key>(&key)?;
            if known.expires_at.is_none() {
                return Err(IdentityRefusal::unknown(holder).into());
            }
            if known.revoked {
                return Err(IdentityRefusal::KeyRevoked { key }.into());
            }
        }
    }
    Ok(())
}
