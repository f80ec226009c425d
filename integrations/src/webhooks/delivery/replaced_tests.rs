//! An owner that was replaced while it was not sure of itself.

use std::time::Instant as Monotonic;

use vigie_eventlog::time::ManualTime;

use super::super::record;
use super::super::testing::{Behaviour, Receiver, append, endpoint, local, noon};
use super::super::worker::Live;
use super::*;

const HOUR: Duration = Duration::from_secs(3_600);

struct World {
    pool: PgPool,
    log: Log,
    receiver: Receiver,
    endpoint: Arc<Endpoint>,
    lease: Lease,
}

impl World {
    async fn new() -> Self {
        let (pool, receiver) =
            (vigie_eventlog::testing::database().await, Receiver::start(|_| Behaviour::fine()).await);
        let (log, endpoint) = (Log::open(pool.clone()).await.unwrap(), Arc::new(endpoint(&receiver.url())));
        store::ensure(&[endpoint.as_ref()], &pool).await.unwrap();
        let lease = Lease::new();
        lease.extend(Monotonic::now(), HOUR);
        Self { pool, log, receiver, endpoint, lease }
    }

    /// `worker` takes the endpoint, for all that it knows who lives.
    async fn claim(&self, worker: i64, live: &Live) -> Option<State> {
        store::claim(worker, &[self.endpoint.id], live, 1, &self.pool).await.unwrap().pop()
    }

    async fn looked(&self, workers: &[i64]) -> Live {
        let at = sqlx::query_scalar("select clock_timestamp()").fetch_one(&self.pool).await.unwrap();
        Live { workers: workers.to_vec(), at }
    }

    /// Worker 1 delivers.
    async fn deliver(&self) -> tokio::task::JoinHandle<Ended> {
        let (recorder, handed) = mpsc::unbounded_channel();
        tokio::spawn(record::record(self.pool.clone(), HOUR, handed));
        let settings = Settings::default();
        let shared = Shared {
            pool: self.pool.clone(),
            log: self.log.clone(),
            sender: local(),
            time: ManualTime::at(noon()).time(),
            cap: Cap::new(settings.requests),
            settings,
            worker: 1,
            lease: self.lease.clone(),
            recorder,
            disabled: mpsc::unbounded_channel().0,
            attempted: broadcast::channel(16).0,
        };
        let state = self.claim(1, &self.looked(&[1]).await).await.unwrap();
        let opened = Delivery::open(Arc::new(shared), Arc::clone(&self.endpoint), state, self.lease.term());
        tokio::spawn(opened.await.unwrap().run(CancellationToken::new(), Arc::default()))
    }

    /// One event is delivered, and that is recorded.
    async fn delivered(&self) {
        let position = append(&self.log, &[&[]]).await;
        let at = "select count(*) from webhook_state where position = $1";
        while sqlx::query_scalar::<_, i64>(at).bind(position).fetch_one(&self.pool).await.unwrap() == 0 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn who_was_replaced_while_it_stood_still_sends_nothing_when_it_goes_on() {
    let world = World::new().await;
    let delivering = world.deliver().await;
    world.delivered().await;
    world.lease.end();
    world.claim(2, &world.looked(&[2]).await).await.unwrap();
    append(&world.log, &[&[]]).await;
    world.lease.extend(Monotonic::now(), HOUR);
    assert!(matches!(delivering.await.unwrap(), Ended::Fenced));
    assert_eq!(world.receiver.count(), 1);
}

#[tokio::test]
async fn who_was_not_replaced_goes_on_and_is_left_alone_by_whoever_took_it_for_dead() {
    let world = World::new().await;
    let delivering = world.deliver().await;
    world.delivered().await;
    let looked = world.looked(&[2]).await;
    world.lease.end();
    world.lease.extend(Monotonic::now(), HOUR);
    world.delivered().await;
    assert!(world.claim(2, &looked).await.is_none(), "the look is older than the sign of life");
    world.delivered().await;
    assert_eq!(world.receiver.count(), 3);
    let looked = world.looked(&[2]).await;
    assert!(world.claim(2, &looked).await.is_some(), "nothing was heard of it since");
    delivering.abort();
}
