//! The audit trail: who, what, why, before and after.

use serde_json::{Value, json};

use crate::audit::{Audit, AuditRow};
use crate::samples::*;
use crate::spec::given;

fn changes(row: &AuditRow) -> Vec<(&str, &Value, &Value)> {
    row.changes.iter().map(|change| (change.field.as_str(), &change.before, &change.after)).collect()
}

#[tokio::test]
async fn an_acknowledgement_shows_what_the_alert_was_before() {
    let about = || spring("p1");
    let events =
        [raised(1, about()), acknowledged(1, about()), resolved(1, about()), raised(2, about()), resolved(2, about())];
    let rows = given(events).await.rows::<Audit, AuditRow>().await;
    assert_eq!(changes(&rows[1]), [("status", &json!("raised"), &json!("acknowledged"))]);
    assert_eq!(changes(&rows[2]), [("status", &json!("acknowledged"), &json!("resolved"))]);
    assert_eq!(changes(&rows[4]), [("status", &json!("raised"), &json!("resolved"))]);
    let row = &rows[1];
    assert_eq!((row.actor.as_str(), row.command.as_str(), row.note.as_str()), ("operator:spec", "spec.given", "seen"));
    assert_eq!(row.things, [format!("alert:{}", alert_id(1)), "pass:SANGATTE/p1".to_owned()]);
}

#[tokio::test]
async fn a_stand_set_up_again_shows_only_what_changed() {
    let rows = given([stand("C03", 80), stand("C03", 95)]).await.rows::<Audit, AuditRow>().await;
    assert_eq!(changes(&rows[0]).len(), 4);
    assert_eq!(changes(&rows[1]), [("distance_m", &json!(80), &json!(95))]);
}

#[tokio::test]
async fn a_partial_reopening_shows_the_closed_times_before_and_after() {
    let events = [stand("C03", 80), closed("C03", hours(0, 6), vec![]), reopened("C03", hours(4, 2), vec![])];
    let rows = given(events).await.rows::<Audit, AuditRow>().await;
    let (whole, rest) = (json!([hours(0, 6)]), json!([hours(0, 4)]));
    assert_eq!(changes(&rows[1]), [("closed", &Value::Null, &whole)]);
    assert_eq!(changes(&rows[2]), [("closed", &whole, &rest)]);
}

#[tokio::test]
async fn an_allocation_is_found_by_stand_flight_and_allocation_but_not_by_technical_days() {
    let af = arrival(860);
    let given = given([flight(&af), allocated(1, "C03", &af, None), moved(1, "C03", "C05", &af)]).await;
    let rows = given.rows::<Audit, AuditRow>().await;
    let row = &rows[2];
    let stand =
        row.changes.iter().find(|change| change.field == "stand" && change.thing.starts_with("allocation")).unwrap();
    assert_eq!((&stand.before, &stand.after), (&json!("LFW/C03"), &json!("LFW/C05")));
    let things: Vec<String> =
        sqlx::query_scalar("select thing from read.audit_things where position = 3 order by thing")
            .fetch_all(&given.pool)
            .await
            .unwrap();
    let allocation = format!("allocation:{}", allocation_id(1));
    assert_eq!(things, [allocation, format!("flight:{af}"), "stand:LFW/C03".into(), "stand:LFW/C05".into()]);
}
