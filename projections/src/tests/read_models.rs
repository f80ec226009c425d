//! Each read model: built, delivered twice, folded in memory, rebuilt (see [`crate::spec`]).

use chrono::Duration;
use serde_json::json;
use vigie_domain::airport::*;
use vigie_domain::identity::{
    Grant, Holder, KeyId, KeyIssued, KeyRevoked, Role, RoleGranted, RoleRevoked, UserCreated, UserDeactivated,
    UserErased, UserId,
};
use vigie_domain::rail::{Level, Limit, LimitsSet, PassReopened, Value};
use vigie_domain::webhooks::{
    DisableReason, EndpointDisabled, EndpointEnabled, EndpointId, EndpointRegistered, EndpointRemoved,
    EndpointSettings, EndpointUrl, Filter, Headers, OnExhaustion, Secret, SecretKind, SecretRotated, Target, Timeout,
};
use vigie_domain::{CONTEXTS, Event};

use crate::airport::{
    AllocationRow, AllocationStatus, Allocations, FlightRow, Flights, StandRow, Stands, TurnaroundRuleRow,
    TurnaroundRules,
};
use crate::alerts::{AlertRow, AlertStatus, Alerts};
use crate::identity::{AccountKind, AccountRow, AccountState, Accounts};
use crate::rail::{CarRow, PassRow, PassStatus, Passes, SpringLimits, SpringLimitsRow, SpringRow};
use crate::samples::*;
use crate::spec::{entry, given, noon};
use crate::support::{SiteRow, Sites};
use crate::webhooks::{EndpointRow, EndpointState, Endpoints};

#[tokio::test]
async fn a_site_keeps_its_rules_when_it_is_renamed() {
    let rules = AllocationRulesSet {
        site: lome(),
        version: 1,
        buffer_minutes: 20,
        default_turnaround: Turnaround::minutes(30, 60, 120).unwrap(),
        weights: Weights::default(),
    };
    let rows = given([site("Lome"), rules.into(), site("Lomé")]).await.rows::<Sites, SiteRow>().await;
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!((row.name.as_str(), row.buffer_minutes, row.rules_version, row.position), ("Lomé", Some(20), 1, 3));
}

#[tokio::test]
async fn a_turnaround_rule_set_again_replaces_the_old_one() {
    let rule = |typical| {
        let aircraft_type = AircraftType::new("B738").unwrap();
        let turnaround = Turnaround::minutes(30, typical, 90).unwrap();
        TurnaroundRuleSet { site: lome(), aircraft_type, turnaround }.into()
    };
    let rows = given([rule(45), rule(50)]).await.rows::<TurnaroundRules, TurnaroundRuleRow>().await;
    assert_eq!(rows.iter().map(|row| row.typical_minutes).collect::<Vec<_>>(), [50]);
}

#[tokio::test]
async fn a_stand_reopened_in_the_middle_is_closed_before_and_after() {
    let events =
        [stand("C03", 80), closed("C03", hours(0, 6), vec![]), reopened("C03", hours(2, 1), vec![]), stand("C03", 90)];
    let rows = given(events).await.rows::<Stands, StandRow>().await;
    let closures: Vec<_> = rows[0].closures.iter().map(|closure| (closure.from, closure.to)).collect();
    let ends = |interval: vigie_domain::kernel::Interval| (interval.from(), interval.to());
    assert_eq!(closures, [ends(hours(0, 2)), ends(hours(3, 3))]);
    assert_eq!((rows[0].distance_m, rows[0].name.as_str()), (90, "C03"));
}

