//! In order per key, and keys beside each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use vigie_integrations::webhooks::testing::{Behaviour, Gate, Receiver, Reply, endpoint};
use vigie_integrations::webhooks::{Exhausted, Filter};

use crate::world::{World, counted_in_order, positions};

#[tokio::test]
async fn every_event_comes_once_and_in_order_per_key() {
    let (world, receiver) = (World::new().await, Receiver::start(|_| Behaviour::fine()).await);
    let mut endpoint = endpoint(&receiver.url());
    endpoint.ordering = Some("stand".to_owned());
    world.configure([endpoint.clone()]);
    let process = world.process();
    let keys = ["stand:1", "stand:2", "stand:3"];
    for n in 0..60 {
        world.append(&[&[keys[n % 3]]]).await;
    }
    // Together, and without a key.
    crate::world::append(&world.log, &[&["stand:1"], &[], &["stand:1", "stand:2"], &["stand:2"]]).await;
    receiver.has(64).await;
    world.until_at(&endpoint, 64).await;
    let counts = counted_in_order(&receiver.received());
    assert!((1..=64).all(|position| counts[&position] == 1), "{counts:?}");
    assert_eq!(world.waiting(&endpoint).await, []);
    process.webhooks.close().await;
    let attempts: i64 = sqlx::query_scalar("select count(*) from webhook_attempt where outcome = 'delivered'")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert_eq!(attempts, 64);
}

#[tokio::test]
async fn a_key_that_fails_holds_back_itself_alone_and_then_goes_on_in_order() {
    let broken = Arc::new(AtomicBool::new(true));
    let is_broken = Arc::clone(&broken);
    let receiver = Receiver::start(move |received| {
        let failing = received.body.contains("stand:bad") && is_broken.load(Ordering::Acquire);
        if failing { Behaviour::status(500) } else { Behaviour::fine() }
    })
    .await;
    let world = World::new().await;
    let mut endpoint = endpoint(&receiver.url());
    endpoint.ordering = Some("stand".to_owned());
    world.configure([endpoint.clone()]);
    let process = world.process();
    world
        .append(&[&["stand:bad"], &["stand:good"], &["stand:bad"], &["stand:good"], &["stand:bad", "stand:other"]])
        .await;
    world.append(&[&["stand:other"], &["stand:good"]]).await;
    world.until_at(&endpoint, 7).await;
    world.until_waiting(&endpoint, &[(1, "waiting", 1), (3, "waiting", 0), (5, "waiting", 0), (6, "waiting", 0)]).await;
    assert_eq!(positions(&receiver).iter().filter(|position| **position == 1).count(), 1);
    world.advance(7);
    world.until_waiting(&endpoint, &[(1, "waiting", 2), (3, "waiting", 0), (5, "waiting", 0), (6, "waiting", 0)]).await;
    broken.store(false, Ordering::Release);
    world.advance(400);
    world.until_waiting(&endpoint, &[]).await;
    // What comes after that does not wait any more.
    world.append(&[&["stand:bad"], &["stand:other"]]).await;
    world.until_at(&endpoint, 9).await;
    let of =
        |positions: Vec<i64>, wanted: &[i64]| positions.into_iter().filter(|p| wanted.contains(p)).collect::<Vec<_>>();
    assert_eq!(of(positions(&receiver), &[1, 3, 5, 6]), [1, 1, 1, 3, 5, 6]);
    assert_eq!(counted_in_order(&receiver.received()).len(), 9);
    process.webhooks.close().await;
    let left: i64 = sqlx::query_scalar("select count(*) from webhook_lane").fetch_one(&world.pool).await.unwrap();
    assert_eq!(left, 0, "keys of lanes in which nothing waits are forgotten");
}

#[tokio::test]
async fn used_up_retries_set_a_delivery_aside_and_its_key_goes_on() {
    let receiver =
        Receiver::start(
            |received| {
                if received.position() == Some(1) { Behaviour::status(400) } else { Behaviour::fine() }
            },
        )
        .await;
    let world = World::new().await;
    let mut endpoint = endpoint(&receiver.url());
    (endpoint.ordering, endpoint.exhausted) = (Some("stand".to_owned()), Exhausted::SetAside);
    endpoint.retries = vec![std::time::Duration::from_secs(10)].into();
    world.configure([endpoint.clone()]);
    let process = world.process();
    world.append(&[&["stand:1"], &["stand:1"]]).await;
    world.until_waiting(&endpoint, &[(1, "waiting", 1), (2, "waiting", 0)]).await;
    world.advance(13);
    world.until_waiting(&endpoint, &[(1, "set_aside", 2)]).await;
    assert_eq!(positions(&receiver), [1, 1, 2]);
    process.webhooks.close().await;
}

