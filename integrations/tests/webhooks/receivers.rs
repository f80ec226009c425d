//! Receivers that do not keep up, or do not want any more.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;
use vigie_integrations::webhooks::testing::{Behaviour, Receiver, endpoint};
use vigie_integrations::webhooks::{Disabled, Endpoint, Exhausted};

use crate::world::{World, noon, positions};

/// A receiver that answers with a status that can be changed.
async fn switched(status: u16) -> (Receiver, Arc<AtomicU16>) {
    let switch = Arc::new(AtomicU16::new(status));
    let shown = Arc::clone(&switch);
    (Receiver::start(move |_| Behaviour::status(shown.load(Ordering::Acquire))).await, switch)
}

async fn state(world: &World, endpoint: &Endpoint) -> (String, i32) {
    sqlx::query_as("select breaker, breaker_opened from webhook_state where endpoint = $1")
        .bind(endpoint.id)
        .fetch_one(&world.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_receiver_that_is_gone_gets_nothing_more_and_is_to_be_disabled() {
    let ((receiver, _), world) = (switched(410).await, World::new().await);
    let mut endpoint = endpoint(&receiver.url());
    endpoint.ordering = Some("a".to_owned());
    world.configure([endpoint.clone()]);
    let mut process = world.process();
    world.append(&[&["a:1"]]).await;
    assert_eq!(process.disabled.recv().await, Some(Disabled::Gone { endpoint: endpoint.id }));
    world.append(&[&["a:2"], &["a:3"]]).await;
    world.advance(3_600);
    // Told again, since nothing has followed from it.
    assert_eq!(process.disabled.recv().await, Some(Disabled::Gone { endpoint: endpoint.id }));
    assert_eq!(positions(&receiver), [1]);
    world.configure([]);
    world
        .until("the endpoint given up", async |pool| {
            let owner: Option<i64> =
                sqlx::query_scalar("select owner from webhook_state").fetch_one(pool).await.unwrap();
            owner.is_none().then_some(())
        })
        .await;
    process.webhooks.close().await;
}

#[tokio::test]
async fn after_five_days_without_a_success_it_is_to_be_disabled() {
    let ((receiver, _), world) = (switched(500).await, World::new().await);
    let mut endpoint = endpoint(&receiver.url());
    endpoint.retries = vec![Duration::from_secs(12 * 3_600)].into();
    world.configure([endpoint.clone()]);
    let mut process = world.process();
    world.append(&[&[]]).await;
    let mut attempts = 0;
    while process.disabled.is_empty() {
        attempts += 1;
        world.until_waiting(&endpoint, &[(1, "waiting", attempts)]).await;
        assert!(attempts < 20, "never disabled");
        world.advance(15 * 3_600);
    }
    assert_eq!(process.disabled.recv().await, Some(Disabled::Failing { endpoint: endpoint.id, since: noon() }));
    assert!(attempts >= 8, "disabled after {attempts} attempts in {} h", attempts * 15);

    world.configure([]);
    let rests = async |pool: &PgPool| {
        let rests = "select true from webhook_state where endpoint = $1 and owner is null and failing_since is null";
        sqlx::query_scalar::<_, bool>(rests).bind(endpoint.id).fetch_optional(pool).await.unwrap()
    };
    world.until("nothing is held against it", rests).await;
    while process.disabled.try_recv().is_ok() {}
    world.configure([endpoint.clone()]);
    world.advance(15 * 3_600);
    world.until_waiting(&endpoint, &[(1, "waiting", attempts + 1)]).await;
    assert!(process.disabled.is_empty(), "enabled again, it has five days again");
    process.webhooks.close().await;
}

#[tokio::test]
async fn who_is_asked_to_wait_waits_with_everything() {
    let receiver = Receiver::start(|_| Behaviour::too_many("120")).await;
    let world = World::new().await;
    let endpoint = endpoint(&receiver.url());
    world.configure([endpoint.clone()]);
    let process = world.process();
    world.append(&[&[]]).await;
    world.until_waiting(&endpoint, &[(1, "waiting", 1)]).await;
    receiver.behave(|_| Behaviour::fine());
    world.append(&[&[], &[]]).await;
    world.advance(100);
    // The time of the one that waits is later than its schedule says: what the receiver asked for counts.
    let next: DateTime<Utc> =
        sqlx::query_scalar("select next_try from webhook_waiting").fetch_one(&world.pool).await.unwrap();
    assert_eq!(next, noon() + TimeDelta::seconds(120));
    assert_eq!(positions(&receiver), [1]);
    world.advance(20);
    receiver.has(4).await;
    world.until_waiting(&endpoint, &[]).await;
    process.webhooks.close().await;
}

#[tokio::test]
async fn a_wait_that_is_asked_for_has_bounds() {
    let (receiver, world) = (Receiver::start(|_| Behaviour::too_many("1000000")).await, World::new().await);
    let endpoint = endpoint(&receiver.url());
    world.configure([endpoint.clone()]);
    let process = world.process();
    world.append(&[&[]]).await;
    world.until_waiting(&endpoint, &[(1, "waiting", 1)]).await;
    let waits: (DateTime<Utc>, DateTime<Utc>) =
        sqlx::query_as("select throttled_until, next_try from webhook_state join webhook_waiting using (endpoint)")
            .fetch_one(&world.pool)
            .await
            .unwrap();
    assert_eq!(waits, (noon() + TimeDelta::hours(1), noon() + TimeDelta::hours(24)));
    process.webhooks.close().await;
}

#[tokio::test]
async fn what_was_throttled_is_tried_again_however_much_comes_in() {
    let ((receiver, _), world) = (switched(429).await, World::new().await);
    let mut endpoint = endpoint(&receiver.url());
    (endpoint.retries, endpoint.exhausted) = ([Duration::from_secs(2); 2].into(), Exhausted::SetAside);
    world.configure([endpoint.clone()]);
    let process = world.process();
    world.append(&[&[] as &[&str]; 40]).await;
    for _ in 0..24 {
        // Everything that was sent is answered and recorded before time goes on.
        let sent = world
            .until("the attempts recorded", async |pool| {
                let count: i64 =
                    sqlx::query_scalar("select count(*) from webhook_attempt").fetch_one(pool).await.unwrap();
                (count > 0 && u64::try_from(count) == Ok(receiver.count())).then_some(receiver.count())
            })
            .await;
        // The pause of who does not say how long, and both tries are due. A new event comes as well.
        world.append(&[&[]]).await;
        world.advance(5);
        receiver.has(sent + 1).await;
    }
    let tried = positions(&receiver);
    let tries = |position| tried.iter().filter(|tried| **tried == position).count();
    assert_eq!(tries(1), 3, "{tried:?}");
    let begun: HashSet<i64> = tried.iter().copied().collect();
    assert!((8..=16).contains(&begun.len()), "{} begun: {tried:?}", begun.len());
    process.webhooks.close().await;
}

#[tokio::test]
async fn a_receiver_that_fails_whatever_it_is_sent_is_left_alone_and_then_tried_with_one() {
    let ((receiver, status), world) = (switched(500).await, World::new().await);
    let endpoint = endpoint(&receiver.url());
    world.configure([endpoint.clone()]);
    let process = world.process();
    world.append(&[&[] as &[&str]; 40]).await;
    world
        .until("an open breaker", async |_| (state(&world, &endpoint).await == ("open".to_owned(), 1)).then_some(()))
        .await;
    let tried = receiver.count();
    assert!((5..=20).contains(&tried), "{tried} attempts");
    // One goes after the pause; it fails, and the next pause is longer.
    world.advance(5);
    world
        .until("opened again", async |_| (state(&world, &endpoint).await == ("open".to_owned(), 2)).then_some(()))
        .await;
    // Beside those that were on their way when it opened.
    assert!((tried + 1..=tried + 4).contains(&receiver.count()), "{} after {tried}", receiver.count());
    status.store(200, Ordering::Release);
    // Another process finds it open, too.
    process.webhooks.close().await;
    let process = world.process();
    world.advance(10);
    world.until_at(&endpoint, 40).await;
    world.advance(3_600);
    world.until_waiting(&endpoint, &[]).await;
    assert_eq!(state(&world, &endpoint).await, ("closed".to_owned(), 0));
    process.webhooks.close().await;
}

#[tokio::test]
async fn no_more_requests_go_out_than_the_rate_allows() {
    let ((receiver, _), world) = (switched(200).await, World::new().await);
    let mut endpoint = endpoint(&receiver.url());
    endpoint.rate = Some(10);
    world.configure([endpoint.clone()]);
    let process = world.process();
    world.append(&[&[] as &[&str]; 30]).await;
    for sent in 1..=30 {
        receiver.has(sent).await;
        world
            .until("the attempt recorded", async |pool| {
                let count: i64 =
                    sqlx::query_scalar("select count(*) from webhook_attempt").fetch_one(pool).await.unwrap();
                (count == i64::try_from(sent).unwrap()).then_some(())
            })
            .await;
        assert_eq!(receiver.count(), sent, "the clock stands still");
        world.time.advance(TimeDelta::milliseconds(100));
    }
    process.webhooks.close().await;
}