#[tokio::test]
async fn a_flight_shows_its_progress_and_the_stand_of_its_turnaround() {
    let (comes, goes) = (arrival(860), flight_id(861, Direction::Departure));
    let link = TurnaroundLinked { site: lome(), arrival: comes.clone(), departure: goes.clone() };
    let aircraft_type = AircraftType::new("B738").unwrap();
    let aircraft = Aircraft { aircraft_type, registration: Some("F-GZHA".into()) };
    let aircraft = AircraftAssigned { flight: comes.clone(), site: lome(), aircraft, was: None, clock: clock(1) };
    let events = [
        flight(&comes),
        flight(&goes),
        aircraft.into(),
        link.into(),
        estimated(&comes, 90),
        allocated(1, "C03", &comes, Some(&goes)),
    ];
    let given = given(events).await;
    let rows = given.rows::<Flights, FlightRow>().await;
    assert_eq!(rows.len(), 2);
    for row in &rows {
        assert_eq!((row.stand.as_ref(), row.allocation), (Some(&stand_id("C03")), Some(allocation_id(1))));
    }
    let row = rows.iter().find(|row| row.flight == comes).unwrap();
    assert_eq!((row.progress.as_str(), row.best_at), ("estimated", noon() + Duration::minutes(90)));
    assert_eq!((row.code, row.turnaround.as_ref()), (Some(CodeLetter::C), Some(&goes)));

    let gone = FlightCancelled {
        flight: comes.clone(),
        site: lome(),
        was: Progress::Scheduled,
        note: note("fog"),
        clock: clock(95),
    };
    given.and([cancelled(1, "C03", &comes), gone.into()]).await;
    let rows = given.rows::<Flights, FlightRow>().await;
    let row = rows.iter().find(|row| row.flight == comes).unwrap();
    assert!(row.cancelled && row.stand.is_none() && row.best_at == row.scheduled_at);
}

#[tokio::test]
async fn an_allocation_tells_its_moves_its_conflict_and_its_end() {
    let af = arrival(860);
    let hit = AllocationHit { allocation: allocation_id(1), flight: af.clone(), interval: hours(1, 2) };
    let events = [allocated(1, "C03", &af, None), closed("C03", hours(2, 1), vec![hit])];
    let given = given(events).await;
    let rows = given.rows::<Allocations, AllocationRow>().await;
    assert_eq!((rows[0].status, rows[0].conflict.as_deref()), (AllocationStatus::Active, Some("oil spill")));

    given.and([moved(1, "C03", "C05", &af), freed(1, "C05", &af)]).await;
    let rows = given.rows::<Allocations, AllocationRow>().await;
    let row = &rows[0];
    assert_eq!((row.status, &row.stand, row.conflict.as_ref()), (AllocationStatus::Freed, &stand_id("C05"), None));
    assert_eq!((row.to_at, row.planned_to), (Some(noon() + Duration::minutes(150)), hours(1, 2).to()));
    assert_eq!(
        row.moves.iter().map(|m| (&m.from, m.by.as_str())).collect::<Vec<_>>(),
        [(&stand_id("C03"), "operator:spec")]
    );
}

#[tokio::test]
async fn an_alert_tells_who_acknowledged_it_and_why_it_was_resolved() {
    let about = || spring("p1");
    let given = given([raised(1, about()), acknowledged(1, about()), resolved(1, about()), raised(2, about())]).await;
    let rows = given.rows::<Alerts, AlertRow>().await;
    let row = rows.iter().find(|row| row.alert == alert_id(1)).unwrap();
    assert_eq!((row.status, row.acknowledged_by.as_deref()), (AlertStatus::Resolved, Some("operator:spec")));
    assert_eq!(
        (row.acknowledged_note.as_deref(), row.resolved_reason.as_deref()),
        (Some("seen"), Some("measured again"))
    );
    assert_eq!(row.pass, Some(pass_id("p1")));
    assert_eq!(rows.iter().find(|row| row.alert == alert_id(2)).unwrap().status, AlertStatus::Raised);
}

