//! Decisions and policies read what older versions have stored, and stop at what only a newer one can read.

use serde_json::{Value, json};
use uuid::Uuid;
use vigie_commands::policies::{Policies, PolicyStatus, status};
use vigie_commands::{Executor, Failure, reason};
use vigie_domain::airport::{
    Aircraft, AircraftType, AirportCode, AirportEvent, AssignAircraft, Carrier, Clock, CodeLetter, DefineStand,
    Details, Direction, FlightId, Leg, ObserveFlight, Placement, Progress, StandDefined, StandId, StandKind,
};
use vigie_domain::alerts::{AlertId, AlertKind};
use vigie_domain::kernel::spec;
use vigie_domain::policies;
use vigie_domain::rail::RailEvent;
use vigie_domain::support::{DefineSite, SiteDefined, SiteId, SiteKind, Zone};
use vigie_domain::{DecodeError, Event};
use vigie_eventlog::{Append, Log, Metadata, NewEvent, Query, testing};

use crate::common::{complete_pass, executor, give, history, order, set_up_rail};

const ASSIGNED: &str = "airport.aircraft_assigned";

fn lome() -> SiteId {
    SiteId::new("LFW").unwrap()
}

fn leg() -> Leg {
    Leg {
        site: lome(),
        carrier: Carrier::new("AF").unwrap(),
        number: "860".into(),
        date: spec::noon().date_naive(),
        direction: Direction::Arrival,
        airport: AirportCode::new("CDG").unwrap(),
        ordinal: 1,
    }
}

fn flight() -> FlightId {
    leg().id().unwrap()
}

async fn set_up(executor: &Executor) {
    let zone = Zone::new("Africa/Lome").unwrap();
    let site = SiteDefined { site: lome(), name: "Lomé".into(), kind: SiteKind::Airport, zone, icao: None };
    give(executor, DefineSite(site)).await;
    let report = ObserveFlight {
        leg: leg(),
        scheduled_at: spec::noon(),
        details: Details::default(),
        progress: Progress::Scheduled,
        placement: Placement::default(),
        aircraft_type: None,
        clock: Clock { source: "test".into(), observed_at: spec::noon() },
        confirmed_at: None,
    };
    give(executor, report).await;
}

fn assign(aircraft_type: &str, registration: &str) -> AssignAircraft {
    let aircraft_type = AircraftType::new(aircraft_type).unwrap();
    AssignAircraft { flight: flight(), aircraft_type, registration: Some(registration.into()) }
}

/// Appends an event as another version of the program would.
async fn append(log: &Log, kind: &str, version: u16, site: &str, tags: Vec<String>, data: &Value) -> i64 {
    let (occurred_at, command_id) = (spec::noon(), Uuid::now_v7());
    let (kind, site, data) = (kind.to_owned(), site.to_owned(), data.to_string());
    let metadata = Metadata {
        command_id,
        command: "spec.given".into(),
        correlation_id: command_id,
        causation_id: None,
        actor: "operator:test".into(),
        traceparent: None,
    };
    let events = vec![NewEvent { kind, version, site, tags, data, occurred_at }];
    log.append(Append { events, metadata, conditions: Vec::new(), answer: None }).await.unwrap().last
}

async fn append_assigned(log: &Log, version: u16, data: Value) -> i64 {
    let clock = Clock { source: "test".into(), observed_at: spec::noon() };
    let mut event = json!({ "flight": flight(), "site": lome(), "clock": clock });
    event.as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
    append(log, ASSIGNED, version, "LFW", vec![flight().tag().into_string()], &event).await
}

#[tokio::test]
async fn a_decision_reads_what_version_1_has_stored() {
    let executor = executor(&testing::database().await).await;
    set_up(&executor).await;
    let stored = json!({ "aircraft_type": "A333", "registration": "F-GZCA", "was": null });
    append_assigned(executor.log(), 1, stored).await;
    let same = executor.execute(&assign("A333", "F-GZCA"), order()).await.unwrap();
    assert_eq!(same.appended, 0, "the aircraft is known from the old event");
    give(&executor, assign("A333", "F-GZCB")).await;
    let (_, last) = history(executor.log()).await.pop().unwrap();
    let Event::Airport(AirportEvent::AircraftAssigned(assigned)) = last else { panic!("{last:?}") };
    let was = Aircraft { aircraft_type: AircraftType::new("A333").unwrap(), registration: Some("F-GZCA".into()) };
    assert_eq!(assigned.was, Some(was));
}

