//! Of a site of which somebody may know nothing, no answer says anything, and nothing is different from what never was.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::asked::{Asked, World, all, fields};
use super::{MARK, OTHER, OWN, Stage, own_rights};
use crate::http::Caller;
use crate::http::testing::caller;
use crate::rights::fields::needs;

/// Sites that are not there, with names as long as those that are.
const NEVER: [&str; 2] = ["NOWH", "NOWHR"];

fn person() -> Caller {
    caller("user:person", None, &own_rights())
}

impl Stage {
    /// The things of sites that are there.
    pub(super) async fn world(&self, sites: [&str; 2]) -> World {
        let one = async |text: &str| -> String {
            let text = text.replace("$1", &format!("'{}'", sites[0])).replace("$2", &format!("'{}'", sites[1]));
            sqlx::query_scalar(sqlx::AssertSqlSafe(text)).fetch_one(&self.services.pool).await.unwrap()
        };
        World {
            sites: sites.map(str::to_owned),
            allocation: one("select allocation::text from read.allocations where site = $1").await,
            alert: one("select alert::text from read.alerts where site = $2").await,
            endpoint: one("select endpoint::text from read.webhook_endpoints where site = $1").await,
            event: one("select id::text from event where site = $1 order by position limit 1").await,
            command: one("select command_id::text from event where site = $1 order by position limit 1").await,
        }
    }

    /// What nobody may hear who knows nothing of the sites of others.
    pub(super) async fn secrets(&self) -> Vec<String> {
        let ids = "select id::text from event where site like 'ELSE%' \
                   union select command_id::text from event where site like 'ELSE%' \
                   union select allocation::text from read.allocations where site like 'ELSE%' \
                   union select alert::text from read.alerts where site like 'ELSE%' \
                   union select endpoint::text from read.webhook_endpoints where site like 'ELSE%'";
        let mut secrets = self.texts(ids).await;
        secrets.extend([MARK.to_owned(), OTHER[0].to_owned()]);
        secrets
    }
}

fn never() -> World {
    let id = |number: u32| format!("0197f3a0-0000-7000-8000-00000000000{number}");
    World {
        sites: NEVER.map(str::to_owned),
        allocation: id(1),
        alert: id(2),
        event: id(3),
        command: id(4),
        endpoint: id(5),
    }
}

/// Everything that can be asked of a world, now, later and in the past.
fn questions(world: &World, last: i64, levels: usize) -> Vec<Asked> {
    let mut asked = all("query", "Query", world, levels);
    let inside = |text: String, before: &str, after: &str| {
        let inner = text.trim_start_matches("query").trim();
        format!("query {{ {before} {inner} {after} }}")
    };
    for Asked { field, text } in all("query", "Now", world, levels) {
        let now = inside(text.clone(), &format!("after(position: {last}) {{ ... on Now"), "}");
        let then = inside(text, &format!("at(position: {last})"), "");
        asked.extend([now, then].map(|text| Asked { field: field.clone(), text }));
    }
    asked
}

/// What is wrong with an answer: the secrets that it tells and that were not asked for by name.
pub(super) fn told<'a>(answer: &str, text: &str, secrets: &'a [String]) -> Vec<&'a String> {
    secrets.iter().filter(|secret| answer.contains(secret.as_str()) && !text.contains(secret.as_str())).collect()
}

#[tokio::test]
async fn nothing_of_other_sites_is_in_any_answer() {
    let stage = Stage::full().await;
    let (own, secrets, last) = (stage.world(OWN).await, stage.secrets().await, stage.caught_up().await);
    let (mut full, mut roots) = (0, BTreeSet::new());
    for Asked { field, text } in questions(&own, last, 3) {
        let answer = stage.ask(&person(), &text, Value::Null).await.to_string();
        assert!(!answer.contains("BAD_REQUEST"), "{text}: {answer}");
        let told = told(&answer, &text, &secrets);
        assert!(told.is_empty(), "{told:?} is told by {text}: {answer}");
        full += usize::from(answer.contains("OWN"));
        roots.insert(field);
    }
    // What could have been told is asked for: most answers are about the person's own sites.
    assert!(full > 150 && roots.len() > 20, "{full} answers of {} fields told anything", roots.len());
}

