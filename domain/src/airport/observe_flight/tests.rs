use proptest::prelude::*;

use super::super::testing::{allocated, arrival, at, clock, departure, linked, lome, registered, sangatte};
use super::super::{AllocationCancelled, CancelCause, CancelFlight, Phase, ReinstateFlight};
use super::*;
use crate::kernel::spec::{Given, given};
use crate::kernel::{Fact, Stamp, View};

/// A report of AF860, scheduled at 12:00, made at `observed`.
fn report(observed: &str, progress: Progress) -> ObserveFlight {
    ObserveFlight {
        leg: arrival("AF860").leg(),
        scheduled_at: at("12:00"),
        details: Details::default(),
        progress,
        placement: Placement::default(),
        aircraft_type: None,
        clock: clock(observed),
        confirmed_at: None,
    }
}

fn estimated(time: &str) -> Progress {
    Progress::Estimated(at(time))
}

fn names(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(Event::name).collect()
}

fn known() -> Given {
    given([lome(), registered(&arrival("AF860"), "12:00")])
}

#[test]
fn the_first_report_registers_the_flight_with_all_it_says() {
    let placement = Placement { belt: "7".into(), ..Placement::default() };
    let aircraft_type = Some(AircraftType::new("A333").unwrap());
    let first = ObserveFlight { placement, aircraft_type, ..report("08:00", estimated("12:10")) };
    let outcome = given([lome()]).when(first.clone());
    assert_eq!(*outcome.answer(), ObserveAnswer::Registered);
    let expected =
        ["airport.flight_registered", "airport.flight_estimated", "airport.flight_placed", "airport.aircraft_assigned"];
    assert_eq!(names(&outcome.events()), expected);
    let decided = outcome.result.as_ref().unwrap();
    assert!(decided.events.iter().all(|(_, happened)| *happened == Some(at("08:00"))), "by the source's clock");
    let given = outcome.recorded();
    let again = given.clone().when(first.clone());
    assert_eq!(*again.answer(), ObserveAnswer::Unchanged);
    again.then_nothing();
    given.when(ObserveFlight { clock: clock("09:00"), ..first }).then_nothing();
}

#[test]
fn only_what_differs_is_a_fact() {
    let details = Details { cargo: true, ..Details::default() };
    let moved = ObserveFlight { scheduled_at: at("12:30"), details, ..report("08:00", estimated("12:40")) };
    let outcome = known().when(moved);
    let facts = ["airport.flight_rescheduled", "airport.details_corrected", "airport.flight_estimated"];
    assert_eq!(*outcome.answer(), ObserveAnswer::Changed { facts: facts.map(str::to_owned).to_vec() });
    let landed = outcome.recorded().when(ObserveFlight {
        scheduled_at: at("12:30"),
        details: Details { cargo: true, ..Details::default() },
        ..report("08:30", Progress::Landed(at("12:35")))
    });
    assert_eq!(names(&landed.events()), ["airport.flight_landed"]);
}

#[test]
fn an_older_report_changes_nothing() {
    let given = known().when(report("10:00", estimated("12:20"))).recorded();
    let older = given.clone().when(report("09:59", estimated("12:10")));
    assert_eq!(*older.answer(), ObserveAnswer::Stale);
    older.then_nothing();
    let confirmed = ObserveFlight { confirmed_at: Some(at("11:00")), ..report("10:30", estimated("12:10")) };
    let outcome = given.when(confirmed);
    assert_eq!(*outcome.answer(), ObserveAnswer::Stale);
    outcome.then_nothing();
}

#[test]
fn of_two_reports_of_one_time_the_same_holds_in_either_order() {
    let (a, b) = (report("10:00", estimated("12:20")), report("10:00", Progress::Phase(Phase::Delayed)));
    let end = |first: &ObserveFlight, second: &ObserveFlight| {
        let given = known().when(first.clone()).recorded();
        let outcome = given.when(second.clone());
        if outcome.events().is_empty() { first.progress } else { second.progress }
    };
    assert_eq!(end(&a, &b), end(&b, &a));
}

#[test]
fn a_source_takes_back_what_it_said() {
    let estimated = known().when(report("10:00", estimated("12:20"))).recorded();
    let reverted = estimated.clone().when(report("10:10", Progress::Scheduled));
    assert_eq!(names(&reverted.events()), ["airport.flight_reverted"]);
    let cancelled = estimated.when(report("10:20", Progress::Cancelled)).recorded();
    let back = cancelled.clone().when(report("10:30", Progress::Landed(at("12:05"))));
    assert_eq!(names(&back.events()), ["airport.flight_reinstated", "airport.flight_landed"]);
    let merely = cancelled.when(report("10:30", Progress::Scheduled));
    assert_eq!(names(&merely.events()), ["airport.flight_reinstated"]);
}

