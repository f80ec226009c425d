//! What must stay true of the apron, whatever is commanded, one after the other or at the same time.

mod ground;

use chrono::{DateTime, Duration, Utc};
use ground::Ground;
use proptest::prelude::*;

use super::testing::{arrival, at, civil, departure, flown_by, lfw, lome, military, registered, stand};
use super::*;
use crate::Event;
use crate::kernel::spec::given;
use crate::kernel::{Decision, Guard, Note};

/// A command in small numbers, so that they collide.
#[derive(Debug, Clone)]
enum Step {
    Allocate { flight: usize, stand: Option<usize>, from: Option<i64>, minutes: Option<i64> },
    Move { nth: usize, to: Option<usize> },
    Free { nth: usize, minutes: i64 },
    CancelAllocation { nth: usize },
    CancelFlight { flight: usize },
    Reinstate { flight: usize },
    Link { arrival: usize, departure: usize },
    Close { stand: usize, from: i64, minutes: Option<i64> },
    Reopen { stand: usize, from: i64, minutes: Option<i64> },
    Rules { buffer: u32 },
}

const STANDS: [&str; 4] = ["C01", "C02", "C03", "M01"];

fn flights() -> Vec<FlightId> {
    let arrivals = ["AF1", "AF2", "AF3", "AF4"].map(arrival);
    arrivals.into_iter().chain(["AF5", "AF6"].map(departure)).collect()
}

/// Around midnight, so that stays touch two days.
fn minute(minutes: i64) -> DateTime<Utc> {
    at("21:00") + Duration::minutes(minutes)
}

fn step() -> impl Strategy<Value = Step> {
    let (flight, place) = (0..6_usize, 0..4_usize);
    let (from, minutes) = (0..360_i64, 1..240_i64);
    let maybe = |range: std::ops::Range<i64>| proptest::option::of(range);
    prop_oneof![
        6 => (flight.clone(), proptest::option::of(place.clone()), maybe(0..360), maybe(1..240))
            .prop_map(|(flight, stand, from, minutes)| Step::Allocate { flight, stand, from, minutes }),
        3 => (0..8_usize, proptest::option::of(place.clone())).prop_map(|(nth, to)| Step::Move { nth, to }),
        2 => (0..8_usize, 0..400_i64).prop_map(|(nth, minutes)| Step::Free { nth, minutes }),
        1 => (0..8_usize).prop_map(|nth| Step::CancelAllocation { nth }),
        1 => flight.clone().prop_map(|flight| Step::CancelFlight { flight }),
        1 => flight.prop_map(|flight| Step::Reinstate { flight }),
        2 => (0..4_usize, 4..6_usize).prop_map(|(arrival, departure)| Step::Link { arrival, departure }),
        1 => (place.clone(), from.clone(), proptest::option::of(minutes.clone()))
            .prop_map(|(stand, from, minutes)| Step::Close { stand, from, minutes }),
        1 => (place, from, proptest::option::of(minutes))
            .prop_map(|(stand, from, minutes)| Step::Reopen { stand, from, minutes }),
        1 => prop_oneof![Just(0_u32), Just(15), Just(90)].prop_map(|buffer| Step::Rules { buffer }),
    ]
}

fn opening() -> Vec<Event> {
    let small = StandDefined { code: CodeLetter::C, ..civil("C03") };
    let mut events = vec![lome(), civil("C01").into(), civil("C02").into(), small.into(), military("M01").into()];
    for (nth, flight) in flights().iter().enumerate() {
        events.push(registered(flight, ["21:30", "22:00", "22:30", "23:00", "23:30", "23:45"][nth]));
        events.push(flown_by(flight, ["A333", "B738", "B788", "A333", "B738", "A333"][nth]));
    }
    events
}

