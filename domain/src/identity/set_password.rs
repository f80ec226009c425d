//! Records that a person's password was set.

use super::of_user::of_user;
use super::refusal::Decides;
use super::state::User;
use super::{PasswordSet, UserId};
use crate::kernel::{Decided, World};

of_user! {
    /// Records that a person's password was set. The password itself does not come here.
    SetPassword = "identity.set_password" by decide
}

fn decide(user: UserId, world: &World) -> Decides<UserId> {
    world.guard::<User>(&user)?.check_there(user)?;
    Ok(Decided::events([PasswordSet { user }.into()], user))
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
