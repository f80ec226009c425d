//! With the buckets of one process, and with a real Redis that goes away and comes back.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use redis::AsyncCommands;

use super::*;
use crate::redis_server::Redis;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
/// So long that nothing comes back while a test runs.
const LONG: Duration = Duration::from_secs(86_400);

fn limits(rate: u64, share: u64, window: Duration) -> Limits {
    Limits { rate, address_share: share, rate_window: window, ..Limits::default() }
}

async fn left(rates: &Rates, actor: &str, cost: u64) -> Result<[u64; 2], Overdrawn> {
    let quota = rates.charge(actor, HERE.into(), cost).await?.unwrap();
    Ok(quota.buckets.map(|bucket| bucket.left))
}

#[tokio::test]
async fn a_caller_spends_what_the_bucket_holds_and_no_more() {
    let rates = Rates::new(&limits(1_000, 10, LONG), None, "test");
    assert_eq!(left(&rates, "a", 400).await.unwrap(), [600, 9_600]);
    assert_eq!(left(&rates, "a", 600).await.unwrap(), [0, 9_000]);
    let overdrawn = left(&rates, "a", 1).await.unwrap_err();
    assert_eq!(overdrawn.exceeded, Limit::Rate.exceeded(1_001, 1_000));
    // A thousandth of a day.
    assert!((86..=87).contains(&overdrawn.quota.retry_after().unwrap()), "{:?}", overdrawn.quota);
    assert_eq!(left(&rates, "b", 1).await.unwrap(), [999, 8_999]);
}

#[tokio::test]
async fn other_names_do_not_get_an_address_more_than_its_share() {
    let rates = Rates::new(&limits(1_000, 2, LONG), None, "test");
    for actor in ["a", "b"] {
        left(&rates, actor, 1_000).await.unwrap();
    }
    let overdrawn = left(&rates, "c", 1).await.unwrap_err();
    assert_eq!(overdrawn.exceeded, Limit::Rate.exceeded(2_001, 2_000));
    // Nothing was taken from the bucket that held enough.
    assert_eq!(overdrawn.quota.buckets[0].left, 1_000);
}

#[tokio::test]
async fn what_costs_more_than_a_bucket_takes_a_whole_one() {
    let rates = Rates::new(&limits(1_000, 10, LONG), None, "test");
    assert_eq!(left(&rates, "a", 5_000).await.unwrap(), [0, 5_000]);
    assert_eq!(left(&rates, "a", 5_000).await.unwrap_err().exceeded, Limit::Rate.exceeded(6_000, 1_000));
}

#[tokio::test]
async fn without_a_limit_nothing_is_told() {
    assert_eq!(Rates::new(&limits(0, 10, LONG), None, "test").charge("a", HERE.into(), 9).await.unwrap(), None);
}

#[test]
fn a_bucket_fills_steadily_up_to_its_size() {
    let (start, window) = (Instant::now(), Duration::from_secs(60));
    let mut bucket = Bucket::holding(0, start);
    bucket.fill(600, window, start + Duration::from_secs(6));
    assert_eq!((bucket.left(), bucket.wait(100, 600, window)), (60, Some(Duration::from_secs(4))));
    bucket.fill(600, window, start + Duration::from_secs(600));
    assert_eq!((bucket.left(), bucket.wait(600, 600, window)), (600, None));
}

