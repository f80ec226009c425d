//! The promises of the log, on a real Postgres.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod following;

use std::collections::HashSet;

use chrono::DateTime;
use serde_json::value::RawValue;
use uuid::Uuid;
use vigie_eventlog::{
    Append, AppendError, Condition, Criterion, Direction, Log, LogError, Metadata, NewEvent, Query, Read, testing,
};

fn event(kind: &str, tags: &[&str]) -> NewEvent {
    NewEvent {
        kind: kind.into(),
        version: 1,
        site: "LFW".into(),
        tags: tags.iter().map(ToString::to_string).collect(),
        data: format!(r#"{{"kind":"{kind}"}}"#),
        occurred_at: DateTime::from_timestamp(1_767_268_800, 0).unwrap(),
    }
}

fn append(events: Vec<NewEvent>) -> Append {
    let command_id = Uuid::now_v7();
    let metadata = Metadata {
        command_id,
        command: "test.append".into(),
        correlation_id: command_id,
        causation_id: None,
        actor: "operator:test".into(),
        traceparent: None,
    };
    Append { events, metadata, conditions: Vec::new(), answer: None }
}

fn unless(mut append: Append, query: Query, after: i64) -> Append {
    append.conditions.push(Condition { query, after });
    append
}

fn both(kind: &str, tags: &[&str]) -> Query {
    let tags = tags.iter().map(ToString::to_string).collect();
    Query { criteria: vec![Criterion { kinds: vec![kind.into()], tags }] }
}

async fn everything(log: &Log) -> Vec<i64> {
    log.read(&Query::all(), Read::after(0).limit(100_000)).await.unwrap().iter().map(|e| e.position).collect()
}

#[tokio::test]
async fn positions_have_no_gaps_under_many_writers_and_refusals() {
    let log = Log::open(testing::database().await).await.unwrap();
    let writers = (0..32).map(|writer| {
        let log = log.clone();
        tokio::spawn(async move {
            let mut refused = 0;
            for turn in 0..20 {
                let tag = format!("thing:{}", turn % 3);
                let wish = unless(append(vec![event("a", &[&tag]); 1 + turn % 3]), both("a", &[&tag]), writer * 10);
                match log.append(wish).await {
                    Ok(_) => {}
                    Err(AppendError::Conflict { .. }) => refused += 1,
                    Err(error) => panic!("{error}"),
                }
                log.append(append(vec![event("b", &["thing:x"])])).await.unwrap();
            }
            refused
        })
    });
    let mut refused = 0;
    for writer in writers.collect::<Vec<_>>() {
        refused += writer.await.unwrap();
    }
    let positions = everything(&log).await;
    assert!(refused > 0, "the writers should have met");
    assert!(positions.len() >= 640);
    assert!(positions.iter().copied().eq(1..=i64::try_from(positions.len()).unwrap()));
    assert_eq!(log.head().await.unwrap(), *positions.last().unwrap());
}

#[tokio::test]
async fn an_append_is_all_or_nothing() {
    let log = Log::open(testing::database().await).await.unwrap();
    log.append(append(vec![event("a", &["t:1"])])).await.unwrap();
    let wish = unless(append(vec![event("b", &["t:2"]), event("c", &["t:3"])]), both("a", &["t:1"]), 0);
    let error = log.append(wish).await.unwrap_err();
    assert!(matches!(error, AppendError::Conflict { condition: 0, position: 1 }), "{error:?}");
    assert_eq!(everything(&log).await, [1]);
}

#[tokio::test]
async fn a_condition_matches_all_tags_and_any_type_after_its_position() {
    let log = Log::open(testing::database().await).await.unwrap();
    log.append(append(vec![event("a", &["t:1", "t:2"]), event("b", &["t:1"])])).await.unwrap();
    let cases: [(Query, i64, Option<i64>); 9] = [
        (both("a", &["t:1", "t:2"]), 0, Some(1)),
        (both("a", &["t:1", "t:2"]), 1, None),
        (both("b", &["t:1", "t:2"]), 0, None),
        (Query::tag("t:1"), 1, Some(2)),
        (Query::tag("t:9"), 0, None),
        (Query::kinds(["b", "z"]), 0, Some(2)),
        (Query::kinds(["z"]), 0, None),
        (Query::all(), 1, Some(2)),
        (Query::default(), 0, None),
    ];
    for (query, after, expected) in cases {
        let outcome = log.append(unless(append(vec![event("probe", &["p:1"])]), query.clone(), after)).await;
        match (expected, outcome) {
            (None, Ok(_)) => {}
            (Some(at), Err(AppendError::Conflict { position, .. })) => assert_eq!(at, position, "{query:?}"),
            (expected, outcome) => panic!("{query:?} after {after}: expected {expected:?}, got {outcome:?}"),
        }
    }
}

#[tokio::test]
async fn conditions_hold_against_companions_of_the_same_batch() {
    let log = Log::open(testing::database().await).await.unwrap();
    let racers = (0..64).map(|_| {
        let log = log.clone();
        tokio::spawn(
            async move { log.append(unless(append(vec![event("a", &["t:1"])]), both("a", &["t:1"]), 0)).await },
        )
    });
    let mut won = 0;
    for racer in racers.collect::<Vec<_>>() {
        match racer.await.unwrap() {
            Ok(_) => won += 1,
            Err(AppendError::Conflict { position, .. }) => assert_eq!(position, 1),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((won, everything(&log).await), (1, vec![1]));
}

#[tokio::test]
async fn a_command_sent_twice_is_appended_once_and_gets_its_first_answer() {
    let log = Log::open(testing::database().await).await.unwrap();
    let mut first = append(vec![event("a", &["t:1"])]);
    first.answer = Some(RawValue::from_string(r#"{"n": 1}"#.into()).unwrap());
    let mut second = first.clone();
    second.answer = Some(RawValue::from_string(r#"{"n": 2}"#.into()).unwrap());
    let at_once = (0..8).map(|_| {
        tokio::spawn({
            let (log, first) = (log.clone(), first.clone());
            async move { log.append(first).await.unwrap() }
        })
    });
    let mut new = 0;
    for one in at_once.collect::<Vec<_>>() {
        new += usize::from(!one.await.unwrap().repeated);
    }
    let again = log.append(second).await.unwrap();
    assert_eq!((new, again.repeated, again.first, everything(&log).await), (1, true, 1, vec![1]));
    assert_eq!(again.answer.unwrap().get(), r#"{"n": 1}"#);
    assert_eq!(log.appended(first.metadata.command_id).await.unwrap().unwrap().command, "test.append");
    assert!(log.appended(Uuid::now_v7()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_repeated_command_is_answered_although_its_own_events_break_its_condition() {
    let log = Log::open(testing::database().await).await.unwrap();
    let wish = unless(append(vec![event("a", &["t:1"])]), both("a", &["t:1"]), 0);
    log.append(wish.clone()).await.unwrap();
    assert!(log.append(wish).await.unwrap().repeated);
}

#[tokio::test]
async fn data_that_postgres_refuses_fails_alone() {
    let log = Log::open(testing::database().await).await.unwrap();
    let wishes = (0..32).map(|n| {
        let mut wish = append(vec![event("a", &["t:1"])]);
        if n == 7 {
            wish.events[0].data = r#""\u0000""#.into();
        }
        let log = log.clone();
        tokio::spawn(async move { log.append(wish).await.is_ok() })
    });
    let mut accepted = 0;
    for wish in wishes.collect::<Vec<_>>() {
        accepted += usize::from(wish.await.unwrap());
    }
    assert_eq!((accepted, everything(&log).await.len()), (31, 31));
    let mut bad = append(vec![event("a", &["t:\u{1f}"])]);
    assert!(matches!(log.append(bad.clone()).await, Err(AppendError::Text { what: "tag", .. })));
    bad.events.clear();
    assert!(matches!(log.append(bad).await, Err(AppendError::Size { found: 0 })));
}

#[tokio::test]
async fn what_happens_at_no_site_is_stored_without_one() {
    let log = Log::open(testing::database().await).await.unwrap();
    let mut wish = append(vec![event("a", &["t:1"])]);
    wish.events[0].site = String::new();
    log.append(wish.clone()).await.unwrap();
    assert_eq!(log.read(&Query::all(), Read::after(0)).await.unwrap()[0].site, "");
    wish.events[0].site = "\u{1f}".into();
    assert!(matches!(log.append(wish).await, Err(AppendError::Text { what: "site", .. })));
}

#[tokio::test]
async fn reading_goes_both_ways_by_position_type_and_tag() {
    let log = Log::open(testing::database().await).await.unwrap();
    for n in 0..50 {
        let tag = format!("t:{}", n % 5);
        log.append(append(vec![event(["a", "b"][n % 2], &[&tag, "all:1"])])).await.unwrap();
    }
    let stored = log.read(&Query::all(), Read::after(0)).await.unwrap();
    let queries = [
        Query::all(),
        Query::tag("t:3"),
        Query::kinds(["b"]),
        Query::kinds(["a", "b"]),
        both("a", &["t:3", "all:1"]),
        Query {
            criteria: [both("a", &["t:1"]).criteria, Query::tag("t:2").criteria, Query::kinds(["b"]).criteria].concat(),
        },
        Query::default(),
    ];
    for query in queries {
        for (direction, limit, after, until) in [
            (Direction::Forwards, 1_000, 0, i64::MAX),
            (Direction::Backwards, 1_000, 0, i64::MAX),
            (Direction::Forwards, 4, 10, 40),
            (Direction::Backwards, 4, 10, 40),
        ] {
            let mut expected: Vec<i64> = stored
                .iter()
                .filter(|e| query.matches(&e.kind, &e.tags) && e.position > after && e.position <= until)
                .map(|e| e.position)
                .collect();
            if direction == Direction::Backwards {
                expected.reverse();
            }
            expected.truncate(limit);
            let read = Read { after, until, direction, limit: u32::try_from(limit).unwrap() };
            let found: Vec<i64> = log.read(&query, read).await.unwrap().iter().map(|e| e.position).collect();
            assert_eq!(found, expected, "{query:?} {read:?}");
        }
    }
}

#[tokio::test]
async fn closing_appends_what_waits_and_ends_followers() {
    let log = Log::open(testing::database().await).await.unwrap();
    let mut follower = log.follow(Query::all(), 1_000_000);
    let waiting = tokio::spawn(async move { follower.next().await });
    log.append(append(vec![event("a", &["t:1"])])).await.unwrap();
    log.close().await;
    assert!(matches!(waiting.await.unwrap(), Err(LogError::Closed)));
    let refused = log.append(append(vec![event("a", &["t:1"])])).await.unwrap_err();
    assert!(matches!(refused, AppendError::Log(LogError::Closed)));
}

#[tokio::test]
async fn a_killed_connection_loses_and_doubles_nothing() {
    let pool = testing::database().await;
    let log = Log::open(pool.clone()).await.unwrap();
    let owner = testing::owner(&pool).await;
    let mut told = HashSet::new();
    for turn in 0..40 {
        let killer = sqlx::query(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid()",
        );
        let append = append(vec![event("a", &["t:1"]); 3]);
        let (appended, _) = tokio::join!(log.append(append), async {
            if turn % 4 == 0 { Some(killer.execute(&owner).await.unwrap()) } else { None }
        });
        told.insert(appended.unwrap().first);
    }
    // On connections that nobody has killed.
    let positions = everything(&Log::open(pool).await.unwrap()).await;
    assert_eq!((told.len(), positions.len()), (40, 120));
    assert!(positions.into_iter().eq(1..=120));
}
