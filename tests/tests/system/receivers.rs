//! Deliveries as other people's programs take them: the example receivers check signatures with the libraries of
//! Standard Webhooks for Node.js and Python (v1), with Node.js itself and Python's `cryptography` (v1a), and without a
//! library in Rust. The document that says what deliveries look like is held against AsyncAPI's own schema.

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::process::Command;
use uuid::Uuid;
use vigie_integrations::webhooks::wire::{
    AddressRules, Body, CustomHeaders, Request, Scheme, Sender, Settings, SigningSecret, Target, Verdict,
};

use crate::client::Server;
use crate::harness::{PATIENCE, Running, built, root};
use crate::webhooks::{define, place, site};

/// A receiver that believes these secrets, and its URL.
struct Receiver {
    program: Running,
    url: String,
}

impl Receiver {
    async fn start(kind: &str, secrets: &str) -> Self {
        let (program, arguments, folder) = match kind {
            "typescript" => {
                (root().join("examples/typescript/node_modules/.bin/tsx"), vec!["receive.ts", "0"], "typescript")
            }
            "python" => (root().join("tests/clients/.venv/bin/python"), vec!["receive.py", "0"], "python"),
            _ => (built("vigie-example-watch", "vigie-example-receive"), vec!["0"], "rust"),
        };
        assert!(program.exists(), "run `make test`, which installs the clients (scripts/clients.sh)");
        let mut command = Command::new(program);
        command.args(arguments).current_dir(root().join("examples").join(folder)).env("WEBHOOK_SECRET", secrets);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut program = Running::of(command.spawn().unwrap());
        let address = |said: &str| Some(said.lines().find_map(|line| line.strip_prefix("listening on "))?.to_owned());
        let address = program.says("where it listens", address).await;
        Self { program, url: format!("http://{address}/hook") }
    }

    /// How often it has printed a test.
    fn taken(&self) -> usize {
        self.program.said().lines().filter(|line| *line == "- webhooks.test").count()
    }
}

/// What is sent now, with an id of its own.
fn request(url: &str, secrets: &[&SigningSecret], id: u128) -> Request {
    #[expect(clippy::disallowed_methods, reason = "receivers compare the time with their own clock")]
    let at = DateTime::<Utc>::from(SystemTime::now());
    let id = Uuid::from_u128(id);
    Request {
        target: Target::parse(url).unwrap(),
        id,
        at,
        body: Body::test(id, at).text,
        secrets: secrets.iter().map(|secret| (*secret).clone()).collect(),
        headers: Arc::new(CustomHeaders::default()),
        timeout: PATIENCE,
    }
}

async fn they_believe_what_is_signed_for_them(kind: &str) {
    let rules = AddressRules { allowed: vec!["127.0.0.0/8".parse().unwrap()], plain_http: true };
    let sender = Sender::new(&Settings { rules, certificates: None }).unwrap();
    let [old, new] = [(); 2].map(|()| SigningSecret::draw(Scheme::Hmac));
    let pair = SigningSecret::draw(Scheme::Ed25519);
    for (shown, signer) in [(old.show(), &old), (pair.public().unwrap(), &pair)] {
        let mut receiver = Receiver::start(kind, &shown).await;
        let url = receiver.url.clone();
        let sends = async |request: Request| sender.send(&request).await;
        // Alone, and among others while secrets overlap.
        for (id, secrets) in [(1, vec![signer]), (2, vec![&new, signer]), (3, vec![&pair, &new, &old])] {
            let attempt = sends(request(&url, &secrets, id)).await;
            assert_eq!(attempt.verdict(), Verdict::Delivered, "{kind} {id}: {attempt:?}\n{}", receiver.program.said());
        }
        // Again with the same id: believed, and not printed again.
        assert_eq!(sends(request(&url, &[signer], 1)).await.verdict(), Verdict::Delivered);
        // Signed by somebody else, not at all, long ago, long from now, or changed on its way.
        let hour = Duration::from_secs(3_600);
        let good = request(&url, &[signer], 4);
        let changed = Request { body: good.body.replace("true", "null").into(), ..good.clone() };
        let signed_before = good.head().lines().find_map(|line| line.strip_prefix("webhook-signature: ")?.parse().ok());
        let signed_before: String = signed_before.unwrap();
        for (what, bad) in [
            ("another's", request(&url, &[&new], 4)),
            ("nobody's", request(&url, &[], 4)),
            ("old", Request { at: good.at - hour, ..good.clone() }),
            ("early", Request { at: good.at + hour, ..good.clone() }),
        ] {
            let attempt = sends(bad).await;
            assert_eq!(attempt.status(), Some(400), "{kind}, {what}: {attempt:?}");
        }
        assert_eq!(post(&changed, &signed_before).await, "400", "{kind}: changed on its way");
        assert_eq!(post(&good, &signed_before).await, "204", "{kind}: as it was sent");
        receiver.program.says("four tests", |said| (said.matches("- webhooks.test").count() >= 4).then_some(())).await;
        assert_eq!(receiver.taken(), 4, "{}", receiver.program.said());
    }
}

