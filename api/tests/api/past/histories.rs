//! Histories as operators, feeds and cameras make them: steps that the rules accept or refuse.

use chrono::{DateTime, Duration, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};
use vigie_domain::rail::{CarPart, PassHeader, PassId, PassPart, Quality, Reading, RecordPassPart, Value as Measured};

use crate::harness::Server;

/// One thing that somebody tries. Numbers are taken modulo what there is.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Report { flight: usize, minutes: i64, progress: usize },
    Allocate { flight: usize, stand: Option<usize> },
    Move { place: usize, stand: usize },
    Free { place: usize, minutes: i64 },
    CancelAllocation { place: usize },
    CancelFlight { flight: usize },
    Reinstate { flight: usize },
    Reschedule { flight: usize, minutes: i64 },
    Close { stand: usize, from: i64, length: i64 },
    Reopen { stand: usize, from: i64, length: i64 },
    Rule { minutes: i32 },
    Car { pass: usize, car: u16, height: i32 },
    Complete { pass: usize },
    Acknowledge { place: usize },
    Confirm { pass: usize },
}

pub(super) const STANDS: usize = 3;
const FLIGHTS: usize = 4;

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let (flight, stand, place, minutes) = (0..FLIGHTS, 0..STANDS, 0_usize..4, 0_i64..600);
    let (hour, length, pass) = (8_i64..14, 1_i64..6, 0_usize..2);
    prop_oneof![
        4 => (flight.clone(), minutes.clone(), 0_usize..6)
            .prop_map(|(flight, minutes, progress)| Step::Report { flight, minutes, progress }),
        4 => (flight.clone(), prop::option::of(stand.clone())).prop_map(|(flight, stand)| Step::Allocate { flight, stand }),
        2 => (place.clone(), stand.clone()).prop_map(|(place, stand)| Step::Move { place, stand }),
        1 => (place.clone(), minutes).prop_map(|(place, minutes)| Step::Free { place, minutes }),
        1 => place.clone().prop_map(|place| Step::CancelAllocation { place }),
        1 => flight.clone().prop_map(|flight| Step::CancelFlight { flight }),
        1 => flight.clone().prop_map(|flight| Step::Reinstate { flight }),
        1 => (flight, 0_i64..300).prop_map(|(flight, minutes)| Step::Reschedule { flight, minutes }),
        2 => (stand.clone(), hour.clone(), length.clone()).prop_map(|(stand, from, length)| Step::Close { stand, from, length }),
        1 => (stand, hour, length).prop_map(|(stand, from, length)| Step::Reopen { stand, from, length }),
        1 => (10_i32..50).prop_map(|minutes| Step::Rule { minutes }),
        3 => (pass.clone(), 1_u16..4, 180_i32..260).prop_map(|(pass, car, height)| Step::Car { pass, car, height }),
        1 => pass.clone().prop_map(|pass| Step::Complete { pass }),
        2 => place.prop_map(|place| Step::Acknowledge { place }),
        1 => pass.prop_map(|pass| Step::Confirm { pass }),
    ]
}

fn at(minutes: i64) -> String {
    let start: DateTime<Utc> = "2026-01-15T08:00:00Z".parse().unwrap();
    (start + Duration::minutes(minutes)).to_rfc3339()
}

fn stand(n: usize) -> String {
    format!("LFW/C0{}", n + 1)
}

fn leg(flight: usize) -> Value {
    json!({ "site": "LFW", "carrier": "AF", "number": (860 + flight).to_string(), "date": "2026-01-15",
        "direction": "ARRIVAL", "airport": "CDG" })
}

fn flight(n: usize) -> String {
    format!("LFW/AF{}/2026-01-15/A/CDG", 860 + n)
}

async fn nth(server: &Server, query: &str, list: &str, place: usize) -> Option<String> {
    let data = server.data(query, json!({})).await;
    let nodes = data[list]["nodes"].as_array().unwrap();
    let chosen = nodes.get(place % nodes.len().max(1))?;
    Some(chosen["id"].as_str().unwrap().to_owned())
}

async fn allocation(server: &Server, place: usize) -> Option<String> {
    nth(server, "{ allocations(filter: { status: ACTIVE }) { nodes { id } } }", "allocations", place).await
}

