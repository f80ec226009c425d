//! Passes, alerts and confirmations.

use serde_json::{Value, json};
use vigie_domain::rail::{CarPart, PassHeader, PassId, PassPart, Quality, Reading, RecordPassPart, Value as Measured};
use vigie_domain::support::{DefineSite, SiteKind};
use vigie_eventlog::Query;

use crate::harness::{Server, site};

const PASS: &str = "SANGATTE/P1";

fn part(part: PassPart) -> RecordPassPart {
    let header = PassHeader {
        pass: PassId::new(PASS).unwrap(),
        track: "1".to_owned(),
        passed_at: "2026-01-15T04:12:00Z".parse().unwrap(),
        train: Some("9001".to_owned()),
    };
    RecordPassPart { header, part }
}

fn car(height: f64) -> PassPart {
    let reading = Reading {
        spring: "L1".to_owned(),
        quantity: "height".to_owned(),
        unit: "mm".to_owned(),
        value: Measured::new(height).unwrap(),
        quality: Quality::Good,
    };
    PassPart::Car(CarPart { car: 1, vehicle: None, camera: "cam-1".to_owned(), readings: vec![reading] })
}

async fn sangatte() -> Server {
    let server = Server::start().await;
    server.command(DefineSite(site("SANGATTE", SiteKind::Rail, "Europe/Paris"))).await;
    let limits = server
        .data(
            "mutation($input: SetLimitsInput!) { setLimits(input: $input) {
        ... on LimitsPayload { version } ... on Refusal { code message } } }",
            json!({ "input": { "site": "SANGATTE", "validFrom": "2026-01-01T00:00:00Z",
            "limits": [{ "quantity": "height", "unit": "mm", "alarmLow": 200, "warningLow": 220 }] } }),
        )
        .await;
    assert_eq!(limits["setLimits"]["version"], 1, "{limits}");
    server
}

const CONFIRM: &str = "mutation($pass: ID!) { confirmPass(input: { pass: $pass, note: \"looked at\" }) {
    __typename ... on PassPayload { appended earlier { by } pass { status confirmedBy confirmedNote } }
    ... on Refusal { code } ... on PassRefusal { missing alerts declared } } }";

async fn confirm(server: &Server) -> Value {
    server.data(CONFIRM, json!({ "pass": PASS })).await["confirmPass"].take()
}

#[tokio::test]
async fn a_pass_is_confirmed_once_its_alerts_are_acknowledged() {
    let server = sangatte().await;
    server.command(part(car(190.0))).await;
    let incomplete = confirm(&server).await;
    assert_eq!((&incomplete["__typename"], &incomplete["code"]), (&json!("PassRefusal"), &json!("PASS_INCOMPLETE")));

    server.command(part(PassPart::Complete { cars: 1 })).await;
    let mut follower = server.services.log.follow(Query::kinds(["alerts.alert_raised"]), 0);
    while follower.next().await.unwrap().events.is_empty() {}
    server.caught_up().await;
    let query = "query($id: ID!) { pass(id: $id) { status readyToConfirm openAlerts outOfLimits
        cars { number springs { spring value level bound } } alerts { id status severity } } }";
    let mut seen = server.data(query, json!({ "id": PASS })).await;
    let alert = seen["pass"]["alerts"][0]["id"].take();
    assert_eq!(
        seen["pass"]["cars"],
        json!([{ "number": 1, "springs": [{ "spring": "L1", "value": 190.0, "level": "ALARM", "bound": 200.0 }] }])
    );
    assert_eq!((&seen["pass"]["readyToConfirm"], &seen["pass"]["openAlerts"]), (&json!(false), &json!(1)));

    let refused = confirm(&server).await;
    assert_eq!((&refused["code"], &refused["alerts"]), (&json!("ALERTS_UNACKNOWLEDGED"), &json!([alert])));

    let acknowledge = "mutation($alert: ID!) { acknowledgeAlert(input: { alert: $alert, note: \"seen\" }) {
        ... on AlertPayload { appended earlier { note } alert { status acknowledgedNote pass { readyToConfirm } } } ... on Refusal { code } } }";
    let done = server.data(acknowledge, json!({ "alert": alert })).await;
    let expected = json!({ "appended": 1, "earlier": null, "alert": { "status": "ACKNOWLEDGED", "acknowledgedNote": "seen", "pass": { "readyToConfirm": true } } });
    assert_eq!(done["acknowledgeAlert"], expected);
    let again = server.data(acknowledge, json!({ "alert": alert })).await;
    assert_eq!(
        (&again["acknowledgeAlert"]["appended"], &again["acknowledgeAlert"]["earlier"]["note"]),
        (&json!(0), &json!("seen"))
    );

    let confirmed = confirm(&server).await;
    let pass = json!({ "status": "CONFIRMED", "confirmedBy": "operator:local", "confirmedNote": "looked at" });
    assert_eq!((&confirmed["appended"], &confirmed["pass"]), (&json!(1), &pass));
    let twice = confirm(&server).await;
    assert_eq!((&twice["appended"], &twice["earlier"]["by"]), (&json!(0), &json!("operator:local")));
}

#[tokio::test]
async fn an_unknown_or_resolved_alert_is_refused() {
    let server = sangatte().await;
    let unknown = "mutation { acknowledgeAlert(input: { alert: \"6f8d8c1e-58a4-5a69-9cf1-54a51e1b9a0c\" }) { ... on AlertRefusal { code alert } } }";
    let refused = server.data(unknown, json!({})).await;
    assert_eq!(refused["acknowledgeAlert"]["code"], "ALERT_UNKNOWN");
    server.command(part(car(210.0))).await;
    let mut follower = server.services.log.follow(Query::kinds(["alerts.alert_raised"]), 0);
    while follower.next().await.unwrap().events.is_empty() {}
    server.caught_up().await;
    let mut alerts = server.data("{ alerts { nodes { id severity } } }", json!({})).await;
    assert_eq!(alerts["alerts"]["nodes"][0]["severity"], "WARNING");
    let alert = alerts["alerts"]["nodes"][0]["id"].take();
    let resolve = "mutation($a: ID!) { resolveAlert(input: { alert: $a, reason: \"re-measured\" }) { ... on AlertPayload { alert { status } } ... on Refusal { code } } }";
    assert_eq!(server.data(resolve, json!({ "a": alert })).await["resolveAlert"]["alert"]["status"], "RESOLVED");
    let late = "mutation($a: ID!) { acknowledgeAlert(input: { alert: $a }) { ... on AlertRefusal { code resolved { note } } } }";
    let refused = server.data(late, json!({ "a": alert })).await;
    assert_eq!(refused["acknowledgeAlert"], json!({ "code": "ALERT_RESOLVED", "resolved": { "note": "re-measured" } }));
}
