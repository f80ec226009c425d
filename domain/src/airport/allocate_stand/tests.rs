use super::super::testing::{
    allocated, arrival, at, civil, departure, flown_by, lfw, linked, lome, military, registered, sangatte, stand,
};
use super::super::{
    AllocationRulesSet, Clock, FlightCancelled, FlightDeparted, FlightEstimated, FlightReinstated, OPERATOR, Rejection,
    StandClosed, StandDefined, Turnaround, TurnaroundRuleSet, Weights,
};
use super::*;
use crate::Event;
use crate::kernel::spec::{Given, Outcome, given, noon};

fn ask(flight: FlightId) -> AllocateStand {
    AllocateStand { flight, stand: None, from: None, to: None, note: Note::default() }
}

fn ask_for(flight: FlightId, name: &str) -> AllocateStand {
    AllocateStand { stand: Some(stand(name)), ..ask(flight) }
}

fn af860() -> FlightId {
    arrival("AF860")
}

/// One A333 from Paris at 12:00, and these stands.
fn with(stands: impl IntoIterator<Item = StandDefined>) -> Given {
    given([lome(), registered(&af860(), "12:00"), flown_by(&af860(), "A333")]).and(stands.into_iter().map(Event::from))
}

fn chosen(outcome: &Outcome<AllocateStand>) -> StandAllocated {
    let events = outcome.events();
    let [Event::Airport(super::super::AirportEvent::StandAllocated(allocated))] = events.as_slice() else {
        panic!("no stand was allocated: {events:?}")
    };
    allocated.clone()
}

fn stay(from: &str, to: &str) -> Interval {
    Interval::new(at(from), at(to)).unwrap()
}

#[test]
fn the_best_stand_is_chosen_and_the_event_says_why_the_others_lost() {
    let small = StandDefined { code: CodeLetter::C, ..civil("C01") };
    let far = StandDefined { distance_m: 400, ..civil("C02") };
    let taken = allocated("C03", "KP20", "12:30", "13:30");
    let stands = [small, far, civil("C03"), civil("C04"), military("M01")];
    let outcome = with(stands).and([taken.clone().into()]).when(ask(af860()));
    let event = chosen(&outcome);
    assert_eq!((event.stand, event.interval), (stand("C04"), stay("12:00", "13:00")));
    assert_eq!((event.code, event.buffer_minutes, event.rules_version), (CodeLetter::E, 15, 0));
    assert_eq!((event.requested, event.overflow), (false, None));
    let occupied = Rejection::Occupied { flight: taken.flight, interval: taken.interval };
    let lost = |name, points, rejected| Candidate { stand: stand(name), points, rejected };
    let expected = [
        lost("C01", None, Some(Rejection::TooSmall { code: CodeLetter::C })),
        lost("C02", Some(400), Some(Rejection::MorePoints)),
        lost("C03", None, Some(occupied)),
        lost("C04", Some(100), None),
        lost("M01", Some(100), Some(Rejection::CivilFirst)),
    ];
    assert_eq!(event.candidates, expected);
}

#[test]
fn smallest_letter_then_jetway_then_distance_then_name() {
    let larger = StandDefined { code: CodeLetter::F, distance_m: 1, ..civil("C01") };
    let apron = StandDefined { jetway: false, distance_m: 1, ..civil("C02") };
    let far = StandDefined { distance_m: 200, ..civil("C03") };
    let order = [civil("C04"), civil("C05"), far, apron, larger];
    for skipped in 0..order.len() {
        let outcome = with(order[skipped..].iter().cloned()).when(ask(af860()));
        assert_eq!(chosen(&outcome).stand, order[skipped].stand);
    }
}

#[test]
fn the_site_says_what_weighs() {
    let far = StandDefined { distance_m: 300, ..civil("C01") };
    let larger = StandDefined { code: CodeLetter::F, ..civil("C02") };
    let weights = Weights { spare_letter: 10, no_jetway: 0, metre: 1 };
    let default_turnaround = Turnaround::minutes(30, 50, 90).unwrap();
    let rules = AllocationRulesSet { site: lfw(), version: 7, buffer_minutes: 20, default_turnaround, weights };
    let event = chosen(&with([far, larger]).and([rules.into()]).when(ask(af860())));
    assert_eq!((event.stand, event.rules_version, event.buffer_minutes), (stand("C02"), 7, 20));
    assert_eq!(event.interval, stay("12:00", "12:50"));
}

