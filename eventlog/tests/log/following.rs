//! Followers: history and what comes, each once, in order.

use vigie_eventlog::{Follower, Log, LogError, NewEvent, Portion, Query, Read, Step, testing};

use super::{append, event};

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
