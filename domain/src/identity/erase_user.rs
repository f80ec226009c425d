//! Forgets who a person was.

use super::of_user::of_user;
use super::refusal::Decides;
use super::state::{User, check_administrator_remains};
use super::{UserErased, UserId};
use crate::kernel::{Decided, World};

of_user! {
    /// Forgets who a person was, for good: their history stays under an id that names nobody.
    EraseUser = "identity.erase_user" by decide
}

fn decide(user: UserId, world: &World) -> Decides<UserId> {
    let known = world.guard::<User>(&user)?;
    if known.is_erased() {
        return Ok(Decided::nothing(user));
    }
    known.check_there(user)?;
    check_administrator_remains(world, user)?;
    Ok(Decided::events([UserErased { user }.into()], user))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn a_person_is_erased_once_deactivated_or_not() {
        let done = two_people().when(EraseUser { user: user(2) }).then([erased(2)]);
        done.recorded().when(EraseUser { user: user(2) }).then_nothing();
        two_people().and([deactivated(2)]).when(EraseUser { user: user(2) }).then([erased(2)]);
    }

    #[test]
    fn the_last_administrator_cannot_be_erased() {
        two_people().when(EraseUser { user: user(1) }).then_refused("LAST_ADMINISTRATOR");
    }

    #[test]
    fn somebody_unknown_cannot_be_erased() {
        two_people().when(EraseUser { user: user(3) }).then_refused("USER_UNKNOWN");
    }
}
