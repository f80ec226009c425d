//! Which process delivers to which endpoint.
//!
//! Once a second each process looks who else lives, takes its share of the endpoints that belong to nobody alive, and gives
//! up what is more than its share. An endpoint that changes begins anew with its new settings, where it stands.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use metrics::gauge;
use sqlx::PgPool;
use tokio::sync::{Notify, broadcast, mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use vigie_eventlog::Log;
use vigie_eventlog::time::Time;

use super::cap::Cap;
use super::changes::AttemptRow;
use super::delivery::{Delivery, Ended, Shared};
use super::endpoint::{Endpoint, EndpointId};
use super::store::{self, State};
use super::wire::Sender;
use super::worker::{Worker, live};
use super::{Disabled, Settings, record};

/// An endpoint that could not go on is tried again after this.
const AGAIN: Duration = Duration::from_secs(5);

/// The endpoints that are enabled.
pub type Endpoints = Arc<BTreeMap<EndpointId, Arc<Endpoint>>>;

/// What the deliveries need.
pub struct Setup {
    /// The database.
    pub pool: PgPool,
    /// Its log.
    pub log: Log,
    /// What sends.
    pub sender: Sender,
    /// The clock by which retries are due.
    pub time: Time,
    /// Bounds and periods.
    pub settings: Settings,
    /// The endpoints that are enabled, as they change.
    pub endpoints: watch::Receiver<Endpoints>,
    /// Is told of endpoints that are to be disabled, again and again until they are.
    pub disabled: mpsc::UnboundedSender<Disabled>,
}

/// Deliveries that are under way.
pub struct Webhooks {
    stop: CancellationToken,
    task: JoinHandle<()>,
    attempted: broadcast::Sender<Arc<AttemptRow>>,
}

impl Webhooks {
    /// Begins to deliver, as one of the processes that do.
    #[must_use]
    pub fn start(setup: Setup) -> Self {
        let (stop, (attempted, _)) = (CancellationToken::new(), broadcast::channel(1_024));
        let task = tokio::spawn(run(setup, attempted.clone(), stop.clone()));
        Self { stop, task, attempted }
    }

    /// Attempts of this process, as they are made.
    #[must_use]
    pub fn attempts(&self) -> broadcast::Receiver<Arc<AttemptRow>> {
        self.attempted.subscribe()
    }

    /// Stops: what is on its way is waited for, for as long as the settings say, and everything is recorded.
    pub async fn close(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(error = %error, "the deliveries of webhooks ended badly");
        }
    }
}

async fn run(setup: Setup, attempted: broadcast::Sender<Arc<AttemptRow>>, stop: CancellationToken) {
    let (recorder, handed) = mpsc::unbounded_channel();
    let recording = tokio::spawn(record::record(setup.pool.clone(), setup.settings.lease, handed));
    let entering = async {
        loop {
            match Worker::enter(&setup.pool, setup.settings.lease).await {
                Ok(worker) => break worker,
                Err(error) => {
                    tracing::warn!(error = %error, "cannot enter the webhooks' workers; trying again");
                    tokio::time::sleep(setup.settings.look).await;
                }
            }
        }
    };
    let worker = tokio::select! {
        worker = entering => worker,
        () = stop.cancelled() => return,
    };
    let (lease, id, grace) = (worker.lease.clone(), worker.id, setup.settings.grace);
    let beating = CancellationToken::new();
    let beats = tokio::spawn(beat(worker, setup.settings.look, beating.clone()));
    let shared = Arc::new(Shared {
        cap: Cap::new(setup.settings.requests),
        pool: setup.pool,
        log: setup.log,
        sender: setup.sender,
        time: setup.time,
        settings: setup.settings,
        worker: id,
        lease,
        recorder,
        disabled: setup.disabled,
        attempted,
    });
    let engine = Engine {
        shared,
        endpoints: setup.endpoints,
        owned: HashMap::new(),
        ended: JoinSet::new(),
        resting: HashMap::new(),
    };
    engine.work(&stop).await;
    beating.cancel();
    for mut task in [beats, recording] {
        // A database that does not answer does not keep the process: what is not recorded is sent again.
        match tokio::time::timeout(grace, &mut task).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(error = %error, "a task of the webhooks ended badly"),
            Err(_) => task.abort(),
        }
    }
}