#[test]
fn the_buffer_itself_is_enough_and_a_minute_less_is_not() {
    let before = allocated("C01", "KP20", "10:00", "11:45");
    let after = allocated("C01", "KP21", "13:15", "14:00");
    let fits = with([civil("C01")]).and([before.into(), after.into()]);
    assert_eq!(chosen(&fits.clone().when(ask(af860()))).stand, stand("C01"));
    for (from, to) in [("11:59", "13:00"), ("12:00", "13:01")] {
        let wish = AllocateStand { from: Some(at(from)), to: Some(at(to)), ..ask_for(af860(), "C01") };
        fits.clone().when(wish).then_refused("STAND_OCCUPIED");
    }
}

#[test]
fn of_two_buffers_the_larger_stays_free() {
    let careful = StandAllocated { buffer_minutes: 40, ..allocated("C01", "KP20", "13:30", "14:00") };
    let taken = with([civil("C01")]).and([careful.into()]).when(ask_for(af860(), "C01"));
    let refusal = taken.then_refused("STAND_OCCUPIED");
    let AirportRefusal::StandOccupied { flight, buffer_minutes, .. } = refusal else { panic!("{refusal}") };
    assert_eq!((flight, buffer_minutes), (arrival("KP20"), 40));
}

#[test]
fn a_stay_that_touches_midnight_sees_the_other_day() {
    let next_day = allocated("C01", "KP20", "02T00:10", "02T02:00");
    let late = AllocateStand { from: Some(at("23:00")), to: Some(at("02T00:00")), ..ask_for(af860(), "C01") };
    with([civil("C01")]).and([next_day.into()]).when(late).then_refused("STAND_OCCUPIED");
}

#[test]
fn military_stands_take_the_overflow() {
    let taken = allocated("C01", "KP20", "12:00", "13:00");
    let small = StandDefined { code: CodeLetter::C, ..civil("C02") };
    let outcome = with([civil("C01"), small, military("M01")]).and([taken.into()]).when(ask(af860()));
    let event = chosen(&outcome);
    assert_eq!(event.stand, stand("M01"));
    assert_eq!(
        event.overflow.as_deref(),
        Some("no civil stand was left for code letter E: 1 occupied, 0 closed, 1 too small")
    );
    let asked = with([civil("C01"), military("M01")]).when(ask_for(af860(), "M01"));
    assert_eq!(chosen(&asked).overflow.as_deref(), Some("the military stand was requested"));
    assert!(chosen(&asked).requested);
}

#[test]
fn that_nothing_is_left_is_recorded_once() {
    let taken = allocated("C01", "KP20", "12:00", "13:00");
    let full = with([civil("C01")]).and([taken.clone().into()]).when(ask(af860()));
    let occupied = Rejection::Occupied { flight: taken.flight, interval: taken.interval };
    let candidates = vec![Candidate { stand: stand("C01"), points: None, rejected: Some(occupied) }];
    let first = full.answer().clone();
    let (flight, interval, code) = (af860(), stay("12:00", "13:00"), CodeLetter::E);
    let full = full.then([NoStandFound { flight, site: lfw(), interval, code, candidates }.into()]).recorded();
    let again = full.clone().when(ask(af860()));
    assert_eq!(*again.answer(), first);
    again.then_nothing();
    let relief = full.and([civil("C02").into()]).when(ask(af860()));
    assert_eq!(chosen(&relief).stand, stand("C02"));
    assert_eq!(with([]).when(ask(af860())).events().len(), 1, "a site without stands has none left");
}

#[test]
fn that_nothing_is_left_is_recorded_once_for_a_turnaround() {
    let goes = departure("AF861");
    let both = with([]).and([registered(&goes, "14:30"), linked(&af860(), &goes)]);
    both.when(ask(af860())).recorded().when(ask(goes)).then_nothing();
}

