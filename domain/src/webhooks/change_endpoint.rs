//! Changes what an endpoint is like.

use serde::Serialize;

use super::refusal::Decides;
use super::state::{Endpoint, check};
use super::{
    EndpointChanged, EndpointId, EndpointSettings, Filter, Headers, OnExhaustion, Rate, RetrySchedule, TagKind, Target,
    Timeout, WebhookRefusal,
};
use crate::kernel::{Context, Decided, Decision, Note, Tag, World};

/// What becomes of one setting.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change<T> {
    /// It stays.
    #[default]
    Keep,
    /// It is this from now on.
    To(T),
}

impl<T> Change<T> {
    fn apply(self, setting: &mut T) {
        if let Self::To(value) = self {
            *setting = value;
        }
    }
}

impl<T> From<Option<T>> for Change<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Keep, Self::To)
    }
}

/// Changes what is said of an endpoint, and nothing else of it. Its site stays: another site is another endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangeEndpoint {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// What it is for, in words.
    pub description: Change<Note>,
    /// Where to.
    pub target: Change<Target>,
    /// Which events, from where it has come to.
    pub filter: Change<Filter>,
    /// The kind of tag whose events are delivered in the order of the log.
    pub ordering: Change<Option<TagKind>>,
    /// What becomes of a delivery that has failed as often as it may.
    pub on_exhaustion: Change<OnExhaustion>,
    /// The most requests per second.
    pub rate: Change<Option<Rate>>,
    /// How long a request may take.
    pub timeout: Change<Timeout>,
    /// The waits after each failed attempt.
    pub retries: Change<Option<RetrySchedule>>,
    /// Headers, all of them.
    pub headers: Change<Headers>,
}

impl ChangeEndpoint {
    /// Changes nothing yet.
    #[must_use]
    pub fn of(endpoint: EndpointId) -> Self {
        Self {
            endpoint,
            description: Change::Keep,
            target: Change::Keep,
            filter: Change::Keep,
            ordering: Change::Keep,
            on_exhaustion: Change::Keep,
            rate: Change::Keep,
            timeout: Change::Keep,
            retries: Change::Keep,
            headers: Change::Keep,
        }
    }

    fn apply(self, settings: &mut EndpointSettings) {
        self.description.apply(&mut settings.description);
        self.target.apply(&mut settings.target);
        self.filter.apply(&mut settings.filter);
        self.ordering.apply(&mut settings.ordering);
        self.on_exhaustion.apply(&mut settings.on_exhaustion);
        self.rate.apply(&mut settings.rate);
        self.timeout.apply(&mut settings.timeout);
        self.retries.apply(&mut settings.retries);
        self.headers.apply(&mut settings.headers);
    }
}

impl Decision for ChangeEndpoint {
    const NAME: &'static str = "webhooks.change_endpoint";
    type Answer = EndpointId;
    type Refusal = WebhookRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.endpoint.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Decides {
        let endpoint = self.endpoint;
        let known = world.guard::<Endpoint>(&endpoint)?;
        let now = known.check_there(endpoint)?;
        let mut settings = now.clone();
        self.clone().apply(&mut settings);
        if settings == *now {
            return Ok(Decided::nothing(endpoint));
        }
        check(&settings)?;
        let site = known.site.clone();
        Ok(Decided::events([EndpointChanged { endpoint, site, settings }.into()], endpoint))
    }
}

#[cfg(test)]
mod tests {
    use super::super::TypePattern;
    use super::super::fixtures::*;
    use super::*;

    #[test]
    fn what_is_said_changes_and_the_rest_stays() {
        let timeout = Timeout::new(30).unwrap();
        let (ordering, rate) = (TagKind::new("stand").ok(), Rate::new(5).ok());
        let change = ChangeEndpoint {
            timeout: Change::To(timeout),
            ordering: Change::To(ordering.clone()),
            rate: Change::To(rate),
            ..ChangeEndpoint::of(endpoint(1))
        };
        let settings = EndpointSettings { timeout, ordering, rate, ..settings() };
        let done = one_endpoint().when(change.clone()).then([changed(1, settings.clone()).into()]);
        let done = done.recorded().when(change).then_nothing();
        let again = ChangeEndpoint { ordering: Change::To(None), ..ChangeEndpoint::of(endpoint(1)) };
        done.recorded().when(again).then([changed(1, EndpointSettings { ordering: None, ..settings }).into()]);
    }

    #[test]
    fn two_who_change_it_at_once_do_not_undo_each_other() {
        let change = ChangeEndpoint { rate: Change::To(Rate::new(5).ok()), ..ChangeEndpoint::of(endpoint(1)) };
        assert!(one_endpoint().when(change).guards_against(&changed(1, settings()).into()));
    }

    #[test]
    fn a_change_is_checked_as_a_registration_is() {
        let filter = Filter { types: vec![TypePattern::new("boat.*").unwrap()], tags: vec![] };
        let change = ChangeEndpoint { filter: Change::To(filter), ..ChangeEndpoint::of(endpoint(1)) };
        one_endpoint().when(change).then_refused("TYPE_UNKNOWN");
    }

    #[test]
    fn an_endpoint_that_is_not_there_cannot_be_changed() {
        one_endpoint().when(ChangeEndpoint::of(endpoint(2))).then_refused("ENDPOINT_UNKNOWN");
        one_endpoint().and([removed(1).into()]).when(ChangeEndpoint::of(endpoint(1))).then_refused("ENDPOINT_REMOVED");
    }
}