#[tokio::test]
async fn a_pass_may_be_confirmed_once_it_is_complete_and_its_alerts_are_settled() {
    let given =
        given([pass("p1"), car("p1", 2, &[250.0]), car("p1", 1, &[201.25, 249.0]), out_of_limits("p1", 1, 201.25)])
            .await;
    given.and(completed("p1", 2)).await;
    given.and([raised(1, spring("p1"))]).await;
    let row = given.rows::<Passes, PassRow>().await.remove(0);
    assert_eq!((row.status, row.measured_cars, row.springs, row.out_of_limits), (PassStatus::Complete, 2, 3, 1));
    assert_eq!((row.ready_to_confirm, row.open_alerts), (false, vec![alert_id(1)]));

    given.and([acknowledged(1, spring("p1"))]).await;
    assert!(given.rows::<Passes, PassRow>().await[0].ready_to_confirm);

    given.and([confirmed("p1", vec![alert_id(1)])]).await;
    let row = given.rows::<Passes, PassRow>().await.remove(0);
    assert_eq!((row.status, row.ready_to_confirm), (PassStatus::Confirmed, false));

    let late = PassReopened { pass: pass_id("p1"), site: sangatte(), alert: alert_id(2) };
    given.and([raised(2, spring("p1")), late.into()]).await;
    let row = given.rows::<Passes, PassRow>().await.remove(0);
    assert_eq!((row.status, row.reopened_by, row.ready_to_confirm), (PassStatus::Reopened, Some(alert_id(2)), false));
}

#[tokio::test]
async fn cars_and_springs_show_what_is_out_of_limits() {
    let given = given([pass("p1"), car("p1", 1, &[201.25, 249.0]), out_of_limits("p1", 1, 201.25)]).await;
    let springs = given.rows::<Passes, SpringRow>().await;
    let levels: Vec<_> = springs.iter().map(|row| (row.spring.as_str(), row.value.get(), row.level)).collect();
    assert_eq!(levels, [("L1", 201.25, Some(Level::Alarm)), ("L2", 249.0, None)]);
    let cars = given.rows::<Passes, CarRow>().await;
    assert_eq!((cars[0].springs, cars[0].out_of_limits, cars[0].worst_level), (2, 1, Some(Level::Alarm)));
}

#[tokio::test]
async fn every_version_of_the_limits_is_kept() {
    let limits = |version, low| {
        let alarm_low = Some(Value::new(low).unwrap());
        let limit = Limit {
            quantity: "height".into(),
            unit: "mm".into(),
            alarm_low,
            warning_low: None,
            warning_high: None,
            alarm_high: None,
        };
        LimitsSet { site: sangatte(), version, valid_from: noon(), limits: vec![limit] }.into()
    };
    let rows = given([limits(1, 210.1), limits(2, 205.3)]).await.rows::<SpringLimits, SpringLimitsRow>().await;
    assert_eq!(serde_json::to_value(&rows[1].limits).unwrap()[0]["alarm_low"], json!(205.3));
    assert_eq!(rows.len(), 2);
}

/// Golden files hold every event type: a read model asks for rows exactly for the types that it names.
#[test]
fn the_types_that_a_read_model_names_are_those_that_touch_its_rows() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../domain/golden");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let mut events: Vec<Event> = files.map(|path| golden(&path)).collect();
    assert!(events.len() >= 30, "the golden files are in {folder}");
    // The golden resolution is about an allocation.
    events.push(resolved(1, spring("p1")));
    for model in crate::MODELS {
        let mut touching = std::collections::BTreeSet::new();
        for event in &events {
            let mut rows = crate::Rows::new((model.tables)());
            (model.keys)(&entry(event), &mut rows);
            if rows.any() {
                touching.insert(event.name().to_owned());
            }
        }
        let named = model.events.iter().map(|kind| (*kind).to_owned()).collect();
        let every =
            model.events.is_empty() && touching.len() == CONTEXTS.iter().map(|types| types.len()).sum::<usize>();
        assert!(every || touching == named, "{}: {touching:?} touch rows, {named:?} are named", model.name);
    }
}

fn golden(path: &std::path::Path) -> Event {
    let name = path.file_name().unwrap().to_str().unwrap();
    let (kind, version) = name.split_once(".v").unwrap();
    let version = version.split('.').next().unwrap().parse().unwrap();
    Event::decode(kind, version, &std::fs::read_to_string(path).unwrap()).unwrap()
}

