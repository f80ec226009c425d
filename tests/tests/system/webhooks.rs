//! Deliveries of the built program, from the registration to the receiver, and what its operators see of them.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use vigie_integrations::webhooks::testing::{Behaviour, Gate, Received, Receiver, Reply};
use vigie_integrations::webhooks::wire::{CustomHeaders, Request, SigningSecret, Target};

use crate::client::Server;
use crate::harness::{Place, until};

/// A place whose server may deliver to this machine.
pub(crate) fn place() -> Place {
    Place::new().with("VIGIE_WEBHOOK_PLAIN", "true").with("VIGIE_WEBHOOK_ALLOW", "127.0.0.0/8")
}

/// The airport that everything is about.
pub(crate) async fn site(server: &Server) {
    let site = r#"mutation { defineSite(input: { site: "LFW", name: "Lomé", kind: AIRPORT, zone: "Africa/Lome" })
        { __typename } }"#;
    server.client.graphql(site, json!({})).await.unwrap();
}

/// Does what is told of by one event about a stand; its position.
async fn position(server: &Server, field: &str, kind: &str, input: Value) -> i64 {
    let text = format!(
        "mutation($input: {kind}!) {{ {field}(input: $input) {{ ... on StandPayload {{ position }} ... on Refusal {{ code message }} }} }}"
    );
    let done = server.client.graphql(&text, json!({ "input": input })).await.unwrap();
    done[field]["position"].as_i64().unwrap_or_else(|| panic!("{done}"))
}

/// Defines a stand; the position of that.
pub(crate) async fn define(server: &Server, stand: &str) -> i64 {
    let input = json!({ "stand": stand, "kind": "CIVIL", "code": "E", "jetway": true, "distanceM": 100 });
    position(server, "defineStand", "DefineStandInput", input).await
}

async fn close(server: &Server, stand: &str, day: usize) -> i64 {
    let input = json!({ "stand": stand, "from": format!("2031-01-{day:02}T00:00:00Z"),
        "to": format!("2031-01-{day:02}T01:00:00Z"), "reason": "marking" });
    position(server, "closeStand", "CloseStandInput", input).await
}

/// Registers an endpoint at the site; its id and its secret.
async fn register(server: &Server, url: &str) -> (String, SigningSecret) {
    let text = "mutation($url: String!) { registerWebhook(input: { site: \"LFW\", url: $url, ordering: \"stand\",
        filter: { types: [\"airport.*\"] }, retries: [1, 1, 1, 1] }) {
        ... on WebhookSecretPayload { endpoint { id } secrets { secret } } ... on Refusal { code message } } }";
    let made = server.client.graphql(text, json!({ "url": url })).await.unwrap();
    let (id, secret) = (&made["registerWebhook"]["endpoint"]["id"], &made["registerWebhook"]["secrets"][0]["secret"]);
    let id = id.as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    (id, SigningSecret::parse(secret.as_str().unwrap()).unwrap())
}

/// The signatures that a request has if these secrets sign it.
fn signed(received: &Received, url: &str, secrets: &[&SigningSecret]) -> String {
    let seconds = received.header("webhook-timestamp").unwrap().parse().unwrap();
    let request = Request {
        target: Target::parse(url).unwrap(),
        id: received.id(),
        at: chrono::DateTime::from_timestamp(seconds, 0).unwrap(),
        body: received.body.as_str().into(),
        secrets: secrets.iter().map(|secret| (*secret).clone()).collect(),
        headers: Arc::new(CustomHeaders::default()),
        timeout: Duration::from_secs(15),
    };
    let head = request.head();
    head.lines().find_map(|line| line.strip_prefix("webhook-signature: ")).unwrap().to_owned()
}

/// Waits for the delivery of what is at this position.
async fn delivery(receiver: &Receiver, position: i64) -> Received {
    let find = |receiver: &Receiver| receiver.received().into_iter().find(|one| one.position() == Some(position));
    receiver.until(&format!("position {position}"), find).await
}

