use super::*;
use crate::airport::StandAllocated;
use crate::alerts::fixtures::flight;
use crate::kernel::spec;
use crate::policies::airport_fixtures::{allocated, closed, flight_cancelled, no_stand};
use crate::policies::fixtures::fact;

fn raised(position: i64) -> RaiseAlert {
    let [reaction] = Saturation.react(&fact(position, no_stand())).try_into().expect("one reaction");
    match reaction {
        Reaction::RaiseAlert(raise) => raise,
        other => panic!("an alert, not {other:?}"),
    }
}

#[test]
fn a_flight_without_a_stand_raises_an_alert() {
    let raise = raised(3);
    assert_eq!((raise.kind, raise.subject.clone()), (AlertKind::Saturation, Subject::Flight { flight: flight() }));
    assert_eq!(
        raise.message,
        "No stand of code E or larger is left for flight LFW/AF860/2026-01-01/A/CDG \
         from 2026-01-01 13:00Z to 2026-01-01 14:00Z"
    );
    assert_ne!(raised(4).alert(), raise.alert(), "to find none again later is another cause");
}

#[test]
fn a_stand_or_a_cancellation_resolves_it_for_both_legs() {
    let other = FlightId::new("LFW/AF861/2026-01-01/D/CDG").unwrap();
    let both = StandAllocated { turnaround: Some(other.clone()), ..allocated() };
    let expected = [resolve(&flight(), "LFW/C03 was allocated"), resolve(&other, "LFW/C03 was allocated")];
    assert_eq!(Saturation.react(&fact(5, both)), expected);
    let expected = [resolve(&flight(), "the flight was cancelled")];
    assert_eq!(Saturation.react(&fact(5, flight_cancelled())), expected);
}

#[test]
fn raised_then_resolved_and_a_replay_does_nothing_anew() {
    let raise = raised(3);
    let [Reaction::ResolveAlertsAbout(resolve)] = &Saturation.react(&fact(5, allocated()))[..] else {
        panic!("one resolution")
    };
    let given = spec::given([]).when(raise.clone()).recorded().when(resolve.clone());
    assert_eq!(given.answer(), &[raise.alert()]);
    given.recorded().when(raise).then_nothing().recorded().when(resolve.clone()).then_nothing();
}

#[test]
fn other_facts_are_nothing_to_it() {
    assert!(Saturation.react(&fact(1, closed(&[1]))).is_empty());
}
