//! Records that a link was made by which a person can sign in once.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::refusal::Decides;
use super::state::User;
use super::{IdentityRefusal, LinkIssued, UserId};
use crate::kernel::{Context, Decided, Decision, Tag, World};

/// Records that a one-time link was made for a person. The link itself does not come here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueLink {
    /// The person.
    pub user: UserId,
    /// When it stops working.
    pub expires_at: DateTime<Utc>,
}

impl Decision for IssueLink {
    const NAME: &'static str = "identity.issue_link";
    type Answer = UserId;
    type Refusal = IdentityRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.user.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Decides<UserId> {
        let Self { user, expires_at } = *self;
        world.guard::<User>(&user)?.check_active(user)?;
        Ok(Decided::events([LinkIssued { user, expires_at }.into()], user))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::kernel::spec::noon;

    #[test]
    fn each_link_is_a_fact() {
        let fact = LinkIssued { user: user(2), expires_at: noon() };
        two_people().when(IssueLink { user: user(2), expires_at: noon() }).then([fact.into()]);
    }

    #[test]
    fn who_cannot_sign_in_gets_no_link() {
        two_people().when(IssueLink { user: user(3), expires_at: noon() }).then_refused("USER_UNKNOWN");
        let resting = two_people().and([deactivated(2)]);
        resting.when(IssueLink { user: user(2), expires_at: noon() }).then_refused("USER_DEACTIVATED");
    }
}
