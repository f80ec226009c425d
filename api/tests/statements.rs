//! The number of statements does not grow with the number of rows. In a process of its own: it counts what sqlx logs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "api/harness.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod harness;

use std::sync::Mutex;

use serde_json::json;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::{Layer, Registry};
use vigie_domain::airport::{CodeLetter, StandKind};

/// The statements that read the read models since it was emptied.
static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Count;

struct Summary(String);

impl Visit for Summary {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "summary" {
            value.clone_into(&mut self.0);
        }
    }
    fn record_debug(&mut self, _field: &Field, _value: &dyn std::fmt::Debug) {}
}

impl Layer<Registry> for Count {
    fn on_event(&self, event: &tracing::Event<'_>, _context: Context<'_, Registry>) {
        if event.metadata().target() == "sqlx::query" {
            let mut summary = Summary(String::new());
            event.record(&mut summary);
            SEEN.lock().unwrap().push(summary.0);
        }
    }
}

fn reads() -> Vec<String> {
    // Not those of the read models and policies, nor the log's tail when it polls.
    let beside = [
        "checkpoint",
        "select position, id, kind",
        "select name, position, state",
        "read.rebuild",
        "policy_timer",
        "select t.policy",
        // What a policy's command was answered with before.
        "select name, first_position",
    ];
    let reads = |summary: &String| summary.starts_with("select") || summary.starts_with("with recursive");
    let of_requests = |summary: &String| reads(summary) && !beside.iter().any(|b| summary.contains(b));
    SEEN.lock().unwrap().drain(..).filter(of_requests).collect()
}

#[tokio::test]
async fn many_stands_take_as_many_statements_as_few() {
    tracing::subscriber::set_global_default(Registry::default().with(Count)).unwrap();
    let server = harness::Server::start().await;
    let names: Vec<String> = (1..=12).map(|n| format!("C{n:02}")).collect();
    let stands: Vec<_> = names.iter().map(|name| (name.as_str(), StandKind::Civil, CodeLetter::E)).collect();
    server.airport(&stands).await;
    let allocate = "mutation($flight: ID!) { allocateStand(input: { flight: $flight }) { ... on AllocateStandPayload { outcome } } }";
    for number in 100..112 {
        let flight = server.arrival(&number.to_string(), "2026-01-15T10:00:00Z", "A333").await;
        server.data(allocate, json!({ "flight": flight })).await;
    }
    server.caught_up().await;
    let board =
        "query($first: Int) { stands(first: $first) { nodes { site { name } status(at: \"2026-01-15T10:05:00Z\")
        current(at: \"2026-01-15T10:05:00Z\") { flight { number turnaround { id } } } } } }";
    // Stands, their sites, their states, the allocations, the flights.
    counted(&server, board, "/stands/nodes/1/current/flight/number", 5).await;

    // Those that are measured (docs/benchmarks.md). Stands, their states, the allocations, the flights.
    let board = "query($first: Int) { stands(filter: { site: \"LFW\" }, first: $first) { nodes {
        name status(at: \"2026-01-15T10:05:00Z\")
        current(at: \"2026-01-15T10:05:00Z\") { id from to flight { id number } } } } }";
    counted(&server, board, "/stands/nodes/1/current/flight/number", 4).await;
    // Flights, their allocations, their alerts, the stands.
    let flights = "query($first: Int) { flights(filter: { site: \"LFW\" }, last: $first) { nodes {
        id number status bestAt allocation { id from to stand { name } } alerts { id status } } } }";
    counted(&server, flights, "/flights/nodes/1/allocation/stand/name", 4).await;
    let trail = "query($first: Int) { auditTrail(filter: { site: \"LFW\" }, first: $first) { nodes {
        position action actor occurredAt } } }";
    counted(&server, trail, "/auditTrail/nodes/1/action", 1).await;
    // What starts next comes with what is.
    let next = "query($first: Int) { stands(first: $first) { nodes { name
        status(at: \"2026-01-15T09:05:00Z\") next(at: \"2026-01-15T09:05:00Z\") { id } } } }";
    counted(&server, next, "/stands/nodes/1/next/id", 3).await;

    let why = "query($first: Int) { stands(first: $first) { nodes { provenance { actor command { events { type } }
        events(first: 2) { nodes { type } } causationChain { type } caused { entry { type } } } } } }";
    // Stands, their last entries, what the same commands did, their events, their causes, what they led to.
    counted(&server, why, "/stands/nodes/1/provenance/events/nodes/0/type", 6).await;
}

/// Asks for a page of 2 and for one of 12, which each take `statements`. Something is found at `place`.
async fn counted(server: &harness::Server, query: &str, place: &str, statements: usize) {
    let mut counts = Vec::new();
    for first in [2, 12] {
        reads();
        let data = server.data(query, json!({ "first": first })).await;
        assert!(data.pointer(place).is_some_and(serde_json::Value::is_string), "{data}");
        counts.push(reads());
    }
    assert_eq!((counts[0].len(), counts[1].len()), (statements, statements), "{counts:#?}");
}
