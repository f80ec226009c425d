//! Processes that deliver are killed, and stopped and continued, at any moment.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::ConnectOptions;
use sqlx::postgres::PgPoolOptions;
use tokio::sync::watch;
use vigie_eventlog::Log;
use vigie_eventlog::time::{Timekeeper, Waiting};
use vigie_integrations::webhooks::testing::{Behaviour, Received, Receiver, endpoint};
use vigie_integrations::webhooks::wire::CustomHeaders;
use vigie_integrations::webhooks::{Endpoint, Settings};

use crate::world::{PROCESS, SETTINGS, World, counted_in_order, process};

const DATABASE: &str = "VIGIE_WEBHOOKS_TEST_DATABASE";
const RECEIVER: &str = "VIGIE_WEBHOOKS_TEST_RECEIVER";
const ENDPOINTS: usize = 4;
const EVENTS: usize = 1_200;
const KEYS: usize = 7;

/// The clock of this machine: the processes of these tests share no other.
struct Machine;

impl Timekeeper for Machine {
    #[expect(clippy::disallowed_methods, reason = "processes that are killed go by the machine's clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn sleep_until(&self, due: DateTime<Utc>) -> Waiting<'_> {
        let left = (due - self.now()).to_std().unwrap_or_default();
        Box::pin(tokio::time::sleep(left))
    }
}

fn endpoints(url: &str) -> Vec<Endpoint> {
    let ordered = |n| {
        let mut endpoint = endpoint(&format!("{url}?endpoint={n}"));
        endpoint.ordering = Some("stand".to_owned());
        endpoint.retries = vec![Duration::from_millis(50)].into();
        endpoint
    };
    (0..ENDPOINTS).map(ordered).collect()
}

/// A process that delivers until it is killed; the test below starts it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "part of the test that kills it"]
async fn deliver_until_killed() {
    let (Ok(database), Ok(receiver)) = (std::env::var(DATABASE), std::env::var(RECEIVER)) else { return };
    let pool = PgPoolOptions::new().max_connections(6).connect(&database).await.unwrap();
    let log = Log::open(pool.clone()).await.unwrap();
    let id = std::process::id().to_string();
    let own = |mut endpoint: Endpoint| {
        endpoint.headers = Arc::new(CustomHeaders::new([(PROCESS, id.as_str())]).unwrap());
        (endpoint.id, Arc::new(endpoint))
    };
    let endpoints: BTreeMap<_, _> = endpoints(&receiver).into_iter().map(own).collect();
    let (_sender, endpoints) = watch::channel(Arc::new(endpoints));
    let _process =
        process(&pool, &log, Arc::new(Machine), endpoints, Settings { lease: Duration::from_secs(3), ..SETTINGS });
    std::future::pending::<()>().await;
}

struct Worker(Child);

impl Worker {
    fn start(world: &World, receiver: &Receiver) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "kills::deliver_until_killed"]);
        command.env(DATABASE, world.pool.connect_options().to_url_lossy().as_str()).env(RECEIVER, receiver.url());
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn by_endpoint(received: Vec<Received>) -> BTreeMap<String, Vec<Received>> {
    let mut sorted: BTreeMap<String, Vec<Received>> = BTreeMap::new();
    for one in received {
        sorted.entry(one.path.clone()).or_default().push(one);
    }
    sorted
}

/// Appends everything, and does something to one of the workers after each so many deliveries.
async fn while_delivering(every: u64, disturb: impl Fn(usize, &mut Vec<Worker>, &World, &Receiver)) -> (usize, usize) {
    // One request in fifty fails, so that lanes are stored and loaded, too.
    let count = AtomicU64::new(0);
    let receiver = Receiver::start(move |_| match count.fetch_add(1, Ordering::Relaxed) % 50 {
        49 => Behaviour::status(500),
        _ => Behaviour::fine(),
    })
    .await;
    let world = World::new().await;
    let mut workers: Vec<Worker> = (0..3).map(|_| Worker::start(&world, &receiver)).collect();
    let (mut disturbances, mut next) = (0, 100);
    let names: Vec<String> = (0..KEYS).map(|n| format!("stand:{n}")).collect();
    for n in 0..EVENTS / 10 {
        let tags: Vec<Vec<&str>> = (0..10)
            .map(|m| {
                let number = n * 10 + m;
                let own = names[number % KEYS].as_str();
                // Now and then one that ties two keys together.
                if number % 37 == 0 { vec![own, names[(number + 3) % KEYS].as_str()] } else { vec![own] }
            })
            .collect();
        let tags: Vec<&[&str]> = tags.iter().map(Vec::as_slice).collect();
        crate::world::append(&world.log, &tags).await;
        while receiver.count() > next {
            disturb(disturbances, &mut workers, &world, &receiver);
            disturbances += 1;
            next += every;
        }
        // So that what happens to the workers happens while they deliver.
        receiver.has(u64::try_from(n * 10 * ENDPOINTS).unwrap().saturating_sub(400)).await;
    }
    let complete = |receiver: &Receiver| {
        if receiver.count() < u64::try_from(ENDPOINTS * EVENTS).unwrap() {
            return None;
        }
        let sorted = by_endpoint(receiver.received());
        let all = |received: &Vec<Received>| {
            let mut positions: Vec<_> = received.iter().filter_map(Received::position).collect();
            positions.sort_unstable();
            positions.dedup();
            positions.len() == EVENTS
        };
        (sorted.len() == ENDPOINTS && sorted.values().all(all)).then_some(())
    };
    receiver.until("everything delivered to everybody", complete).await;
    let mut twice = 0;
    for received in by_endpoint(receiver.received()).values() {
        let counts = counted_in_order(received);
        twice += counts.values().sum::<usize>() - counts.len();
    }
    (disturbances, twice)
}

#[tokio::test]
async fn a_kill_at_any_moment_loses_nothing_and_reorders_nothing() {
    let (kills, again) = while_delivering(250, |n, workers, world, receiver| {
        let killed = n % workers.len();
        workers[killed] = Worker::start(world, receiver);
    })
    .await;
    println!("{kills} kills, {} deliveries, {again} sent again", ENDPOINTS * EVENTS);
    assert!(kills >= 10, "only {kills} kills");
    assert!(again < ENDPOINTS * EVENTS / 2, "{again} sent again");
}

#[tokio::test]
async fn a_process_that_stands_still_is_replaced_and_disturbs_nobody_when_it_goes_on() {
    let (stops, again) = while_delivering(800, |n, workers, _, _| {
        // One stands still while the others deliver on; the one before goes on.
        let stopped = n % workers.len();
        workers[(stopped + 2) % 3].signal(Signal::CONT);
        workers[stopped].signal(Signal::STOP);
    })
    .await;
    println!("{stops} stops, {} deliveries, {again} sent again", ENDPOINTS * EVENTS);
    assert!(stops >= 4, "only {stops} stops");
}