/// How often each position has come. Whatever comes for the first time comes in the order of its stand.
fn counted_in_order(received: &[Received]) -> BTreeMap<i64, usize> {
    let (mut counts, mut newest) = (BTreeMap::new(), BTreeMap::new());
    for one in received {
        let (position, stand) = (one.position().unwrap(), one.json()["data"]["stand"].to_string());
        let count: &mut usize = counts.entry(position).or_default();
        *count += 1;
        let newest = newest.entry(stand).or_insert(0);
        assert!(*count > 1 || position > *newest, "{position} comes after {newest}");
        *newest = position.max(*newest);
    }
    counts
}

/// The metrics of webhooks, each with the names of its labels.
async fn figures(server: &Server) -> BTreeSet<String> {
    let (_, text) = server.client.get("/metrics").await.unwrap();
    let named = |line: &str| {
        let (name, labels) = line.rsplit_once(' ')?.0.split_once('{').unwrap_or((line.split(' ').next()?, ""));
        let labels: Vec<&str> =
            labels.trim_end_matches('}').split(',').filter_map(|label| Some(label.split_once('=')?.0)).collect();
        Some(format!("{name} {}", labels.join(" ")).trim_end().to_owned())
    };
    text.lines().filter(|line| line.starts_with("vigie_webhook_")).filter_map(named).collect()
}

/// The same as `docs/webhooks.md` has them.
fn figures_of_the_page() -> BTreeSet<String> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/webhooks.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `vigie_webhook_"));
    let named = |row: &str| row.split('|').nth(1).map(|cell| cell.replace(['`', ','], "").trim().to_owned());
    rows.filter_map(named).collect()
}