#[test]
fn a_cancelled_flight_frees_its_stand_in_the_same_append() {
    let taken = allocated("C01", "AF860", "12:00", "13:00");
    let outcome = known().and([taken.clone().into()]).when(report("10:00", Progress::Cancelled));
    assert_eq!(names(&outcome.events()), ["airport.flight_cancelled", "airport.allocation_cancelled"]);
    let Event::Airport(super::super::AirportEvent::AllocationCancelled(AllocationCancelled {
        cause, allocation, ..
    })) = &outcome.events()[1]
    else {
        panic!("not a cancelled allocation")
    };
    assert_eq!(*allocation, taken.allocation);
    assert_eq!(*cause, CancelCause::FlightCancelled { flight: arrival("AF860") });
    assert!(outcome.guards_against(&taken.into()), "a stand that is given meanwhile is freed too");
}

#[test]
fn an_operator_cancels_and_reinstates() {
    let taken = allocated("C01", "AF860", "12:00", "13:00");
    let cancel = CancelFlight { flight: arrival("AF860"), note: Note::new("fog").unwrap() };
    let outcome = known().and([taken.clone().into()]).when(cancel.clone());
    assert_eq!(outcome.answer().freed, Some(taken.allocation));
    assert_eq!(names(&outcome.events()), ["airport.flight_cancelled", "airport.allocation_cancelled"]);
    let cancelled = outcome.recorded();
    cancelled.clone().when(cancel.clone()).then_nothing();
    let reinstate = ReinstateFlight { flight: arrival("AF860"), note: Note::default() };
    let back = cancelled.when(reinstate.clone());
    assert_eq!(names(&back.events()), ["airport.flight_reinstated"]);
    back.recorded().when(reinstate.clone()).then_nothing();
    given([lome()]).when(reinstate).then_refused("FLIGHT_UNKNOWN");
    given([lome()]).when(cancel.clone()).then_refused("FLIGHT_UNKNOWN");
    let landed = known().when(report("10:00", Progress::Landed(at("12:00")))).recorded();
    landed.when(cancel).then_refused("FLIGHT_FLOWN");
}

#[test]
fn a_cancelled_departure_leaves_the_stand_to_the_arrival() {
    let (comes, goes) = (arrival("AF860"), departure("AF861"));
    let taken =
        super::super::StandAllocated { turnaround: Some(goes.clone()), ..allocated("C01", "AF860", "12:00", "14:00") };
    let both = known().and([registered(&goes, "14:00"), linked(&comes, &goes), taken.into()]);
    let cancel = |flight: &FlightId| CancelFlight { flight: flight.clone(), note: Note::default() };
    let departure_off = both.when(cancel(&goes));
    assert_eq!(names(&departure_off.events()), ["airport.flight_cancelled"]);
    let both_off = departure_off.recorded().when(cancel(&comes));
    assert_eq!(names(&both_off.events()), ["airport.flight_cancelled", "airport.allocation_cancelled"]);
}

#[test]
fn the_site_and_the_leg_must_be_right() {
    given([]).when(report("10:00", Progress::Scheduled)).then_refused("SITE_UNKNOWN");
    let mut leg = arrival("AF860").leg();
    leg.number = "8600000".into();
    given([lome()])
        .when(ObserveFlight { leg: leg.clone(), ..report("10:00", Progress::Scheduled) })
        .then_refused("FLIGHT_ID_INVALID");
    let rail = FlightId::new("SANGATTE/AF860/2026-01-01/A/CDG").unwrap().leg();
    let observed = ObserveFlight { leg: rail, ..report("10:00", Progress::Scheduled) };
    given([sangatte()]).when(observed).then_refused("SITE_NOT_AIRPORT");
    let never = Progress::Estimated(DateTime::<Utc>::MAX_UTC);
    given([lome()]).when(report("10:00", never)).then_refused("TIME_OUT_OF_RANGE");
}

