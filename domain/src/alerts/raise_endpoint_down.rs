//! Nothing is delivered to a receiver of webhooks any more, because it does not answer.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AlertId, AlertKind, RaiseAlert, RaiseRefusal, Severity, Subject};
use crate::Event;
use crate::kernel::{Context, Decided, Decision, Fact, Query, Tag, Verdict, View, World};
use crate::support::{SiteId, SupportEvent, names};
use crate::webhooks::{DisableReason, EndpointId};

/// Every site that is set up.
#[derive(Debug, Clone, Default)]
struct Sites(BTreeSet<SiteId>);

impl View for Sites {
    type Key = &'static str;
    fn boundary(_: &&'static str) -> Query {
        Query::of(&[names::SITE_DEFINED], [])
    }
    fn evolve(&mut self, fact: &Fact) {
        if let Event::Support(SupportEvent::SiteDefined(defined)) = &fact.event {
            self.0.insert(defined.site.clone());
        }
    }
}

/// Raises an alert at the site whose events an endpoint receives; at every site if it receives those of all, since each
/// of them is no longer heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaiseEndpointDown {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The site that it is bound to, if it is.
    pub site: Option<SiteId>,
    /// Why it was disabled.
    pub reason: DisableReason,
    /// The event by which it was.
    pub cause: Uuid,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointDown {
    /// The alerts, one per site.
    pub alerts: Vec<AlertId>,
}

impl RaiseEndpointDown {
    fn raise(&self, site: &SiteId) -> RaiseAlert {
        let why = match self.reason {
            DisableReason::Operator => "it was disabled",
            DisableReason::Gone => "its receiver says that it is gone for good",
            DisableReason::Failing => "nothing has gone through for days",
        };
        RaiseAlert {
            site: site.clone(),
            kind: AlertKind::EndpointDown,
            severity: Severity::Warning,
            subject: Subject::Endpoint { endpoint: self.endpoint },
            message: format!("No events are delivered to webhook endpoint {} any more: {why}", self.endpoint),
            cause: self.cause,
            cause_key: format!("{}/{site}", self.cause),
        }
    }
}

impl Decision for RaiseEndpointDown {
    const NAME: &'static str = "alerts.raise_endpoint_down";
    type Answer = EndpointDown;
    type Refusal = RaiseRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.endpoint.tag()]
    }

    fn decide(&self, world: &World, context: &Context) -> Verdict<EndpointDown, RaiseRefusal> {
        let sites = match &self.site {
            Some(site) => BTreeSet::from([site.clone()]),
            // Not guarded: at a site that is set up at this moment nobody waits for an alert yet.
            None => world.consult::<Sites>(&"all")?.0.clone(),
        };
        let mut all = Decided::nothing(EndpointDown { alerts: Vec::new() });
        for site in &sites {
            let Decided { events, answer } = self.raise(site).decide(world, context)?;
            all.events.extend(events);
            all.answer.alerts.push(answer.alert);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::AlertEvent;
    use crate::kernel::spec;
    use crate::webhooks::fixtures::{endpoint, lfw, site, site_named};

    fn down(site: Option<SiteId>) -> RaiseEndpointDown {
        RaiseEndpointDown { endpoint: endpoint(1), site, reason: DisableReason::Failing, cause: Uuid::from_u128(7) }
    }

    fn raised(event: &Event) -> (String, String) {
        let Event::Alerts(AlertEvent::AlertRaised(raised)) = event else { panic!("an alert, not {event:?}") };
        assert_eq!((raised.kind, raised.severity), (AlertKind::EndpointDown, Severity::Warning));
        (raised.site.to_string(), raised.message.clone())
    }

    #[test]
    fn the_site_of_the_endpoint_is_told_once() {
        let outcome = spec::given([site(), site_named("CDG")]).when(down(Some(lfw())));
        let told: Vec<_> = outcome.events().iter().map(raised).collect();
        let message = "No events are delivered to webhook endpoint 00000000-0000-0000-0000-000000000001 any more: \
                       nothing has gone through for days";
        assert_eq!(told, [("LFW".to_owned(), message.to_owned())]);
        outcome.recorded().when(down(Some(lfw()))).then_nothing();
    }

    #[test]
    fn every_site_is_told_of_an_endpoint_that_receives_the_events_of_all() {
        let outcome = spec::given([site(), site_named("CDG")]).when(down(None));
        let told: Vec<_> = outcome.events().iter().map(|event| raised(event).0).collect();
        assert_eq!(told, ["CDG", "LFW"]);
        assert_eq!(outcome.answer().alerts.len(), 2);
        outcome.recorded().when(down(None)).then_nothing();
        spec::given([]).when(down(None)).then_nothing();
    }

    #[test]
    fn the_alert_carries_the_tag_of_its_endpoint_by_which_it_is_kept_from_it() {
        let outcome = spec::given([site()]).when(down(None));
        assert!(outcome.events()[0].tags().contains(&endpoint(1).tag()));
    }
}
