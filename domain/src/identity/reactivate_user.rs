//! Gives a deactivated person their roles back.

use super::of_user::of_user;
use super::refusal::Decides;
use super::state::User;
use super::{UserId, UserReactivated};
use crate::kernel::{Decided, World};

of_user! {
    /// Lets a deactivated person hold their roles again; sessions that ended stay over.
    ReactivateUser = "identity.reactivate_user" by decide
}

fn decide(user: UserId, world: &World) -> Decides<UserId> {
    let known = world.guard::<User>(&user)?;
    known.check_there(user)?;
    if !known.is_inactive() {
        return Ok(Decided::nothing(user));
    }
    Ok(Decided::events([UserReactivated { user }.into()], user))
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
