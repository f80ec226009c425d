//! Webhook endpoints through the API: what is configured, what is secret, what is sent by hand and what is told of it.

use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;
use vigie_api::settings::Settings;
use vigie_api::webhooks::configured;
use vigie_domain::airport::{CodeLetter, StandKind};
use vigie_integrations::webhooks::testing::{Behaviour, Receiver, Reply};

use crate::harness::Server;
use crate::socket::Socket;

const STANDS: [(&str, StandKind, CodeLetter); 2] =
    [("C01", StandKind::Civil, CodeLetter::E), ("C02", StandKind::Civil, CodeLetter::E)];

const REGISTER: &str = "mutation($input: RegisterWebhookInput!) { registerWebhook(input: $input) {
    ... on WebhookSecretPayload { appended position secrets { kind secret publicKey }
        endpoint { id site state url hasQuery types tags ordering onExhaustion rate timeout retries headers after
            secrets { kind publicKey until } } }
    ... on Refusal { code message } } }";

const CHANGE: &str = "mutation($input: ChangeWebhookInput!) { changeWebhook(input: $input) {
    ... on WebhookPayload { appended endpoint { url ordering rate timeout types } } ... on Refusal { code } } }";

/// 32 bytes in base64.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER_KEY: &str = "HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A server that may deliver to this machine.
async fn server() -> Server {
    let mut settings = Settings::open();
    settings.webhooks.key = Some(KEY.to_owned());
    settings.webhooks.allow = vec!["127.0.0.0/8".parse().unwrap()];
    settings.webhooks.plain = true;
    let server = Server::with(settings).await;
    server.airport(&STANDS).await;
    server
}

async fn register(server: &Server, input: Value) -> Value {
    server.data(REGISTER, json!({ "input": input })).await["registerWebhook"].take()
}

fn id(registered: &Value) -> String {
    registered["endpoint"]["id"].as_str().unwrap_or_else(|| panic!("{registered:#}")).to_owned()
}

async fn act(server: &Server, field: &str, endpoint: &str) -> Value {
    let text = format!(
        "mutation($input: WebhookInput!) {{ {field}(input: $input) {{ ... on WebhookPayload {{ appended endpoint {{ state
            disabledReason secrets {{ id }} }} }} ... on Refusal {{ code }} }} }}"
    );
    server.data(&text, json!({ "input": { "endpoint": endpoint } })).await[field].take()
}

/// Everything that the database holds of webhooks, as text.
async fn dump(pool: &PgPool) -> String {
    let all = "select (select string_agg(e::text, ' ') from event e) || (select string_agg(w::text, ' ') from
               read.webhook_endpoints w) || (select string_agg(s::text || encode(s.sealed, 'escape'), ' ') from webhook_secret s)";
    sqlx::query_scalar(all).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn an_endpoint_is_registered_and_its_secrets_are_shown_once_and_kept_sealed() {
    let server = server().await;
    let command_id = Uuid::now_v7();
    let input = json!({ "commandId": command_id, "site": "LFW", "url": "https://receiver.example/hook?token=hunter2",
        "filter": { "types": ["airport.*"], "tags": ["stand:LFW/C01"] }, "ordering": "stand", "rate": 5,
        "headers": [{ "name": "X-Api-Key", "value": "correct horse" }], "signatures": ["HMAC", "ED25519"],
        "retries": [5, 60] });
    let made = register(&server, input.clone()).await;
    let endpoint = &made["endpoint"];
    assert_eq!(
        (&made["appended"], &endpoint["site"], &endpoint["state"]),
        (&json!(1), &json!("LFW"), &json!("ENABLED"))
    );
    assert_eq!((&endpoint["url"], &endpoint["hasQuery"]), (&json!("https://receiver.example/hook"), &json!(true)));
    assert_eq!((&endpoint["headers"], &endpoint["after"]), (&json!(["x-api-key"]), &made["position"]));
    assert_eq!((&endpoint["onExhaustion"], &endpoint["retries"]), (&json!("SET_ASIDE"), &json!([5, 60])));
    let [hmac, ed25519] = made["secrets"].as_array().unwrap().as_slice() else { panic!("{made:#}") };
    let text = |secret: &Value, field: &str| secret[field].as_str().unwrap_or_default().to_owned();
    assert!(text(hmac, "secret").starts_with("whsec_") && hmac["publicKey"].is_null());
    assert!(text(ed25519, "publicKey").starts_with("whpk_") && ed25519["secret"].is_null());

    let all = dump(&server.services.pool).await;
    let vault = server.services.webhooks.vault().unwrap();
    let signing = configured(&server.services.pool, vault).await.unwrap().remove(0).secrets;
    let signing: Vec<String> = signing.iter().map(|secret| secret.show()).collect();
    assert!(signing.contains(&text(hmac, "secret")) && signing.iter().any(|secret| secret.starts_with("whsk_")));
    for secret in signing.iter().map(|secret| &secret[6..]).chain(["hunter2", "correct horse"]) {
        assert!(!all.contains(secret), "{secret} is in the database");
    }
    let again = register(&server, input).await;
    assert_eq!((&again["appended"], &again["secrets"], id(&again)), (&json!(0), &json!([]), id(&made)));
    let kept: i64 =
        sqlx::query_scalar("select count(*) from webhook_secret").fetch_one(&server.services.pool).await.unwrap();
    assert_eq!(kept, 4, "what was drawn for the repeated command is not kept");
}

