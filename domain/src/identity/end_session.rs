//! Ends a session without its person.

use serde::{Deserialize, Serialize};

use super::refusal::Decides;
use super::state::Session;
use super::{EndReason, IdentityRefusal, SessionEnded, SessionId};
use crate::kernel::{Context, Decided, Decision, Tag, World};

/// Ends a session without its person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndSession {
    /// The session.
    pub session: SessionId,
    /// Why.
    pub reason: EndReason,
}

impl Decision for EndSession {
    const NAME: &'static str = "identity.end_session";
    type Answer = SessionId;
    type Refusal = IdentityRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.session.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Decides<SessionId> {
        let Self { session, reason } = *self;
        let known = world.guard::<Session>(&session)?;
        match known.user {
            None => Err(IdentityRefusal::SessionUnknown { session }.into()),
            Some(_) if known.over => Ok(Decided::nothing(session)),
            Some(user) => Ok(Decided::events([SessionEnded { user, session, reason }.into()], session)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn end() -> EndSession {
        EndSession { session: session(7), reason: EndReason::Reuse }
    }

    #[test]
    fn a_session_ends_once_also_when_its_person_has_left() {
        let open = two_people().and([signed_in(7, 2)]);
        let ended = SessionEnded { user: user(2), session: session(7), reason: EndReason::Reuse };
        open.clone().when(end()).then([ended.into()]).recorded().when(end()).then_nothing();
        open.and([super::super::SignedOut { user: user(2), session: session(7) }.into()]).when(end()).then_nothing();
    }

    #[test]
    fn a_session_that_never_was_does_not_end() {
        two_people().when(end()).then_refused("SESSION_UNKNOWN");
    }
}
