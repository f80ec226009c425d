//! One process that delivers, and its receiver.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use sqlx::PgPool;
use tokio::sync::{mpsc, watch};
use vigie_eventlog::Log;
use vigie_integrations::webhooks::testing::{Behaviour, Received, Receiver, endpoint, local};
use vigie_integrations::webhooks::{Disabled, Endpoint, Endpoints, Settings, Setup, Webhooks};

use super::{PATIENCE, events};
use crate::Outcome;
use crate::closed_loop::histogram;
use crate::database::Database;

/// When the first byte of each event's delivery came, by position.
pub(super) type Arrivals = Arc<Mutex<HashMap<i64, Instant>>>;

pub(super) struct Sending {
    pub(super) log: Log,
    pub(super) receiver: Counting,
    pub(super) arrivals: Arrivals,
    /// Endpoints from this number on answer.
    pub(super) hang: usize,
    pool: PgPool,
    configured: Endpoints,
    endpoints: watch::Sender<Endpoints>,
    webhooks: Webhooks,
    _disabled: mpsc::UnboundedReceiver<Disabled>,
}

pub(super) struct Counting(Receiver);

impl Counting {
    pub(super) async fn has_in_time(&self, count: u64) -> Outcome<()> {
        let until = Instant::now() + PATIENCE;
        while self.0.count() < count {
            if Instant::now() > until {
                return Err(format!("{} of {count} deliveries came in time", self.0.count()).into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

impl Sending {
    /// To one endpoint that asks for everything; `noting` when each event arrives.
    pub(super) async fn to_one(database: &Database, ordering: Option<&str>, noting: bool) -> Outcome<Self> {
        let ordering = ordering.map(str::to_owned);
        Self::start(database, 0, noting, move |url| {
            let mut one = endpoint(url);
            one.ordering.clone_from(&ordering);
            vec![one]
        })
        .await
    }

    /// To many, each of which asks for its own; the first `hang` never answer.
    pub(super) async fn to_many(database: &Database, count: usize, hang: usize) -> Outcome<Self> {
        Self::start(database, hang, true, move |url| {
            let one = |n: usize| {
                let path = if n < hang { "hang" } else { "answer" };
                let mut one = endpoint(&format!("{url}/{path}/{n}"));
                one.filter.tags = vec![events::for_endpoint(n)];
                one
            };
            (0..count).map(one).collect()
        })
        .await
    }

    async fn start(
        database: &Database,
        hang: usize,
        noting: bool,
        make: impl Fn(&str) -> Vec<Endpoint>,
    ) -> Outcome<Self> {
        let arrivals = Arrivals::default();
        let noted = Arc::clone(&arrivals);
        let receiver = Receiver::forgetful(move |received| {
            if received.path.contains("/hang/") {
                return Behaviour::Silent;
            }
            if noting {
                note(&noted, received);
            }
            Behaviour::fine()
        })
        .await;
        let log = Log::open(database.pool.clone()).await?;
        let of_url = make(&receiver.url()).into_iter().map(|one| (one.id, Arc::new(one)));
        let configured: Endpoints = Arc::new(of_url.collect::<BTreeMap<_, _>>());
        let (endpoints, watched) = watch::channel(Endpoints::default());
        let (disabled, _disabled) = mpsc::unbounded_channel();
        let webhooks = Webhooks::start(Setup {
            pool: database.pool.clone(),
            log: log.clone(),
            sender: local(),
            time: vigie_api::clock::time(),
            settings: Settings::default(),
            endpoints: watched,
            disabled,
        });
        let (receiver, pool) = (Counting(receiver), database.pool.clone());
        Ok(Self { log, receiver, arrivals, hang, pool, configured, endpoints, webhooks, _disabled })
    }

    /// Lets it deliver.
    pub(super) fn begin(&self) {
        self.endpoints.send_replace(Arc::clone(&self.configured));
    }

    /// Waits until the process owns so many endpoints.
    pub(super) async fn owned(&self, count: usize) -> Outcome<()> {
        let count = i64::try_from(count)?;
        let owned = "select count(*) from webhook_state where owner is not null";
        while sqlx::query_scalar::<_, i64>(owned).fetch_one(&self.pool).await? < count {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// How long attempts took that are recorded.
    pub(super) async fn attempts(&self) -> Outcome<Histogram<u64>> {
        let mut seen = histogram();
        for latency in
            sqlx::query_scalar::<_, i64>("select latency_us from webhook_attempt").fetch_all(&self.pool).await?
        {
            seen.saturating_record(u64::try_from(latency)?);
        }
        Ok(seen)
    }

    pub(super) async fn close(self) {
        self.webhooks.close().await;
        self.log.close().await;
    }
}

/// The position is read out of the text: parsing it all would take the time of what is measured.
fn note(arrivals: &Arrivals, received: &Received) {
    let digits = received.body.split_once(r#""position":"#).map_or("", |(_, rest)| rest);
    let end = digits.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(digits.len());
    if let Ok(position) = digits[..end].parse() {
        arrivals.lock().unwrap_or_else(PoisonError::into_inner).entry(position).or_insert(received.at);
    }
}