#[tokio::test]
async fn what_delivers_gets_the_enabled_endpoints_with_all_that_signs() {
    let server = server().await;
    let vault = server.services.webhooks.vault().unwrap().clone();
    let input = json!({ "site": "LFW", "url": "https://receiver.example/hook?token=hunter2", "filter": { "types": ["rail.*"] },
        "headers": [{ "name": "X-Api-Key", "value": "correct horse" }] });
    let made = register(&server, input).await;
    let endpoint = id(&made);
    let rotate = "mutation($id: ID!) { rotateWebhookSecret(input: { endpoint: $id, overlapMinutes: 60 }) {
        ... on WebhookSecretPayload { secrets { secret } endpoint { secrets { until } } } ... on Refusal { code } } }";
    let rotated = server.data(rotate, json!({ "id": endpoint })).await["rotateWebhookSecret"].take();
    let untils = rotated["endpoint"]["secrets"].as_array().unwrap();
    assert!(untils[0]["until"].is_string() && untils[1]["until"].is_null(), "{rotated:#}");

    let all = configured(&server.services.pool, &vault).await.unwrap();
    let [one] = &all[..] else { panic!("{all:?}") };
    assert_eq!(one.target.full(), "https://receiver.example/hook?token=hunter2");
    assert_eq!((one.filter.kinds.clone(), one.filter.site.as_deref()), (vec!["rail.*".to_owned()], Some("LFW")));
    let signing: Vec<String> = one.secrets.iter().map(|secret| secret.show()).collect();
    let shown = [&rotated, &made].map(|made| made["secrets"][0]["secret"].as_str().unwrap().to_owned());
    assert_eq!(signing, shown, "the newest first, and the one that it replaces");
    assert_eq!(one.headers.names().collect::<Vec<_>>(), ["x-api-key"]);

    assert_eq!(act(&server, "disableWebhook", &endpoint).await["endpoint"]["disabledReason"], "OPERATOR");
    assert!(configured(&server.services.pool, &vault).await.unwrap().is_empty());
    assert_eq!(act(&server, "enableWebhook", &endpoint).await["endpoint"]["state"], "ENABLED");
    assert_eq!(configured(&server.services.pool, &vault).await.unwrap().len(), 1);
    let removed = act(&server, "removeWebhook", &endpoint).await;
    assert_eq!((&removed["endpoint"]["state"], &removed["endpoint"]["secrets"]), (&json!("REMOVED"), &json!([])));
    let left: i64 =
        sqlx::query_scalar("select count(*) from webhook_secret").fetch_one(&server.services.pool).await.unwrap();
    assert_eq!(left, 0, "nothing secret is left of what was removed");
    assert_eq!(act(&server, "enableWebhook", &endpoint).await["code"], "ENDPOINT_REMOVED");
}

#[tokio::test]
async fn a_change_keeps_what_it_does_not_name() {
    let server = server().await;
    let input = json!({ "url": "https://receiver.example/hook", "filter": {}, "ordering": "stand", "rate": 5 });
    let endpoint = id(&register(&server, input).await);
    let input = json!({ "endpoint": endpoint, "rate": null, "timeout": 30, "filter": { "types": ["alerts.*"] } });
    let changed = server.data(CHANGE, json!({ "input": input })).await["changeWebhook"].take();
    let expected = json!({ "url": "https://receiver.example/hook", "ordering": "stand", "rate": null, "timeout": 30,
        "types": ["alerts.*"] });
    assert_eq!((&changed["appended"], &changed["endpoint"]), (&json!(1), &expected));
    for url in ["https://user:word@receiver.example/", "https://metadata.google.internal/"] {
        let input = json!({ "endpoint": endpoint, "url": url });
        let refused = server.data(CHANGE, json!({ "input": input })).await["changeWebhook"].take();
        assert_eq!(refused["code"], "URL_REFUSED", "{url}");
    }
}

