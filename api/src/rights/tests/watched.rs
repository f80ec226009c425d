//! Every subscription of the schema, watched by somebody who may know nothing of other sites.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use vigie_domain::identity::DeactivateUser;

use super::asked::{Asked, World, all};
use super::boundary::told;
use super::running::next;
use super::{MARK, OTHER, OWN, Stage};

/// The roles that give every right of a site.
const ROLES: [&str; 5] = ["operator", "supervisor", "auditor", "integrator", "admin"];

/// How many are watched at a time.
const AT_ONCE: usize = 48;

/// Everything that can be watched of a world: from now on, and from the beginning of the log.
fn watches(world: &World) -> Vec<Asked> {
    let mut watches = Vec::new();
    for Asked { field, text } in all("subscription", "Subscription", world, 2) {
        // Attempts of deliveries are numbered instead.
        if field == "deliveryChanged" {
            if !text.contains("since: ") {
                watches.push(Asked { text: text.replacen(')', ", since: 0)", 1), field });
            }
            continue;
        }
        if !text.contains("after: ") {
            let (before, rest) = text.split_once(&field).unwrap();
            let rest = match rest.strip_prefix('(') {
                Some(arguments) => format!("(after: 0, {arguments}"),
                None => format!("(after: 0){rest}"),
            };
            watches.push(Asked { field: field.clone(), text: format!("{before}{field}{rest}") });
        }
        watches.push(Asked { field, text });
    }
    watches
}

/// Whether it says how far it is: a list does at once, everything else from a position on.
fn tells(field: &str, text: &str) -> bool {
    field.starts_with("live") || text.contains("after: ") || text.contains("since: ")
}

/// What is looked for, and where.
struct Watch {
    secrets: Vec<String>,
    grants: Vec<String>,
    /// The last position, of a change at a site of the person.
    last: i64,
}

impl Stage {
    /// Changes at sites of the person, after all others, of everything that can be watched; the last position.
    async fn changed(&self) -> i64 {
        let close = json!({ "stand": "OWN/S1", "from": "2026-01-19T10:00:00Z" });
        self.done("closeStand", "CloseStandInput", close).await;
        self.flight(OWN[0], "300", "2026-01-15T14:00:00Z").await;
        self.pass(OWN[1], "plain", "P2").await;
        self.alerts(3).await;
        self.caught_up().await
    }

    /// An attempt of a delivery to the endpoint of each world, of the event at this position.
    async fn attempted(&self, worlds: &[World], position: i64) {
        let attempt = "insert into webhook_attempt
            (endpoint, event, position, kind, attempt, at, latency_us, outcome, request_head, response_body)
            values ($1::uuid, gen_random_uuid(), $2, 'airport.stand_closed', 1, now(), 1, 'delivered', '', $3)";
        for (world, mark) in worlds.iter().zip(["plain", MARK]) {
            let (body, pool) = (format!("{mark} {}", world.sites[0]), &self.services.pool);
            sqlx::query(attempt).bind(&world.endpoint).bind(position).bind(body).execute(pool).await.unwrap();
        }
    }

    /// Watches until enough has come, and then until the watcher is deactivated; how many items there were, and how many of
    /// them about the own sites.
    async fn watched(&self, asked: &Asked, watch: &Watch) -> (usize, usize) {
        let Asked { field, text } = asked;
        let grants: Vec<&str> = watch.grants.iter().map(String::as_str).collect();
        let (user, who) = self.person(&grants).await;
        let mut items = self.app.watch(&self.as_they_are(who), text, &Value::Null).await;
        let (mut enough, mut ending) = (!tells(field, text), false);
        let mut count = (0, 0);
        loop {
            if enough && !ending {
                self.command(DeactivateUser { user }).await;
                ending = true;
            }
            let Some(item) = next(&mut items).await else { return count };
            let (answer, code) = (item.to_string(), item["errors"][0]["extensions"]["code"].as_str());
            // Arguments that do not go together are refused, and endpoints of others are not there.
            let ended = [None, Some("BAD_INPUT"), Some("NOT_FOUND")].contains(&code)
                || (ending && code == Some("UNAUTHENTICATED"));
            assert!(ended, "{text}: {answer}");
            let told = told(&answer, text, &watch.secrets);
            assert!(told.is_empty(), "{told:?} is told by {text}: {answer}");
            count = (count.0 + 1, count.1 + usize::from(answer.contains(OWN[0])));
            enough |= item["data"][field]["position"].as_i64().is_some_and(|position| position >= watch.last);
        }
    }
}

#[tokio::test]
async fn nothing_of_other_sites_comes_with_any_subscription() {
    let stage = Stage::full().await;
    let (worlds, secrets) = ([stage.world(OWN).await, stage.world(OTHER).await], stage.secrets().await);
    let last = stage.changed().await;
    stage.attempted(&worlds, last).await;
    let grants = OWN.iter().flat_map(|site| ROLES.iter().map(move |role| format!("{role}@{site}"))).collect();
    let watch = Watch { secrets, grants, last };
    let asked: Vec<Asked> = worlds.iter().flat_map(watches).collect();
    let counted: Vec<(usize, usize)> =
        stream::iter(&asked).map(|asked| stage.watched(asked, &watch)).buffer_unordered(AT_ONCE).collect().await;
    let fields: BTreeSet<&String> = asked.iter().map(|asked| &asked.field).collect();
    let (items, full) = counted.iter().fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    println!("{} subscriptions, {full} of {items} items told anything", asked.len());
    // What could have been told is asked for.
    assert!(fields.len() >= 11 && full > 50, "{full} of {items} items of {fields:?} told anything");
}
