//! Whatever has happened: what is answered about a moment later is what was answered then, and what a rebuild until
//! then answers.

use proptest::prelude::*;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use vigie_api::graphql::Services;
use vigie_domain::airport::{CodeLetter, StandKind};
use vigie_domain::support::{DefineSite, SiteKind};
use vigie_eventlog::testing;
use vigie_projections::Wanted;

use super::histories::{STANDS, Step, carry_out, step};
use crate::harness::{Server, site};

/// A broad set of queries: every list, filters, both ends of pages, counts, single things, and what hangs below.
pub(super) const EVERYTHING: &str = "
    sites { totalCount nodes { id name zone rulesVersion bufferMinutes position changedAt
        turnaroundRules { aircraftType min typical max } audit(first: 3) { totalCount nodes { position action } } } }
    stands { totalCount edges { cursor node { id kind code distanceM closures { from to reason } position changedAt
        site { id } status(at: \"2026-01-15T10:30:00Z\") current(at: \"2026-01-15T10:30:00Z\") { id to }
        next(at: \"2026-01-15T09:00:00Z\") { id flight { id } }
        occupancy(day: \"2026-01-15\") { from to allocations { id status } closures { from to } }
        allocations(last: 2) { totalCount nodes { id status from to } } audit(first: 2) { nodes { position } } } } }
    free: stands(filter: { status: AVAILABLE, at: \"2026-01-15T10:30:00Z\" }) { totalCount nodes { id } }
    taken: stands(filter: { status: OCCUPIED, at: \"2026-01-15T10:30:00Z\" }) { nodes { id } }
    flights(first: 2) { totalCount pageInfo { hasNextPage endCursor } nodes { id status statusAt bestAt cancelled
        aircraftType noStand source position changedAt turnaround { id } allocation { id stand { id } } stand { id name }
        alerts { id status }
        audit { nodes { action changes { thing field before after } note } } } }
    latest: flights(last: 2) { pageInfo { hasPreviousPage } nodes { id } }
    waiting: flights(filter: { unallocated: true }) { totalCount nodes { id } }
    late: flights(filter: { status: ESTIMATED, date: \"2026-01-15\" }) { nodes { id bestAt } }
    flight(id: \"LFW/AF860/2026-01-15/A/CDG\") { id status allocation { id moves { from to by } } }
    allocations(first: 3) { totalCount nodes { id status from to plannedTo overflow conflict note moves { from to }
        candidates { stand points } cancelledBy endedAt flight { id status } stand { id } position } }
    active: allocations(filter: { status: ACTIVE }) { totalCount nodes { id } }
    conflicts: allocations(filter: { conflict: true }) { nodes { id conflict } }
    alerts { totalCount nodes { id kind severity status message cause car spring acknowledgedBy acknowledgedNote
        resolvedReason position pass { id status } stand { id } flight { id } allocation { id status } } }
    raised: alerts(filter: { status: RAISED }, first: 1) { totalCount pageInfo { hasNextPage } nodes { id } }
    passes { totalCount nodes { id status measuredCars springCount outOfLimits worstLevel openAlerts readyToConfirm
        confirmedBy completedAt reopenedBy { id } cars { number outOfLimits springs { spring value level bound } }
        alerts { id status } } }
    springLimits(site: \"SANGATTE\") { version validFrom limits { quantity alarmLow } }
    auditTrail(first: 4) { totalCount nodes { position type actor action note changes { thing field before after } } }
    events(last: 2) { nodes { position type data } }
    head position";

pub(crate) async fn server() -> Server {
    let server = Server::start().await;
    let names: Vec<String> = (1..=STANDS).map(|n| format!("C0{n}")).collect();
    let stands: Vec<_> = names.iter().map(|name| (name.as_str(), StandKind::Civil, CodeLetter::E)).collect();
    server.airport(&stands).await;
    server.command(DefineSite(site("SANGATTE", SiteKind::Rail, "Europe/Paris"))).await;
    let limits = "mutation($input: SetLimitsInput!) { setLimits(input: $input) { __typename } }";
    let input = json!({ "site": "SANGATTE", "validFrom": "2026-01-01T00:00:00Z",
        "limits": [{ "quantity": "height", "unit": "mm", "alarmLow": 200, "warningLow": 220 }] });
    server.data(limits, json!({ "input": input })).await;
    server
}

/// What is answered now, with the position at which that is so. Policies may go on meanwhile: then once more.
async fn now(server: &Server) -> (i64, Value) {
    loop {
        let before = server.caught_up().await;
        let answer = server.data(&format!("{{ {EVERYTHING} }}"), json!({})).await;
        if server.services.log.head().await.unwrap() == before {
            return (before, answer);
        }
    }
}

async fn then(server: &Server, position: i64) -> Value {
    let query = format!("query($p: Position!) {{ at(position: $p) {{ {EVERYTHING} }} }}");
    server.data(&query, json!({ "p": position })).await["at"].take()
}

/// The fields that differ, so that a failure can be read.
fn assert_same(position: i64, then: &Value, now: &Value) {
    for (field, expected) in now.as_object().unwrap() {
        assert_eq!(&then[field], expected, "{field} at position {position}");
    }
}

async fn holds(steps: Vec<Step>, built: prop::sample::Index) {
    let server = server().await;
    let mut seen = Vec::new();
    for step in steps {
        seen.push(now(&server).await);
        carry_out(&server, step).await;
    }
    server.caught_up().await;
    for (position, answer) in &seen {
        assert_same(*position, &then(&server, *position).await, answer);
    }
    let place = built.index(seen.len());
    let (position, answer) = &seen[place];
    replay(&server, *position).await;
    let standing = server.standing("as_of").await;
    assert_same(*position, &standing.data(&format!("{{ {EVERYTHING} }}"), json!({})).await, answer);
    let (before, answer) = &seen[place / 2];
    assert_same(*before, &then(&standing, *before).await, answer);
}

/// Builds every read model anew from the log until `position`.
async fn replay(server: &Server, position: i64) {
    let Services { pool, log, .. } = &server.services;
    let wanted = Wanted { schema: "as_of", until: position, replace: false, readers: &[] };
    let owner = testing::owner(pool).await.connect_options();
    vigie_projections::replay(pool, log, &owner, &wanted, &|_, _| {}, &CancellationToken::new()).await.unwrap();
}

fn cases() -> u32 {
    std::env::var("VIGIE_AS_OF_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 30, ..ProptestConfig::default() })]
    #[test]
    fn the_past_is_answered_as_it_was_and_as_a_rebuild_until_then(
        steps in prop::collection::vec(step(), 10..40),
        built in any::<prop::sample::Index>(),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(holds(steps, built));
    }
}