#[tokio::test]
async fn what_cannot_be_delivered_to_is_refused_with_the_reason() {
    let server = server().await;
    let refused = async |input: Value| register(&server, input).await["code"].take();
    assert_eq!(refused(json!({ "url": "ftp://receiver.example", "filter": {} })).await, "URL_REFUSED");
    for name in ["webhook-id", "user-agent", "x y"] {
        let header = json!([{ "name": name, "value": "x" }]);
        let input = json!({ "url": "https://receiver.example", "filter": {}, "headers": header });
        assert_eq!(refused(input).await, "HEADER_REFUSED", "{name}");
    }
    let secret = register(&server, json!({ "url": "https://user:hunter2@receiver.example/", "filter": {} })).await;
    let message = secret["message"].as_str().unwrap();
    assert!(message.contains("a user or a password") && !message.contains("hunter2"), "{message}");
    let local = register(&server, json!({ "url": "https://metadata.google.internal/", "filter": {} })).await;
    let message = local["message"].as_str().unwrap();
    assert!(message.contains("is cloud metadata") && message.contains("VIGIE_WEBHOOK_ALLOW"), "{message}");
    for after in [-1, 99] {
        let input = json!({ "url": "https://receiver.example", "filter": {}, "after": after });
        let answer = server.answer(REGISTER, json!({ "input": input })).await;
        assert_eq!(answer["errors"][0]["extensions"]["argument"], "input.after", "{answer}");
    }
    assert_eq!(
        refused(json!({ "url": "https://receiver.example", "filter": { "types": ["boat.*"] } })).await,
        "TYPE_UNKNOWN"
    );
    assert_eq!(
        refused(json!({ "site": "XXX", "url": "https://receiver.example", "filter": {} })).await,
        "SITE_UNKNOWN"
    );
    let strange = |field: &str, value: Value| {
        let mut input = json!({ "url": "https://receiver.example", "filter": {} });
        input[field] = value;
        input
    };
    for input in [strange("ordering", json!("stands")), strange("filter", json!({ "tags": ["zzz:1"] }))] {
        let answer = register(&server, input).await;
        let message = answer["message"].as_str().unwrap_or_else(|| panic!("{answer}"));
        assert!(answer["code"] == "TAG_KIND_UNKNOWN" && message.contains("there are alert, allocation,"), "{answer}");
    }
    for waits in [json!([0]), json!([5, -1])] {
        let answer = server.answer(REGISTER, json!({ "input": strange("retries", waits) })).await;
        assert_eq!(answer["errors"][0]["extensions"]["argument"], "input.retries", "{answer}");
    }
}

#[tokio::test]
async fn what_needs_a_key_is_refused_where_there_is_none_or_another() {
    let server = server().await;
    let endpoint = id(&register(&server, json!({ "url": "https://receiver.example", "filter": {} })).await);
    let mut settings = Settings::open();
    let keyless = server.beside().await;
    settings.webhooks.key = Some(OTHER_KEY.to_owned());
    let strange = Server::on(server.services.pool.clone(), settings).await;
    let code = async |server: &Server, text: &str, input: Value| {
        server.answer(text, json!({ "input": input })).await["errors"][0]["extensions"]["code"].take()
    };
    let new = json!({ "url": "https://receiver.example", "filter": {} });
    assert_eq!(code(&keyless, REGISTER, new.clone()).await, "NO_KEY");
    for secret in [
        json!({ "endpoint": endpoint, "url": "https://receiver.example/?token=hunter2" }),
        json!({ "endpoint": endpoint, "headers": [{ "name": "X-Api-Key", "value": "correct horse" }] }),
    ] {
        assert_eq!(code(&keyless, CHANGE, secret).await, "NO_KEY");
    }
    let plain = json!({ "endpoint": endpoint, "url": "https://receiver.example/plain" });
    assert_eq!(keyless.data(CHANGE, json!({ "input": plain })).await["changeWebhook"]["appended"], 1);

    let test = "mutation($input: ID!) { testWebhook(endpoint: $input) { ... on Refusal { code } } }";
    let answer = strange.answer(test, json!({ "input": endpoint })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "NO_KEY", "{answer}");
    let secret = json!({ "endpoint": endpoint, "url": "https://receiver.example/?token=hunter2" });
    let changed = strange.data(CHANGE, json!({ "input": secret })).await["changeWebhook"].take();
    assert_eq!(changed["appended"], 1, "what is sealed anew needs no key of before: {changed}");
}