/// Says again and again that the process is there; on a task of its own, so that nothing holds it up.
async fn beat(mut worker: Worker, every: Duration, over: CancellationToken) {
    while !over.is_cancelled() {
        if let Err(error) = worker.beat().await {
            tracing::warn!(error = %error, "this process may be taken for dead: nothing is sent until the database answers");
        }
        tokio::select! {
            () = over.cancelled() => {}
            () = tokio::time::sleep(every) => {}
        }
    }
    if let Err(error) = worker.leave().await {
        tracing::debug!(error = %error, "left without saying so; the others notice");
    }
}

/// An endpoint of this process.
struct Owned {
    endpoint: Arc<Endpoint>,
    epoch: i64,
    stop: CancellationToken,
    wake: Arc<Notify>,
    abort: tokio::task::AbortHandle,
}

struct Engine {
    shared: Arc<Shared>,
    endpoints: watch::Receiver<Endpoints>,
    owned: HashMap<EndpointId, Owned>,
    ended: JoinSet<(EndpointId, Ended)>,
    /// Endpoints that could not go on, and until when they rest.
    resting: HashMap<EndpointId, Instant>,
}

impl Engine {
    async fn work(mut self, stop: &CancellationToken) {
        let look = self.shared.settings.look;
        // The first look is at once.
        let mut looks = tokio::time::interval(look);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut configured = true;
        while !stop.is_cancelled() {
            tokio::select! {
                _ = looks.tick() => {}
                changed = self.endpoints.changed(), if configured => configured = changed.is_ok(),
                Some(ended) = self.ended.join_next() => {
                    if let Ok((endpoint, ended)) = ended {
                        self.ended(endpoint, ended).await;
                    }
                    continue;
                }
                () = stop.cancelled() => break,
            }
            if let Err(error) = self.look().await {
                tracing::warn!(error = %error, "cannot look after the webhooks; looking again");
            }
        }
        self.close().await;
    }

    async fn look(&mut self) -> Result<(), sqlx::Error> {
        let endpoints = Arc::clone(&self.endpoints.borrow_and_update());
        for (id, owned) in &self.owned {
            if endpoints.get(id).is_none_or(|endpoint| !Arc::ptr_eq(endpoint, &owned.endpoint)) {
                owned.stop.cancel();
            }
        }
        let pool = &self.shared.pool;
        store::ensure(&endpoints.values().map(AsRef::as_ref).collect::<Vec<_>>(), pool).await?;
        let term = self.shared.lease.term();
        if self.shared.lease.holds_since(term) {
            self.share(&endpoints, term).await?;
        }
        let own: Vec<EndpointId> = self.owned.keys().copied().collect();
        for endpoint in store::replaying(&own, &self.shared.pool).await? {
            if let Some(owned) = self.owned.get(&endpoint) {
                owned.wake.notify_one();
            }
        }
        gauge!("vigie_webhook_endpoints").set(self.owned.len() as f64);
        Ok(())
    }

    /// Takes what is free, up to an even share, and gives up what is more; `term` is the lease's by now.
    async fn share(&mut self, endpoints: &Endpoints, term: u64) -> Result<(), sqlx::Error> {
        let live = live(self.shared.settings.lease, self.shared.settings.look, &self.shared.pool).await?;
        let share = endpoints.len().div_ceil(live.workers.len().max(1));
        let running = self.owned.values().filter(|owned| !owned.stop.is_cancelled()).count();
        let surplus = running.saturating_sub(share);
        for owned in self.owned.values().filter(|owned| !owned.stop.is_cancelled()).take(surplus) {
            owned.stop.cancel();
        }
        self.resting.retain(|_, until| *until > Instant::now());
        let free: Vec<EndpointId> = endpoints
            .keys()
            .filter(|id| !self.owned.contains_key(id) && !self.resting.contains_key(id))
            .copied()
            .collect();
        let most = i64::try_from(share.saturating_sub(running)).unwrap_or(i64::MAX);
        if free.is_empty() || most == 0 {
            return Ok(());
        }
        // What this process itself left behind, such as by an error, is nobody's either.
        for state in store::claim(self.shared.worker, &free, &live, most, &self.shared.pool).await? {
            if let Some(endpoint) = endpoints.get(&state.endpoint) {
                self.begin(Arc::clone(endpoint), state, term);
            }
        }
        Ok(())
    }

