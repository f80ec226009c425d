use super::*;
use crate::kernel::spec;
use crate::rail::fixtures::{
    breach, completed, declared, height, limits, measured, noon_plus, pass, rail_site, reading, registered, value,
};
use crate::rail::{Limit, LimitsSet, PartRefusal, Quality};

fn part(part: PassPart) -> RecordPassPart {
    let header = PassHeader { pass: pass(), track: "1".into(), passed_at: noon_plus(-5), train: Some("9012".into()) };
    RecordPassPart { header, part }
}

fn car(number: u16, readings: Vec<Reading>) -> RecordPassPart {
    let CarMeasured { car, vehicle, camera, readings, .. } = measured(number, readings);
    part(PassPart::Car(CarPart { car, vehicle, camera, readings }))
}

fn mark(cars: u16) -> RecordPassPart {
    part(PassPart::Complete { cars })
}

fn site() -> spec::Given {
    spec::given([rail_site(), limits().into()])
}

#[test]
fn the_first_part_registers_the_pass_whichever_it_is() {
    site().when(part(PassPart::Header)).then([registered().into()]);
    let readings = || vec![reading("L1", 200.0)];
    site().when(car(2, readings())).then([registered().into(), measured(2, readings()).into()]);
    site().when(mark(3)).then([registered().into(), declared(3).into()]);
}

#[test]
fn facts_happen_when_the_train_passed() {
    let outcome = site().when(car(1, vec![reading("L1", 170.0)]));
    let times: Vec<_> = outcome.result.unwrap().events.into_iter().map(|(_, at)| at).collect();
    assert_eq!(times, [Some(noon_plus(-5)); 3]);
}

#[test]
fn what_is_out_of_limits_is_recorded_with_the_car() {
    let readings = || vec![reading("L1", 170.0), reading("L2", 200.0), reading("R1", 170.0)];
    let outcome = site().when(car(1, readings()));
    assert_eq!(outcome.answer().out_of_limits, 2);
    let measured = measured(1, readings()).into();
    outcome.then([registered().into(), measured, breach(1, "L1").into(), breach(1, "R1").into()]);
}

#[test]
fn bad_readings_and_quantities_without_limit_are_not_judged() {
    let bad = Reading { quality: Quality::Bad, ..reading("L1", 170.0) };
    let unlimited = Reading { quantity: "gap".into(), unit: "furlong".into(), ..reading("L2", 170.0) };
    let readings = vec![bad, unlimited];
    site().when(car(1, readings.clone())).then([registered().into(), measured(1, readings).into()]);
}

#[test]
fn a_pass_is_judged_by_the_limits_of_its_time() {
    let later = LimitsSet { version: 2, valid_from: noon_plus(0), ..limits() };
    let earlier = Limit { alarm_low: Some(value(150.0)), warning_low: Some(value(160.0)), ..height() };
    let earlier = LimitsSet { version: 3, valid_from: noon_plus(-10), limits: vec![earlier], ..limits() };
    let given = site().and([later.into(), earlier.into()]);
    let recorded = given.when(car(1, vec![reading("L1", 170.0)]));
    let expected = CarMeasured { limits_version: Some(3), ..measured(1, vec![reading("L1", 170.0)]) };
    recorded.then([registered().into(), expected.into()]);

    let outcome = spec::given([rail_site()]).when(car(1, vec![reading("L1", 170.0)]));
    let unjudged = CarMeasured { limits_version: None, ..measured(1, vec![reading("L1", 170.0)]) };
    outcome.then([registered().into(), unjudged.into()]);
}

#[test]
fn the_part_that_leaves_no_car_missing_completes_the_pass() {
    let readings = || vec![reading("L1", 200.0), reading("L2", 201.0)];
    let given = site().when(car(2, readings())).recorded();
    let last_car = given.clone().when(mark(2)).recorded().when(car(1, readings()));
    assert!(last_car.answer().completed);
    last_car.then([measured(1, readings()).into(), completed(2, 4).into()]);
    let last_mark = given.when(car(1, readings())).recorded().when(mark(2));
    last_mark.then([declared(2).into(), completed(2, 4).into()]);
}

#[test]
fn the_same_part_again_is_no_event() {
    let readings = vec![reading("L1", 170.0), reading("L2", 200.0)];
    let given = site().when(car(1, readings.clone())).recorded().when(mark(1)).recorded();
    let turned: Vec<_> = readings.iter().cloned().rev().collect();
    for again in [part(PassPart::Header), car(1, readings), car(1, turned), mark(1)] {
        let outcome = given.clone().when(again).then_nothing();
        assert_eq!((outcome.answer().known, outcome.answer().out_of_limits), (true, 0));
    }
}

#[test]
fn the_same_car_measured_differently_is_refused_and_named() {
    let given = site().when(car(1, vec![reading("L1", 200.0), reading("L2", 200.0)])).recorded();
    let other = vec![reading("L1", 200.0), reading("L2", 201.5)];
    let refusal = given.clone().when(car(1, other)).then_refused("CAR_MEASURED_DIFFERENTLY");
    assert!(refusal.to_string().ends_with("differently: height of spring L2 200 mm before, 201.5 mm now"), "{refusal}");
    let less = given.clone().when(car(1, vec![reading("L1", 200.0)])).then_refused("CAR_MEASURED_DIFFERENTLY");
    assert!(less.to_string().ends_with("200 mm before, missing now"), "{less}");
    let mut other_camera = car(1, vec![reading("L1", 200.0), reading("L2", 200.0)]);
    let PassPart::Car(car) = &mut other_camera.part else { panic!("a car") };
    car.camera = "cam-2".into();
    let refusal = given.when(other_camera).then_refused("CAR_MEASURED_DIFFERENTLY");
    assert!(refusal.to_string().ends_with("camera cam-1 before, cam-2 now"), "{refusal}");
}