#[tokio::test]
async fn how_long_replaced_secrets_go_on_is_told_its_bounds() {
    let server = server().await;
    let endpoint = id(&register(&server, json!({ "url": "https://receiver.example", "filter": {} })).await);
    let rotate = "mutation($id: ID!, $minutes: Int!) { rotateWebhookSecret(input: { endpoint: $id,
        overlapMinutes: $minutes }) { ... on Refusal { code message } } }";
    let answer = server.answer(rotate, json!({ "id": endpoint, "minutes": -1 })).await;
    let error = &answer["errors"][0];
    assert_eq!(error["extensions"]["argument"], "input.overlapMinutes", "{answer}");
    assert!(error["message"].as_str().unwrap().contains("0 to 10080"), "{answer}");
    let answer = server.data(rotate, json!({ "id": endpoint, "minutes": 10_081 })).await;
    assert_eq!(answer["rotateWebhookSecret"]["code"], "OVERLAP_TOO_LONG");
}

#[tokio::test]
async fn a_test_event_is_sent_signed_and_kept_among_the_attempts_and_told_to_who_watches() {
    let server = server().await;
    let receiver = Receiver::start(|_| Behaviour::Answer(Reply::status(202).body("taken"))).await;
    let endpoint = id(&register(&server, json!({ "url": receiver.url(), "filter": {} })).await);
    let mut socket = Socket::ready(server.listen().await).await;
    let watch = format!(r#"subscription {{ deliveryChanged(endpoint: "{endpoint}", since: 0) {{ type status }} }}"#);
    socket.subscribe("1", &watch).await;
    let test =
        "mutation($id: ID!) { testWebhook(endpoint: $id) { ... on WebhookTestPayload { attempt { event type outcome
        status error position requestHead responseBody } } ... on Refusal { code } } }";
    let sent = server.data(test, json!({ "id": endpoint })).await["testWebhook"]["attempt"].take();
    assert_eq!(
        (&sent["outcome"], &sent["status"], &sent["responseBody"]),
        (&json!("DELIVERED"), &json!(202), &json!("taken"))
    );
    let received = receiver.received();
    assert_eq!((received.len(), received[0].id().to_string()), (1, sent["event"].as_str().unwrap().to_owned()));
    assert!(received[0].header("webhook-signature").unwrap().starts_with("v1,"));
    assert_eq!(received[0].json()["type"], "webhooks.test");
    assert_eq!(socket.data("1").await["deliveryChanged"], json!({ "type": "webhooks.test", "status": 202 }));

    receiver.behave(|_| Behaviour::redirect("http://127.0.0.1:1/"));
    let sent = server.data(test, json!({ "id": endpoint })).await["testWebhook"]["attempt"].take();
    assert_eq!((&sent["outcome"], &sent["status"]), (&json!("FAILED"), &json!(302)));
    let kept = "query($id: ID!) { webhookEndpoint(id: $id) { attempts { outcome } failed: attempts(outcome: FAILED) { status } } }";
    let kept = server.data(kept, json!({ "id": endpoint })).await["webhookEndpoint"].take();
    assert_eq!(
        kept,
        json!({ "attempts": [{ "outcome": "FAILED" }, { "outcome": "DELIVERED" }], "failed": [{ "status": 302 }] })
    );
    let unknown = server.data(test, json!({ "id": Uuid::now_v7() })).await;
    assert_eq!(unknown["testWebhook"]["code"], "ENDPOINT_UNKNOWN");
}

