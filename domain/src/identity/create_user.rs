//! Creates a person, with roles.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::refusal::Decides;
use super::state::{Administrators, Installation, User, check_site};
use super::{Grant, Holder, IdentityRefusal, RoleGranted, UserCreated, UserId};
use crate::kernel::{Context, Decided, Decision, Tag, World};

/// Creates a person, with the roles that they start with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateUser {
    /// The person: an id that was drawn for them.
    pub user: UserId,
    /// Their roles.
    pub grants: BTreeSet<Grant>,
    /// Only if nobody administrates everything yet.
    pub first: bool,
}

impl Decision for CreateUser {
    const NAME: &'static str = "identity.create_user";
    type Answer = UserId;
    type Refusal = IdentityRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.user.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Decides<UserId> {
        let user = self.user;
        if world.guard::<User>(&user)?.is_created() {
            return Ok(Decided::nothing(user));
        }
        if self.first && world.guard::<Administrators>(&Installation)?.exist() {
            return Err(IdentityRefusal::AlreadyBootstrapped.into());
        }
        for grant in &self.grants {
            check_site(world, grant.site.as_ref())?;
        }
        let grants = self.grants.iter().map(|grant| RoleGranted::of(Holder::User(user), grant.clone()).into());
        Ok(Decided::events([UserCreated { user }.into()].into_iter().chain(grants), user))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::kernel::spec;

    fn create(grants: impl IntoIterator<Item = Grant>) -> CreateUser {
        CreateUser { user: user(3), grants: grants.into_iter().collect(), first: false }
    }

    #[test]
    fn a_person_is_created_with_roles_in_one_go() {
        two_people().when(create([operator()])).then([created(3), granted(3, operator())]);
    }

    #[test]
    fn a_person_who_is_there_is_not_created_again() {
        two_people().and([created(3)]).when(create([operator()])).then_nothing();
    }

    #[test]
    fn a_role_needs_its_site() {
        spec::given([]).when(create([operator()])).then_refused("SITE_UNKNOWN");
    }

    #[test]
    fn the_first_administrator_is_made_once_even_when_two_are_made_at_a_time() {
        let first = CreateUser { first: true, ..create([admin()]) };
        let made = spec::given([]).when(first.clone()).then([created(3), granted(3, admin())]);
        assert!(made.guards_against(&granted(4, admin())));
        two_people().when(first.clone()).then_refused("ALREADY_BOOTSTRAPPED");
        spec::given([created(1), granted(1, admin()), deactivated(1)])
            .when(first)
            .then([created(3), granted(3, admin())]);
    }
}
