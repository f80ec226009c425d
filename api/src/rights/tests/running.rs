//! What runs while rights change.

use futures_util::StreamExt;
use serde_json::{Value, json};
use uuid::Uuid;
use vigie_domain::identity::{
    CreateUser, DeactivateUser, EndReason, EndSession, Grant, GrantRole, Holder, IssueKey, ReactivateUser, RevokeKey,
    RevokeRole, SessionId, SignIn, SignInMethod, UserId,
};

use super::{OWN, Stage, everybody};
use crate::clock;
use crate::http::Caller;
use crate::http::testing::caller;
use crate::rights::{Denied, Lapse, Who};

fn grant(text: &str) -> Grant {
    text.parse().unwrap()
}

impl Stage {
    /// A person in a session, with these roles.
    pub(super) async fn person(&self, grants: &[&str]) -> (UserId, Who) {
        let (user, session) = (UserId::from(Uuid::now_v7()), SessionId::from(Uuid::now_v7()));
        let grants = grants.iter().map(|text| grant(text)).collect();
        self.command(CreateUser { user, grants, first: false }).await;
        self.command(SignIn { user, session, method: SignInMethod::Password }).await;
        self.known().await;
        (user, Who { holder: Holder::User(user), session: Some(session) })
    }

    pub(super) async fn known(&self) {
        self.services.directory.reached(self.services.log.head().await.unwrap()).await;
    }

    pub(super) fn as_they_are(&self, who: Who) -> Caller {
        let rights = self.services.directory.rights(who, clock::now()).unwrap();
        caller(&who.holder.to_string(), Some(who), &rights)
    }
}

const FLIGHTS: &str = "subscription($after: Position) { flightChanged(after: $after) { position flight { id site } } }";

/// The next item, which must come.
pub(super) async fn next(items: &mut futures_util::stream::BoxStream<'static, Value>) -> Option<Value> {
    tokio::time::timeout(std::time::Duration::from_secs(60), items.next())
        .await
        .expect("an item comes or the stream ends")
}

#[tokio::test]
async fn a_subscription_shows_the_sites_of_its_caller_and_ends_when_one_is_taken_away() {
    let stage = Stage::full().await;
    let (user, who) = stage.person(&["viewer@OWN", "viewer@OWNR"]).await;
    let after = json!({ "after": stage.caught_up().await });
    let mut items = stage.app.watch(&stage.as_they_are(who), FLIGHTS, &after).await;
    let first = async {
        stage.flight("ELSE", "200", "2026-01-15T12:00:00Z").await;
        stage.flight("OWN", "201", "2026-01-15T12:00:00Z").await;
    };
    let (item, ()) = tokio::join!(next(&mut items), first);
    let item = item.unwrap();
    assert_eq!(item["data"]["flightChanged"]["flight"]["site"], "OWN", "{item}");
    // More rights change nothing of what it shows.
    stage.command(GrantRole { holder: Holder::User(user), grant: grant("operator@OWN") }).await;
    stage.known().await;
    let (item, _) = tokio::join!(next(&mut items), stage.flight("OWN", "202", "2026-01-15T13:00:00Z"));
    assert_eq!(item.unwrap()["data"]["flightChanged"]["flight"]["id"], "OWN/AF202/2026-01-15/A/CDG");
    let revoke = stage.command(RevokeRole { holder: Holder::User(user), grant: grant("viewer@OWNR") });
    let (item, _) = tokio::join!(next(&mut items), revoke);
    assert_eq!(item.unwrap()["errors"][0]["extensions"], json!({ "code": "FORBIDDEN", "right": "READ" }));
    assert_eq!(next(&mut items).await, None);
}