async fn part(server: &Server, pass: usize, part: PassPart) {
    let header = PassHeader {
        pass: PassId::new(&format!("SANGATTE/P{pass}")).unwrap(),
        track: "1".to_owned(),
        passed_at: at(60).parse().unwrap(),
        train: None,
    };
    let order = vigie_commands::Order::new(uuid::Uuid::now_v7(), "feed:test");
    // A pass that is complete refuses other cars; then nothing has happened.
    let _ = server.services.executor.execute(&RecordPassPart { header, part }, order).await;
}

/// Carries a step out; what the rules refuse leaves no trace.
pub(crate) async fn carry_out(server: &Server, step: Step) {
    let (mutation, kind, input) = match step {
        Step::Report { flight, minutes, progress } => {
            let progress = match progress {
                0 => Value::Null,
                1 => json!({ "landed": at(minutes) }),
                2 => json!({ "arrived": at(minutes) }),
                _ => json!({ "estimated": at(minutes) }),
            };
            let scheduled = at(120 + 20 * i64::try_from(flight).unwrap());
            let input = json!({ "leg": leg(flight), "scheduledAt": scheduled, "progress": progress,
                "aircraftType": if flight % 2 == 0 { "A333" } else { "B738" } });
            ("reportFlight", "ReportFlightInput", input)
        }
        Step::Allocate { flight: n, stand: wanted } => {
            let input = json!({ "flight": flight(n), "stand": wanted.map(stand), "note": "by hand" });
            ("allocateStand", "AllocateStandInput", input)
        }
        Step::Move { place, stand: to } => {
            let Some(id) = allocation(server, place).await else { return };
            ("moveAllocation", "MoveAllocationInput", json!({ "allocation": id, "to": stand(to) }))
        }
        Step::Free { place, minutes } => {
            let Some(id) = allocation(server, place).await else { return };
            ("freeStand", "FreeStandInput", json!({ "allocation": id, "offBlockAt": at(minutes) }))
        }
        Step::CancelAllocation { place } => {
            let Some(id) = allocation(server, place).await else { return };
            ("cancelAllocation", "CancelAllocationInput", json!({ "allocation": id, "note": "not coming" }))
        }
        Step::CancelFlight { flight: n } => ("cancelFlight", "FlightInput", json!({ "flight": flight(n) })),
        Step::Reinstate { flight: n } => ("reinstateFlight", "FlightInput", json!({ "flight": flight(n) })),
        Step::Reschedule { flight, minutes } => {
            ("reportFlight", "ReportFlightInput", json!({ "leg": leg(flight), "scheduledAt": at(minutes) }))
        }
        Step::Close { stand: n, from, length } => {
            let input = json!({ "stand": stand(n), "from": at(60 * (from - 8)), "to": at(60 * (from - 8 + length)), "reason": "oil" });
            ("closeStand", "CloseStandInput", input)
        }
        Step::Reopen { stand: n, from, length } => {
            let input = json!({ "stand": stand(n), "from": at(60 * (from - 8)), "to": at(60 * (from - 8 + length)) });
            ("reopenStand", "ReopenStandInput", input)
        }
        Step::Rule { minutes } => {
            let turnaround = json!({ "min": minutes, "typical": minutes + 20, "max": minutes + 60 });
            let input = json!({ "site": "LFW", "aircraftType": "A333", "turnaround": turnaround });
            ("setTurnaroundRule", "SetTurnaroundRuleInput", input)
        }
        Step::Car { pass, car, height } => {
            let reading = |spring: &str| Reading {
                spring: spring.to_owned(),
                quantity: "height".to_owned(),
                unit: "mm".to_owned(),
                value: Measured::new(f64::from(height)).unwrap(),
                quality: Quality::Good,
            };
            let readings = vec![reading("L1"), reading("R1")];
            let car = CarPart { car, vehicle: None, camera: "cam-1".to_owned(), readings };
            return part(server, pass, PassPart::Car(car)).await;
        }
        Step::Complete { pass } => return part(server, pass, PassPart::Complete { cars: 3 }).await,
        Step::Acknowledge { place } => {
            let raised = "{ alerts(filter: { status: RAISED }) { nodes { id } } }";
            let Some(id) = nth(server, raised, "alerts", place).await else { return };
            ("acknowledgeAlert", "AcknowledgeAlertInput", json!({ "alert": id, "note": "seen" }))
        }
        Step::Confirm { pass } => {
            ("confirmPass", "ConfirmPassInput", json!({ "pass": format!("SANGATTE/P{pass}"), "note": "fine" }))
        }
    };
    let query = format!("mutation($input: {kind}!) {{ {mutation}(input: $input) {{ __typename }} }}");
    server.data(&query, json!({ "input": input })).await;
}
