use super::*;
use crate::alerts::fixtures::allocation;
use crate::kernel::spec;
use crate::policies::airport_fixtures::{allocated, cancelled, closed, freed, moved, no_stand, reopened};
use crate::policies::fixtures::fact;

fn raised(position: i64, hits: &[u128]) -> Vec<RaiseAlert> {
    let raise = |reaction| match reaction {
        Reaction::RaiseAlert(raise) => raise,
        other => panic!("an alert, not {other:?}"),
    };
    StandConflicts.react(&fact(position, closed(hits))).into_iter().map(raise).collect()
}

fn resolved(event: impl Into<Event>) -> Vec<ResolveAlertsAbout> {
    let resolve = |reaction| match reaction {
        Reaction::ResolveAlertsAbout(resolve) => resolve,
        other => panic!("a resolution, not {other:?}"),
    };
    StandConflicts.react(&fact(9, event)).into_iter().map(resolve).collect()
}

#[test]
fn a_closure_raises_an_alert_per_allocation_that_it_hits() {
    let alerts = raised(3, &[1, 2]);
    assert_eq!(alerts.len(), 2);
    assert_ne!(alerts[0].alert(), alerts[1].alert());
    assert_eq!(
        alerts[0].message,
        "Stand LFW/C03 is closed from 2026-01-01 12:00Z on; flight LFW/AF860/2026-01-01/A/CDG was to stay there \
         from 2026-01-01 13:00Z to 2026-01-01 14:00Z"
    );
    assert!(raised(3, &[]).is_empty());
    assert_ne!(raised(4, &[1])[0].alert(), alerts[0].alert(), "another closure is another cause");
}

#[test]
fn whatever_gives_the_allocation_ground_again_resolves_its_alerts() {
    let abouts: Vec<_> = resolved(reopened(&[1, 2])).into_iter().map(|resolve| resolve.about).collect();
    assert_eq!(abouts, [About::Allocation(allocation(1)), About::Allocation(allocation(2))]);
    let events: [(Event, &str); 3] = [
        (moved().into(), "moved to LFW/C04"),
        (freed().into(), "the aircraft has left the stand"),
        (cancelled().into(), "the allocation was cancelled"),
    ];
    for (event, reason) in events {
        let [resolve] = resolved(event).try_into().expect("one resolution");
        assert_eq!((resolve.kind, resolve.reason.as_str()), (AlertKind::StandConflict, reason));
        assert_eq!(resolve.about, About::Allocation(allocation(1)));
    }
}

#[test]
fn raised_then_resolved_and_a_replay_does_nothing_anew() {
    let [raise] = raised(3, &[1]).try_into().expect("one alert");
    let [resolve] = resolved(moved()).try_into().expect("one resolution");
    let given = spec::given([]).when(raise.clone()).recorded().when(resolve.clone());
    assert_eq!(given.answer(), &[raise.alert()]);
    let given = given.recorded();
    given.clone().when(raise).then_nothing();
    given.when(resolve).then_nothing();
}

#[test]
fn other_facts_are_nothing_to_it() {
    for event in [Event::from(allocated()), no_stand().into()] {
        assert!(StandConflicts.react(&fact(1, event)).is_empty());
    }
}