#[tokio::test]
async fn a_preview_counts_what_a_filter_would_have_sent_and_a_replay_is_asked_for_and_called_off() {
    let server = server().await;
    let preview =
        "query($filter: WebhookFilterInput!, $range: LogRangeInput) { webhookPreview(filter: $filter, range: $range) {
        count complete until events { position type } } }";
    let asked = json!({ "filter": { "types": ["airport.stand_*"], "tags": ["stand:LFW/C02"] } });
    let found = server.data(preview, asked).await["webhookPreview"].take();
    let event = json!({ "position": 3, "type": "airport.stand_defined" });
    assert_eq!(found, json!({ "count": 1, "complete": true, "until": 3, "events": [event] }));
    let asked = json!({ "filter": { "types": ["airport.stand_*"] }, "range": { "after": 2 } });
    assert_eq!(server.data(preview, asked).await["webhookPreview"]["count"], 1);

    let wrong = async |asked: Value| server.answer(preview, asked).await["errors"][0]["extensions"]["argument"].take();
    assert_eq!(wrong(json!({ "filter": { "types": ["boat.*"] } })).await, "filter.types");
    assert_eq!(wrong(json!({ "filter": { "tags": ["zzz:1"] } })).await, "filter.tags");
    let found = async |range: Value| {
        let asked = json!({ "filter": {}, "range": range });
        server.data(preview, asked).await["webhookPreview"].take()
    };
    let (past, future) = ("2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z");
    for (range, count, until) in [
        (json!({ "from": past }), 3, 3),
        (json!({ "to": future }), 3, 3),
        (json!({ "from": past, "to": future }), 3, 3),
        (json!({ "to": past }), 0, 0),
        (json!({ "from": future }), 0, 3),
    ] {
        let found = found(range.clone()).await;
        assert_eq!((&found["count"], &found["until"]), (&json!(count), &json!(until)), "{range}");
    }
    let rows = "query($first: Int!) { webhookPreview(filter: {}, first: $first) { count } }";
    let answer = server.answer(rows, json!({ "first": -2 })).await;
    assert_eq!(
        answer["errors"][0]["message"],
        "first: it is not a number of rows: 0 or more, within the limit of a page"
    );
    for (range, argument) in [
        (json!({ "after": 99 }), "range.after"),
        (json!({ "until": 99 }), "range.until"),
        (json!({ "from": future, "to": past }), "range.from"),
        (json!({ "after": 1, "from": "2020-01-01T00:00:00Z" }), "range.from"),
        (json!({ "after": 3, "until": 2 }), "range.after"),
    ] {
        assert_eq!(wrong(json!({ "filter": {}, "range": range })).await, argument, "{range}");
    }

    let endpoint = id(&register(&server, json!({ "url": "https://receiver.example", "filter": {} })).await);
    let own = "query($id: ID!) { everything: webhookPreview(endpoint: $id) { count until }
        failed: webhookPreview(endpoint: $id, what: FAILED) { count events { position } }
        skip: webhookPreview(endpoint: $id, what: SKIP, first: 0) { count events { position } } }";
    let kept = "insert into webhook_waiting (endpoint, seq, lane, position, state, next_try, queued_at) values
        ($1::uuid, 1, 1, 2, 'set_aside', null, now()), ($1::uuid, 2, 2, 3, 'waiting', now(), now())";
    sqlx::query(kept).bind(&endpoint).execute(&server.services.pool).await.unwrap();
    let found = server.data(own, json!({ "id": endpoint })).await;
    let events = json!([{ "position": 2 }, { "position": 3 }]);
    assert_eq!(found["everything"], json!({ "count": 3, "until": 4 }), "without what is about itself");
    assert_eq!(found["failed"], json!({ "count": 2, "events": events }));
    assert_eq!(found["skip"], json!({ "count": 1, "events": [] }));
    let replay = "mutation($input: ReplayWebhookInput!) { replayWebhook(input: $input) {
        ... on WebhookReplayPayload { replay { id what after until state askedBy reason } } ... on Refusal { code } } }";
    let input = json!({ "endpoint": endpoint, "what": "EVERYTHING", "range": { "until": 3 }, "reason": "lost" });
    let asked = server.data(replay, json!({ "input": input })).await["replayWebhook"]["replay"].take();
    assert_eq!(
        (&asked["after"], &asked["until"], &asked["state"], &asked["reason"]),
        (&json!(0), &json!(3), &json!("ASKED"), &json!("lost"))
    );
    let cancel = "mutation($id: ID!, $replay: ID!) { cancelWebhookReplay(endpoint: $id, replay: $replay) {
        ... on WebhookReplayPayload { replay { state } } ... on Refusal { code } } }";
    let these = json!({ "id": endpoint, "replay": asked["id"] });
    let cancelled = server.data(cancel, these.clone()).await["cancelWebhookReplay"].take();
    assert_eq!(cancelled["replay"]["state"], "CANCELLED");
    assert_eq!(server.data(cancel, these).await["cancelWebhookReplay"]["code"], "REPLAY_OVER");
}
