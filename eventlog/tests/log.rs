//! The promises of the log, on a real Postgres.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use std::collections::HashSet;

use chrono::DateTime;
use serde_json::value::RawValue;
use uuid::Uuid;
use vigie_eventlog::{
    Append, AppendError, Condition, Criterion, Direction, Follower, Log, LogError, Metadata, NewEvent, Portion, Query,
    Read, Step, testing,
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
async fn followers_see_history_and_what_comes_each_once_in_order_whoever_appends() {
    let pool = testing::database().await;
    let (here, elsewhere) = (Log::open(pool.clone()).await.unwrap(), Log::open(pool).await.unwrap());
    for _ in 0..30 {
        here.append(append(vec![event("a", &["t:1"]); 100])).await.unwrap();
    }
    let follow = |log: &Log, query: Query, after: i64| {
        let mut follower = log.follow(query, after);
        tokio::spawn(async move {
            let mut seen = Vec::new();
            while follower.position() < 9_000 {
                let step = follower.next().await.unwrap();
                assert!(step.events.iter().all(|e| e.position <= step.position));
                seen.extend(step.events.iter().map(|e| e.position));
            }
            seen
        })
    };
    let followers = [
        (follow(&here, Query::all(), 0), (1..=9_000).collect::<Vec<i64>>()),
        (follow(&elsewhere, Query::all(), 2_500), (2_501..=9_000).collect()),
        (follow(&elsewhere, Query::tag("t:2"), 0), (3_001..=9_000).collect()),
        (follow(&here, Query::kinds(["none"]), 0), Vec::new()),
    ];
    for turn in 0..60 {
        let log = if turn % 2 == 0 { &here } else { &elsewhere };
        log.append(append(vec![event("b", &["t:2"]); 100])).await.unwrap();
    }
    for (follower, expected) in followers {
        assert_eq!(follower.await.unwrap(), expected);
    }
}

/// The next step with events, without being woken by others for a day.
async fn matching(follower: &mut Follower) -> Result<Step, LogError> {
    let quiet = tokio::time::Instant::now() + std::time::Duration::from_secs(86_400);
    loop {
        let step = follower.next_or_quiet(quiet).await?;
        if !step.events.is_empty() {
            return Ok(step);
        }
    }
}

#[tokio::test]
async fn a_follower_can_be_woken_by_what_matches_alone() {
    let log = Log::open(testing::database().await).await.unwrap();
    log.append(append(vec![event("a", &["t:1"]), event("a", &["t:2"])])).await.unwrap();
    let mut follower = log.follow(Query::tag("t:1"), 0);
    assert_eq!(matching(&mut follower).await.unwrap().events[0].position, 1);
    let (ours, passed) = (event("a", &["t:1", "t:2"]), event("b", &["t:2"]));
    let next = tokio::spawn(async move {
        let step = matching(&mut follower).await.unwrap();
        (follower, step)
    });
    for _ in 0..5_000 / 100 {
        log.append(append(vec![passed.clone(); 100])).await.unwrap();
    }
    assert!(!next.is_finished());
    let last = log.append(append(vec![ours])).await.unwrap().last;
    let (mut follower, step) = next.await.unwrap();
    assert_eq!((step.events.len(), step.events[0].position, step.position), (1, last, last));
    // What it has been passed by is no lag, and it has nothing to look at.
    for _ in 0..5_000 / 100 {
        log.append(append(vec![passed.clone(); 100])).await.unwrap();
    }
    assert_eq!(follower.lagged(), None);
    assert_eq!(follower.position(), last);
    follower.pass();
    assert_eq!(follower.position(), last + 5_000);
    // Once it does not wait for matches any more, any event will do.
    let next = tokio::spawn(async move { follower.next_or_quiet(tokio::time::Instant::now()).await.unwrap() });
    let last = log.append(append(vec![passed])).await.unwrap().last;
    let step = next.await.unwrap();
    assert_eq!((step.events.len(), step.position), (0, last));
    log.close().await;
    assert!(matching(&mut log.follow(Query::tag("t:1"), last)).await.is_err());
}

#[tokio::test]
async fn followers_by_tag_see_what_matches_each_once_in_order_while_others_append() {
    let log = Log::open(testing::database().await).await.unwrap();
    let events = |n: usize| vec![event("a", &[&format!("t:{}", n % 8)]); n % 3 + 1];
    let expected: Vec<usize> = (0..8).map(|tag| (tag..400).step_by(8).map(|n| events(n).len()).sum()).collect();
    let followers: Vec<_> = (0..40)
        .map(|n| {
            let portion = Portion { events: 3, bytes: usize::MAX };
            let mut follower = log.follow(Query::tag(format!("t:{}", n % 8)), 0).in_portions(portion);
            let expected = expected[n % 8];
            tokio::spawn(async move {
                let mut seen = Vec::new();
                while seen.len() < expected {
                    let step = matching(&mut follower).await.unwrap();
                    assert!((1..=3).contains(&step.events.len()));
                    seen.extend(step.events.iter().map(|event| event.position));
                }
                seen
            })
        })
        .collect();
    futures_util::future::try_join_all((0..400).map(|n| log.append(append(events(n))))).await.unwrap();
    for (n, follower) in followers.into_iter().enumerate() {
        let all = log.read(&Query::tag(format!("t:{}", n % 8)), Read::after(0)).await.unwrap();
        assert_eq!(follower.await.unwrap(), all.iter().map(|event| event.position).collect::<Vec<_>>());
    }
}

/// An event with so many bytes of data.
fn large(bytes: usize) -> NewEvent {
    NewEvent { data: format!("\"{}\"", "x".repeat(bytes - 2)), ..event("a", &["t:1"]) }
}

#[tokio::test]
async fn a_follower_that_was_too_slow_is_told_so_once_and_catches_up_in_portions() {
    let log = Log::open(testing::database().await).await.unwrap();
    let portion = Portion { events: 50, bytes: 64 * 1024 };
    let mut follower = log.follow(Query::all(), 0).in_portions(portion);
    assert_eq!(follower.lagged(), None, "history is not a lag");
    log.append(append(vec![event("a", &["t:1"])])).await.unwrap();
    assert_eq!(follower.next().await.unwrap().position, 1);
    assert_eq!(follower.lagged(), None);
    for _ in 0..60 {
        log.append(append(vec![large(4_096); 100])).await.unwrap();
    }
    let lag = follower.lagged().expect("6,000 events are more than are kept in memory");
    assert_eq!((lag.from, lag.to), (2, 6_001));
    assert_eq!(follower.lagged(), None);
    let mut seen = 1;
    while follower.position() < 6_001 {
        let step = follower.next().await.unwrap();
        let bytes: usize = step.events.iter().map(|event| event.data.get().len()).sum();
        assert!(
            step.events.len() <= 50 && bytes < portion.bytes + 4_096,
            "{} events, {bytes} bytes",
            step.events.len()
        );
        for event in step.events {
            seen += 1;
            assert_eq!(event.position, seen);
        }
    }
    assert_eq!(follower.lagged(), None, "it has caught up");
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
