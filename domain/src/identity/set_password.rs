//! Records that a person's password was set.

use serde::{Deserialize, Serialize};

use super::refusal::Decides;
use super::state::User;
use super::{IdentityRefusal, PasswordSet, UserId};
use crate::kernel::{Context, Decided, Decision, Tag, World};

/// Records that a person's password was set. The password itself does not come here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetPassword {
    /// The person.
    pub user: UserId,
}

impl Decision for SetPassword {
    const NAME: &'static str = "identity.set_password";
    type Answer = UserId;
    type Refusal = IdentityRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.user.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Decides<UserId> {
        let user = self.user;
        world.guard::<User>(&user)?.check_there(user)?;
        Ok(Decided::events([PasswordSet { user }.into()], user))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn each_new_password_is_a_fact() {
        let set = two_people().when(SetPassword { user: user(2) }).then([PasswordSet { user: user(2) }.into()]);
        assert_eq!(set.recorded().when(SetPassword { user: user(2) }).events().len(), 1);
    }

    #[test]
    fn somebody_unknown_or_erased_has_no_password() {
        two_people().when(SetPassword { user: user(3) }).then_refused("USER_UNKNOWN");
        two_people().and([erased(2)]).when(SetPassword { user: user(2) }).then_refused("USER_ERASED");
    }
}
