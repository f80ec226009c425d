//! Operating read models from the command line, beside a running server and without one.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::client::Server;
use crate::harness::{Place, text, until};

/// Puts an event into the log that this program cannot read, as a newer one would; its position.
const POISON: &str = "
    with head as (
        update log_head set position = position + 1, recorded_at = clock_timestamp() returning position, recorded_at
    ), tagged as (
        insert into event_tag (tag, position, kind) select 'site:S00002', position, 'support.site_defined' from head
    )
    insert into event (position, id, kind, version, site, tags, data, command_id, command, correlation_id, actor,
                       occurred_at, recorded_at)
    select position, gen_random_uuid(), 'support.site_defined', 99, 'S00002', array['site:S00002'], '{}',
           gen_random_uuid(), 'support.define_site', gen_random_uuid(), 'operator:newer', recorded_at, recorded_at
    from head
    returning position";

pub(crate) async fn define_site(server: &Server, site: &str) -> i64 {
    let query = "mutation($input: DefineSiteInput!) { defineSite(input: $input) { ... on SitePayload { position } } }";
    let input = json!({ "site": site, "name": site, "kind": "RAIL", "zone": "Europe/Paris" });
    let data = server.client.graphql(query, json!({ "input": input })).await.unwrap();
    data["defineSite"]["position"].as_i64().unwrap()
}

async fn poison(place: &Place) -> i64 {
    place.sql(POISON).await.parse().unwrap()
}

/// What `vigie projections status` says of a read model, and whether it says that all is well.
pub(crate) async fn status(place: &Place, name: &str) -> (Value, bool) {
    let output = place.run(["projections", "status", "--json"]).await;
    let all: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output)));
    let found = all.into_iter().find(|one| one["name"] == name).unwrap();
    (found, output.status.success())
}

#[tokio::test]
async fn an_event_that_nobody_can_read_stops_two_read_models_until_it_is_skipped_for_good() {
    let place = Place::new();
    let mut server = Server::start(&place).await;
    assert_eq!(define_site(&server, "S00001").await, 1);
    let bad = poison(&place).await;
    let last = define_site(&server, "S00003").await;
    until("both are stopped", async || {
        status(&place, "sites").await.0["state"] == "stopped" && status(&place, "audit").await.0["state"] == "stopped"
    })
    .await;
    let (sites, well) = status(&place, "sites").await;
    assert_eq!((&sites["error_position"], &sites["position"], well), (&json!(bad), &json!(bad - 1), false));
    assert!(sites["lag_events"].as_i64().unwrap() >= last - bad, "{sites}");
    let table = text(&place.run(["projections", "status"]).await);
    assert!(table.contains(&format!("stopped by the event at position {bad}, tried once: ")), "{table}");

    let wrong = place.run(["projections", "skip", "1", "--reason", "x"]).await;
    assert!(text(&wrong).contains("no read model or policy is stopped by the event at position 1"), "{}", text(&wrong));
    let other = place.run(["projections", "skip", "1", "--for", "sites", "--reason", "x"]).await;
    assert!(text(&other).contains(&format!("sites is stopped by the event at position {bad}")), "{}", text(&other));
    assert_eq!(other.status.code(), Some(1));

    let skipped = place.succeed(["projections", "skip", &bad.to_string(), "--reason", "written by mistake"]).await;
    assert!(skipped.contains("sites: skips") && skipped.contains("audit: skips"), "{skipped}");
    until("both have gone on", async || {
        let (sites, audit) = (status(&place, "sites").await, status(&place, "audit").await);
        sites.1 && sites.0["position"].as_i64() >= Some(last) && audit.0["position"].as_i64() >= Some(last)
    })
    .await;
    let verified = place.succeed(["projections", "verify", "sites", "audit"]).await;
    assert!(verified.contains("sites: 2 rows are what the log says"), "{verified}");
    let sampled = place.succeed(["projections", "verify", "--sample", "50"]).await;
    assert!(sampled.contains("sites: 2 rows are what the log says") && !sampled.contains("not what"), "{sampled}");
    let rebuilt = place.succeed(["projections", "rebuild", "sites", "audit"]).await;
    assert!(rebuilt.contains("sites: made anew"), "{rebuilt}");
    let trail = "{ auditTrail(filter: { thing: \"projection:sites\" }) { nodes { action note actor } } }";
    let trail = server.client.graphql(trail, json!({})).await.unwrap();
    let action = format!("made sites skip the event at position {bad}");
    let expected = json!([{ "action": action, "note": "written by mistake", "actor": "operator:local" }]);
    assert_eq!(trail["auditTrail"]["nodes"], expected);
    server.program.signal(Signal::TERM);
    assert!(server.program.end().await.success());
}

