//! Takes everything from a person until further notice.

use super::of_user::of_user;
use super::refusal::Decides;
use super::state::{User, check_administrator_remains};
use super::{UserDeactivated, UserId};
use crate::kernel::{Decided, World};

of_user! {
    /// Takes every right from a person and ends their sessions, until they are reactivated.
    DeactivateUser = "identity.deactivate_user" by decide
}

fn decide(user: UserId, world: &World) -> Decides<UserId> {
    let known = world.guard::<User>(&user)?;
    known.check_there(user)?;
    if known.is_inactive() {
        return Ok(Decided::nothing(user));
    }
    check_administrator_remains(world, user)?;
    Ok(Decided::events([UserDeactivated { user }.into()], user))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::super::{Grant, Role};
    use super::*;

    #[test]
    fn a_person_is_deactivated_once() {
        let done = two_people().when(DeactivateUser { user: user(2) }).then([deactivated(2)]);
        done.recorded().when(DeactivateUser { user: user(2) }).then_nothing();
    }

    #[test]
    fn the_last_administrator_stays_also_when_two_are_deactivated_at_a_time() {
        two_people().when(DeactivateUser { user: user(1) }).then_refused("LAST_ADMINISTRATOR");
        let one_of_two = two_people().and([granted(2, admin())]).when(DeactivateUser { user: user(1) });
        let one_of_two = one_of_two.then([deactivated(1)]);
        for other in [deactivated(2), erased(2), revoked(2, admin())] {
            assert!(one_of_two.guards_against(&other), "{other:?}");
        }
        one_of_two.recorded().when(DeactivateUser { user: user(2) }).then_refused("LAST_ADMINISTRATOR");
    }

    #[test]
    fn an_administrator_of_one_site_is_not_one_of_everything() {
        let of_a_site = [granted(2, Grant::at(Role::Admin, lfw()))];
        two_people().and(of_a_site).when(DeactivateUser { user: user(1) }).then_refused("LAST_ADMINISTRATOR");
    }

    #[test]
    fn somebody_unknown_or_erased_cannot_be_deactivated() {
        two_people().when(DeactivateUser { user: user(3) }).then_refused("USER_UNKNOWN");
        two_people().and([erased(2)]).when(DeactivateUser { user: user(2) }).then_refused("USER_ERASED");
    }
}