#[test]
fn a_cancelled_flight_that_comes_back_may_find_no_stand_again() {
    let clock = || Clock { source: OPERATOR.into(), observed_at: noon() };
    let (site, was, note) = (lfw(), Progress::Scheduled, Note::default());
    let off = FlightCancelled { flight: af860(), site: site.clone(), was, note: note.clone(), clock: clock() };
    let on = FlightReinstated { flight: af860(), site, note, clock: clock() };
    let again = with([]).when(ask(af860())).recorded().and([off.into(), on.into()]).when(ask(af860()));
    assert_eq!(again.events().len(), 1);
}

#[test]
fn a_flight_that_has_a_stand_keeps_it() {
    let given = with([civil("C01"), civil("C02")]).when(ask(af860())).recorded().command("again");
    let again = given.clone().when(ask(af860()));
    assert!(matches!(again.answer(), AllocateAnswer::Already { .. }));
    again.then_nothing();
    given.clone().when(ask_for(af860(), "C01")).then_nothing();
    given.when(ask_for(af860(), "C02")).then_refused("FLIGHT_ALREADY_ALLOCATED");
}

#[test]
fn a_turnaround_holds_one_stand_from_arrival_to_departure() {
    let goes = departure("AF861");
    let both = with([civil("C01"), civil("C02")]).and([registered(&goes, "14:30")]);
    let asked = both.clone().and([linked(&af860(), &goes)]).when(ask(goes.clone()));
    let event = chosen(&asked);
    assert_eq!((event.interval, event.turnaround), (stay("12:00", "14:30"), Some(af860())));
    let to_the_other_leg = Event::from(allocated("C02", "AF860", "12:00", "14:30"));
    assert!(asked.guards_against(&to_the_other_leg), "the other leg may be given a stand meanwhile");
    asked.recorded().command("again").when(ask(af860())).then_nothing();

    let linked_later = both.when(ask(af860())).recorded().and([linked(&af860(), &goes)]).command("again");
    let answer = linked_later.clone().when(ask(goes.clone()));
    assert!(matches!(answer.answer(), AllocateAnswer::Already { .. }), "{:?}", answer.answer());
    answer.then_nothing();
    let elsewhere = linked_later.when(ask_for(goes, "C02"));
    elsewhere.then_refused("FLIGHT_ALREADY_ALLOCATED");
}

#[test]
fn the_stay_follows_the_best_known_times() {
    let clock = Clock { source: OPERATOR.into(), observed_at: noon() };
    let late: Event =
        FlightEstimated { flight: af860(), site: lfw(), at: at("14:00"), was: Progress::Scheduled, clock }.into();
    let turnaround = Turnaround::minutes(60, 90, 120).unwrap();
    let aircraft_type = AircraftType::new("A333").unwrap();
    let rule = TurnaroundRuleSet { site: lfw(), aircraft_type, turnaround };
    let ruled = with([civil("C01")]).and([rule.into(), late]);
    assert_eq!(chosen(&ruled.clone().when(ask(af860()))).interval, stay("14:00", "15:30"));
    let until = AllocateStand { to: Some(at("17:00")), ..ask(af860()) };
    assert_eq!(chosen(&ruled.clone().when(until)).interval, stay("14:00", "17:00"));
    let since = AllocateStand { from: Some(at("13:00")), ..ask(af860()) };
    assert_eq!(chosen(&ruled.clone().when(since)).interval, stay("13:00", "14:30"));

    let goes = departure("AF861");
    let alone = ruled.clone().and([registered(&goes, "13:30"), flown_by(&goes, "A333")]);
    assert_eq!(chosen(&alone.when(ask(goes.clone()))).interval, stay("12:00", "13:30"));
    let overtaken = ruled.and([registered(&goes, "13:30"), linked(&af860(), &goes)]);
    assert_eq!(chosen(&overtaken.when(ask(goes))).interval, stay("14:00", "15:30"));
}

