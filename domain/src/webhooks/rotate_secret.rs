//! Signs deliveries to an endpoint with a new secret.

use chrono::TimeDelta;
use serde::Serialize;

use super::refusal::Decides;
use super::state::Endpoint;
use super::{EndpointId, Secret, SecretRotated, WebhookRefusal};
use crate::kernel::{Context, Decided, Decision, Tag, World};

/// The longest that replaced secrets go on signing, in minutes: 7 days.
pub const LONGEST_OVERLAP_MINUTES: u32 = 7 * 24 * 60;

/// The most secrets that sign at a time.
pub const MOST_SECRETS: usize = 6;

/// Signs deliveries with a new secret. Those of the same kind go on for a while, so that receivers can change over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RotateSecret {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The new secret.
    pub secret: Secret,
    /// How long those that it replaces go on, in minutes.
    pub overlap_minutes: u32,
}

impl Decision for RotateSecret {
    const NAME: &'static str = "webhooks.rotate_secret";
    type Answer = EndpointId;
    type Refusal = WebhookRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.endpoint.tag()]
    }

    fn decide(&self, world: &World, context: &Context) -> Decides {
        let Self { endpoint, secret, overlap_minutes } = self;
        let known = world.guard::<Endpoint>(endpoint)?;
        known.check_there(*endpoint)?;
        if known.secrets.iter().any(|held| held.secret.id == secret.id) {
            return Ok(Decided::nothing(*endpoint));
        }
        if *overlap_minutes > LONGEST_OVERLAP_MINUTES {
            return Err(WebhookRefusal::OverlapTooLong { minutes: LONGEST_OVERLAP_MINUTES }.into());
        }
        let until = context.now + TimeDelta::minutes((*overlap_minutes).into());
        let replaced = known.signing(context.now).filter(|held| held.secret.kind == secret.kind);
        // Replaced without overlap, whatever of the kind still signs ends now: so a secret that leaked is out at once.
        let replaced = replaced.filter(|held| held.until.is_none_or(|ends| ends > until));
        let retired: Vec<_> = replaced.map(|held| held.secret.id).collect();
        let ends_now = if *overlap_minutes == 0 { retired.len() } else { 0 };
        if known.signing(context.now).count() - ends_now >= MOST_SECRETS {
            return Err(WebhookRefusal::TooManySecrets { most: MOST_SECRETS }.into());
        }
        let (site, secret) = (known.site.clone(), secret.clone());
        Ok(Decided::events([SecretRotated { endpoint: *endpoint, site, secret, retired, until }.into()], *endpoint))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::*;
    use super::*;
    use crate::kernel::spec::noon;

    fn rotate(secret: Secret, overlap_minutes: u32) -> RotateSecret {
        RotateSecret { endpoint: endpoint(1), secret, overlap_minutes }
    }

    fn rotated(secret: Secret, retired: &[u128], minutes: i64) -> crate::Event {
        let (endpoint, until) = (endpoint(1), noon() + TimeDelta::minutes(minutes));
        let retired = retired.iter().map(|number| secret_id(*number)).collect();
        SecretRotated { endpoint, site: Some(lfw()), secret, retired, until }.into()
    }

    #[test]
    fn the_old_secret_goes_on_for_the_overlap() {
        let done = one_endpoint().when(rotate(hmac(2), 60)).then([rotated(hmac(2), &[1], 60)]);
        done.recorded().when(rotate(hmac(2), 60)).then_nothing();
    }

    #[test]
    fn the_first_of_another_kind_replaces_nothing() {
        one_endpoint().when(rotate(ed25519(2), 60)).then([rotated(ed25519(2), &[], 60)]);
    }

    #[test]
    fn without_overlap_every_secret_of_the_kind_ends_at_once() {
        let twice = one_endpoint().when(rotate(hmac(2), 600)).recorded();
        twice.when(rotate(hmac(3), 0)).then([rotated(hmac(3), &[1, 2], 0)]);
    }

    #[test]
    fn a_secret_that_ends_earlier_is_not_prolonged() {
        let twice = one_endpoint().when(rotate(hmac(2), 60)).recorded();
        twice.when(rotate(hmac(3), 600)).then([rotated(hmac(3), &[2], 600)]);
    }

    #[test]
    fn overlaps_and_signatures_are_bounded() {
        one_endpoint().when(rotate(hmac(2), LONGEST_OVERLAP_MINUTES + 1)).then_refused("OVERLAP_TOO_LONG");
        let mut given = one_endpoint();
        for number in 2..=6 {
            given = given.when(rotate(hmac(number), 60)).recorded();
        }
        given.clone().when(rotate(hmac(7), 60)).then_refused("TOO_MANY_SECRETS");
        given.clone().at(noon() + TimeDelta::minutes(60)).when(rotate(hmac(7), 60)).events();
        given.when(rotate(hmac(7), 0)).events();
    }

    #[test]
    fn an_endpoint_that_is_not_there_has_no_secrets() {
        let unknown = RotateSecret { endpoint: endpoint(2), ..rotate(hmac(2), 0) };
        one_endpoint().when(unknown).then_refused("ENDPOINT_UNKNOWN");
        one_endpoint().and([removed(1).into()]).when(rotate(hmac(2), 0)).then_refused("ENDPOINT_REMOVED");
    }
}