/// What a step would append to this history, and under which guards; nothing if it is refused.
fn decide(history: &[Event], name: &str, step: &Step) -> (Vec<Event>, Vec<Guard>) {
    let note = Note::default();
    let allocation = |nth: usize| {
        let all: Vec<_> = history.iter().filter_map(begun).collect();
        all.get(nth % all.len().max(1)).map_or(AllocationId(uuid::Uuid::nil()), |begun| begun.allocation)
    };
    let end = |from: i64, minutes: &Option<i64>| minutes.map(|minutes| minute(from + minutes));
    match step {
        Step::Allocate { flight, stand: place, from, minutes } => {
            let flight = flights()[*flight].clone();
            let stand = place.map(|place| stand(STANDS[place]));
            let (from, to) = (from.map(minute), from.zip(*minutes).map(|(from, minutes)| minute(from + minutes)));
            outcome(history, name, AllocateStand { flight, stand, from, to, note })
        }
        Step::Move { nth, to } => {
            let to = to.map(|place| stand(STANDS[place]));
            outcome(history, name, MoveAllocation { allocation: allocation(*nth), to, note })
        }
        Step::Free { nth, minutes } => {
            let stay = StayOf::Allocation(allocation(*nth));
            outcome(history, name, FreeStand { stay, off_block_at: Some(minute(*minutes)) })
        }
        Step::CancelAllocation { nth } => {
            outcome(history, name, CancelAllocation { allocation: allocation(*nth), note })
        }
        Step::CancelFlight { flight } => {
            outcome(history, name, CancelFlight { flight: flights()[*flight].clone(), note })
        }
        Step::Reinstate { flight } => {
            outcome(history, name, ReinstateFlight { flight: flights()[*flight].clone(), note })
        }
        Step::Link { arrival, departure } => {
            let (arrival, departure) = (flights()[*arrival].clone(), flights()[*departure].clone());
            outcome(history, name, LinkTurnaround { arrival, departure })
        }
        Step::Close { stand: place, from, minutes } => {
            let (stand, to) = (stand(STANDS[*place]), end(*from, minutes));
            outcome(history, name, CloseStand { stand, from: minute(*from), to, reason: note })
        }
        Step::Reopen { stand: place, from, minutes } => {
            let (stand, to) = (stand(STANDS[*place]), end(*from, minutes));
            outcome(history, name, ReopenStand { stand, from: minute(*from), to, note })
        }
        Step::Rules { buffer } => {
            let (default_turnaround, weights) = (Turnaround::default(), Weights::default());
            let site = lfw();
            outcome(history, name, SetAllocationRules { site, buffer_minutes: *buffer, default_turnaround, weights })
        }
    }
}

fn outcome<D: Decision>(history: &[Event], name: &str, command: D) -> (Vec<Event>, Vec<Guard>) {
    let outcome = given(history.iter().cloned()).command(name).when(command);
    match outcome.result {
        Ok(decided) => (decided.events.into_iter().map(|(event, _)| event).collect(), outcome.guards),
        Err(_) => (Vec::new(), Vec::new()),
    }
}

fn begun(event: &Event) -> Option<&StandAllocated> {
    if let Event::Airport(AirportEvent::StandAllocated(allocated)) = event { Some(allocated) } else { None }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn no_stand_is_given_twice_and_no_flight_holds_two(steps in proptest::collection::vec(step(), 1..40)) {
        let mut history = opening();
        for (nth, step) in steps.iter().enumerate() {
            let (events, _) = decide(&history, &nth.to_string(), step);
            history.extend(events);
        }
        Ground::check(&history);
    }

    /// Two commands decide on the same state; the second is appended as it is unless a guard of it forbids that.
    #[test]
    fn what_the_guards_let_through_at_the_same_time_keeps_the_rules(
        pairs in proptest::collection::vec((step(), step()), 1..20)
    ) {
        let mut history = opening();
        for (nth, (first, second)) in pairs.iter().enumerate() {
            let (first, _) = decide(&history, &format!("first {nth}"), first);
            let (mut events, guards) = decide(&history, &format!("second {nth}"), second);
            let conflict = first.iter().any(|event| {
                let (name, tags) = (event.name(), event.tags());
                guards.iter().any(|guard| guard.query.matches(name, &tags))
            });
            history.extend(first);
            if conflict {
                events = decide(&history, &format!("second {nth}"), second).0;
            }
            history.extend(events);
        }
        Ground::check(&history);
    }
}
