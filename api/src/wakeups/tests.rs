//! With a real Redis that goes away and comes back.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use vigie_commands::{Executor, Order};
use vigie_domain::support::{DefineSite, SiteDefined, SiteId, SiteKind, Zone};
use vigie_eventlog::{Log, testing};

use crate::clock;

/// A Redis of its own, ended with the test.
struct Redis {
    child: Child,
    port: u16,
}

impl Redis {
    fn start(port: u16) -> Self {
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string()])
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed: make setup");
        Self { child, port }
    }

    fn client(&self) -> redis::Client {
        redis::Client::open(format!("redis://127.0.0.1:{}", self.port)).unwrap()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn define(executor: &Executor, name: &str) -> i64 {
    let zone = Zone::new("Africa/Lome").unwrap();
    let site = SiteId::new("LFW").unwrap();
    let defined = SiteDefined { site, name: name.into(), kind: SiteKind::Airport, zone, icao: None };
    let order = Order::new(Uuid::now_v7(), "operator:test");
    executor.execute(&DefineSite(defined), order).await.unwrap().position
}

/// Appends until what was appended is told through Redis: a position at least as high.
async fn told(redis: &Redis, executor: &Executor) -> i64 {
    let mut subscription = loop {
        match redis.client().get_async_pubsub().await {
            Ok(subscription) => break subscription,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    subscription.subscribe("vigie:test:position").await.unwrap();
    let mut messages = subscription.into_on_message();
    loop {
        let position = define(executor, &Uuid::now_v7().to_string()).await;
        // The teller may not be connected yet; then the next append is told.
        if let Ok(Some(message)) = tokio::time::timeout(Duration::from_millis(200), messages.next()).await {
            let heard: i64 = message.get_payload().unwrap();
            assert!(heard <= position, "{heard} was told before it was appended");
            return heard;
        }
    }
}

#[tokio::test]
async fn what_is_appended_is_told_through_redis_also_after_it_was_away() {
    let log = Log::open(testing::database().await).await.unwrap();
    let executor = Executor::new(log.clone(), Arc::new(clock::now));
    let (port, stop) = (free_port(), CancellationToken::new());
    let redis = Redis::start(port);
    let running = tokio::spawn(super::run(redis.client(), "test".into(), log.clone(), stop.clone()));

    let first = told(&redis, &executor).await;
    drop(redis);
    // Nothing depends on it: commands and followers go on.
    let between = define(&executor, "while Redis is away").await;
    assert!(between > first);
    log.seen().wait_for(|seen| *seen >= between).await.unwrap();

    let back = Redis::start(port);
    assert!(told(&back, &executor).await > between);
    stop.cancel();
    running.await.unwrap();
}
