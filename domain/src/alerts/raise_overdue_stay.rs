//! A stay should have ended, and the aircraft is still there.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AlertId, AlertKind, RaiseAlert, RaiseRefusal, Severity, Subject};
use crate::Event;
use crate::airport::{AirportEvent, AllocationId, FlightId, StandId, names};
use crate::kernel::{Context, Decided, Decision, Fact, Query, Tag, Verdict, View, World};

/// Who is where until when, as far as nobody has ended it.
#[derive(Debug, Clone, Default)]
struct LastingStay(Option<(StandId, FlightId, Option<DateTime<Utc>>)>);

impl View for LastingStay {
    type Key = AllocationId;
    fn boundary(allocation: &AllocationId) -> Query {
        let facts = &[names::STAND_ALLOCATED, names::ALLOCATION_MOVED, names::STAND_FREED, names::ALLOCATION_CANCELLED];
        Query::of(facts, [allocation.tag()])
    }
    fn evolve(&mut self, fact: &Fact) {
        let Event::Airport(event) = &fact.event else { return };
        if let AirportEvent::StandAllocated(e) = event {
            self.0 = Some((e.stand.clone(), e.flight.clone(), e.interval.to()));
        } else if let AirportEvent::AllocationMoved(e) = event {
            self.0 = Some((e.to.clone(), e.flight.clone(), e.interval.to()));
        } else {
            self.0 = None;
        }
    }
}

/// Raises an alert if the stay still lasts and was to end at this time. A stay that has ended, or that ends later by
/// now, is no event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaiseOverdueStay {
    /// The stay.
    pub allocation: AllocationId,
    /// When it was to end.
    pub until: DateTime<Utc>,
    /// The event that has planned it so.
    pub cause: Uuid,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overdue {
    /// The alert, if the stay is overdue.
    pub alert: Option<AlertId>,
}

impl RaiseOverdueStay {
    fn raise(&self, stand: &StandId, flight: &FlightId) -> RaiseAlert {
        let until = self.until.format("%Y-%m-%d %H:%MZ");
        RaiseAlert {
            site: stand.site(),
            kind: AlertKind::OverdueStay,
            severity: Severity::Warning,
            message: format!("Flight {flight} was to leave stand {stand} by {until} and is still there"),
            subject: Subject::Allocation { stand: stand.clone(), flight: flight.clone(), allocation: self.allocation },
            cause: self.cause,
            cause_key: format!("{}/{}", self.allocation, self.until.timestamp_micros()),
        }
    }
}

impl Decision for RaiseOverdueStay {
    const NAME: &'static str = "alerts.raise_overdue_stay";
    type Answer = Overdue;
    type Refusal = RaiseRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.allocation.tag()]
    }

    fn decide(&self, world: &World, context: &Context) -> Verdict<Overdue, RaiseRefusal> {
        let stay = world.guard::<LastingStay>(&self.allocation)?;
        let Some((stand, flight, _)) = stay.0.as_ref().filter(|(_, _, until)| *until == Some(self.until)) else {
            return Ok(Decided::nothing(Overdue { alert: None }));
        };
        let Decided { events, answer } = self.raise(stand, flight).decide(world, context)?;
        Ok(Decided { events, answer: Overdue { alert: Some(answer.alert) } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::AlertEvent;
    use crate::alerts::fixtures::allocation;
    use crate::kernel::spec;
    use crate::policies::airport_fixtures::{allocated, cancelled, freed, moved, stay};

    fn overdue() -> RaiseOverdueStay {
        RaiseOverdueStay { allocation: allocation(1), until: stay().to().unwrap(), cause: Uuid::from_u128(7) }
    }

    #[test]
    fn a_stay_that_still_lasts_raises_one_alert() {
        let outcome = spec::given([allocated().into()]).when(overdue());
        let [Event::Alerts(AlertEvent::AlertRaised(raised))] = &outcome.events()[..] else { panic!("one alert") };
        assert_eq!((raised.kind, raised.severity), (AlertKind::OverdueStay, Severity::Warning));
        assert_eq!(
            raised.message,
            "Flight LFW/AF860/2026-01-01/A/CDG was to leave stand LFW/C03 by 2026-01-01 14:00Z and is still there"
        );
        assert_eq!(outcome.answer().alert, Some(raised.alert));
        outcome.recorded().when(overdue()).then_nothing();
    }

    #[test]
    fn the_alert_is_about_the_stand_that_it_was_moved_to() {
        let outcome = spec::given([allocated().into(), moved().into()]).when(overdue());
        let [Event::Alerts(AlertEvent::AlertRaised(raised))] = &outcome.events()[..] else { panic!("one alert") };
        assert!(matches!(&raised.subject, Subject::Allocation { stand, .. } if stand.to_string() == "LFW/C04"));
    }

    #[test]
    fn a_stay_that_has_ended_or_ends_later_is_not_overdue() {
        spec::given([]).when(overdue()).then_nothing();
        spec::given([allocated().into(), freed().into()]).when(overdue()).then_nothing();
        spec::given([allocated().into(), cancelled().into()]).when(overdue()).then_nothing();
        let earlier = RaiseOverdueStay { until: stay().from(), ..overdue() };
        spec::given([allocated().into()]).when(earlier).then_nothing();
    }

    #[test]
    fn an_aircraft_that_leaves_at_the_last_moment_is_not_overdue() {
        let outcome = spec::given([allocated().into()]).when(overdue());
        assert!(outcome.guards_against(&freed().into()));
    }
}