#[tokio::test]
async fn who_can_hold_roles_shows_state_and_roles_and_loses_them_for_good_with_an_erasure() {
    let (user, key) = (UserId::from(uuid::Uuid::from_u128(1)), KeyId::from(uuid::Uuid::from_u128(2)));
    let (person, program) = (Holder::User(user), Holder::Key(key));
    let (everywhere, here) = (Grant::everywhere(Role::Viewer), Grant::at(Role::Operator, lome()));
    let events = [
        UserCreated { user }.into(),
        RoleGranted::of(person, here.clone()).into(),
        RoleGranted::of(person, everywhere.clone()).into(),
        RoleRevoked::of(person, here.clone()).into(),
        KeyIssued { key, expires_at: noon() }.into(),
        RoleGranted::of(program, here.clone()).into(),
        UserDeactivated { user }.into(),
    ];
    let rows = given(events.clone()).await.rows::<Accounts, AccountRow>().await;
    let told = |row: &AccountRow| (row.kind, row.state, row.grants.clone());
    assert_eq!(told(&rows[0]), (AccountKind::User, AccountState::Deactivated, vec![everywhere]));
    assert_eq!(told(&rows[1]), (AccountKind::Key, AccountState::Active, vec![here]));
    assert_eq!(rows[1].expires_at, Some(noon()));
    let gone = [UserErased { user }.into(), KeyRevoked { key }.into()];
    let rows = given(events.into_iter().chain(gone)).await.rows::<Accounts, AccountRow>().await;
    assert_eq!(told(&rows[0]), (AccountKind::User, AccountState::Erased, vec![]));
    assert_eq!(told(&rows[1]), (AccountKind::Key, AccountState::Revoked, vec![]));
}

fn endpoint_settings() -> EndpointSettings {
    EndpointSettings {
        description: note("stand board"),
        target: Target { url: EndpointUrl::new("https://receiver.example/hook").unwrap(), query: None },
        filter: Filter::default(),
        ordering: None,
        on_exhaustion: OnExhaustion::SetAside,
        rate: None,
        timeout: Timeout::default(),
        retries: None,
        headers: Headers::default(),
    }
}

#[tokio::test]
async fn an_endpoint_shows_why_it_is_disabled_and_which_secrets_sign_and_none_once_it_is_removed() {
    let endpoint = EndpointId::from(uuid::Uuid::from_u128(1));
    let site = Some(lome());
    let hmac = |number| Secret { id: uuid::Uuid::from_u128(number).into(), kind: SecretKind::Hmac, public_key: None };
    let (settings, secrets) = (endpoint_settings(), vec![hmac(1)]);
    let rotated = |number, old, until| SecretRotated {
        endpoint,
        site: site.clone(),
        secret: hmac(number),
        retired: vec![hmac(old).id],
        until,
    };
    let later = noon() + Duration::hours(1);
    let events: Vec<Event> = vec![
        EndpointRegistered { endpoint, site: site.clone(), settings: settings.clone(), secrets, after: None }.into(),
        rotated(2, 1, noon() - Duration::hours(1)).into(),
        rotated(3, 2, later).into(),
        EndpointDisabled { endpoint, site: site.clone(), reason: DisableReason::Failing }.into(),
    ];
    let rows = given(events.clone()).await.rows::<Endpoints, EndpointRow>().await;
    let [row] = &rows[..] else { panic!("one endpoint, not {rows:?}") };
    assert_eq!((row.state, row.disabled_reason), (EndpointState::Disabled, Some(DisableReason::Failing)));
    assert_eq!((row.after, row.settings.clone()), (1, settings));
    let secrets: Vec<_> = row.secrets.iter().map(|secret| (secret.id, secret.until)).collect();
    assert_eq!(secrets, [(hmac(2).id, Some(later)), (hmac(3).id, None)], "what ended earlier is not carried along");
    let enabled = EndpointEnabled { endpoint, site: site.clone() }.into();
    let rows = given(events.clone().into_iter().chain([enabled])).await.rows::<Endpoints, EndpointRow>().await;
    assert_eq!((rows[0].state, rows[0].disabled_reason, rows[0].disabled_at), (EndpointState::Enabled, None, None));
    let gone = EndpointRemoved { endpoint, site: site.clone() }.into();
    let rows = given(events.into_iter().chain([gone])).await.rows::<Endpoints, EndpointRow>().await;
    assert_eq!((rows[0].state, rows[0].secrets.len()), (EndpointState::Removed, 0));
}
