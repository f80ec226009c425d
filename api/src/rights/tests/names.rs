//! Who is told what somebody is called.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;
use vigie_commands::Order;
use vigie_domain::identity::{Grant, Holder, RevokeRole};

use super::{MARK, OTHER, OWN, Stage, mutation, own_rights};
use crate::accounts::{Details, NewUser, Username};
use crate::http::Caller;
use crate::http::testing::caller;
use crate::rights::Rights;

impl Stage {
    /// A user who is called so, in the log.
    async fn called(&self, name: &str, grants: &[&str]) -> String {
        let details = Details {
            username: Username::new(name).unwrap(),
            full_name: String::new(),
            email: None,
            note: String::new(),
        };
        let grants: BTreeSet<Grant> = grants.iter().map(|text| text.parse().unwrap()).collect();
        let new = NewUser { details, grants, first: false };
        let done = self.services.accounts.create_user(new, Order::new(Uuid::now_v7(), "operator:all")).await.unwrap();
        self.known().await;
        format!("user:{}", done.answer)
    }

    async fn names(&self, caller: &Caller, actors: &[&str]) -> Value {
        let text = "query($actors: [String!]!) { actorNames(actors: $actors) }";
        self.ask(caller, text, json!({ "actors": actors })).await["data"]["actorNames"].take()
    }
}

#[tokio::test]
async fn somebody_is_named_to_those_who_see_a_site_at_which_they_may_have_acted() {
    let stage = Stage::empty().await;
    stage.airport(OWN[0], "plain").await;
    stage.rail(OWN[1], "plain").await;
    let near = stage.called("near", &["operator@OWN"]).await;
    let gone = stage.called("gone", &["operator@OWN"]).await;
    let holder: Holder = Holder::new(&gone).unwrap();
    stage.command(RevokeRole { holder, grant: "operator@OWN".parse().unwrap() }).await;
    stage.known().await;
    let far = stage.called("far", &["operator@OWNR"]).await;
    let all = stage.called("all", &["admin"]).await;
    let new = stage.called("new", &[]).await;
    let actors = [&near, &gone, &far, &all, &new].map(String::as_str);
    let rights = |grants: &[&str]| {
        let grants: BTreeSet<Grant> = grants.iter().map(|text| text.parse().unwrap()).collect();
        Rights::of(&grants)
    };
    for (reader, seen) in [
        (caller("user:reader", None, &rights(&["viewer@OWN"])), json!(["near", "gone", null, "all", null])),
        (caller(&new, None, &rights(&["viewer@ELSE"])), json!([null, null, null, "all", "new"])),
        (caller("user:reader", None, &rights(&["viewer"])), json!(["near", "gone", "far", "all", "new"])),
        (super::everybody(), json!(["near", "gone", "far", "all", "new"])),
    ] {
        assert_eq!(stage.names(&reader, &actors).await, seen, "{:?}", reader.actor);
    }
}

#[tokio::test]
async fn what_is_refused_about_an_alert_is_shown_to_the_auditors_of_its_site() {
    let stage = Stage::full().await;
    let alert = stage.world(OTHER).await.alert;
    let input = json!({ "input": { "alert": alert, "reason": MARK } });
    for _ in 0..2 {
        stage.ask(&super::everybody(), &mutation("resolveAlert", "ResolveAlertInput"), input.clone()).await;
    }
    let own = caller("user:person", None, &own_rights());
    stage.ask(&own, &mutation("resolveAlert", "ResolveAlertInput"), input).await;
    let text = "{ refusals(filter: { command: \"alerts.resolve_alert\" }) { nodes { site actor } } }";
    let auditor = |site: &str| {
        let grant: Grant = format!("auditor@{site}").parse().unwrap();
        caller("user:auditor", None, &Rights::of(&BTreeSet::from([grant])))
    };
    let seen = stage.ask(&auditor(OTHER[1]), text, Value::Null).await;
    let nodes = seen["data"]["refusals"]["nodes"].as_array().unwrap();
    assert!(nodes.iter().any(|node| node["actor"] == "user:person"), "{seen}");
    assert!(nodes.iter().all(|node| node["site"] == OTHER[1]), "{seen}");
    let seen = stage.ask(&auditor(OWN[1]), text, Value::Null).await;
    assert_eq!(seen["data"]["refusals"]["nodes"], json!([]), "{seen}");
}
