//! The schema in `docs`, its examples and the reader agree.

use std::cell::Cell;

use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use vigie_domain::rail::RecordPassPart;

use super::{SetAside, read};

fn schema() -> Validator {
    let schema: Json = serde_json::from_str(include_str!("../../../../docs/train-pass.schema.json")).unwrap();
    jsonschema::draft202012::meta::validate(&schema).expect("the schema is one of draft 2020-12");
    jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap()
}

fn parse(part: &Json) -> Result<RecordPassPart, SetAside> {
    let line = part.to_string();
    let parsed = read(line.as_bytes()).next().expect("one line").expect("readable");
    parsed.map(|line| line.command)
}

#[test]
fn the_examples_of_the_page_are_read_and_match_the_schema() {
    let page = include_str!("../../../../docs/train-passes.md");
    let examples = page.split("```jsonl\n").nth(1).and_then(|rest| rest.split("```").next()).expect("examples");
    let schema = schema();
    let kinds: Vec<_> = examples
        .lines()
        .map(|line| {
            let part: Json = serde_json::from_str(line).unwrap();
            assert!(schema.is_valid(&part), "{line}");
            parse(&part).unwrap_or_else(|aside| panic!("{aside}: {line}"));
            part["kind"].clone()
        })
        .collect();
    assert_eq!(kinds, ["pass", "car", "complete", "car"]);
}

fn text() -> impl Strategy<Value = String> {
    "[ -~é°µ]{1,16}"
}

fn reading() -> impl Strategy<Value = Json> {
    ("[A-Za-z0-9._-]{1,32}", "[a-z]{1,32}", text(), -1e6..1e6_f64, prop_oneof!["good", "suspect", "bad"]).prop_map(
        |(spring, quantity, unit, value, quality)| {
            json!({"spring": spring, "quantity": quantity, "unit": unit, "value": value, "quality": quality})
        },
    )
}

fn time() -> impl Strategy<Value = String> {
    "20[0-9]{2}-(0[1-9]|1[0-2])-([01][1-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-][01][0-9]:[0-5][0-9])"
}

fn part() -> impl Strategy<Value = Json> {
    let header = ("[A-Za-z0-9._-]{1,64}", "[A-Z0-9-]{2,16}", text(), time(), proptest::option::of(text()));
    let car = (1..=200_u16, text(), proptest::option::of(text()), proptest::collection::vec(reading(), 0..4));
    let own = prop_oneof![
        Just(json!({"kind": "pass"})),
        (1..=200_u16).prop_map(|cars| json!({"kind": "complete", "cars": cars})),
        car.prop_map(|(car, camera, vehicle, springs)| {
            json!({"kind": "car", "car": car, "camera": camera, "vehicle": vehicle, "springs": springs})
        }),
    ];
    (header, own).prop_map(|((pass, site, track, time, train), mut part)| {
        let header = json!({"contract": 1, "pass": pass, "site": site, "track": track, "passedAt": time});
        let fields = part.as_object_mut().expect("an object");
        fields.extend(header.as_object().cloned().expect("an object"));
        if let Some(train) = train {
            fields.insert("train".into(), train.into());
        }
        part
    })
}

/// Values near the bounds of the contract, and far from them.
fn junk() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        Just(json!(true)),
        Just(json!([])),
        Just(json!({})),
        Just(json!([1])),
        prop_oneof![Just(-1.0), Just(0.0), Just(0.5), Just(1.0), Just(200.0), Just(201.0), Just(1e18)].prop_map(Json::from),
        (-1..202_i64).prop_map(Json::from),
        prop_oneof![Just(""), Just("pass"), Just("car"), Just("complete"), Just("good"), Just("a\nb"), Just("\u{85}")]
            .prop_map(Json::from),
        (0..70_usize, prop_oneof!["x", "é", " ", "A"]).prop_map(|(count, text)| text.repeat(count).into()),
        prop_oneof!["[0-9T:Z+.-]{0,30}", time(), "20[0-9]{2}-[0-3][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9]\\.?[0-9]{0,10}([Zz]|[+-][0-2][0-9]:?[0-6][0-9])?"]
            .prop_map(Json::from),
        proptest::collection::vec(reading(), 0..2).prop_map(Json::from),
    ]
}

/// What happens to one field.
#[derive(Debug, Clone)]
enum Change {
    Remove(usize),
    Replace(usize, Json),
    Add(String, Json),
    ManyReadings(usize),
}

fn change() -> impl Strategy<Value = (bool, Change)> {
    let names = prop_oneof!["train", "vehicle", "cars", "camera", "springs", "extra"];
    let change = prop_oneof![
        2 => any::<usize>().prop_map(Change::Remove),
        6 => (any::<usize>(), junk()).prop_map(|(place, junk)| Change::Replace(place, junk)),
        2 => (names, junk()).prop_map(|(name, junk)| Change::Add(name, junk)),
        1 => (63..=66_usize).prop_map(Change::ManyReadings),
    ];
    (any::<bool>(), change)
}

/// Applies a change to the part, or to its first reading if it has one and `inside` says so.
fn apply(part: &mut Json, inside: bool, change: Change) {
    if let Change::ManyReadings(count) = change {
        if let Some(reading) = part["springs"].get(0).cloned() {
            part["springs"] = vec![reading; count].into();
        }
        return;
    }
    let has_reading = part.pointer("/springs/0").is_some_and(Json::is_object);
    let target = if inside && has_reading { part.pointer_mut("/springs/0") } else { Some(part) };
    let fields = target.and_then(Json::as_object_mut).expect("an object");
    let name = |place: usize| fields.keys().nth(place % fields.len().max(1)).cloned();
    match change {
        Change::Remove(place) => {
            if let Some(name) = name(place) {
                fields.remove(&name);
            }
        }
        Change::Replace(place, junk) => {
            if let Some(name) = name(place) {
                fields.insert(name, junk);
            }
        }
        Change::Add(name, junk) => {
            fields.insert(name, junk);
        }
        Change::ManyReadings(_) => unreachable!("handled above"),
    }
}

#[test]
fn whatever_has_the_shape_is_read_and_matches_the_schema() {
    let schema = schema();
    proptest!(|(part in part())| {
        prop_assert!(schema.is_valid(&part), "{:?}", schema.validate(&part).err());
        prop_assert!(parse(&part).is_ok(), "{:?}", parse(&part));
    });
}

#[test]
fn the_reader_refuses_exactly_what_the_schema_refuses() {
    let schema = schema();
    let (kept, refused) = (Cell::new(0), Cell::new(0));
    proptest!(ProptestConfig { cases: 4_000, ..ProptestConfig::default() }, |(
        mut part in part(), changes in proptest::collection::vec(change(), 1..3)
    )| {
        for (inside, change) in changes {
            apply(&mut part, inside, change);
        }
        let (valid, parsed) = (schema.is_valid(&part), parse(&part));
        prop_assert_eq!(valid, parsed.is_ok(), "{:?}", parsed);
        let count = if valid { &kept } else { &refused };
        count.set(count.get() + 1);
    });
    let (kept, refused) = (kept.get(), refused.get());
    assert!(kept > 200 && refused > 200, "both happen: {kept} kept, {refused} refused");
}
