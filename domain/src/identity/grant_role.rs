//! Gives a person or key a role.

use serde::{Deserialize, Serialize};

use super::refusal::Decides;
use super::state::{Grants, check_holder, check_site};
use super::{Grant, Holder, IdentityRefusal, RoleGranted};
use crate::kernel::{Context, Decided, Decision, Tag, World};

/// Gives a person or key a role, everywhere or at one site. Who is deactivated holds it once they are reactivated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantRole {
    /// Who.
    pub holder: Holder,
    /// What, and where.
    pub grant: Grant,
}

impl Decision for GrantRole {
    const NAME: &'static str = "identity.grant_role";
    type Answer = Grant;
    type Refusal = IdentityRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.holder.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Decides<Grant> {
        let Self { holder, grant } = self;
        check_holder(world, *holder)?;
        check_site(world, grant.site.as_ref())?;
        if world.guard::<Grants>(holder)?.contain(grant) {
            return Ok(Decided::nothing(grant.clone()));
        }
        Ok(Decided::events([RoleGranted::of(*holder, grant.clone()).into()], grant.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::super::{KeyRevoked, Role};
    use super::*;

    fn grant(holder: Holder, grant: Grant) -> GrantRole {
        GrantRole { holder, grant }
    }

    #[test]
    fn a_role_is_granted_once_per_place() {
        let person = Holder::User(user(2));
        let done = two_people().when(grant(person, Grant::everywhere(Role::Operator)));
        let done = done.then([granted(2, Grant::everywhere(Role::Operator))]).recorded();
        done.clone().when(grant(person, Grant::everywhere(Role::Operator))).then_nothing();
        done.when(grant(person, operator())).then_nothing();
    }

    #[test]
    fn a_key_can_hold_a_role_until_it_is_revoked() {
        let program = Holder::Key(key(9));
        two_people().when(grant(program, operator())).then_refused("KEY_UNKNOWN");
        let there = two_people().and([issued(9)]);
        there.clone().when(grant(program, operator())).then([RoleGranted::of(program, operator()).into()]);
        let gone = there.and([KeyRevoked { key: key(9) }.into()]);
        gone.when(grant(program, operator())).then_refused("KEY_REVOKED");
    }

    #[test]
    fn somebody_unknown_or_erased_is_given_nothing_and_no_site_is_made_up() {
        two_people().when(grant(Holder::User(user(3)), operator())).then_refused("USER_UNKNOWN");
        two_people().and([erased(2)]).when(grant(Holder::User(user(2)), admin())).then_refused("USER_ERASED");
        let elsewhere = Grant::at(Role::Viewer, crate::support::SiteId::new("HKG").unwrap());
        two_people().when(grant(Holder::User(user(2)), elsewhere)).then_refused("SITE_UNKNOWN");
    }

    #[test]
    fn an_erasure_in_between_is_noticed() {
        let done = two_people().when(grant(Holder::User(user(2)), admin()));
        assert!(done.guards_against(&erased(2)));
        assert!(!done.guards_against(&erased(1)));
    }
}
