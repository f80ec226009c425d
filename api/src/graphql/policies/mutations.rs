//! Switching policies off and on.

use async_graphql::{Context, Error, InputObject, Object, SimpleObject};
use vigie_commands::policies::{Switch, SwitchError, Switched, status, switch};

use super::{Policy, unavailable};
use crate::clock;
use crate::graphql::command::{note, told};
use crate::graphql::context::Parts;
use crate::graphql::error::{bad_input, fault};
use crate::graphql::refusal::{ProjectionRefusal, Told, results};

/// The policy to switch.
#[derive(Debug, InputObject)]
pub(crate) struct SwitchPolicyInput {
    /// The policy, such as `alerts.escalation`.
    policy: String,
    /// On, or off.
    on: bool,
    /// When it is switched on: leave out what came while it was off, and forget its timers. Otherwise it catches up.
    #[graphql(default)]
    from_now: bool,
    /// Why. At most 500 characters.
    reason: String,
}

/// It is switched.
#[derive(SimpleObject)]
pub(crate) struct PolicyPayload {
    /// Whether there was anything to do.
    changed: bool,
    /// The policy as it is now.
    policy: Policy,
}

enum Refused {
    ProjectionRefusal(Told),
}

results! {
    /// The policy, or the rule that forbids it.
    PolicyResult = PolicyPayload, Refused [ProjectionRefusal];
}

/// Mutations of policies.
#[derive(Default)]
pub(crate) struct PoliciesMutation;

#[Object]
impl PoliciesMutation {
    /// Switches a policy off or on. Off, it reacts to nothing and its timers wait.
    async fn switch_policy(&self, ctx: &Context<'_>, input: SwitchPolicyInput) -> Result<PolicyResult, Error> {
        let reason = note("input.reason", Some(&input.reason))?;
        let to = match (input.on, input.from_now) {
            (true, false) => Switch::On,
            (true, true) => Switch::OnFromNow,
            (false, false) => Switch::Off,
            (false, true) => return Err(bad_input("input.fromNow", "only what is switched on starts from now")),
        };
        let by = Switched { actor: ctx.caller().actor.as_str(), reason: reason.as_str(), at: clock::now() };
        let pool = &ctx.services().pool;
        let changed = match switch(pool, &input.policy, to, by).await {
            Ok(changed) => changed,
            Err(SwitchError::Refused(refusal)) => return Ok(Refused::ProjectionRefusal(told(&refusal)).into()),
            Err(error @ SwitchError::Database(_)) => return Err(unavailable(&error)),
        };
        let all = status(pool).await.map_err(|error| unavailable(&error))?;
        let policy = all.into_iter().find(|policy| policy.name == input.policy).map(Policy);
        let policy = policy.ok_or_else(|| fault("UNAVAILABLE", "the policy is gone"))?;
        Ok(PolicyPayload { changed, policy }.into())
    }
}