#[tokio::test]
async fn a_key_that_hangs_holds_nobody_up_and_memory_stays_bounded() {
    let gate = Gate::default();
    let held = gate.clone();
    let receiver = Receiver::start(move |received| match received.body.contains("stand:slow") {
        true => Behaviour::Gated(held.clone(), Reply::status(200)),
        false => Behaviour::fine(),
    })
    .await;
    let world = World::new().await;
    let mut endpoint = endpoint(&receiver.url());
    endpoint.ordering = Some("stand".to_owned());
    world.configure([endpoint.clone()]);
    let process = world.process();
    let slow: Vec<&[&str]> = vec![&["stand:slow"]; 700];
    crate::world::append(&world.log, &slow).await;
    world.append(&[&["stand:quick"]]).await;
    // Behind more of the slow key than is looked after at once.
    receiver.until("the quick key", |receiver| positions(receiver).contains(&701).then_some(())).await;
    gate.open(700);
    world.until_waiting(&endpoint, &[]).await;
    receiver.has(701).await;
    let counts = counted_in_order(&receiver.received());
    assert!(counts.len() == 701 && counts.values().all(|count| *count == 1), "{counts:?}");
    process.webhooks.close().await;
}

#[tokio::test]
async fn an_endpoint_gets_what_it_asks_for_and_nothing_about_itself() {
    let (world, receiver) = (World::new().await, Receiver::start(|_| Behaviour::fine()).await);
    let mut endpoint = endpoint(&receiver.url());
    endpoint.filter =
        Filter { kinds: vec!["support.*".to_owned()], tags: vec!["a:1".to_owned()], site: Some("LFW".to_owned()) };
    endpoint.after = 1;
    world.configure([endpoint.clone()]);
    let own = format!("endpoint:{}", endpoint.id);
    world.append(&[&["a:1"], &["a:1"], &["a:2"], &["a:1", own.as_str()], &["b:1", "a:1"]]).await;
    let process = world.process();
    world.until_at(&endpoint, 5).await;
    assert_eq!(positions(&receiver), [2, 5]);
    process.webhooks.close().await;
}

#[tokio::test]
async fn a_retry_that_is_due_before_its_failure_is_recorded_is_made() {
    let healthy = Arc::new(AtomicBool::new(false));
    let is_healthy = Arc::clone(&healthy);
    let receiver = Receiver::start(move |_| match is_healthy.load(Ordering::Acquire) {
        true => Behaviour::fine(),
        false => Behaviour::status(500),
    })
    .await;
    let world = World::new().await;
    let endpoint = endpoint(&receiver.url());
    world.configure([endpoint.clone()]);
    let process = world.process();
    let mut attempts = process.webhooks.attempts();
    // Nothing of the deliveries is recorded while this is held.
    let mut holding = world.pool.begin().await.unwrap();
    sqlx::query("lock table webhook_attempt in share mode").execute(&mut *holding).await.unwrap();
    world.append(&[&["stand:1"]]).await;
    let failed = attempts.recv().await.unwrap();
    assert_eq!((failed.attempt, failed.outcome), (1, "failed"));
    healthy.store(true, Ordering::Release);
    // Far beyond the first retry; what happens meanwhile shows that the delivery was looked after.
    world.advance(60);
    world.append(&[&["stand:2"]]).await;
    assert_eq!(attempts.recv().await.unwrap().outcome, "delivered");
    holding.commit().await.unwrap();
    receiver.has(3).await;
    world.until_waiting(&endpoint, &[]).await;
    assert_eq!(positions(&receiver), [1, 2, 1]);
}

#[tokio::test]
async fn a_lane_whose_owner_was_gone_before_it_ended_holds_nothing_back() {
    let receiver = Receiver::start(|received| match received.body.contains("stand:bad") {
        true => Behaviour::status(500),
        false => Behaviour::fine(),
    })
    .await;
    let world = World::new().await;
    let mut endpoint = endpoint(&receiver.url());
    endpoint.ordering = Some("stand".to_owned());
    world.configure([endpoint.clone()]);
    let process = world.process();
    world.append(&[&["stand:bad"]]).await;
    world.until_waiting(&endpoint, &[(1, "waiting", 1)]).await;
    process.webhooks.close().await;
    sqlx::query("insert into webhook_lane (endpoint, key, lane) values ($1, 'stand:1', 3)")
        .bind(endpoint.id)
        .execute(&world.pool)
        .await
        .unwrap();
    let process = world.process();
    world.append(&[&["stand:1"], &["stand:2"], &["stand:3"], &["stand:1"]]).await;
    receiver.has(5).await;
    let counts = counted_in_order(&receiver.received());
    assert!((1..=5).all(|position| counts[&position] == 1), "{counts:?}");
    process.webhooks.close().await;
}