    fn begin(&mut self, endpoint: Arc<Endpoint>, state: State, term: u64) {
        let (shared, stop, wake) = (Arc::clone(&self.shared), CancellationToken::new(), Arc::new(Notify::new()));
        let (id, epoch) = (endpoint.id, state.epoch);
        let delivering = {
            let (endpoint, stop, wake) = (Arc::clone(&endpoint), stop.clone(), Arc::clone(&wake));
            async move {
                match Delivery::open(shared, endpoint, state, term).await {
                    Ok(delivery) => (id, delivery.run(stop, wake).await),
                    Err(error) => (id, Ended::Failed(format!("the database failed: {error}"))),
                }
            }
        };
        let abort = self.ended.spawn(delivering);
        self.owned.insert(id, Owned { endpoint, epoch, stop, wake, abort });
    }

    async fn ended(&mut self, id: EndpointId, ended: Ended) {
        let Some(owned) = self.owned.remove(&id) else { return };
        let (worker, pool) = (self.shared.worker, self.shared.pool.clone());
        let outcome = match ended {
            Ended::Fenced => {
                tracing::warn!(endpoint = %id, "another process has taken an endpoint over");
                Ok(())
            }
            Ended::Stopped => self.go_on(id, &owned).await,
            Ended::Failed(reason) => {
                tracing::error!(endpoint = %id, reason, "the deliveries to an endpoint cannot go on; trying again");
                self.resting.insert(id, Instant::now() + AGAIN);
                let noted = store::note(worker, id, owned.epoch, &reason, &pool).await;
                noted.and(store::release(worker, id, owned.epoch, &pool).await)
            }
        };
        if let Err(error) = outcome {
            tracing::warn!(endpoint = %id, error = %error, "an endpoint cannot be given up; it is taken up again");
        }
    }

    /// With other settings if it only changed; else somebody else may have it, or it is disabled.
    async fn go_on(&mut self, id: EndpointId, owned: &Owned) -> Result<(), sqlx::Error> {
        let (worker, pool) = (self.shared.worker, self.shared.pool.clone());
        let (now, term) = (self.endpoints.borrow().get(&id).cloned(), self.shared.lease.term());
        let Some(now) = now else { return store::rest(worker, id, owned.epoch, &pool).await };
        if !Arc::ptr_eq(&now, &owned.endpoint)
            && let Some(state) = store::own(worker, id, owned.epoch, &pool).await?
        {
            self.begin(now, state, term);
            return Ok(());
        }
        store::release(worker, id, owned.epoch, &pool).await
    }

    /// Waits for what is on its way, and leaves the rest to others.
    async fn close(mut self) {
        for owned in self.owned.values() {
            owned.stop.cancel();
        }
        let until = Instant::now() + self.shared.settings.grace;
        while !self.owned.is_empty() {
            match tokio::time::timeout_at(until, self.ended.join_next()).await {
                Ok(Some(Ok((id, _)))) => {
                    if let Some(owned) = self.owned.remove(&id)
                        && let Err(error) = store::release(self.shared.worker, id, owned.epoch, &self.shared.pool).await
                    {
                        tracing::debug!(error = %error, "an endpoint was not given up; the others notice");
                    }
                }
                Ok(Some(Err(_))) => {}
                // It takes too long: what was sent and not recorded is sent again.
                Ok(None) | Err(_) => break,
            }
        }
        self.owned.values().for_each(|owned| owned.abort.abort());
        self.ended.shutdown().await;
    }
}