#[test]
fn the_headers_are_structured_fields_with_the_policies_by_name() {
    let buckets = [Left { size: 6_000, left: 4_500 }, Left { size: 60_000, left: 60_000 }];
    let quota = Quota { window: Duration::from_secs(60), buckets, wait: Some(Duration::from_millis(1_200)) };
    let headers = quota.headers();
    assert_eq!(headers["ratelimit-policy"], r#""caller";q=6000;qu="cost";w=60, "address";q=60000;qu="cost";w=60"#);
    assert_eq!(headers["ratelimit"], r#""caller";r=4500;t=15, "address";r=60000;t=0"#);
    assert_eq!(headers["retry-after"], "2");
}

impl Rates {
    /// Waits until the buckets are those of Redis.
    pub(crate) async fn until_shared(&self) {
        while !self.shared.as_ref().unwrap().is_open() {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn processes_with_one_redis_share_the_buckets() {
    let redis = Redis::start();
    let mut connection = redis.connection().await;
    let start = || Rates::new(&limits(1_000, 10, LONG), Some(redis.client()), "test");
    let (one, other, elsewhere) =
        (start(), start(), Rates::new(&limits(1_000, 10, LONG), Some(redis.client()), "other_log"));
    for rates in [&one, &other, &elsewhere] {
        rates.until_shared().await;
    }
    assert_eq!(left(&one, "a", 400).await.unwrap(), [600, 9_600]);
    assert_eq!(left(&other, "a", 500).await.unwrap(), [100, 9_100]);
    let overdrawn = left(&one, "a", 200).await.unwrap_err();
    assert_eq!(overdrawn.exceeded, Limit::Rate.exceeded(1_100, 1_000));
    assert!((8_639..=8_641).contains(&overdrawn.quota.retry_after().unwrap()), "{:?}", overdrawn.quota);
    assert_eq!(left(&elsewhere, "a", 1).await.unwrap(), [999, 9_999]);

    // Scripts are forgotten when Redis is told to; the next charge brings it again.
    redis::cmd("SCRIPT").arg("FLUSH").exec_async(&mut connection).await.unwrap();
    assert_eq!(left(&other, "a", 100).await.unwrap(), [0, 9_000]);
    // Every key ends by itself once its bucket is full.
    let keys: Vec<String> = connection.keys("vigie:test:rate:*").await.unwrap();
    assert_eq!(keys.len(), 2, "{keys:?}");
    for key in keys {
        let ends: i64 = connection.pttl(&key).await.unwrap();
        assert!(ends > 0 && ends <= 86_401_000, "{key} {ends}");
    }
}

#[tokio::test]
async fn what_was_spent_comes_back_by_the_clock_of_redis() {
    let redis = Redis::start();
    redis.connection().await;
    // The whole bucket in 100 ms.
    let rates = Rates::new(&limits(1_000, 10, Duration::from_millis(100)), Some(redis.client()), "test");
    rates.until_shared().await;
    for _ in 0..3 {
        while left(&rates, "a", 1_000).await.is_err() {
            tokio::task::yield_now().await;
        }
    }
    assert!(rates.shared.as_ref().unwrap().is_open());
}

#[tokio::test]
async fn when_redis_is_killed_the_process_goes_on_from_what_was_left_and_back_again() {
    let mut redis = Redis::start();
    redis.connection().await;
    let rates = Rates::new(&limits(1_000, 10, LONG), Some(redis.client()), "test");
    rates.until_shared().await;
    assert_eq!(left(&rates, "a", 700).await.unwrap(), [300, 9_300]);
    redis.kill();
    assert_eq!(left(&rates, "a", 200).await.unwrap(), [100, 9_100]);
    assert!(!rates.shared.as_ref().unwrap().is_open());
    assert_eq!(left(&rates, "a", 200).await.unwrap_err().exceeded, Limit::Rate.exceeded(1_100, 1_000));
    redis.restart();
    rates.until_shared().await;
    // It has come back empty, and an empty Redis knows full buckets only.
    assert_eq!(left(&rates, "a", 700).await.unwrap(), [300, 9_300]);
}

#[tokio::test]
async fn a_redis_that_does_not_answer_holds_nobody_up_twice() {
    let redis = Redis::start();
    redis.connection().await;
    let rates = Rates::new(&limits(1_000, 10, LONG), Some(redis.client()), "test");
    rates.until_shared().await;
    left(&rates, "a", 100).await.unwrap();
    redis.freeze();
    assert_eq!(left(&rates, "a", 100).await.unwrap(), [800, 9_800]);
    assert!(!rates.shared.as_ref().unwrap().is_open());
    // It is out of the way now: nobody waits for it any more.
    assert_eq!(left(&rates, "a", 100).await.unwrap(), [700, 9_700]);
}
