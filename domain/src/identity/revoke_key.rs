//! Refuses an API key from now on.

use serde::{Deserialize, Serialize};

use super::refusal::Decides;
use super::state::Key;
use super::{IdentityRefusal, KeyId, KeyRevoked};
use crate::kernel::{Context, Decided, Decision, Tag, World};

/// Refuses an API key from now on, for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokeKey {
    /// The key.
    pub key: KeyId,
}

impl Decision for RevokeKey {
    const NAME: &'static str = "identity.revoke_key";
    type Answer = KeyId;
    type Refusal = IdentityRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.key.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Decides<KeyId> {
        let key = self.key;
        let known = world.guard::<Key>(&key)?;
        if known.expires_at.is_none() {
            return Err(IdentityRefusal::KeyUnknown { key }.into());
        }
        if known.revoked {
            return Ok(Decided::nothing(key));
        }
        Ok(Decided::events([KeyRevoked { key }.into()], key))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn a_key_is_revoked_once() {
        two_people().when(RevokeKey { key: key(9) }).then_refused("KEY_UNKNOWN");
        let done = two_people().and([issued(9)]).when(RevokeKey { key: key(9) });
        let done = done.then([KeyRevoked { key: key(9) }.into()]).recorded();
        done.when(RevokeKey { key: key(9) }).then_nothing();
    }
}