#[tokio::test]
async fn without_a_server_that_is_said_and_what_is_to_be_tried_again_can_be_skipped_at_once() {
    let place = Place::new();
    let mut server = Server::start(&place).await;
    define_site(&server, "S00001").await;
    let bad = poison(&place).await;
    until("both are stopped", async || {
        status(&place, "sites").await.0["state"] == "stopped" && status(&place, "audit").await.0["state"] == "stopped"
    })
    .await;
    assert_eq!(status(&place, "sites").await.0["owned"], true);
    server.program.signal(Signal::TERM);
    assert!(server.program.end().await.success());

    let verified = place.succeed(["projections", "verify", "sites"]).await;
    assert!(verified.contains(&format!("  it is stopped by the event at position {bad}: ")), "{verified}");
    let failed = place.run(["projections", "rebuild", "sites"]).await;
    assert!(!failed.status.success(), "{}", text(&failed));
    let told = text(&place.run(["projections", "status"]).await);
    assert!(told.contains("`vigie projections rebuild sites` tries again, `cancel sites` forgets it"), "{told}");
    place.succeed(["projections", "cancel", "sites"]).await;
    let told = text(&place.run(["projections", "status"]).await);
    assert!(!told.contains("failed"), "{told}");

    place.succeed(["projections", "retry", "sites"]).await;
    let (sites, _) = status(&place, "sites").await;
    assert_eq!((&sites["state"], &sites["owned"], &sites["owner"]), (&json!("running"), &json!(false), &Value::Null));
    let table = text(&place.run(["projections", "status"]).await);
    let line = table.lines().find(|line| line.starts_with("sites ")).unwrap();
    assert!(line.ends_with("no server -"), "{table}");
    assert!(table.contains(&format!("  was stopped by the event at position {bad}, tried ")), "{table}");
    let skipped = place.succeed(["projections", "skip", &bad.to_string(), "--reason", "written by mistake"]).await;
    assert!(skipped.contains("sites: skips") && skipped.contains("audit: skips"), "{skipped}");

    let mut server = Server::start(&place).await;
    let last = define_site(&server, "S00003").await;
    until("both have gone on", async || {
        let (sites, audit) = (status(&place, "sites").await, status(&place, "audit").await);
        sites.1 && sites.0["position"].as_i64() >= Some(last) && audit.0["position"].as_i64() >= Some(last)
    })
    .await;
    server.program.signal(Signal::TERM);
    assert!(server.program.end().await.success());
}

#[tokio::test]
async fn what_can_be_asked_for_is_in_the_usage() {
    let place = Place::new();
    for (command, usage) in [
        (["projections", "rebuild"], "<NAMES|--all>"),
        (["projections", "pause"], "<NAMES|--all>"),
        (["dead-letters", "retry"], "<IDS|--all>"),
    ] {
        let told = text(&place.run(command).await);
        assert!(told.contains(usage), "{command:?}: {told}");
        let both = place.run(command.into_iter().chain(["1", "--all"])).await;
        assert_eq!(both.status.code(), Some(2), "{command:?}: {}", text(&both));
    }
}

#[tokio::test]
async fn a_read_model_is_paused_looked_at_as_it_was_and_let_go_on() {
    let place = Place::new();
    let mut server = Server::start(&place).await;
    for site in ["S00001", "S00002", "S00003"] {
        define_site(&server, site).await;
    }
    let unwilling = place.run(["projections", "pause", "sites"]).await;
    assert!(!unwilling.status.success() && text(&unwilling).contains("--reason"), "{}", text(&unwilling));
    let rebuilt = place.succeed(["projections", "rebuild", "sites", "--until", "2", "--reason", "how it was"]).await;
    assert!(rebuilt.contains("made anew until position 2 and paused there"), "{rebuilt}");
    let sites = async || {
        let data = server.client.graphql("{ sites { nodes { id } } }", json!({})).await.unwrap();
        data["sites"]["nodes"].as_array().unwrap().len()
    };
    assert_eq!(sites().await, 2);
    define_site(&server, "S00004").await;
    let (told, well) = status(&place, "sites").await;
    assert_eq!((&told["state"], &told["position"], well), (&json!("paused"), &json!(2), true));
    assert_eq!(told["paused"]["reason"], "how it was");
    let table = text(&place.run(["projections", "status"]).await);
    assert!(table.contains("paused by operator:local at "), "{table}");
    place.succeed(["projections", "resume", "sites"]).await;
    until("it has caught up", async || sites().await == 4).await;
    let refused = place.run(["projections", "cancel", "sites"]).await;
    assert!(text(&refused).contains("sites is not being rebuilt"), "{}", text(&refused));
    let history = place.succeed(["projections", "history", "sites"]).await;
    let lines: Vec<&str> = history.lines().collect();
    assert!(lines[0].contains("resume") && lines[1].contains("rebuild") && lines[1].contains("until 2"), "{history}");
    server.program.signal(Signal::TERM);
    assert!(server.program.end().await.success());
}

#[tokio::test]
async fn a_rebuild_that_is_asked_for_without_a_server_is_made_by_the_next_one() {
    let place = Place::new();
    let mut server = Server::start(&place).await;
    define_site(&server, "S00001").await;
    server.program.signal(Signal::TERM);
    assert!(server.program.end().await.success());
    place.succeed(["projections", "rebuild", "--all", "--background"]).await;
    let (told, _) = status(&place, "sites").await;
    assert_eq!(told["rebuild"]["state"], "asked");
    let mut server = Server::start(&place).await;
    until("every read model was made anew", async || {
        let output = place.run(["projections", "status", "--json"]).await;
        let all: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        all.iter().all(|one| one["rebuild"]["state"] == "done")
    })
    .await;
    place.succeed(["projections", "verify"]).await;
    server.program.signal(Signal::TERM);
    assert!(server.program.end().await.success());
}
