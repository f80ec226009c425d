//! Reading ahead, and the latest events out of memory: both agree with what the database says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use std::time::Duration;

use chrono::DateTime;
use sqlx::postgres::PgPoolOptions;
use uuid::Uuid;
use vigie_eventlog::{Append, Criterion, Log, Metadata, NewEvent, Query, Read, testing};

/// Event `n`: every third is an `a`, and each carries the tags of its remainders by 7 and by 1,000.
fn event(n: usize) -> NewEvent {
    NewEvent {
        kind: if n.is_multiple_of(3) { "a" } else { "b" }.into(),
        version: 1,
        site: "LFW".into(),
        tags: vec![format!("seven:{}", n % 7), format!("thousand:{}", n % 1_000)],
        data: "{}".into(),
        occurred_at: DateTime::from_timestamp(1_767_268_800, 0).unwrap(),
    }
}

async fn fill(log: &Log, count: usize) {
    for first in (1..=count).step_by(1_000) {
        let command_id = Uuid::now_v7();
        let metadata = Metadata {
            command_id,
            command: "test.append".into(),
            correlation_id: command_id,
            causation_id: None,
            actor: "operator:test".into(),
            traceparent: None,
        };
        let events = (first..first + 1_000).map(event).collect();
        log.append(Append { events, metadata, conditions: Vec::new(), answer: None }).await.unwrap();
    }
}

fn queries() -> Vec<Query> {
    let criterion = |kinds: &[&str], tags: &[&str]| Criterion {
        kinds: kinds.iter().map(ToString::to_string).collect(),
        tags: tags.iter().map(ToString::to_string).collect(),
    };
    vec![
        Query::all(),
        Query::kinds(["a"]),
        Query::tag("seven:3"),
        Query { criteria: vec![criterion(&["a"], &["seven:3", "thousand:10"]), criterion(&["b"], &["thousand:500"])] },
        Query::tag("seven:none"),
        Query::default(),
    ]
}

async fn all_of(log: &Log, query: &Query, after: i64, until: i64) -> Vec<i64> {
    let mut history = log.history(query.clone(), after, until);
    let mut positions = Vec::new();
    while let Some(events) = history.next().await.unwrap() {
        assert!(!events.is_empty());
        positions.extend(events.iter().map(|event| event.position));
    }
    positions
}

#[tokio::test]
async fn history_is_every_matching_event_once_in_order() {
    let log = Log::open(testing::database().await).await.unwrap();
    assert_eq!(all_of(&log, &Query::all(), 0, i64::MAX).await, Vec::<i64>::new());
    // Two full pages and a bit; and bounds at the edge of a page.
    fill(&log, 9_000).await;
    for query in queries() {
        for (after, until) in [(0, i64::MAX), (4_096, 8_192), (100, 4_196), (8_999, i64::MAX), (9_000, i64::MAX)] {
            let read = Read::after(after).until(until).limit(10_000);
            let expected: Vec<i64> = log.read(&query, read).await.unwrap().iter().map(|e| e.position).collect();
            assert_eq!(all_of(&log, &query, after, until).await, expected, "{query:?} {after} {until}");
        }
    }
    assert_eq!(all_of(&log, &Query::all(), 0, i64::MAX).await.len(), 9_000);
}

#[tokio::test]
async fn who_takes_a_history_slowly_or_leaves_it_holds_no_connection() {
    let options = testing::options().await;
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(10));
    let log = Log::open(pool.connect_with(options).await.unwrap()).await.unwrap();
    fill(&log, 30_000).await;
    // Its connections are as many as the pool's: one, which also reads the head below.
    let mut slow = log.history(Query::all(), 0, i64::MAX);
    let mut taken = slow.next().await.unwrap().unwrap().len();
    drop(log.history(Query::all(), 0, i64::MAX));
    assert_eq!(log.head().await.unwrap(), 30_000);
    while let Some(events) = slow.next().await.unwrap() {
        taken += events.len();
    }
    assert_eq!(taken, 30_000);
}

#[tokio::test]
async fn the_latest_events_out_of_memory_are_those_of_the_database_or_none() {
    let log = Log::open(testing::database().await).await.unwrap();
    assert_eq!(log.recent(&Query::all(), 0).unwrap().position, 0);
    fill(&log, 6_000).await;
    assert!(log.recent(&Query::all(), 0).is_none(), "the first events are too long ago to be in memory");
    for query in queries() {
        for after in [3_000, 5_000, 5_999, 6_000] {
            let step = log.recent(&query, after).unwrap();
            assert_eq!(step.position, 6_000);
            let expected = log.read(&query, Read::after(after).limit(10_000)).await.unwrap();
            let expected: Vec<_> = expected.iter().map(|event| (event.position, event.id)).collect();
            let found: Vec<_> = step.events.iter().map(|event| (event.position, event.id)).collect();
            assert_eq!(found, expected, "{query:?} {after}");
        }
    }
    // A log that was opened later knows nothing of what was before, and says so.
    let later = Log::open(testing::database().await).await.unwrap();
    fill(&later, 1_000).await;
    assert_eq!(later.recent(&Query::all(), 0).unwrap().events.len(), 1_000);
}
