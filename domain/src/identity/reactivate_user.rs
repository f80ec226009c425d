//! Gives a deactivated person their roles back.

use serde::{Deserialize, Serialize};

use super::refusal::Decides;
use super::state::User;
use super::{IdentityRefusal, UserId, UserReactivated};
use crate::kernel::{Context, Decided, Decision, Tag, World};

/// Lets a deactivated person hold their roles again; sessions that ended stay over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactivateUser {
    /// The person.
    pub user: UserId,
}

impl Decision for ReactivateUser {
    const NAME: &'static str = "identity.reactivate_user";
    type Answer = UserId;
    type Refusal = IdentityRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.user.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Decides<UserId> {
        let user = self.user;
        let known = world.guard::<User>(&user)?;
        known.check_there(user)?;
        if !known.is_inactive() {
            return Ok(Decided::nothing(user));
        }
        Ok(Decided::events([UserReactivated { user }.into()], user))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn a_deactivated_person_is_reactivated_once() {
        let back = two_people().and([deactivated(2)]).when(ReactivateUser { user: user(2) });
        let back = back.then([UserReactivated { user: user(2) }.into()]).recorded();
        back.when(ReactivateUser { user: user(2) }).then_nothing();
    }

    #[test]
    fn somebody_unknown_or_erased_does_not_come_back() {
        two_people().when(ReactivateUser { user: user(3) }).then_refused("USER_UNKNOWN");
        let gone = two_people().and([deactivated(2), erased(2)]);
        gone.when(ReactivateUser { user: user(2) }).then_refused("USER_ERASED");
    }
}