#[tokio::test]
async fn a_newer_version_stops_the_decisions_that_read_it_and_no_other() {
    let executor = executor(&testing::database().await).await;
    set_up(&executor).await;
    let bad = append_assigned(executor.log(), 3, json!({ "airframe": 4711 })).await;
    let failure = executor.execute(&assign("A333", "F-GZCA"), order()).await.unwrap_err();
    assert!(
        matches!(&failure, Failure::Unreadable { position, source: DecodeError::NewerVersion { found: 3, known: 2, .. } } if *position == bad),
        "{failure:?}"
    );
    let told = reason(&failure);
    for word in [&format!("position {bad}"), ASSIGNED, "version 3", "up to version 2", "upgrade vigie"] {
        assert!(told.contains(word), "{told}");
    }
    assert_eq!(executor.log().head().await.unwrap(), bad, "nothing was decided without it");
    let stand = StandId::at(&lome(), "C01").unwrap();
    let (kind, code) = (StandKind::Civil, CodeLetter::C);
    give(&executor, DefineStand(StandDefined { stand, site: lome(), kind, code, jetway: true, distance_m: 9 })).await;
}

/// Waits until each policy has come to the end of the log or has stopped.
async fn settled(log: &Log, pool: &sqlx::PgPool) -> Vec<PolicyStatus> {
    let head = log.head().await.unwrap();
    loop {
        let all = status(pool).await.unwrap();
        if all.len() == policies::ALL.len() && all.iter().all(|p| p.error.is_some() || p.position >= head) {
            return all;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_newer_version_stops_the_policy_that_reacts_to_it_and_no_other() {
    let pool = testing::database().await;
    let executor = executor(&pool).await;
    set_up_rail(&executor).await;
    let tags = vec!["pass:SANGATTE/p1".to_owned()];
    let bad = append(executor.log(), "rail.spring_out_of_limits", 2, "SANGATTE", tags, &json!({})).await;
    let unknown = append(executor.log(), "rail.wheel_was_flat", 1, "SANGATTE", vec![], &json!({})).await;
    let running = Policies::start(&executor, &pool, policies::ALL, &crate::common::time());
    let all = settled(executor.log(), &pool).await;
    running.stop().await;
    for policy in all {
        if policy.name == "alerts.spring_out_of_limits" {
            assert_eq!(policy.error_position, Some(bad));
            assert!(policy.position < bad, "{policy:?}");
            let told = policy.error.unwrap();
            for word in ["rail.spring_out_of_limits", "version 2", "up to version 1", "upgrade vigie"] {
                assert!(told.contains(word), "{told}");
            }
        } else {
            assert_eq!((policy.error, policy.position), (None, unknown), "{}", policy.name);
        }
    }
    assert_eq!(executor.log().read(&Query::all(), vigie_eventlog::Read::after(unknown)).await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_policy_whose_command_reads_a_newer_version_stops_and_names_both_events() {
    let pool = testing::database().await;
    let executor = executor(&pool).await;
    set_up_rail(&executor).await;
    let pass = complete_pass(&executor, "p1", 100.0).await;
    let out_of_limits = |(position, event): (i64, Event)| match event {
        Event::Rail(RailEvent::SpringOutOfLimits(breach)) => Some((position, breach)),
        _ => None,
    };
    let (cause, breach) = history(executor.log()).await.into_iter().find_map(out_of_limits).unwrap();
    // The alert that the policy would raise is there already, told by a newer version.
    let id = AlertId::of(AlertKind::SpringOutOfLimits, &breach.alert_cause());
    let tags = vec![id.tag().into_string(), pass.tag().into_string()];
    let bad = append(executor.log(), "alerts.alert_raised", 2, "SANGATTE", tags, &json!({})).await;
    let running = Policies::start(&executor, &pool, policies::ALL, &crate::common::time());
    let all = settled(executor.log(), &pool).await;
    running.stop().await;
    let stopped = all.iter().find(|policy| policy.name == "alerts.spring_out_of_limits").unwrap();
    assert_eq!(stopped.error_position, Some(cause));
    let told = stopped.error.as_ref().unwrap();
    assert!(told.contains(&format!("position {bad}")) && told.contains("upgrade vigie"), "{told}");
}
