//! A stay that should have ended raises an alert, which is resolved once it ends or is to end later.

use chrono::{DateTime, Utc};

use super::{Policy, Reaction, Timer, TimerChange, note};
use crate::Event;
use crate::airport::{AirportEvent, AllocationId, names};
use crate::alerts::{About, AlertKind, RaiseOverdueStay, ResolveAlertsAbout};
use crate::kernel::{Fact, Interval};

/// One timer per stay, at its planned end. What was over when it was recorded is history, and nobody is late.
pub(super) struct OverdueStays;

/// What a fact says of a stay.
enum Said<'a> {
    /// It lasts until then.
    Lasts(AllocationId, Interval),
    /// It has ended.
    Ends(AllocationId, &'a str),
}

impl Policy for OverdueStays {
    fn name(&self) -> &'static str {
        "alerts.overdue_stay"
    }
    fn kinds(&self) -> &'static [&'static str] {
        &[names::STAND_ALLOCATED, names::ALLOCATION_MOVED, names::STAND_FREED, names::ALLOCATION_CANCELLED]
    }
    fn react(&self, fact: &Fact) -> Vec<Reaction> {
        match said(fact) {
            Some(Said::Ends(allocation, reason)) => vec![resolve(allocation, reason)],
            Some(Said::Lasts(allocation, stay)) if is_moved(fact) && end(fact, stay).is_some() => {
                vec![resolve(allocation, "the stay ends later")]
            }
            Some(Said::Lasts(..)) | None => vec![],
        }
    }
    fn timers(&self, fact: &Fact) -> Vec<TimerChange> {
        match said(fact) {
            Some(Said::Lasts(allocation, stay)) => match end(fact, stay) {
                Some(until) => vec![TimerChange::Set(Timer {
                    key: key(allocation),
                    due: until,
                    reaction: Reaction::RaiseOverdueStay(RaiseOverdueStay { allocation, until, cause: fact.stamp.id }),
                })],
                None => vec![TimerChange::Cancel(key(allocation))],
            },
            Some(Said::Ends(allocation, _)) => vec![TimerChange::Cancel(key(allocation))],
            None => vec![],
        }
    }
}

/// When the stay should end, if that was still to come when the fact was recorded.
fn end(fact: &Fact, stay: Interval) -> Option<DateTime<Utc>> {
    stay.to().filter(|to| *to > fact.stamp.recorded_at)
}

fn is_moved(fact: &Fact) -> bool {
    matches!(&fact.event, Event::Airport(AirportEvent::AllocationMoved(_)))
}

fn key(allocation: AllocationId) -> String {
    allocation.tag().into_string()
}

fn resolve(allocation: AllocationId, reason: &str) -> Reaction {
    let (kind, about) = (AlertKind::OverdueStay, About::Allocation(allocation));
    Reaction::ResolveAlertsAbout(ResolveAlertsAbout { kind, about, reason: note(reason) })
}

fn said(fact: &Fact) -> Option<Said<'_>> {
    let Event::Airport(event) = &fact.event else { return None };
    match event {
        AirportEvent::StandAllocated(e) => Some(Said::Lasts(e.allocation, e.interval)),
        AirportEvent::AllocationMoved(e) => Some(Said::Lasts(e.allocation, e.interval)),
        AirportEvent::StandFreed(e) => Some(Said::Ends(e.allocation, "the aircraft has left the stand")),
        AirportEvent::AllocationCancelled(e) => Some(Said::Ends(e.allocation, "the allocation was cancelled")),
        AirportEvent::StandDefined(_)
        | AirportEvent::AllocationRulesSet(_)
        | AirportEvent::TurnaroundRuleSet(_)
        | AirportEvent::StandClosed(_)
        | AirportEvent::StandReopened(_)
        | AirportEvent::NoStandFound(_)
        | AirportEvent::FlightRegistered(_)
        | AirportEvent::FlightRescheduled(_)
        | AirportEvent::FlightEstimated(_)
        | AirportEvent::FlightLanded(_)
        | AirportEvent::FlightArrived(_)
        | AirportEvent::FlightDeparted(_)
        | AirportEvent::FlightPhaseReported(_)
        | AirportEvent::FlightCancelled(_)
        | AirportEvent::FlightReinstated(_)
        | AirportEvent::FlightReverted(_)
        | AirportEvent::FlightPlaced(_)
        | AirportEvent::DetailsCorrected(_)
        | AirportEvent::AircraftAssigned(_)
        | AirportEvent::TurnaroundLinked(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::fixtures::allocation;
    use crate::policies::airport_fixtures::{allocated, cancelled, closed, freed, moved, stay};
    use crate::policies::fixtures::fact;

    fn timer(fact: &Fact) -> TimerChange {
        let [change] = OverdueStays.timers(fact).try_into().expect("one change");
        change
    }

    fn cancel() -> TimerChange {
        TimerChange::Cancel(key(allocation(1)))
    }

    #[test]
    fn a_stay_sets_a_timer_at_its_planned_end() {
        for fact in [fact(3, allocated()), fact(3, moved())] {
            let TimerChange::Set(timer) = timer(&fact) else { panic!("a timer") };
            let until = stay().to().unwrap();
            assert_eq!((timer.due, timer.key), (until, key(allocation(1))));
            let (allocation, cause) = (allocation(1), fact.stamp.id);
            assert_eq!(timer.reaction, Reaction::RaiseOverdueStay(RaiseOverdueStay { allocation, until, cause }));
        }
    }

    #[test]
    fn the_end_of_the_stay_cancels_the_timer_and_resolves_the_alert() {
        for event in [Event::from(freed()), cancelled().into()] {
            let fact = fact(9, event);
            assert_eq!(timer(&fact), cancel());
            let [Reaction::ResolveAlertsAbout(resolve)] = &OverdueStays.react(&fact)[..] else { panic!("resolves") };
            assert_eq!((resolve.kind, &resolve.about), (AlertKind::OverdueStay, &About::Allocation(allocation(1))));
        }
    }

    #[test]
    fn a_stay_that_ends_later_resolves_the_alert_and_a_new_one_has_none() {
        assert_eq!(OverdueStays.react(&fact(9, moved())).len(), 1);
        assert!(OverdueStays.react(&fact(9, allocated())).is_empty());
    }

    #[test]
    fn what_was_over_when_it_was_recorded_is_history() {
        let mut late = fact(3, moved());
        late.stamp.recorded_at = stay().to().unwrap();
        assert_eq!(timer(&late), cancel());
        assert!(OverdueStays.react(&late).is_empty(), "it is as overdue as before");
    }

    #[test]
    fn other_facts_are_nothing_to_it() {
        assert!(OverdueStays.react(&fact(1, closed(&[1]))).is_empty());
        assert!(OverdueStays.timers(&fact(1, closed(&[1]))).is_empty());
    }
}
