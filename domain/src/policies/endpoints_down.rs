//! An endpoint that was disabled because it does not answer raises an alert, which is resolved once it is enabled again
//! or removed.

use super::{Policy, Reaction, note};
use crate::Event;
use crate::alerts::{About, AlertKind, RaiseEndpointDown, ResolveAlertsAbout};
use crate::kernel::Fact;
use crate::webhooks::{DisableReason, EndpointDisabled, EndpointId, WebhookEvent, names};

/// One alert per site and time that an endpoint was disabled by itself. Raising and resolving are one policy, so that
/// they stay in order.
pub(super) struct EndpointsDown;

impl Policy for EndpointsDown {
    fn name(&self) -> &'static str {
        "alerts.endpoint_down"
    }
    fn kinds(&self) -> &'static [&'static str] {
        &[names::ENDPOINT_DISABLED, names::ENDPOINT_ENABLED, names::ENDPOINT_REMOVED]
    }
    fn react(&self, fact: &Fact) -> Vec<Reaction> {
        let Event::Webhooks(event) = &fact.event else { return vec![] };
        match event {
            WebhookEvent::EndpointDisabled(disabled) => match disabled.reason {
                DisableReason::Operator => vec![],
                DisableReason::Gone | DisableReason::Failing => vec![raise(fact, disabled)],
            },
            WebhookEvent::EndpointEnabled(enabled) => vec![resolve(enabled.endpoint, "the endpoint was enabled again")],
            WebhookEvent::EndpointRemoved(removed) => vec![resolve(removed.endpoint, "the endpoint was removed")],
            WebhookEvent::EndpointRegistered(_) | WebhookEvent::EndpointChanged(_) | WebhookEvent::SecretRotated(_) => {
                vec![]
            }
        }
    }
}

fn raise(fact: &Fact, disabled: &EndpointDisabled) -> Reaction {
    let EndpointDisabled { endpoint, site, reason } = disabled.clone();
    Reaction::RaiseEndpointDown(RaiseEndpointDown { endpoint, site, reason, cause: fact.stamp.id })
}

fn resolve(endpoint: EndpointId, reason: &str) -> Reaction {
    let (kind, about) = (AlertKind::EndpointDown, About::Endpoint(endpoint));
    Reaction::ResolveAlertsAbout(ResolveAlertsAbout { kind, about, reason: note(reason) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policies::fixtures::fact;
    use crate::webhooks::fixtures::{disabled, enabled, endpoint, one_endpoint, registered, removed};

    fn down(reason: DisableReason) -> RaiseEndpointDown {
        let reactions = EndpointsDown.react(&fact(3, disabled(1, reason)));
        let [Reaction::RaiseEndpointDown(raise)] = &reactions[..] else { panic!("one alert, not {reactions:?}") };
        raise.clone()
    }

    #[test]
    fn an_endpoint_that_does_not_answer_raises_an_alert_and_one_that_somebody_disabled_does_not() {
        assert!(EndpointsDown.react(&fact(3, disabled(1, DisableReason::Operator))).is_empty());
        for reason in [DisableReason::Gone, DisableReason::Failing] {
            let raise = down(reason);
            assert_eq!((raise.endpoint, raise.reason), (endpoint(1), reason));
        }
    }

    #[test]
    fn it_is_resolved_when_the_endpoint_is_enabled_or_removed_and_a_replay_does_nothing_anew() {
        for over in [fact(4, enabled(1)), fact(4, removed(1))] {
            let [Reaction::ResolveAlertsAbout(resolve)] = &EndpointsDown.react(&over)[..] else {
                panic!("one resolution")
            };
            let given = one_endpoint().when(down(DisableReason::Failing)).recorded();
            let done = given.when(resolve.clone());
            assert_eq!(done.answer().len(), 1);
            let done = done.recorded().when(down(DisableReason::Failing)).then_nothing();
            done.recorded().when(resolve.clone()).then_nothing();
        }
    }

    #[test]
    fn other_facts_are_nothing_to_it() {
        assert!(EndpointsDown.react(&fact(1, registered(1))).is_empty());
    }
}
