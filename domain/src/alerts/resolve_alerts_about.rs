//! Policies resolve what they raised about a flight, an allocation or an endpoint once its reason is gone.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{AlertEvent, AlertId, AlertKind, AlertRaised, AlertResolved, names};
use crate::Event;
use crate::airport::{AllocationId, FlightId};
use crate::kernel::{Context, Decided, Decision, Fact, Note, Query, Tag, Verdict, View, World};
use crate::webhooks::EndpointId;

/// The thing whose alerts are resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// A flight.
    Flight(FlightId),
    /// An allocation.
    Allocation(AllocationId),
    /// A webhook endpoint.
    Endpoint(EndpointId),
}

impl About {
    /// The tag of facts about the thing.
    #[must_use]
    pub fn tag(&self) -> Tag {
        match self {
            Self::Flight(flight) => flight.tag(),
            Self::Allocation(allocation) => allocation.tag(),
            Self::Endpoint(endpoint) => endpoint.tag(),
        }
    }
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tag().fmt(f)
    }
}

/// The alerts about a thing that are not resolved, acknowledged or not.
#[derive(Debug, Clone, Default)]
pub struct OpenAlerts(BTreeMap<AlertId, AlertRaised>);

impl View for OpenAlerts {
    type Key = About;
    fn boundary(about: &About) -> Query {
        Query::of(&[names::ALERT_RAISED, names::ALERT_RESOLVED], [about.tag()])
    }
    fn evolve(&mut self, fact: &Fact) {
        let Event::Alerts(event) = &fact.event else { return };
        match event {
            AlertEvent::AlertRaised(raised) => {
                self.0.insert(raised.alert, raised.clone());
            }
            AlertEvent::AlertResolved(resolved) => {
                self.0.remove(&resolved.alert);
            }
            AlertEvent::AlertAcknowledged(_) | AlertEvent::AlertEscalated(_) => {}
        }
    }
}

/// Resolves every open alert of a kind about a thing. Nothing open is no event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolveAlertsAbout {
    /// What kind.
    pub kind: AlertKind,
    /// About what.
    pub about: About,
    /// Why.
    pub reason: Note,
}

impl Decision for ResolveAlertsAbout {
    const NAME: &'static str = "alerts.resolve_alerts_about";
    /// The alerts that were resolved now.
    type Answer = Vec<AlertId>;
    type Refusal = Infallible;

    fn things(&self) -> Vec<Tag> {
        vec![self.about.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Verdict<Vec<AlertId>, Infallible> {
        let open = world.guard::<OpenAlerts>(&self.about)?;
        let of_kind: Vec<&AlertRaised> = open.0.values().filter(|raised| raised.kind == self.kind).collect();
        let resolved = of_kind.iter().map(|raised| {
            let (alert, site, subject) = (raised.alert, raised.site.clone(), raised.subject.clone());
            AlertResolved { alert, site, subject, reason: self.reason.clone() }.into()
        });
        Ok(Decided::events(resolved, of_kind.iter().map(|raised| raised.alert).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::fixtures::{allocation, conflict, flight, saturation};
    use crate::alerts::{AlertAcknowledged, Subject};
    use crate::kernel::spec;

    fn resolved(raised: &AlertRaised) -> AlertResolved {
        let (alert, site, subject) = (raised.alert, raised.site.clone(), raised.subject.clone());
        AlertResolved { alert, site, subject, reason: reason() }
    }

    fn reason() -> Note {
        Note::new("no longer so").unwrap()
    }

    fn command(kind: AlertKind, about: About) -> ResolveAlertsAbout {
        ResolveAlertsAbout { kind, about, reason: reason() }
    }

    #[test]
    fn all_open_alerts_of_the_kind_about_the_thing_are_resolved() {
        let (one, two) = (conflict("one", 1), conflict("two", 1));
        let acknowledged = AlertAcknowledged {
            alert: one.alert,
            site: one.site.clone(),
            subject: one.subject.clone(),
            note: Note::default(),
        };
        let given = spec::given([
            one.clone().into(),
            two.clone().into(),
            conflict("other", 2).into(),
            saturation("full").into(),
            acknowledged.into(),
        ]);
        let outcome = given.when(command(AlertKind::StandConflict, About::Allocation(allocation(1))));
        let mut expected = [resolved(&one), resolved(&two)];
        expected.sort_by_key(|resolved| resolved.alert);
        assert_eq!(outcome.answer().len(), 2);
        outcome.then(expected.map(Event::from));
    }

    #[test]
    fn about_a_flight_other_kinds_stay_open() {
        let full = saturation("full");
        let Subject::Allocation { flight: of_conflict, .. } = conflict("one", 1).subject else {
            panic!("an allocation")
        };
        assert_eq!(of_conflict, flight(), "both alerts are about the same flight");
        let given = spec::given([full.clone().into(), conflict("one", 1).into()]);
        given.when(command(AlertKind::Saturation, About::Flight(flight()))).then([resolved(&full).into()]);
    }

    #[test]
    fn nothing_open_is_no_event() {
        let about = || command(AlertKind::Saturation, About::Flight(flight()));
        spec::given([]).when(about()).then_nothing();
        spec::given([saturation("full").into()]).when(about()).recorded().when(about()).then_nothing();
    }

    #[test]
    fn an_alert_raised_meanwhile_is_not_overlooked() {
        let outcome = spec::given([]).when(command(AlertKind::Saturation, About::Flight(flight())));
        assert!(outcome.guards_against(&saturation("full").into()));
    }
}
