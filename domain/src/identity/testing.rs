//! People and facts for the rules' tests.

use chrono::TimeDelta;
use uuid::Uuid;

use super::*;
use crate::Event;
use crate::kernel::spec;
use crate::support::{SiteDefined, SiteId, SiteKind, Zone};

pub(super) fn user(n: u128) -> UserId {
    Uuid::from_u128(n).into()
}

pub(super) fn key(n: u128) -> KeyId {
    Uuid::from_u128(n).into()
}

pub(super) fn session(n: u128) -> SessionId {
    Uuid::from_u128(n).into()
}

pub(super) fn lfw() -> SiteId {
    SiteId::new("LFW").unwrap()
}

pub(super) fn admin() -> Grant {
    Grant::everywhere(Role::Admin)
}

pub(super) fn operator() -> Grant {
    Grant::at(Role::Operator, lfw())
}

pub(super) fn site() -> Event {
    let (name, zone) = ("Lomé".into(), Zone::new("Africa/Lome").unwrap());
    SiteDefined { site: lfw(), name, kind: SiteKind::Airport, zone, icao: None }.into()
}

pub(super) fn created(n: u128) -> Event {
    UserCreated { user: user(n) }.into()
}

pub(super) fn deactivated(n: u128) -> Event {
    UserDeactivated { user: user(n) }.into()
}

pub(super) fn erased(n: u128) -> Event {
    UserErased { user: user(n) }.into()
}

pub(super) fn granted(n: u128, grant: Grant) -> Event {
    RoleGranted::of(Holder::User(user(n)), grant).into()
}

pub(super) fn revoked(n: u128, grant: Grant) -> Event {
    RoleRevoked::of(Holder::User(user(n)), grant).into()
}

pub(super) fn issued(n: u128) -> Event {
    KeyIssued { key: key(n), expires_at: spec::noon() + TimeDelta::days(30) }.into()
}

pub(super) fn signed_in(n: u128, of: u128) -> Event {
    SignedIn { user: user(of), session: session(n), method: SignInMethod::Password }.into()
}

/// A site, and two people: 1 is an administrator of everything, 2 an operator of the site.
pub(super) fn two_people() -> spec::Given {
    spec::given([site(), created(1), granted(1, admin()), created(2), granted(2, operator())])
}
