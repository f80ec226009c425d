//! Old versions are lifted; unknown types and newer versions stop who reads them, and nobody else.

use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;
use vigie_eventlog::{Log, NewEvent, testing};

use super::consumers::{names, start};
use crate::airport::{FlightRow, Flights};
use crate::audit::{Audit, AuditRow};
use crate::samples::*;
use crate::spec::{Given, append, given, new_event};
use crate::{ProjectionError, State, Status, StoppedBy, rebuild, status, verify};

const SOON: Duration = Duration::from_secs(20);
const ASSIGNED: &str = "airport.aircraft_assigned";

/// An aircraft assigned to AF860, as `version` might store it.
fn assigned(version: u16, data: serde_json::Value) -> NewEvent {
    let mut event = json!({ "flight": arrival(860), "site": lome(), "clock": clock(1) });
    event.as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
    let like = new_event(&flight(&arrival(860)));
    NewEvent { kind: ASSIGNED.into(), version, data: event.to_string(), ..like }
}

fn of_version_1(aircraft_type: &str, registration: Option<&str>, was: Option<&str>) -> NewEvent {
    assigned(1, json!({ "aircraft_type": aircraft_type, "registration": registration, "was": was }))
}

fn of_version_3() -> NewEvent {
    assigned(3, json!({ "airframe": 4711 }))
}

async fn status_of(given: &Given, name: &str) -> Status {
    status(&given.pool).await.unwrap().into_iter().find(|status| status.name == name).unwrap()
}

/// Everybody but those has come to the end of the log; those have stopped at `bad` for a reason that holds every word.
async fn assert_stopped(given: &Given, stopped: &[&str], bad: i64, words: &[&str]) {
    let (running, shutdown) = start(given).await;
    let head = given.log.head().await.unwrap();
    let others: Vec<&str> = names().into_iter().filter(|name| !stopped.contains(name)).collect();
    running.wait_for(&others, head, SOON).await.unwrap();
    for name in stopped {
        let behind = running.wait_for(&[name], head, SOON).await.unwrap_err();
        let Some(StoppedBy { position, reason }) = &behind.stopped else { panic!("{behind:?}") };
        assert_eq!((*position, behind.position), (bad, bad - 1), "{name}");
        let told = behind.to_string();
        assert!(told.contains(&format!("event at position {bad}")), "{told}");
        assert!(words.iter().all(|word| reason.contains(word) && told.contains(word)), "{told}");
        let status = status_of(given, name).await;
        assert_eq!(
            (status.state, status.error_position, status.error.as_ref()),
            (State::Stopped, Some(bad), Some(reason))
        );
    }
    shutdown.cancel();
    running.stopped().await;
}

#[tokio::test]
async fn what_version_1_has_stored_is_folded_as_todays_shape() {
    let given = given([flight(&arrival(860))]).await;
    append(&given.log, vec![of_version_1("A332", None, None), of_version_1("A333", Some("F-GZCA"), Some("A332"))])
        .await;
    let rows = given.rows::<Flights, FlightRow>().await;
    assert_eq!(rows[0].aircraft_type.as_ref().map(|known| known.as_str()), Some("A333"));
    assert_eq!(rows[0].registration.as_deref(), Some("F-GZCA"));
    let trail = given.rows::<Audit, AuditRow>().await;
    let told: Vec<_> = trail[2].changes.iter().map(|c| (c.field.as_str(), c.before.clone(), c.after.clone())).collect();
    let expected = [("aircraft_type", json!("A332"), json!("A333")), ("registration", json!(null), json!("F-GZCA"))];
    assert_eq!((told.as_slice(), trail[2].action.contains("assigned aircraft A333")), (expected.as_slice(), true));
}

#[tokio::test]
async fn a_newer_version_stops_the_read_models_of_its_type_and_no_other() {
    let given = given([site("Lomé"), flight(&arrival(860))]).await;
    let bad = append(&given.log, vec![of_version_3()]).await;
    given.and([stand("C03", 80), flight(&arrival(861))]).await;
    let words = [ASSIGNED, "version 3", "up to version 2", "upgrade vigie"];
    assert_stopped(&given, &["flights", "audit"], bad, &words).await;
    assert_eq!(given.stored::<FlightRow>().await.len(), 1, "what came before is there, and nothing after");
}

#[tokio::test]
async fn an_unknown_type_stops_the_trail_alone_since_nobody_else_asks_for_it() {
    let given = given([site("Lomé")]).await;
    let stranger = NewEvent { kind: "airport.from_the_future".into(), version: 4, ..new_event(&site("x")) };
    let bad = append(&given.log, vec![stranger]).await;
    given.and([stand("C03", 80)]).await;
    let words = ["\"airport.from_the_future\" (version 4)", "newer vigie", "upgrade vigie"];
    assert_stopped(&given, &["audit"], bad, &words).await;
}

#[tokio::test]
async fn a_rebuild_and_a_verification_stop_at_it_too_and_leave_the_rows_as_they_are() {
    let given = given([flight(&arrival(860))]).await;
    let (running, shutdown) = start(&given).await;
    running.wait_for(&["flights"], 1, SOON).await.unwrap();
    let bad = append(&given.log, vec![of_version_3()]).await;
    running.wait_for(&["flights"], bad, SOON).await.unwrap_err();
    let (progress, cancel) = (|_| {}, CancellationToken::new());
    let rebuilt = rebuild(&given.pool, &given.log, "flights", &progress, &cancel).await.unwrap_err();
    assert!(matches!(&rebuilt, ProjectionError::BadEvent { position, .. } if *position == bad), "{rebuilt:?}");
    assert!(rebuilt.to_string().contains("upgrade vigie"), "{rebuilt}");
    assert_eq!(given.stored::<FlightRow>().await.len(), 1);
    // The read model has stopped before the event, and is what the log says up to there.
    let verified = verify(&given.pool, &given.log, "flights", &progress, &cancel).await.unwrap();
    assert_eq!((verified.position, verified.differing_rows), (bad - 1, 0));
    shutdown.cancel();
    running.stopped().await;
}

#[tokio::test]
async fn once_it_can_be_read_the_next_start_goes_on_where_it_was() {
    let given = given([flight(&arrival(860))]).await;
    let aircraft = json!({ "aircraft": { "type": "A333", "registration": "F-GZCA" }, "was": null });
    let bad = append(&given.log, vec![assigned(3, aircraft)]).await;
    assert_stopped(&given, &["flights", "audit"], bad, &["version 3"]).await;
    // As if this build were the newer one: the event is of a version that it reads.
    let owner = testing::owner(&given.pool).await;
    sqlx::query("alter table event disable trigger event_never_changes").execute(&owner).await.unwrap();
    let changed = sqlx::query("update event set version = 2 where position = $1").bind(bad);
    assert_eq!(changed.execute(&owner).await.unwrap().rows_affected(), 1);
    let given = Given { log: Log::open(given.pool.clone()).await.unwrap(), ..given };
    let (running, shutdown) = start(&given).await;
    running.wait_for(&names(), bad, SOON).await.unwrap();
    assert_eq!(status_of(&given, "flights").await.state, State::Running);
    assert_eq!(given.stored::<FlightRow>().await[0].registration.as_deref(), Some("F-GZCA"));
    shutdown.cancel();
    running.stopped().await;
}
