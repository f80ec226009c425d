//! Makes an API key.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::refusal::Decides;
use super::state::{Key, check_site};
use super::{Grant, Holder, IdentityRefusal, KeyId, KeyIssued, RoleGranted};
use crate::kernel::{Context, Decided, Decision, Tag, World};

/// The longest that a key may work, in days.
pub const LONGEST_KEY_DAYS: i64 = 366;

/// Makes an API key, with the roles that it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueKey {
    /// The key: an id that was drawn for it.
    pub key: KeyId,
    /// When it stops working.
    pub expires_at: DateTime<Utc>,
    /// Its roles.
    pub grants: BTreeSet<Grant>,
}

impl Decision for IssueKey {
    const NAME: &'static str = "identity.issue_key";
    type Answer = KeyId;
    type Refusal = IdentityRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.key.tag()]
    }

    fn decide(&self, world: &World, context: &Context) -> Decides<KeyId> {
        let Self { key, expires_at, grants } = self;
        if world.guard::<Key>(key)?.expires_at.is_some() {
            return Ok(Decided::nothing(*key));
        }
        if *expires_at <= context.now || *expires_at > context.now + TimeDelta::days(LONGEST_KEY_DAYS) {
            return Err(IdentityRefusal::KeyExpiry { days: LONGEST_KEY_DAYS }.into());
        }
        for grant in grants {
            check_site(world, grant.site.as_ref())?;
        }
        let grants = grants.iter().map(|grant| RoleGranted::of(Holder::Key(*key), grant.clone()).into());
        let issued = KeyIssued { key: *key, expires_at: *expires_at };
        Ok(Decided::events([issued.into()].into_iter().chain(grants), *key))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::kernel::spec::noon;

    fn issue(days: i64) -> IssueKey {
        IssueKey { key: key(9), expires_at: noon() + TimeDelta::days(days), grants: [operator()].into() }
    }

    #[test]
    fn a_key_is_issued_once_with_its_roles() {
        let done = two_people().when(issue(30));
        let done = done.then([issued(9), RoleGranted::of(Holder::Key(key(9)), operator()).into()]);
        done.recorded().when(issue(30)).then_nothing();
    }

    #[test]
    fn every_key_expires_and_within_bounds() {
        for days in [-1, 0, LONGEST_KEY_DAYS + 1] {
            two_people().when(issue(days)).then_refused("KEY_EXPIRY");
        }
        assert_eq!(two_people().when(issue(LONGEST_KEY_DAYS)).events().len(), 2);
    }

    #[test]
    fn a_key_for_no_site_is_not_issued() {
        crate::kernel::spec::given([]).when(issue(30)).then_refused("SITE_UNKNOWN");
    }
}