#[tokio::test]
async fn what_is_at_another_site_is_answered_as_what_never_was() {
    let stage = Stage::full().await;
    let (other, never, secrets) = (stage.world(OTHER).await, never(), stage.secrets().await);
    let last = stage.caught_up().await;
    let pairs = [
        (NEVER[0], OTHER[0]),
        (&never.allocation, &other.allocation),
        (&never.alert, &other.alert),
        (&never.event, &other.event),
        (&never.endpoint, &other.endpoint),
        (&never.command, &other.command),
    ];
    let mut commands = Vec::new();
    for world in [&other, &never] {
        let mut asked = questions(world, last, 2);
        asked.extend(all("mutation", "Mutation", world, 2));
        commands.push(asked);
    }
    let (theirs, nobodys) = (&commands[0], &commands[1]);
    assert_eq!(theirs.len(), nobodys.len());
    for (theirs, nobodys) in theirs.iter().zip(nobodys) {
        let mut answers = Vec::new();
        for asked in [theirs, nobodys] {
            let mut answer = stage.ask(&person(), &asked.text, Value::Null).await;
            // An address for a download holds the moment at which it was asked for.
            forget(&mut answer, &["csv", "jsonl"]);
            answers.push(answer.to_string());
        }
        let told = told(&answers[0], &theirs.text, &secrets);
        assert!(told.is_empty(), "{told:?} is told by {}: {}", theirs.text, answers[0]);
        let expected = pairs.iter().fold(answers[1].clone(), |text, (never, other)| text.replace(never, other));
        assert_eq!(answers[0], expected, "{}", theirs.text);
    }
    assert_eq!(stage.caught_up().await, last, "a command of somebody who may not has been carried out");
    assert!(theirs.len() > 300, "{} questions", theirs.len());
}

fn forget(value: &mut Value, names: &[&str]) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if names.contains(&name.as_str()) { *value = Value::Null } else { forget(value, names) }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| forget(value, names)),
        _ => {}
    }
}

#[tokio::test]
async fn counts_and_positions_by_time_are_those_of_the_own_sites() {
    let stage = Stage::full().await;
    let text = "{ sites { totalCount } stands { totalCount } flights { totalCount } allocations { totalCount }
        alerts { totalCount } passes { totalCount } refusals { totalCount } auditExport { rows } }";
    let seen = stage.ask(&person(), text, json!({})).await;
    let all = stage.ask(&super::everybody(), text, json!({})).await;
    for name in ["sites", "stands", "flights", "allocations", "alerts", "passes", "refusals"] {
        let count = |answer: &Value| answer["data"][name]["totalCount"].as_i64().unwrap();
        assert!(count(&seen) > 0, "{name}: {seen}");
        assert_eq!(count(&seen) * 2, count(&all), "{name}: each site has as many as its twin");
    }
    assert_eq!(
        seen["data"]["auditExport"]["rows"].as_i64().unwrap() * 2,
        all["data"]["auditExport"]["rows"].as_i64().unwrap()
    );
}

#[tokio::test]
async fn every_event_of_another_site_is_as_if_it_were_not_there() {
    let stage = Stage::full().await;
    let last = stage.caught_up().await;
    for position in 1..=last {
        let answer = stage
            .ask(&person(), "query($p: Position!) { event(position: $p) { site } }", json!({ "p": position }))
            .await;
        let all = stage
            .ask(&super::everybody(), "query($p: Position!) { event(position: $p) { site } }", json!({ "p": position }))
            .await;
        let site = all["data"]["event"]["site"].as_str().unwrap();
        let expected =
            if OWN.contains(&site) { json!({ "event": { "site": site } }) } else { json!({ "event": null }) };
        assert_eq!(answer["data"], expected);
    }
}

#[tokio::test]
async fn what_is_of_the_installation_is_not_for_who_has_sites() {
    let stage = Stage::empty().await;
    for root in ["Query", "Mutation"] {
        for field in fields(root) {
            let name = field.name.node.as_str();
            let Some(right) = needs(root, name).unwrap().filter(|right| right.is_of_installation()) else { continue };
            let text = format!("{} {{ {name} {{ __typename }} }}", root.to_lowercase());
            let answer = stage.ask(&person(), &text, Value::Null).await;
            let extensions = &answer["errors"][0]["extensions"];
            assert_eq!(
                (&extensions["code"], &extensions["right"]),
                (&json!("FORBIDDEN"), &json!(right.name())),
                "{name}"
            );
        }
    }
}

#[tokio::test]
async fn people_with_different_rights_at_a_site_read_over_the_same_connections() {
    let stage = Stage::full().await;
    let (_, viewer) = stage.person(&["viewer@OWN"]).await;
    let (_, auditor) = stage.person(&["auditor@OWN"]).await;
    let (_, integrator) = stage.person(&["auditor@OWN", "integrator@OWN"]).await;
    let callers = [viewer, auditor, integrator].map(|who| stage.as_they_are(who));
    let then = json!({ "then": stage.caught_up().await - 1 });
    for _ in 0..12 {
        for caller in &callers {
            let answer = stage.ask(caller, "{ sites { nodes { id } } }", Value::Null).await;
            assert_eq!(answer["data"]["sites"]["nodes"], json!([{ "id": "OWN" }]), "{answer}");
        }
        for caller in &callers[1..] {
            let past = "query($then: Position!) { at(position: $then) { sites { nodes { id } } } }";
            let answer = stage.ask(caller, past, then.clone()).await;
            assert_eq!(answer["data"]["at"]["sites"]["nodes"], json!([{ "id": "OWN" }]), "{answer}");
        }
    }
}
