//! Takes a role from a person or key.

use serde::{Deserialize, Serialize};

use super::refusal::Decides;
use super::state::{Grants, check_administrator_remains, check_holder};
use super::{Grant, Holder, IdentityRefusal, Role, RoleRevoked};
use crate::kernel::{Context, Decided, Decision, Tag, World};

/// Takes a role from a person or key where it was granted: a role everywhere is not taken away at one site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokeRole {
    /// Who.
    pub holder: Holder,
    /// What, and where.
    pub grant: Grant,
}

impl Decision for RevokeRole {
    const NAME: &'static str = "identity.revoke_role";
    type Answer = Grant;
    type Refusal = IdentityRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.holder.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Decides<Grant> {
        let Self { holder, grant } = self;
        check_holder(world, *holder)?;
        if !world.guard::<Grants>(holder)?.contain(grant) {
            return Ok(Decided::nothing(grant.clone()));
        }
        if let Holder::User(user) = *holder
            && *grant == Grant::everywhere(Role::Admin)
        {
            check_administrator_remains(world, user)?;
        }
        Ok(Decided::events([RoleRevoked::of(*holder, grant.clone()).into()], grant.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn revoke(n: u128, grant: Grant) -> RevokeRole {
        RevokeRole { holder: Holder::User(user(n)), grant }
    }

    #[test]
    fn a_role_is_revoked_once_and_only_where_it_was_granted() {
        let done = two_people().when(revoke(2, operator())).then([revoked(2, operator())]);
        done.recorded().when(revoke(2, operator())).then_nothing();
        two_people().when(revoke(2, Grant::everywhere(Role::Operator))).then_nothing();
    }

    #[test]
    fn the_last_administrator_keeps_the_role() {
        two_people().when(revoke(1, admin())).then_refused("LAST_ADMINISTRATOR");
        let two = two_people().and([granted(2, admin())]);
        two.clone().when(revoke(1, admin())).then([revoked(1, admin())]);
        two.and([deactivated(2)]).when(revoke(1, admin())).then_refused("LAST_ADMINISTRATOR");
    }
}