/// Posts a body with a signature that may be another one's; the status.
async fn post(request: &Request, signature: &str) -> String {
    let output = Command::new("node")
        .args(["--input-type=module", "-e"])
        .arg(
            "const [url, body, id, timestamp, signature] = process.argv.slice(1)
             const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature }
             console.log((await fetch(url, { method: 'POST', headers, body })).status)",
        )
        .args([request.target.full(), &request.body, &request.id.to_string(), &request.at.timestamp().to_string()])
        .arg(signature)
        .output()
        .await
        .unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[tokio::test]
async fn node_and_the_standards_library_for_it_believe_what_is_signed() {
    they_believe_what_is_signed_for_them("typescript").await;
}

#[tokio::test]
async fn python_and_the_standards_library_for_it_believe_what_is_signed() {
    they_believe_what_is_signed_for_them("python").await;
}

#[tokio::test]
async fn the_receiver_in_rust_believes_what_is_signed() {
    they_believe_what_is_signed_for_them("rust").await;
}

#[tokio::test]
async fn each_takes_what_a_server_delivers() {
    let place = place();
    let server = Server::start(&place).await;
    site(&server).await;
    let register = r#"mutation { registerWebhook(input: { url: "http://127.0.0.1:9/", signatures: [HMAC, ED25519],
        retries: [1, 1, 1, 1, 1], filter: { types: ["airport.*"] } }) {
        ... on WebhookSecretPayload { endpoint { id } secrets { secret publicKey } } ... on Refusal { code message } } }"#;
    let change =
        "mutation($id: ID!, $url: String!) { changeWebhook(input: { endpoint: $id, url: $url }) { __typename } }";
    let mut receivers = Vec::new();
    for kind in ["typescript", "python", "rust"] {
        let made = server.client.graphql(register, json!({})).await.unwrap()["registerWebhook"].take();
        let [hmac, ed25519] = made["secrets"].as_array().unwrap().as_slice() else { panic!("{made}") };
        let (secret, public) = (hmac["secret"].as_str().unwrap(), ed25519["publicKey"].as_str().unwrap());
        // Each way of checking, and both at once.
        let believed = match kind {
            "typescript" => secret.to_owned(),
            "python" => public.to_owned(),
            _ => format!("{secret} {public}"),
        };
        let receiver = Receiver::start(kind, &believed).await;
        let these = json!({ "id": made["endpoint"]["id"], "url": receiver.url });
        assert_eq!(
            server.client.graphql(change, these).await.unwrap()["changeWebhook"]["__typename"],
            "WebhookPayload"
        );
        receivers.push(receiver);
    }
    for stand in ["LFW/C01", "LFW/C02", "LFW/C03"] {
        let line = format!("{} airport.stand_defined", define(&server, stand).await);
        for receiver in &mut receivers {
            receiver.program.says(&line, |said| said.lines().any(|one| one == line).then_some(())).await;
        }
    }
    for receiver in &receivers {
        let said = receiver.program.said();
        assert!(!said.contains("refused") && said.lines().count() == 4, "where it listens, and each once: {said}");
    }
}

#[test]
fn the_document_of_the_webhooks_is_what_asyncapi_asks_for() {
    let read = |path: &str| -> Value { serde_json::from_slice(&std::fs::read(root().join(path)).unwrap()).unwrap() };
    let document = read("docs/webhooks/asyncapi.json");
    let asyncapi = read("tests/clients/node_modules/@asyncapi/specs/schemas/3.0.0.json");
    let validator = jsonschema::validator_for(&asyncapi).unwrap();
    let errors: Vec<_> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    let mut references = Vec::new();
    gather(&document, &mut references);
    for reference in &references {
        let place = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
        assert!(place.is_some(), "{reference} leads nowhere");
    }
    let operation = document["operations"].as_object().unwrap().values().next().unwrap();
    assert_eq!(operation["action"], "send");
    // Every type of event, and the test.
    assert_eq!(operation["messages"].as_array().unwrap().len(), vigie_domain::Event::types().count() + 1);
    let mut broken = document.clone();
    broken["operations"]["deliver"]["action"] = "post".into();
    assert!(!validator.is_valid(&broken));
}

/// What is referred to anywhere in it.
fn gather<'a>(value: &'a Value, references: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            references.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| gather(value, references));
        }
        Value::Array(values) => values.iter().for_each(|value| gather(value, references)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
