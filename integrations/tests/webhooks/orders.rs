//! What people ask for: again, what failed, and let go.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::PgPool;
use uuid::Uuid;
use vigie_integrations::webhooks::testing::{Behaviour, Receiver, endpoint, local};
use vigie_integrations::webhooks::{Exhausted, Order, ask, cancel, preview, probe, prune};

use crate::world::{World, counted_in_order, noon, positions};

async fn until_over(world: &World, order: i64) -> i64 {
    world
        .until("the order carried out", async |pool| {
            sqlx::query_scalar("select sent from webhook_replay where id = $1 and state = 'done'")
                .bind(order)
                .fetch_optional(pool)
                .await
                .unwrap()
        })
        .await
}

#[tokio::test]
async fn a_range_is_sent_again_with_the_same_ids_and_in_order_per_key() {
    let (world, receiver) = (World::new().await, Receiver::start(|_| Behaviour::fine()).await);
    let mut endpoint = endpoint(&receiver.url());
    endpoint.ordering = Some("stand".to_owned());
    world.configure([endpoint.clone()]);
    let process = world.process();
    let tags: [&[&str]; 300] = std::array::from_fn(|n| if n % 2 == 0 { &["stand:1"] as &[&str] } else { &["stand:2"] });
    crate::world::append(&world.log, &tags).await;
    world.until_at(&endpoint, 300).await;
    let before = receiver.received();
    let shown = preview(&world.log, &endpoint.filter, |event| endpoint.wants(event), (100, 290), 3).await.unwrap();
    assert_eq!((shown.count, shown.events.len(), shown.events[0].position, shown.complete), (190, 3, 101, true));

    let order = ask(endpoint.id, Order::Everything, (100, 290), ("operator", "the receiver lost them"), &world.pool);
    let order = order.await.unwrap();
    assert_eq!(until_over(&world, order).await, 190);
    let again = receiver.received().split_off(before.len());
    let counts = counted_in_order(&again);
    assert!((101..=290).all(|position| counts[&position] == 1) && counts.len() == 190);
    for one in &again {
        let first = before.iter().find(|first| first.position() == one.position()).unwrap();
        assert_eq!((first.id(), &first.body), (one.id(), &one.body));
    }
    assert!(!cancel(order, &world.pool).await.unwrap(), "what is over cannot be called off");
    process.webhooks.close().await;
}

#[tokio::test]
async fn dead_letters_are_sent_again_and_what_waits_is_tried_now() {
    let broken = Arc::new(AtomicBool::new(true));
    let is_broken = Arc::clone(&broken);
    let receiver = Receiver::start(move |_| match is_broken.load(Ordering::Acquire) {
        true => Behaviour::status(500),
        false => Behaviour::fine(),
    })
    .await;
    let world = World::new().await;
    let mut endpoint = endpoint(&receiver.url());
    (endpoint.exhausted, endpoint.retries, endpoint.ordering) =
        (Exhausted::SetAside, [].into(), Some("stand".to_owned()));
    world.configure([endpoint.clone()]);
    let process = world.process();
    world.append(&[&["stand:1"], &["stand:1"], &["stand:1"]]).await;
    world.until_waiting(&endpoint, &[(1, "set_aside", 1), (2, "set_aside", 1), (3, "set_aside", 1)]).await;
    broken.store(false, Ordering::Release);
    let order = ask(endpoint.id, Order::Failed, (1, 3), ("operator", "mended"), &world.pool).await.unwrap();
    assert_eq!(until_over(&world, order).await, 2);
    world.until_waiting(&endpoint, &[(1, "set_aside", 1)]).await;
    assert_eq!(positions(&receiver), [1, 2, 3, 2, 3]);
    process.webhooks.close().await;
}

#[tokio::test]
async fn what_waits_behind_an_open_breaker_is_tried_when_somebody_wishes_so() {
    let broken = Arc::new(AtomicBool::new(true));
    let is_broken = Arc::clone(&broken);
    let receiver =
        Receiver::start(move |_| Behaviour::status(if is_broken.load(Ordering::Acquire) { 500 } else { 200 }));
    let (receiver, world) = (receiver.await, World::new().await);
    let endpoint = endpoint(&receiver.url());
    world.configure([endpoint.clone()]);
    let process = world.process();
    world.append(&[&[] as &[&str]; 8]).await;
    let open = "select true from webhook_state where breaker = 'open'";
    let open = async |pool: &PgPool| sqlx::query_scalar::<_, bool>(open).fetch_optional(pool).await.unwrap();
    world.until("an open breaker", open).await;
    broken.store(false, Ordering::Release);
    // No time passes.
    let order = ask(endpoint.id, Order::Failed, (0, 8), ("operator", "mended"), &world.pool).await.unwrap();
    until_over(&world, order).await;
    world.until_at(&endpoint, 8).await;
    world.until_waiting(&endpoint, &[]).await;
    process.webhooks.close().await;
}

#[tokio::test]
async fn what_is_let_go_is_a_dead_letter_and_its_key_goes_on() {
    let receiver =
        Receiver::start(
            |received| {
                if received.position() == Some(1) { Behaviour::status(400) } else { Behaviour::fine() }
            },
        )
        .await;
    let world = World::new().await;
    let mut endpoint = endpoint(&receiver.url());
    endpoint.ordering = Some("stand".to_owned());
    world.configure([endpoint.clone()]);
    let process = world.process();
    world.append(&[&["stand:1"], &["stand:1"], &["stand:1"]]).await;
    world.until_waiting(&endpoint, &[(1, "waiting", 1), (2, "waiting", 0), (3, "waiting", 0)]).await;
    let order = ask(endpoint.id, Order::Skip, (0, 1), ("operator", "of no use"), &world.pool).await.unwrap();
    assert_eq!(until_over(&world, order).await, 1);
    world.until_waiting(&endpoint, &[(1, "set_aside", 1)]).await;
    assert_eq!(positions(&receiver), [1, 2, 3]);
    process.webhooks.close().await;
}

#[tokio::test]
async fn a_test_is_sent_signed_and_noted_and_old_attempts_go() {
    let (world, receiver) = (World::new().await, Receiver::start(|_| Behaviour::fine()).await);
    let (endpoint, id) = (endpoint(&receiver.url()), Uuid::now_v7());
    let row = probe(&endpoint, id, &local(), &world.time.time(), &world.pool).await.unwrap();
    assert_eq!((row.outcome, row.status, row.position), ("delivered", Some(200), None));
    let received = receiver.received();
    assert_eq!((received[0].id(), received[0].json()["type"].as_str()), (id, Some("webhooks.test")));
    assert!(received[0].header("webhook-signature").unwrap().starts_with("v1,"));
    assert_eq!(prune(noon(), &world.pool).await.unwrap().attempts, 0);
    world.advance(1);
    assert_eq!(prune(world.now(), &world.pool).await.unwrap().attempts, 1);
}
