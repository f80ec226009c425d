//! What facts about people, keys and roles say. People and keys are named by their ids: who they are is looked up when
//! it is read.

use vigie_domain::identity::{Grant, Holder, IdentityEvent, UserId};
use vigie_domain::kernel::Tag;

use super::told::{Told, is};

pub(super) fn describe(event: &IdentityEvent) -> Told {
    match event {
        IdentityEvent::UserCreated(e) => state(e.user, "created", "active"),
        IdentityEvent::UserDeactivated(e) => state(e.user, "deactivated", "deactivated"),
        IdentityEvent::UserReactivated(e) => state(e.user, "reactivated", "active"),
        IdentityEvent::UserErased(e) => state(e.user, "erased", "erased"),
        IdentityEvent::RoleGranted(e) => role(e.holder, &e.grant(), true),
        IdentityEvent::RoleRevoked(e) => role(e.holder, &e.grant(), false),
        IdentityEvent::KeyIssued(e) => Told::new(format!("issued key {}", e.key))
            .set(e.key.tag(), [("state", is("active")), ("expires_at", is(e.expires_at))]),
        IdentityEvent::KeyRevoked(e) => {
            Told::new(format!("revoked key {}", e.key)).set(e.key.tag(), [("state", is("revoked"))])
        }
        IdentityEvent::PasswordSet(e) => Told::new(format!("set the password of user {}", e.user)),
        IdentityEvent::LinkIssued(e) => Told::new(format!("made a sign-in link for user {}", e.user)),
        IdentityEvent::SignedIn(e) => Told::new(format!("user {} signed in", e.user))
            .set(e.session.tag(), [("state", is("open")), ("method", is(e.method))]),
        IdentityEvent::SignedOut(e) => over(format!("user {} signed out", e.user), e.session.tag()),
        IdentityEvent::SessionEnded(e) => {
            over(format!("ended a session of user {}", e.user), e.session.tag()).note(word(e.reason))
        }
    }
}

fn state(user: UserId, done: &str, state: &str) -> Told {
    Told::new(format!("{done} user {user}")).set(user.tag(), [("state", is(state))])
}

fn role(holder: Holder, grant: &Grant, held: bool) -> Told {
    let place = grant.site.as_ref().map_or_else(|| "everywhere".to_owned(), |site| format!("at {site}"));
    let (done, whom) = if held { ("granted", "to") } else { ("revoked", "from") };
    Told::new(format!("{done} {} {place} {whom} {holder}", grant.role))
        .set(holder.tag(), [(&format!("role {grant}"), is(held))])
}

fn over(action: String, session: Tag) -> Told {
    Told::new(action).set(session, [("state", is("over"))])
}

/// The word that the log has for it.
fn word(reason: vigie_domain::identity::EndReason) -> String {
    serde_json::to_value(reason).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