#[tokio::test]
async fn nothing_is_lost_or_out_of_order_when_the_server_is_killed_amid_deliveries() {
    let receiver = Receiver::start(|_| Behaviour::fine()).await;
    let place = place();
    let mut server = Server::start(&place).await;
    site(&server).await;
    let (endpoint, secret) = register(&server, &receiver.url()).await;
    let key = std::fs::metadata(place.data().join("webhooks.key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600, "only its owner reads the key");
    let stands = ["LFW/C01", "LFW/C02", "LFW/C03"];
    let mut sent = BTreeSet::new();
    for stand in stands {
        sent.insert(define(&server, stand).await);
    }
    receiver.has(3).await;
    for one in receiver.received() {
        assert_eq!(one.header("webhook-signature").unwrap(), signed(&one, &receiver.url(), &[&secret]));
    }
    for round in 0..2 {
        // One stand is answered late, one fails, and one goes on: that is what the server is killed amid.
        let gate = Gate::default();
        let held = gate.clone();
        receiver.behave(move |one| match one.json()["data"]["stand"].as_str() {
            Some("LFW/C01") => Behaviour::Gated(held.clone(), Reply::status(200)),
            Some("LFW/C02") => Behaviour::status(503),
            _ => Behaviour::fine(),
        });
        let mut last = 0;
        for day in 1..=5 {
            for stand in stands {
                last = close(&server, stand, 5 * round + day).await;
                sent.insert(last);
            }
        }
        delivery(&receiver, last).await;
        server.program.signal(Signal::KILL);
        server.program.end().await;
        receiver.behave(|_| Behaviour::fine());
        gate.open(100);
        server = Server::start(&place).await;
        let all = |receiver: &Receiver| (counted_in_order(&receiver.received()).len() == sent.len()).then_some(());
        receiver.until("everything", all).await;
    }
    let counts = counted_in_order(&receiver.received());
    assert_eq!(counts.keys().copied().collect::<BTreeSet<_>>(), sent, "each, and nothing else");

    let (before, range) = (receiver.received(), json!({ "after": sent.first(), "until": sent.last() }));
    let again = "mutation($id: ID!, $range: LogRangeInput!) {
        replayWebhook(input: { endpoint: $id, what: EVERYTHING, range: $range, reason: \"lost\" }) { __typename } }";
    let these = json!({ "id": endpoint, "range": range });
    assert_eq!(
        server.client.graphql(again, these).await.unwrap()["replayWebhook"]["__typename"],
        "WebhookReplayPayload"
    );
    receiver.has(u64::try_from(before.len() + sent.len() - 1).unwrap()).await;
    let replayed = receiver.received().split_off(before.len());
    assert_eq!(counted_in_order(&replayed).len(), sent.len() - 1, "each once, but the first");
    for one in &replayed {
        let first = before.iter().find(|first| first.position() == one.position()).unwrap();
        assert_eq!((first.id(), &first.body), (one.id(), &one.body));
    }
    until("every figure of the page", async || figures(&server).await == figures_of_the_page()).await;
    server.program.signal(Signal::TERM);
    assert!(server.program.end().await.success());
}

#[tokio::test]
async fn secrets_overlap_and_an_endpoint_whose_receiver_is_gone_is_disabled_and_told_of() {
    let receiver = Receiver::start(|_| Behaviour::fine()).await;
    let place = place();
    let mut server = Server::start(&place).await;
    site(&server).await;
    let (endpoint, first) = register(&server, &receiver.url()).await;
    let signatures = async |position: i64, secrets: &[&SigningSecret]| {
        let one = delivery(&receiver, position).await;
        assert_eq!(one.header("webhook-signature").unwrap(), signed(&one, &receiver.url(), secrets));
    };
    let rotate =
        "mutation($id: ID!, $minutes: Int!) { rotateWebhookSecret(input: { endpoint: $id, overlapMinutes: $minutes }) {
        ... on WebhookSecretPayload { secrets { secret } } ... on Refusal { code message } } }";
    let rotated = async |minutes: u32| {
        let made = server.client.graphql(rotate, json!({ "id": endpoint, "minutes": minutes })).await.unwrap();
        let secret = made["rotateWebhookSecret"]["secrets"][0]["secret"].as_str().map(SigningSecret::parse);
        secret.unwrap_or_else(|| panic!("{made}")).unwrap()
    };
    let second = rotated(60).await;
    // What is decided before the deliveries have heard of it is signed with the old one alone.
    until("both secrets sign", async || {
        let attempt = place.succeed(["webhooks", "test", &endpoint]).await;
        assert!(attempt.contains("delivered"), "{attempt}");
        let test = receiver.received().pop().unwrap();
        test.header("webhook-signature").unwrap() == signed(&test, &receiver.url(), &[&second, &first])
    })
    .await;
    let third = rotated(0).await;
    let mut stand = 0;
    until("the newest secret alone signs", async || {
        stand += 1;
        let one = delivery(&receiver, define(&server, &format!("LFW/C{stand:02}")).await).await;
        one.header("webhook-signature").unwrap() == signed(&one, &receiver.url(), &[&third])
    })
    .await;

    receiver.behave(|_| Behaviour::status(410));
    let refused = define(&server, "LFW/D01").await;
    signatures(refused, &[&third]).await;
    let alerts = "{ alerts(filter: { kind: ENDPOINT_DOWN }) { nodes { site message status } } }";
    let alert = async || {
        let data = server.client.graphql(alerts, json!({})).await.unwrap();
        // Nothing as long as there is none.
        data["alerts"]["nodes"][0].clone()
    };
    until("an alert is raised", async || alert().await["status"] == "RAISED").await;
    let raised = alert().await;
    assert_eq!(raised["site"], "LFW");
    assert!(raised["message"].as_str().unwrap().contains(&endpoint), "{raised}");
    let listed: Value = serde_json::from_str(&place.succeed(["webhooks", "list", "--json"]).await).unwrap();
    assert_eq!((&listed["state"], &listed["disabledReason"]), (&json!("disabled"), &json!("gone")));
    let before = receiver.count();
    let missed = define(&server, "LFW/D02").await;

    receiver.behave(|_| Behaviour::fine());
    place.succeed(["webhooks", "enable", &endpoint]).await;
    until("the alert is resolved", async || alert().await["status"] == "RESOLVED").await;
    delivery(&receiver, missed).await;
    let find = |one: &Received| one.position() == Some(refused);
    let twice = |receiver: &Receiver| (receiver.received().iter().filter(|one| find(one)).count() == 2).then_some(());
    receiver.until("what was refused, again", twice).await;
    assert!(receiver.count() >= before + 2);
    let types: Vec<Value> = receiver.received().iter().map(|one| one.json()["type"].clone()).collect();
    assert!(types.iter().all(|kind| kind == "airport.stand_defined" || kind == "webhooks.test"), "{types:?}");
    server.program.signal(Signal::TERM);
    assert!(server.program.end().await.success());
}

#[tokio::test]
async fn the_command_line_says_what_it_does_and_why_it_does_not() {
    let place = place();
    let mut server = Server::start(&place).await;
    site(&server).await;
    define(&server, "LFW/C01").await;
    let register = async |options: &[&str]| {
        let made = place.succeed([&["webhooks", "register", "https://receiver.example/hook"], options].concat()).await;
        made.split_whitespace().nth(1).unwrap().to_owned()
    };
    let endpoint = register(&["--retries", "0", "--rate", "0"]).await;
    let list = async || place.succeed(["webhooks", "list", "--json"]).await;
    until("the endpoint is listed", async || !list().await.is_empty()).await;
    let listed: Value = serde_json::from_str(&list().await).unwrap();
    assert_eq!((&listed["settings"]["retries"], &listed["settings"]["rate"]), (&Value::Null, &Value::Null));
    let change = async |options: &[&str]| place.succeed([&["webhooks", "change", &endpoint], options].concat()).await;
    for (options, said) in [
        (&[][..], "nothing of it is changed"),
        (&["--retries", "0"], "nothing of it is changed"),
        (&["--retries", "5,60"], "is changed"),
    ] {
        let answer = change(options).await;
        assert!(answer.trim().ends_with(said), "{options:?}: {answer}");
    }
    let unknown = "00000000-0000-7000-8000-000000000001";
    let refusals: &[(&[&str], &str)] = &[
        (&["register", "https://receiver.example/hook", "--ordering", "nope"], "there are alert, allocation,"),
        (&["register", "https://receiver.example/hook", "--tag", "zzz:1"], "there are alert, allocation,"),
        (&["register", "https://receiver.example/hook", "--retries", "0,5"], "1 to 604800 seconds"),
        (&["register", "https://receiver.example/hook", "--after", "-1"], "-1 is not in it"),
        (&["change", &endpoint, "--ordering", "stands"], "there are alert, allocation,"),
        (&["preview", "--tag", "zzz:1"], "there are alert, allocation,"),
        (&["preview", "failed"], "--endpoint"),
        (&["preview", "failed", "--endpoint", unknown], unknown),
        (&["waiting", &endpoint, "--limit", "-1"], "1..=10000"),
        (&["rotate", &endpoint, "--overlap-minutes", "-1"], "0..=10080"),
    ];
    for (arguments, reason) in refusals {
        let output = place.run([&["webhooks"], *arguments].concat()).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(reason), "{arguments:?}: {said}");
    }
    let output = place.run(["webhooks", "disable", unknown]).await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(&format!("there is no endpoint {unknown}")) && !said.contains("refusals"), "{said}");

    let whole = ["--after", "2020-01-01T00:00:00Z", "--until", "2999-01-01T00:00:00Z"];
    let filter = ["webhooks", "preview", "--type", "airport.*"];
    assert!(place.succeed([&filter[..], &whole].concat()).await.contains("\n1 events up to"));
    let failed = ["webhooks", "preview", "failed", "--endpoint", &endpoint];
    assert!(place.succeed([&failed[..], &whole].concat()).await.starts_with("0 deliveries up to"));
    let replay = ["webhooks", "replay", &endpoint, "everything", "--reason", "lost"];
    assert!(place.succeed([&replay[..], &whole].concat()).await.contains("after 0 up to"));
    server.program.signal(Signal::TERM);
    assert!(server.program.end().await.success());
}