#[test]
fn a_named_stand_must_be_usable() {
    let small = StandDefined { code: CodeLetter::D, ..civil("C01") };
    let interval = stay("12:30", "12:40");
    let closed = StandClosed { stand: stand("C02"), site: lfw(), interval, reason: Note::default(), hits: vec![] };
    let given = with([small, civil("C02")]).and([closed.into()]);
    let small = given.clone().when(ask_for(af860(), "C01")).then_refused("STAND_TOO_SMALL");
    assert_eq!(small.to_string(), "stand LFW/C01 takes aircraft up to code letter D; this one has E");
    let closed = given.clone().when(ask_for(af860(), "C02")).then_refused("STAND_CLOSED");
    assert_eq!(closed, AirportRefusal::StandClosed { stand: stand("C02"), interval });
    given.when(ask_for(af860(), "C09")).then_refused("STAND_UNKNOWN");
}

#[test]
fn the_flight_must_be_there_and_take_place() {
    let clock = || Clock { source: OPERATOR.into(), observed_at: noon() };
    let (flight, site, was) = (af860(), lfw(), Progress::Scheduled);
    with([civil("C01")]).when(ask(arrival("AF1"))).then_refused("FLIGHT_UNKNOWN");
    let cancelled = FlightCancelled { flight, site, was, note: Note::default(), clock: clock() };
    with([civil("C01")]).and([cancelled.into()]).when(ask(af860())).then_refused("FLIGHT_CANCELLED");
    let gone = FlightDeparted { flight: departure("AF861"), site: lfw(), at: at("14:00"), was, clock: clock() };
    let goes = departure("AF861");
    let given = with([civil("C01")]).and([registered(&goes, "13:00"), linked(&af860(), &goes), gone.into()]);
    given.when(ask(af860())).then_refused("FLIGHT_DEPARTED");
    given_site(None).when(ask(af860())).then_refused("SITE_UNKNOWN");
    let rail = FlightId::new("SANGATTE/AF860/2026-01-01/A/CDG").unwrap();
    given_site(Some(sangatte())).when(ask(rail)).then_refused("SITE_NOT_AIRPORT");
}

fn given_site(site: Option<Event>) -> Given {
    given(site)
}

#[test]
fn the_wingspan_must_be_known() {
    let unknown = given([lome(), registered(&af860(), "12:00"), civil("C01").into()]);
    unknown.clone().when(ask(af860())).then_refused("AIRCRAFT_TYPE_UNKNOWN");
    let strange = unknown.and([flown_by(&af860(), "ZZZZ")]).when(ask(af860()));
    let refusal = strange.then_refused("AIRCRAFT_TYPE_UNKNOWN");
    assert!(refusal.to_string().contains("(ZZZZ): assign it"), "{refusal}");
}

#[test]
fn the_times_must_be_a_stay() {
    let wish = |from: &str, to: &str| AllocateStand { from: Some(at(from)), to: Some(at(to)), ..ask(af860()) };
    with([civil("C01")]).when(wish("13:00", "13:00")).then_refused("INTERVAL_INVALID");
    with([civil("C01")]).when(wish("13:00", "15T13:01")).then_refused("STAY_TOO_LONG");
    assert_eq!(with([civil("C01")]).when(wish("13:00", "15T13:00")).events().len(), 1);
    let far = AllocateStand { from: Some(DateTime::<Utc>::MAX_UTC), ..ask(af860()) };
    with([civil("C01")]).when(far).then_refused("TIME_OUT_OF_RANGE");
}

#[test]
fn only_the_flight_and_the_chosen_stand_are_guarded() {
    let taken = |name, from, to| Event::from(allocated(name, "KP20", from, to));
    let outcome = with([civil("C01"), civil("C02")]).when(ask(af860()));
    assert_eq!(chosen(&outcome).stand, stand("C01"));
    assert!(outcome.guards_against(&taken("C01", "15:00", "16:00")), "the same stand on the same day");
    assert!(outcome.guards_against(&Event::from(civil("C01"))), "the description of the stand");
    assert!(outcome.guards_against(&flown_by(&af860(), "B738")), "the flight");
    assert!(!outcome.guards_against(&taken("C02", "12:00", "13:00")), "another stand");
    assert!(!outcome.guards_against(&Event::from(civil("C02"))), "the description of another stand");
    assert!(!outcome.guards_against(&taken("C01", "03T12:00", "03T13:00")), "the same stand on another day");
    assert!(!outcome.guards_against(&flown_by(&arrival("KP20"), "B738")), "another flight");
}