/// The other side of the car, by another camera.
fn other_side(readings: Vec<Reading>) -> RecordPassPart {
    let mut part = car(1, readings);
    let PassPart::Car(car) = &mut part.part else { panic!("a car") };
    car.camera = "cam-2".into();
    part
}

#[test]
fn a_car_may_come_in_parts_that_have_no_spring_in_common() {
    let given = site().when(car(1, vec![reading("L1", 200.0)])).recorded();
    let right = || other_side(vec![reading("R1", 200.0)]);
    let both = given.when(right()).recorded();
    for again in [car(1, vec![reading("L1", 200.0)]), right()] {
        both.clone().when(again).then_nothing();
    }
    let completed = CompletenessDeclared { pass: pass(), site: crate::rail::fixtures::site(), cars: 1 };
    let springs = PassCompleted { pass: pass(), site: crate::rail::fixtures::site(), cars: 1, springs: 2 };
    both.when(mark(1)).then([completed.into(), springs.into()]);
}

#[test]
fn a_late_part_of_a_complete_pass_is_recorded_and_completes_nothing_again() {
    let complete = site().when(car(1, vec![reading("L1", 200.0)])).recorded().when(mark(1)).recorded();
    let outcome = complete.when(other_side(vec![reading("R1", 170.0)]));
    assert_eq!((outcome.answer().completed, outcome.answer().out_of_limits), (false, 1));
    assert_eq!(outcome.events().len(), 2, "{:?}", outcome.events());
}

#[test]
fn parts_of_a_car_agree_on_the_vehicle() {
    let named = |mut part: RecordPassPart, name: &str| {
        let PassPart::Car(car) = &mut part.part else { panic!("a car") };
        car.vehicle = Some(name.into());
        part
    };
    let given = site().when(named(car(1, vec![reading("L1", 200.0)]), "one")).recorded();
    given.when(named(other_side(vec![reading("R1", 200.0)]), "two")).then_refused("CAR_MEASURED_DIFFERENTLY");
}

#[test]
fn a_header_that_contradicts_the_first_part_is_refused_with_both_values() {
    let given = || site().when(part(PassPart::Header)).recorded();
    let expect = |field: &str, change: fn(&mut PassHeader)| {
        let mut changed = car(1, vec![]);
        change(&mut changed.header);
        match given().when(changed).then_refused("PART_CONTRADICTS") {
            PartRefusal::PartContradicts { field: found, was, now, .. } => {
                assert_eq!(found, field);
                assert_ne!(was, now);
            }
            other => panic!("{other}"),
        }
    };
    expect("track", |header| header.track = "2".into());
    expect("passed_at", |header| header.passed_at = noon_plus(-4));
    expect("train", |header| header.train = Some("9013".into()));
    expect("train", |header| header.train = None);
}

#[test]
fn a_reading_in_another_unit_than_its_limit_is_refused() {
    let inches = Reading { unit: "in".into(), quality: Quality::Bad, ..reading("L1", 8.0) };
    let refusal = site().when(car(1, vec![inches])).then_refused("UNIT");
    assert_eq!(refusal.to_string(), "spring L1: height comes in \"in\", and its limits are in \"mm\"");
    let json = serde_json::to_value(&refusal).unwrap();
    assert_eq!(json["rule"], "UNIT");
    assert_eq!(json["expected"], "mm");
}

#[test]
fn cars_and_mark_must_agree() {
    let given = site().when(mark(2)).recorded();
    given.clone().when(car(3, vec![])).then_refused("CAR_BEYOND_DECLARED");
    given.when(mark(3)).then_refused("COMPLETENESS_CONTRADICTS");
    let given = site().when(car(5, vec![])).recorded().when(car(4, vec![])).recorded();
    let refusal = given.when(mark(3)).then_refused("CARS_BEYOND_MARK");
    assert!(refusal.to_string().ends_with("but car 4, 5 was measured"), "{refusal}");
}

#[test]
fn sizes_are_bounded() {
    for number in [0, 201] {
        site().when(car(number, vec![])).then_refused("CAR_NUMBER");
        site().when(mark(number)).then_refused("CAR_COUNT");
    }
    let readings = |count: u16| (0..count).map(|n| reading(&format!("S{n}"), 200.0)).collect::<Vec<_>>();
    assert!(site().when(car(200, readings(64))).result.is_ok());
    site().when(car(200, readings(65))).then_refused("TOO_MANY_READINGS");
    site().when(car(1, vec![reading("L1", 200.0), reading("L1", 200.0)])).then_refused("READING_TWICE");
    site().when(car(1, vec![reading("L 1", 200.0)])).then_refused("TEXT");
}

#[test]
fn trains_pass_at_rail_sites_only() {
    spec::given([]).when(mark(1)).then_refused("SITE_UNKNOWN");
}

#[test]
fn two_parts_at_once_do_not_both_register_the_pass() {
    let outcome = site().when(car(1, vec![]));
    assert!(outcome.guards_against(&registered().into()));
    assert!(outcome.guards_against(&declared(1).into()));
    assert!(outcome.guards_against(&LimitsSet { version: 2, ..limits() }.into()));
}