#[tokio::test]
async fn live_lists_of_people_with_other_sites_are_not_shared() {
    let stage = Stage::full().await;
    let text = "subscription { liveStands { snapshot { id } } }";
    let (_, own) = stage.person(&["viewer@OWN"]).await;
    let (_, other) = stage.person(&["viewer@ELSE"]).await;
    let mut seen = Vec::new();
    for caller in [stage.as_they_are(own), stage.as_they_are(other), everybody()] {
        let mut items = stage.app.watch(&caller, text, &Value::Null).await;
        let snapshot = next(&mut items).await.unwrap()["data"]["liveStands"]["snapshot"].take();
        seen.push(
            snapshot
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["id"].as_str().unwrap()[..3].to_owned())
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(seen[0], ["OWN", "OWN"]);
    assert_eq!(seen[1], ["ELS", "ELS"]);
    assert_eq!(seen[2].len(), 4);
}

#[tokio::test]
async fn events_of_other_sites_are_passed_over_and_said_to_be() {
    let stage = Stage::full().await;
    let (_, who) = stage.person(&["integrator@OWN"]).await;
    let last = stage.caught_up().await;
    let mut items = stage
        .app
        .watch(
            &stage.as_they_are(who),
            "subscription { events(after: 0) { position event { site type } } }",
            &Value::Null,
        )
        .await;
    loop {
        let item = next(&mut items).await.unwrap();
        let item = &item["data"]["events"];
        assert!(item["event"].is_null() || item["event"]["site"] == OWN[0], "{item}");
        assert!(!item["event"]["type"].as_str().unwrap_or_default().starts_with("identity."), "{item}");
        if item["position"].as_i64().unwrap() >= last {
            break;
        }
    }
}

#[tokio::test]
async fn who_is_deactivated_or_signed_out_may_do_nothing_more() {
    let stage = Stage::empty().await;
    for ends in ["deactivated", "session", "expired"] {
        let (user, who) = stage.person(&["viewer"]).await;
        let Who { session, .. } = who;
        let mut person = stage.as_they_are(who);
        if ends == "expired" {
            person.ends_at = Some(clock::now() + chrono::TimeDelta::milliseconds(50));
        }
        let mut items = stage.app.watch(&person, FLIGHTS, &json!({})).await;
        let end = async {
            match ends {
                "deactivated" => drop(stage.command(DeactivateUser { user }).await),
                "session" => {
                    let session = session.unwrap();
                    stage.command(EndSession { session, reason: EndReason::Administrator }).await;
                }
                _ => {}
            }
        };
        let (item, ()) = tokio::join!(next(&mut items), end);
        assert_eq!(item.unwrap()["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{ends}");
        assert_eq!(next(&mut items).await, None, "{ends}");
        stage.known().await;
        let now = stage.services.directory.rights(who, clock::now());
        assert_eq!(now.is_err(), ends != "expired", "{ends}");
    }
}

#[tokio::test]
async fn a_session_does_not_come_back_with_its_owner() {
    let stage = Stage::empty().await;
    let (user, before) = stage.person(&["viewer"]).await;
    stage.command(DeactivateUser { user }).await;
    stage.command(ReactivateUser { user }).await;
    stage.known().await;
    let rights = |who| stage.services.directory.rights(who, clock::now());
    assert_eq!(rights(before), Err(Denied::Ended), "an access token of before works on");
    let session = SessionId::from(Uuid::now_v7());
    stage.command(SignIn { user, session, method: SignInMethod::Password }).await;
    stage.known().await;
    assert!(rights(Who { session: Some(session), ..before }).is_ok());
}

#[tokio::test]
async fn another_process_notices_what_is_granted_and_taken_away() {
    let stage = Stage::empty().await;
    let (user, who) = stage.person(&["operator"]).await;
    let log = vigie_eventlog::Log::open(stage.services.pool.clone()).await.unwrap();
    let other = super::Directory::start(&log).await.unwrap();
    let watching = other.watch(who).unwrap();
    let held = other.rights(who, clock::now()).unwrap();
    let needed = [crate::rights::Right::Operate];
    let revoke = stage.command(RevokeRole { holder: Holder::User(user), grant: grant("operator") });
    let (lapse, _) = tokio::join!(watching.lapses(&held, &needed, None), revoke);
    assert_eq!(lapse, Lapse::Right(crate::rights::Right::Operate));
    let key = vigie_domain::identity::KeyId::from(Uuid::now_v7());
    let who = Who { holder: Holder::Key(key), session: None };
    assert_eq!(other.rights(who, clock::now()), Err(Denied::Ended), "nobody knows that key");
    let expires_at = clock::now() + chrono::TimeDelta::hours(1);
    stage.command(IssueKey { key, expires_at, grants: [grant("integrator")].into() }).await;
    other.reached(stage.services.log.head().await.unwrap()).await;
    assert!(other.rights(who, clock::now()).is_ok());
    assert_eq!(other.rights(who, expires_at), Err(Denied::Ended), "it has expired then");
    stage.command(RevokeKey { key }).await;
    other.reached(stage.services.log.head().await.unwrap()).await;
    assert_eq!(other.rights(who, clock::now()), Err(Denied::Ended));
}

#[tokio::test]
async fn a_directory_that_does_not_follow_the_log_lets_nobody_do_anything() {
    let stage = Stage::empty().await;
    let (_, who) = stage.person(&["admin"]).await;
    let directory = &stage.services.directory;
    let (held, watching) = (directory.rights(who, clock::now()).unwrap(), directory.watch(who).unwrap());
    let (lapse, ()) = tokio::join!(watching.lapses(&held, &[], None), stage.services.log.close());
    assert_eq!(lapse, Lapse::Denied(Denied::Lost));
    assert_eq!(directory.rights(who, clock::now()), Err(Denied::Lost));
}
