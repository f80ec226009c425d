//! Opens a session for somebody who has proved who they are.

use serde::{Deserialize, Serialize};

use super::refusal::Decides;
use super::state::{Session, User};
use super::{IdentityRefusal, SessionId, SignInMethod, SignedIn, UserId};
use crate::kernel::{Context, Decided, Decision, Tag, World};

/// Opens a session for a person who has proved who they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// The person.
    pub user: UserId,
    /// The session: an id that was drawn for it.
    pub session: SessionId,
    /// How they proved it.
    pub method: SignInMethod,
}

impl Decision for SignIn {
    const NAME: &'static str = "identity.sign_in";
    type Answer = SessionId;
    type Refusal = IdentityRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.user.tag(), self.session.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Decides<SessionId> {
        let Self { user, session, method } = *self;
        world.guard::<User>(&user)?.check_active(user)?;
        if world.guard::<Session>(&session)?.user.is_some() {
            return Ok(Decided::nothing(session));
        }
        Ok(Decided::events([SignedIn { user, session, method }.into()], session))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn sign_in(n: u128) -> SignIn {
        SignIn { user: user(n), session: session(7), method: SignInMethod::Password }
    }

    #[test]
    fn a_person_signs_in_once_per_session() {
        let done = two_people().when(sign_in(2)).then([signed_in(7, 2)]);
        done.recorded().when(sign_in(2)).then_nothing();
    }

    #[test]
    fn who_is_unknown_deactivated_or_erased_does_not_sign_in() {
        two_people().when(sign_in(3)).then_refused("USER_UNKNOWN");
        two_people().and([deactivated(2)]).when(sign_in(2)).then_refused("USER_DEACTIVATED");
        two_people().and([erased(2)]).when(sign_in(2)).then_refused("USER_ERASED");
    }

    #[test]
    fn a_deactivation_in_between_is_noticed_and_another_sign_in_is_not_in_the_way() {
        let done = two_people().when(sign_in(2));
        assert!(done.guards_against(&deactivated(2)));
        assert!(!done.guards_against(&signed_in(8, 2)));
    }
}
