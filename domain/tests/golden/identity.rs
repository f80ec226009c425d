//! People, keys, roles and sessions.

use uuid::Uuid;
use vigie_domain::Event;
use vigie_domain::identity::*;

use crate::airport::{at, lfw};

fn id(n: u128) -> Uuid {
    Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0100 + n)
}

fn roles(user: UserId, key: KeyId) -> Vec<(&'static str, Event)> {
    let (person, program) = (Holder::User(user), Holder::Key(key));
    let (everywhere, here) = (Grant::everywhere(Role::Admin), Grant::at(Role::Integrator, lfw()));
    vec![
        ("", RoleGranted::of(person, everywhere.clone()).into()),
        ("key", RoleGranted::of(program, here.clone()).into()),
        ("", RoleRevoked::of(person, everywhere).into()),
        ("key", RoleRevoked::of(program, here).into()),
    ]
}

pub(crate) fn samples() -> Vec<(&'static str, Event)> {
    let (user, key, session) = (UserId::from(id(1)), KeyId::from(id(2)), SessionId::from(id(3)));
    let expires_at = at("12:00:00");
    let signed_in = |method| Event::from(SignedIn { user, session, method });
    let ended = |reason| Event::from(SessionEnded { user, session, reason });
    let mut samples: Vec<(&'static str, Event)> = vec![
        ("", UserCreated { user }.into()),
        ("", UserDeactivated { user }.into()),
        ("", UserReactivated { user }.into()),
        ("", UserErased { user }.into()),
        ("", KeyIssued { key, expires_at }.into()),
        ("", KeyRevoked { key }.into()),
        ("", PasswordSet { user }.into()),
        ("", LinkIssued { user, expires_at }.into()),
        ("", signed_in(SignInMethod::Password)),
        ("link", signed_in(SignInMethod::Link)),
        ("oidc", signed_in(SignInMethod::Oidc)),
        ("", SignedOut { user, session }.into()),
        ("", ended(EndReason::Reuse)),
        ("administrator", ended(EndReason::Administrator)),
        ("password_set", ended(EndReason::PasswordSet)),
        ("provider", ended(EndReason::Provider)),
    ];
    samples.extend(roles(user, key));
    samples
}
