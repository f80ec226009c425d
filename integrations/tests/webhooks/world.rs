//! A log, a receiver, and processes that deliver.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;
use tokio::sync::{mpsc, watch};
use uuid::Uuid;
use vigie_eventlog::time::{ManualTime, Time, Timekeeper};
use vigie_eventlog::{Log, testing};
use vigie_integrations::webhooks::testing::{Received, Receiver, local};
pub(crate) use vigie_integrations::webhooks::testing::{append, noon};
use vigie_integrations::webhooks::{Disabled, Endpoint, Endpoints, Settings, Setup, Webhooks};

/// Quick enough for tests, and with room for a machine that has much else to do.
pub(crate) const SETTINGS: Settings = Settings {
    lease: Duration::from_secs(6),
    look: Duration::from_millis(50),
    parallel: 16,
    requests: 1_024,
    grace: Duration::from_secs(10),
};

/// How long something is waited for that must happen.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct World {
    pub(crate) pool: PgPool,
    pub(crate) log: Log,
    pub(crate) time: ManualTime,
    pub(crate) endpoints: watch::Sender<Endpoints>,
}

/// A process that delivers.
pub(crate) struct Process {
    pub(crate) webhooks: Webhooks,
    pub(crate) disabled: mpsc::UnboundedReceiver<Disabled>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let pool = testing::database().await;
        let log = Log::open(pool.clone()).await.unwrap();
        Self { pool, log, time: ManualTime::at(noon()), endpoints: watch::Sender::new(Arc::default()) }
    }

    pub(crate) fn configure(&self, endpoints: impl IntoIterator<Item = Endpoint>) {
        let endpoints: BTreeMap<_, _> = endpoints.into_iter().map(|e| (e.id, Arc::new(e))).collect();
        self.endpoints.send_replace(Arc::new(endpoints));
    }

    pub(crate) fn process(&self) -> Process {
        process(&self.pool, &self.log, self.time.time(), self.endpoints.subscribe(), SETTINGS)
    }

    /// Appends an event about each of these, one append each; their ids by position.
    pub(crate) async fn append(&self, tags: &[&[&str]]) -> Vec<i64> {
        let mut positions = Vec::new();
        for tags in tags {
            positions.push(append(&self.log, &[tags]).await);
        }
        positions
    }

    /// Waits until `look` finds something in the database.
    pub(crate) async fn until<T>(&self, what: &str, look: impl AsyncFn(&PgPool) -> Option<T>) -> T {
        let looking = async {
            loop {
                if let Some(found) = look(&self.pool).await {
                    break found;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("not in time: {what}"))
    }

    /// Waits until an endpoint stands at this position or further.
    pub(crate) async fn until_at(&self, endpoint: &Endpoint, position: i64) {
        self.until(&format!("{} at {position}", endpoint.id), async |pool| {
            (stands_at(endpoint.id, pool).await? >= position).then_some(())
        })
        .await;
    }

    /// The rows that wait, in order: position, state, attempts.
    pub(crate) async fn waiting(&self, endpoint: &Endpoint) -> Vec<(i64, String, i32)> {
        sqlx::query_as("select position, state, attempts from webhook_waiting where endpoint = $1 order by seq")
            .bind(endpoint.id)
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }

    /// Waits until that is what waits.
    pub(crate) async fn until_waiting(&self, endpoint: &Endpoint, rows: &[(i64, &str, i32)]) {
        self.until(&format!("{rows:?} waiting"), async |_| {
            let found = self.waiting(endpoint).await;
            let same = found.iter().map(|(p, s, a)| (*p, s.as_str(), *a)).eq(rows.iter().copied());
            same.then_some(())
        })
        .await;
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.time.now()
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.time.advance(TimeDelta::seconds(seconds));
    }
}

pub(crate) fn process(
    pool: &PgPool,
    log: &Log,
    time: Time,
    endpoints: watch::Receiver<Endpoints>,
    settings: Settings,
) -> Process {
    let (sender, disabled) = mpsc::unbounded_channel();
    let setup =
        Setup { pool: pool.clone(), log: log.clone(), sender: local(), time, settings, endpoints, disabled: sender };
    Process { webhooks: Webhooks::start(setup), disabled }
}

pub(crate) async fn stands_at(endpoint: Uuid, pool: &PgPool) -> Option<i64> {
    sqlx::query_scalar("select position from webhook_state where endpoint = $1")
        .bind(endpoint)
        .fetch_optional(pool)
        .await
        .unwrap()
}

/// The positions that a receiver was sent, in order.
pub(crate) fn positions(receiver: &Receiver) -> Vec<i64> {
    receiver.received().iter().map(|received| received.position().unwrap()).collect()
}

/// A header that says which process a request is from, where there are several.
pub(crate) const PROCESS: &str = "x-process";

/// The events of a thing as they came, and from whom.
fn all_of(received: &[Received], tag: &serde_json::Value) -> Vec<String> {
    let of_tag = received.iter().filter(|one| one.json()["tags"].as_array().unwrap().contains(tag));
    of_tag.map(|one| format!("{}@{}", one.position().unwrap(), one.header(PROCESS).unwrap_or_default())).collect()
}

/// How often each event came, and that of each key the first of each came in order; `keys` of an event are its tags.
pub(crate) fn counted_in_order(received: &[Received]) -> HashMap<i64, usize> {
    let mut counts = HashMap::new();
    let mut last: HashMap<String, i64> = HashMap::new();
    for one in received {
        let position = one.position().unwrap();
        let count = counts.entry(position).or_default();
        *count += 1;
        if *count > 1 {
            continue;
        }
        for tag in one.json()["tags"].as_array().unwrap() {
            let before = last.insert(tag.as_str().unwrap().to_owned(), position);
            assert!(
                before.is_none_or(|before| before < position),
                "{tag}: {position} after {before:?} at {}: {:?}",
                one.path,
                all_of(received, tag)
            );
        }
    }
    counts
}
