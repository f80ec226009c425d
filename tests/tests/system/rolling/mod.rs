//! Two processes serve one log and are killed and restarted in turn, as is the Redis through which they wake each other.
//! Many clients follow the log, each at a random one of the two. Whatever is cut off when, each client has the log in the
//! end: every event once, in order.

mod redis;
mod watcher;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::client::{Client, Server};
use crate::harness::{PATIENCE, Place, until};
use redis::Redis;
use watcher::{Filter, Watcher, Way};

/// How many watch.
const WATCHERS: usize = 200;
/// How many write at once.
const WRITERS: u32 = 4;
/// Commands that are acknowledged between one restart and the next.
const BETWEEN: u32 = 20;

/// Where the processes that run now are; none for one that is down.
pub(super) type Addresses = Arc<RwLock<[Option<SocketAddr>; 2]>>;

/// One that runs; `number` decides between two.
pub(super) fn any(addresses: &Addresses, number: usize) -> Option<SocketAddr> {
    let addresses = addresses.read().unwrap();
    let up: Vec<SocketAddr> = addresses.iter().flatten().copied().collect();
    (!up.is_empty()).then(|| up[number % up.len()])
}

/// Numbers that look random, the same in every run.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn throw(&mut self) -> usize {
        // Xorshift64*, as Vigna describes it.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 40) as usize
    }
}

/// Sends commands until it is told to stop, each until somebody acknowledges it.
async fn write(writer: u32, addresses: Addresses, acknowledged: Arc<AtomicU32>, stop: watch::Receiver<bool>) {
    let mut dice = Dice::new(u64::from(writer) + 1_000);
    for number in (writer..).step_by(WRITERS as usize) {
        let acknowledges = async {
            while match any(&addresses, dice.throw()) {
                Some(address) => !define(Client::at(address), number).await,
                None => true,
            } {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, acknowledges).await.expect("a command is acknowledged in time");
        acknowledged.fetch_add(1, Ordering::Relaxed);
        if *stop.borrow() {
            return;
        }
    }
}

/// Whether the command was acknowledged. Sent again, it is carried out once.
async fn define(client: Client, number: u32) -> bool {
    let query = "mutation($input: DefineSiteInput!) { defineSite(input: $input) {
        ... on SitePayload { position } ... on Refusal { message } } }";
    let input = json!({
        "commandId": format!("00000000-0000-7000-8000-{number:012x}"), "site": format!("S{number:05}"),
        "name": format!("Site {number}"), "kind": "RAIL", "zone": "Africa/Lome",
    });
    let answer = client.graphql(query, json!({ "input": input })).await;
    answer.is_ok_and(|data| {
        assert!(data["defineSite"]["message"].is_null(), "{data}");
        data["defineSite"]["position"].is_i64()
    })
}

/// The rounds of restarts; more of them take longer.
fn rounds() -> usize {
    std::env::var("VIGIE_ROLLING_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3)
}

/// Stops one of the two, or kills it, and starts it again.
async fn restart(place: &Place, servers: &mut [Server; 2], addresses: &Addresses, turn: usize, kill: bool) {
    let victim = turn % 2;
    if kill {
        addresses.write().unwrap()[victim] = None;
    }
    servers[victim].program.signal(if kill { Signal::KILL } else { Signal::TERM });
    let status = servers[victim].program.end().await;
    assert!(kill || status.success(), "{status}: {}", servers[victim].program.said());
    addresses.write().unwrap()[victim] = None;
    servers[victim] = Server::start(place).await;
    addresses.write().unwrap()[victim] = Some(servers[victim].client.address());
}

fn way(number: usize) -> Way {
    if number.is_multiple_of(2) { Way::Socket } else { Way::Events }
}

fn filter(number: usize) -> Filter {
    if number % 10 == 9 { Filter::Site(format!("S{:05}", number / 10)) } else { Filter::All }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn through_kills_and_restarts_of_two_processes_every_client_has_the_log() {
    let mut redis = Redis::start();
    let place = Place::new().with("REDIS_URL", &redis.url());
    // Somebody keeps the private Postgres while both are down.
    let mut keeper = place.start(["postgres", "run", "--", "cat"]);
    until("the Postgres runs", async || place.postgres().is_some()).await;
    let mut servers = [Server::start(&place).await, Server::start(&place).await];
    let addresses: Addresses = Arc::new(RwLock::new([0, 1].map(|n: usize| Some(servers[n].client.address()))));

    let (end, goal) = watch::channel(None);
    let mut watchers = JoinSet::new();
    for number in 0..WATCHERS {
        let watcher = Watcher::new(number, way(number), filter(number), Arc::clone(&addresses), goal.clone());
        watchers.spawn(watcher.run());
    }
    let (halt, stop) = watch::channel(false);
    let acknowledged = Arc::new(AtomicU32::new(0));
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(write(writer, Arc::clone(&addresses), Arc::clone(&acknowledged), stop.clone()));
    }

    let mut dice = Dice::new(7);
    for turn in 0..rounds() {
        let enough = acknowledged.load(Ordering::Relaxed) + BETWEEN;
        until("commands are acknowledged", async || acknowledged.load(Ordering::Relaxed) >= enough).await;
        // With Redis, without it, and with it again.
        match turn % 3 {
            1 => redis.kill(),
            2 => redis.restart(),
            _ => {}
        }
        restart(&place, &mut servers, &addresses, dice.throw() + turn, turn % 2 == 0).await;
    }
    halt.send(true).unwrap();
    while let Some(written) = writers.join_next().await {
        written.unwrap();
    }

    let listed = place.succeed(["events", "list", "--json", "--after=0", "--limit=1000000"]).await;
    let log: Vec<Value> = listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(log.len(), acknowledged.load(Ordering::Relaxed) as usize, "each command was carried out once");
    end.send(Some(i64::try_from(log.len()).unwrap())).unwrap();
    let mut cuts = 0;
    while let Some(watched) = tokio::time::timeout(PATIENCE, watchers.join_next()).await.expect("all get there") {
        let watched = watched.unwrap();
        let wanted = |event: &&Value| watched.filter.takes(event["site"].as_str().unwrap());
        let expected: Vec<(i64, &str)> =
            log.iter().filter(wanted).map(|e| (e["position"].as_i64().unwrap(), e["id"].as_str().unwrap())).collect();
        let seen: Vec<(i64, &str)> = watched.seen.iter().map(|(position, id)| (*position, id.as_str())).collect();
        assert_eq!(seen, expected, "{watched:?}");
        cuts += watched.connections - 1;
    }
    assert!(cuts >= WATCHERS, "clients were cut off: {cuts} times");
    for server in &mut servers {
        server.program.signal(Signal::TERM);
        assert!(server.program.end().await.success(), "{}", server.program.said());
    }
    keeper.hang_up();
    keeper.end().await;
}
