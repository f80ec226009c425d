//! Whatever happens, and wherever a client resumes: the list that it has folded is what the query answers at its position.

use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use super::Folded;
use crate::harness::{PATIENCE, Server};
use crate::past::histories::{Step, carry_out, step};
use crate::past::property::server;
use crate::socket::Socket;

struct List {
    live: &'static str,
    list: &'static str,
    arguments: &'static str,
    fields: &'static str,
}

const STAND: &str = "id closures { from to reason } status(at: \"2026-01-15T10:30:00Z\") position
    current(at: \"2026-01-15T10:30:00Z\") { id from to status }";
const FLIGHT: &str = "id scheduledAt status bestAt cancelled noStand position stand { id } allocation { id status to }";
const ALLOCATION: &str = "id status from to conflict moves { to } position";
const ALERT: &str = "id status kind message acknowledgedNote resolvedReason position";
const PASS: &str = "id status measuredCars openAlerts readyToConfirm position alerts { id status }
    cars { number springs { value level } }";

const fn list(live: &'static str, list: &'static str, arguments: &'static str, fields: &'static str) -> List {
    List { live, list, arguments, fields }
}

const LISTS: [List; 11] = [
    list("liveStands", "stands", "first: 50", STAND),
    list("liveStands", "stands", "filter: { status: OCCUPIED, at: \"2026-01-15T10:30:00Z\" }", STAND),
    list("liveFlights", "flights", "first: 2", FLIGHT),
    list("liveFlights", "flights", "last: 1", FLIGHT),
    list("liveFlights", "flights", "filter: { unallocated: true }", FLIGHT),
    list("liveFlights", "flights", "filter: { status: ESTIMATED, site: \"LFW\" }, first: 2", FLIGHT),
    list("liveAllocations", "allocations", "filter: { status: ACTIVE }, first: 2", ALLOCATION),
    list("liveAllocations", "allocations", "filter: { conflict: true }", ALLOCATION),
    list("liveAlerts", "alerts", "filter: { status: RAISED }, first: 1", ALERT),
    list("liveAlerts", "alerts", "filter: { day: \"2026-01-15\", site: \"SANGATTE\" }, last: 2", ALERT),
    list("livePasses", "passes", "filter: { readyToConfirm: false }", PASS),
];

/// A socket with every list on it, and what comes on it.
struct Client {
    items: UnboundedReceiver<(usize, Value)>,
    reading: JoinHandle<()>,
}

impl Client {
    /// Watches from the start, or goes on where the lists are.
    async fn new(address: std::net::SocketAddr, lists: &[Option<Folded>]) -> Self {
        let mut socket = Socket::ready(address).await;
        for (n, (list, folded)) in LISTS.iter().zip(lists).enumerate() {
            let after = folded.as_ref().map(|folded| format!(", after: {}", folded.position)).unwrap_or_default();
            let List { live, arguments, fields, .. } = list;
            let query = format!(
                "subscription {{ {live}({arguments}{after}) {{ position snapshot {{ {fields} }}
                    changes {{ kind id index node {{ {fields} }} }} }} }}"
            );
            socket.subscribe(&n.to_string(), &query).await;
        }
        let (sender, items) = unbounded_channel();
        Self { items, reading: tokio::spawn(read(socket, sender)) }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

async fn read(mut socket: Socket, items: UnboundedSender<(usize, Value)>) {
    loop {
        let mut message = socket.hear().await;
        assert!(message["type"] == "next" && message["payload"].get("errors").is_none(), "{message}");
        let n: usize = message["id"].as_str().unwrap().parse().unwrap();
        let item = message["payload"]["data"][LISTS[n].live].take();
        if items.send((n, item)).is_err() {
            return;
        }
    }
}

/// Takes an item in, and compares with the query.
async fn take(server: &Server, folded: &mut [Option<Folded>], n: usize, item: &Value) {
    assert_eq!(item["snapshot"].is_null(), folded[n].is_some(), "who resumes gets no snapshot: {item}");
    let state = folded[n].get_or_insert_default();
    state.take(item);
    let List { list, arguments, fields, .. } = &LISTS[n];
    let query =
        format!("query($p: Position!) {{ at(position: $p) {{ {list}({arguments}) {{ nodes {{ {fields} }} }} }} }}");
    let then = server.data(&query, json!({ "p": state.position })).await;
    let expected = then["at"][list]["nodes"].as_array().unwrap();
    assert_eq!(&state.rows, expected, "{list}({arguments}) at {}", state.position);
}

async fn holds(steps: Vec<(Step, bool)>) {
    let server = server().await;
    let address = server.listen().await;
    let mut folded: Vec<Option<Folded>> = LISTS.iter().map(|_| None).collect();
    let mut client = Client::new(address, &folded).await;
    for (step, resumes) in steps {
        carry_out(&server, step).await;
        while let Ok((n, item)) = client.items.try_recv() {
            take(&server, &mut folded, n, &item).await;
        }
        if resumes {
            client = Client::new(address, &folded).await;
        }
    }
    let mut head = server.caught_up().await;
    while folded.iter().any(|state| state.as_ref().is_none_or(|state| state.position < head)) {
        let (n, item) = tokio::time::timeout(PATIENCE, client.items.recv()).await.unwrap().unwrap();
        take(&server, &mut folded, n, &item).await;
        head = server.caught_up().await;
    }
}

fn cases() -> u32 {
    std::env::var("VIGIE_LIVE_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(3)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 30, ..ProptestConfig::default() })]
    #[test]
    fn the_folded_list_is_what_the_query_answers(
        steps in prop::collection::vec((step(), prop::bool::weighted(0.15)), 10..40),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(holds(steps));
    }
}