#[test]
fn an_aircraft_named_by_an_operator_outlives_older_reports_and_hides_none() {
    let assign = super::super::AssignAircraft {
        flight: arrival("AF860"),
        aircraft_type: AircraftType::new("B738").unwrap(),
        registration: None,
    };
    let given = known().when(assign).recorded();
    let aircraft_type = Some(AircraftType::new("A333").unwrap());
    let older = ObserveFlight { aircraft_type: aircraft_type.clone(), ..report("11:59", estimated("12:20")) };
    assert_eq!(names(&given.clone().when(older.clone()).events()), ["airport.flight_estimated"]);
    let newer = ObserveFlight { clock: clock("12:01"), ..older };
    assert_eq!(names(&given.when(newer).events()), ["airport.flight_estimated", "airport.aircraft_assigned"]);
}

#[test]
fn a_late_report_tells_the_type_of_a_flight_that_has_none() {
    let given = known().when(report("10:00", estimated("12:20"))).recorded();
    let aircraft_type = Some(AircraftType::new("A333").unwrap());
    let late = ObserveFlight { aircraft_type, ..report("09:00", estimated("12:10")) };
    let outcome = given.when(late.clone());
    assert_eq!(names(&outcome.events()), ["airport.aircraft_assigned"]);
    let given = outcome.recorded();
    for stale in [late, report("09:30", estimated("12:15"))] {
        let again = given.clone().when(stale);
        assert_eq!(*again.answer(), ObserveAnswer::Stale);
        again.then_nothing();
    }
}

/// What a report says, without the source's time.
#[derive(Debug, Clone, PartialEq)]
struct Known(Option<DateTime<Utc>>, Details, Progress, Placement, Option<AircraftType>);

fn fold(events: &[Event]) -> Known {
    let mut flight = Flight::default();
    for event in events {
        let stamp = Stamp {
            position: 1,
            id: uuid::Uuid::nil(),
            occurred_at: at("12:00"),
            recorded_at: at("12:00"),
            actor: "feed:hkia".into(),
        };
        flight.evolve(&Fact { event: event.clone(), stamp });
    }
    let aircraft = flight.aircraft.map(|aircraft| aircraft.aircraft_type);
    Known(flight.scheduled_at, flight.details, flight.progress, flight.placement, aircraft)
}

/// Takes the reports in as an importer does, which keeps the newest time at which each flight was reported.
fn import(reports: &[ObserveFlight]) -> (Vec<Event>, Option<DateTime<Utc>>) {
    let (mut events, mut confirmed_at) = (Vec::new(), None);
    for report in reports {
        let command = ObserveFlight { confirmed_at, ..report.clone() };
        let outcome = given([lome()].into_iter().chain(events.iter().cloned())).when(command);
        events.extend(outcome.events());
        confirmed_at = confirmed_at.max(Some(report.clock.observed_at));
    }
    (events, confirmed_at)
}

fn progress() -> impl Strategy<Value = Progress> {
    prop_oneof![
        Just(Progress::Scheduled),
        Just(estimated("12:10")),
        Just(estimated("12:20")),
        Just(Progress::Landed(at("12:15"))),
        Just(Progress::Phase(Phase::Delayed)),
        Just(Progress::Cancelled),
    ]
}

/// Reports of one flight in any order; the source knows the aircraft type from some time on.
fn reports() -> impl Strategy<Value = Vec<ObserveFlight>> {
    let one = (0_u32..6, progress(), any::<bool>(), any::<bool>(), any::<bool>());
    (proptest::collection::vec(one, 1..7), 0_u32..8).prop_map(|(all, type_known_from)| {
        let make = |(minute, progress, later, gate, wide)| ObserveFlight {
            scheduled_at: if later { at("12:30") } else { at("12:00") },
            placement: Placement { gate: if gate { "4".into() } else { String::new() }, ..Placement::default() },
            aircraft_type: (minute >= type_known_from)
                .then(|| AircraftType::new(if wide { "A333" } else { "B738" }).unwrap()),
            ..report(&format!("10:0{minute}"), progress)
        };
        all.into_iter().map(make).collect()
    })
}

proptest! {
    #[test]
    fn the_order_of_arrival_does_not_matter(
        (one, other) in reports().prop_flat_map(|reports| (Just(reports.clone()), Just(reports).prop_shuffle()))
    ) {
        let ((one, confirmed), (other, _)) = (import(&one), import(&other));
        prop_assert_eq!(fold(&one), fold(&other));
        prop_assert!(confirmed.is_some());
    }

    #[test]
    fn a_second_import_appends_nothing(reports in reports()) {
        let (events, confirmed_at) = import(&reports);
        for report in reports {
            let again = ObserveFlight { confirmed_at, ..report };
            given([lome()].into_iter().chain(events.iter().cloned())).when(again).then_nothing();
        }
    }
}
