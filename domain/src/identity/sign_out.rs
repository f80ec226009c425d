//! Ends a session at its person's wish.

use serde::{Deserialize, Serialize};

use super::refusal::Decides;
use super::state::Session;
use super::{IdentityRefusal, SessionId, SignedOut};
use crate::kernel::{Context, Decided, Decision, Tag, World};

/// Ends a session at its person's wish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignOut {
    /// The session.
    pub session: SessionId,
}

impl Decision for SignOut {
    const NAME: &'static str = "identity.sign_out";
    type Answer = SessionId;
    type Refusal = IdentityRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.session.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Decides<SessionId> {
        let session = self.session;
        let known = world.guard::<Session>(&session)?;
        match known.user {
            None => Err(IdentityRefusal::SessionUnknown { session }.into()),
            Some(_) if known.over => Ok(Decided::nothing(session)),
            Some(user) => Ok(Decided::events([SignedOut { user, session }.into()], session)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn a_session_is_signed_out_of_once() {
        let done = two_people().and([signed_in(7, 2)]).when(SignOut { session: session(7) });
        let done = done.then([SignedOut { user: user(2), session: session(7) }.into()]).recorded();
        done.when(SignOut { session: session(7) }).then_nothing();
    }

    #[test]
    fn nobody_signs_out_of_a_session_that_never_was() {
        two_people().when(SignOut { session: session(7) }).then_refused("SESSION_UNKNOWN");
    }
}
