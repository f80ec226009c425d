//! Lists that stay up to date: a snapshot, and changes that make it what the query answers.

mod property;

use serde_json::{Value, json};
use vigie_domain::airport::{CodeLetter, StandKind};

use crate::harness::Server;
use crate::socket::Socket;

const STANDS: [(&str, StandKind, CodeLetter); 2] =
    [("C01", StandKind::Civil, CodeLetter::E), ("C02", StandKind::Civil, CodeLetter::E)];

/// What a client of a live list holds.
#[derive(Debug, Default, Clone)]
pub(crate) struct Folded {
    pub(crate) position: i64,
    pub(crate) rows: Vec<Value>,
}

impl Folded {
    /// Takes an item in, as the schema says.
    pub(crate) fn take(&mut self, item: &Value) {
        self.position = item["position"].as_i64().unwrap();
        if let Some(snapshot) = item["snapshot"].as_array() {
            self.rows.clone_from(snapshot);
        }
        let changes = item["changes"].as_array().unwrap();
        self.rows.retain(|row| changes.iter().all(|change| change["id"] != row["id"]));
        for change in changes.iter().filter(|change| !change["node"].is_null()) {
            let index = usize::try_from(change["index"].as_i64().unwrap()).unwrap();
            assert_eq!(change["id"], change["node"]["id"]);
            self.rows.insert(index, change["node"].clone());
        }
    }
}

fn kinds(item: &Value) -> Vec<(&str, &str)> {
    let changes = item["changes"].as_array().unwrap().iter();
    changes.map(|change| (change["kind"].as_str().unwrap(), change["id"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn a_page_tells_what_comes_in_what_falls_out_and_what_moves() {
    let server = Server::start().await;
    server.airport(&STANDS).await;
    let first = server.arrival("860", "2026-01-15T10:00:00Z", "A333").await;
    let second = server.arrival("861", "2026-01-15T11:00:00Z", "A333").await;
    let mut socket = Socket::ready(server.listen().await).await;
    let query = "subscription { liveFlights(first: 2, filter: { site: \"LFW\" }) {
        position snapshot { id } changes { kind id index node { id stand { id } } } } }";
    socket.subscribe("1", query).await;
    let item = socket.data("1").await["liveFlights"].take();
    assert_eq!(item["snapshot"], json!([{ "id": first }, { "id": second }]));
    assert_eq!(item["changes"], json!([]));
    // A third, between them: the last one falls out of the page.
    let third = server.arrival("862", "2026-01-15T10:30:00Z", "A333").await;
    let item = changed(&mut socket).await;
    assert_eq!(kinds(&item), [("REMOVED", second.as_str()), ("INSERTED", third.as_str())]);
    assert_eq!((&item["changes"][1]["index"], &item["snapshot"]), (&json!(1), &Value::Null));
    // What hangs on a row changes it too.
    let allocate = "mutation($flight: ID!) { allocateStand(input: { flight: $flight }) { ... on AllocateStandPayload { position } } }";
    server.data(allocate, json!({ "flight": third })).await;
    let item = changed(&mut socket).await;
    assert_eq!(kinds(&item), [("UPDATED", third.as_str())]);
    assert!(item["changes"][0]["node"]["stand"]["id"].is_string(), "{item}");
}

/// The next item that changes something.
async fn changed(socket: &mut Socket) -> Value {
    loop {
        let item = socket.data("1").await["liveFlights"].take();
        if item["changes"] != json!([]) {
            return item;
        }
    }
}

#[tokio::test]
async fn who_resumes_gets_the_changes_since_as_one_and_no_snapshot() {
    let server = Server::start().await;
    server.airport(&STANDS).await;
    let gone = server.arrival("860", "2026-01-15T10:00:00Z", "A333").await;
    let position = server.caught_up().await;
    for number in ["861", "862"] {
        server.arrival(number, "2026-01-15T11:00:00Z", "A333").await;
    }
    let cancel = "mutation($id: ID!) { cancelFlight(input: { flight: $id }) { __typename } }";
    server.data(cancel, json!({ "id": gone })).await;
    let head = server.caught_up().await;
    let mut socket = Socket::ready(server.listen().await).await;
    let query = format!(
        "subscription {{ liveFlights(after: {position}, filter: {{ unallocated: true }}) {{ position snapshot {{ id }}
            changes {{ kind id index node {{ id }} }} }} }}"
    );
    socket.subscribe("1", &query).await;
    let item = socket.data("1").await["liveFlights"].take();
    assert_eq!((&item["position"], &item["snapshot"]), (&json!(head), &Value::Null));
    let told: Vec<&str> = kinds(&item).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(told, ["REMOVED", "INSERTED", "INSERTED"]);
}

#[tokio::test]
async fn a_board_by_status_needs_its_time() {
    let server = Server::start().await;
    let mut socket = Socket::ready(server.listen().await).await;
    socket.subscribe("1", "subscription { liveStands(filter: { status: AVAILABLE }) { position } }").await;
    let message = socket.hear().await;
    let errors = if message["type"] == "error" { &message["payload"] } else { &message["payload"]["errors"] };
    let expected = json!({ "code": "BAD_INPUT", "argument": "filter.at" });
    assert_eq!(errors[0]["extensions"], expected, "{message}");
}
