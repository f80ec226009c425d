//! The read models at a moment, in a schema of their own: built, granted and served by the built program.

use futures_util::{SinkExt, StreamExt};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::client::{Client, Server};
use crate::harness::{Place, text, until, within};
use crate::projections::{define_site, status};

const SITES: &str = "{ sites { nodes { id } } head position }";

async fn sites(client: &Client) -> (Value, i64) {
    let mut data = Value::Null;
    // A command waits for the read models that show it; `position` is where all of them are.
    until("every read model has the log", async || {
        data = client.graphql(SITES, json!({})).await.unwrap();
        data["head"] == data["position"]
    })
    .await;
    (data["sites"]["nodes"].clone(), data["head"].as_i64().unwrap())
}

fn ids(ids: &[&str]) -> Value {
    ids.iter().map(|id| json!({ "id": id })).collect()
}

/// What a socket answers to a subscription.
async fn subscribe(client: &Client, query: &str) -> Value {
    let mut request = format!("ws://{}/graphql", client.address()).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    let (mut socket, _) = connect_async(request).await.unwrap();
    for message in
        [json!({ "type": "connection_init" }), json!({ "type": "subscribe", "id": "1", "payload": { "query": query } })]
    {
        socket.send(Message::text(message.to_string())).await.unwrap();
    }
    loop {
        let heard = within("the socket answers", socket.next()).await.unwrap().unwrap();
        let heard: Value = serde_json::from_str(heard.to_text().unwrap()).unwrap();
        if heard["id"] == "1" {
            return heard;
        }
    }
}

#[tokio::test]
async fn a_moment_is_built_beside_the_log_and_served_as_it_was() {
    let place = Place::new();
    let mut live = Server::start(&place).await;
    define_site(&live, "S00001").await;
    let until = define_site(&live, "S00002").await;
    define_site(&live, "S00003").await;

    let position = until.to_string();
    let built = place.succeed(["replay", "--until", &position, "--into", "noon"]).await;
    assert!(built.contains(&format!("built until position {until} into the schema noon")), "{built}");
    let reserved = place.run(["replay", "--until", &position, "--into", "then"]).await;
    assert_eq!(reserved.status.code(), Some(2), "{}", text(&reserved));
    assert!(text(&reserved).contains("no reserved word of SQL"), "{}", text(&reserved));
    let again = place.run(["replay", "--until", &position, "--into", "noon"]).await;
    assert!(!again.status.success() && text(&again).contains("--replace"), "{}", text(&again));
    let mut standing = Server::serve(&place, &["--schema", "noon", "--read-only"]).await;

    let last = define_site(&live, "S00004").await;
    assert_eq!(sites(&live.client).await, (ids(&["S00001", "S00002", "S00003", "S00004"]), last));
    assert_eq!(sites(&standing.client).await, (ids(&["S00001", "S00002"]), until));
    let past = "query($p: Position!) { at(position: $p) { sites { nodes { id } } } }";
    let first = standing.client.graphql(past, json!({ "p": 1 })).await.unwrap();
    assert_eq!(first["at"]["sites"]["nodes"], ids(&["S00001"]));
    let beyond = standing.client.refused(past, json!({ "p": until + 1 })).await;
    let expected = json!({ "code": "OUT_OF_RANGE", "argument": "position", "first": 1, "last": until });
    assert_eq!(beyond, expected, "the log has gone on, this schema has not");

    let mutation = "mutation { defineSite(input: { site: \"S00005\", name: \"x\", kind: RAIL, zone: \"Europe/Paris\" })
        { __typename } }";
    assert_eq!(standing.client.refused(mutation, json!({})).await["code"], "READ_ONLY");
    let told = subscribe(&standing.client, "subscription { events(after: 0) { __typename } }").await;
    assert!(told.to_string().contains("READ_ONLY"), "{told}");
    assert_eq!(sites(&live.client).await.1, last, "nothing was written");

    for server in [&mut standing, &mut live] {
        server.program.signal(Signal::TERM);
        assert!(server.program.end().await.success(), "{}", server.program.said());
    }
}

#[tokio::test]
async fn a_moment_is_granted_to_a_role_that_sees_nothing_else() {
    let place = Place::new();
    let mut server = Server::start(&place).await;
    let until = define_site(&server, "S00001").await;
    place.sql("create role analyst").await;
    let position = until.to_string();
    let nobody = place.run(["replay", "--until", &position, "--into", "noon", "--grant", "nobody_there"]).await;
    assert!(!nobody.status.success() && text(&nobody).contains("nobody_there"), "{}", text(&nobody));
    place.succeed(["replay", "--until", &position, "--into", "noon", "--grant", "analyst", "--replace"]).await;

    assert_eq!(place.sql("set role analyst; select site from noon.sites").await, "S00001");
    for forbidden in ["delete from noon.sites", "select site from read.sites", "select position from event"] {
        let statement = format!("set role analyst; {forbidden}");
        let refused = place.run(["postgres", "run", "--", "psql", "--command", &statement]).await;
        assert!(!refused.status.success(), "{forbidden}");
        assert!(text(&refused).contains("permission denied"), "{forbidden}: {}", text(&refused));
    }
    server.program.signal(Signal::TERM);
    assert!(server.program.end().await.success());
}

#[tokio::test]
async fn a_read_model_that_lags_is_named_by_who_waits_for_it() {
    let place = Place::new();
    let mut server = Server::start(&place).await;
    let before = define_site(&server, "S00001").await;
    place.succeed(["projections", "pause", "sites", "--reason", "a look at it"]).await;
    assert_eq!(status(&place, "sites").await.0["state"], "paused");
    let wanted = define_site(&server, "S00002").await;

    let past = "query($p: Position!) { at(position: $p) { sites { totalCount } } }";
    let behind = server.client.refused(past, json!({ "p": wanted })).await;
    assert_eq!(behind, json!({ "code": "BEHIND", "readModel": "sites", "position": before, "wanted": wanted }));
    let after = "query($p: Position!) { after(position: $p, timeoutMs: 50) { __typename
        ... on Now { sites { totalCount } } ... on Behind { readModel position wanted } } }";
    let lag = server.client.graphql(after, json!({ "p": wanted })).await.unwrap()["after"].take();
    let expected = json!({ "__typename": "Behind", "readModel": "sites", "position": before, "wanted": wanted });
    assert_eq!(lag, expected);

    place.succeed(["projections", "resume", "sites"]).await;
    let patient = after.replace("timeoutMs: 50", "timeoutMs: 30000");
    let now = server.client.graphql(&patient, json!({ "p": wanted })).await.unwrap()["after"].take();
    assert_eq!(now, json!({ "__typename": "Now", "sites": { "totalCount": 2 } }));
    let then = server.client.graphql(past, json!({ "p": before })).await.unwrap();
    assert_eq!(then["at"]["sites"]["totalCount"], 1);
    server.program.signal(Signal::TERM);
    assert!(server.program.end().await.success());
}
