//! The deliveries of this process: told of the endpoints as they change, and telling which are to be disabled.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use vigie_commands::{Executor, Order};
use vigie_domain::webhooks::{DisableEndpoint, DisableReason, EndpointId, WebhookEvent};
use vigie_eventlog::time::Time;
use vigie_eventlog::{Log, Query};
use vigie_integrations::webhooks::wire::{SenderError, Vault};
use vigie_integrations::webhooks::{Disabled, Endpoint, Endpoints, Settings as Bounds, Setup, Webhooks as Deliveries};
use vigie_projections::Projections;

use super::Webhooks;
use super::configured::{Configured, load};
use crate::settings::Settings;

/// Who disables endpoints that do not answer.
const ACTOR: &str = "webhooks:delivery";
/// How long the read model of the endpoints is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// Secrets that were replaced end without an event: so often is looked.
const LOOK: Duration = Duration::from_secs(30);

/// Deliveries that are under way, until stopped.
pub(crate) struct Delivering {
    deliveries: Deliveries,
    tasks: [JoinHandle<()>; 2],
    stop: CancellationToken,
}

impl Webhooks {
    /// Begins to deliver, unless the settings say otherwise or there is no key.
    ///
    /// # Errors
    /// The certificates of this machine cannot be used.
    pub(crate) fn deliver(
        &self,
        log: &Log,
        projections: &Projections,
        time: Time,
        settings: &Settings,
    ) -> Result<Option<Delivering>, SenderError> {
        let Some(vault) = self.vault().filter(|_| settings.webhooks.deliver) else { return Ok(None) };
        let (known, endpoints) = watch::channel(Endpoints::default());
        let (disabled, to_disable) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let follow = Follow {
            pool: self.pool().clone(),
            log: log.clone(),
            projections: projections.clone(),
            vault: Arc::clone(vault),
            known,
            held: HashMap::new(),
        };
        let tasks = [
            tokio::spawn(follow.run(stop.clone())),
            tokio::spawn(disable(self.executor().clone(), to_disable, stop.clone())),
        ];
        let deliveries = Deliveries::start(Setup {
            pool: self.pool().clone(),
            log: log.clone(),
            sender: self.sender()?,
            time,
            settings: Bounds { requests: settings.webhooks.requests, ..Bounds::default() },
            endpoints,
            disabled,
        });
        Ok(Some(Delivering { deliveries, tasks, stop }))
    }
}

impl Delivering {
    /// Stops: what is on its way is waited for.
    pub(crate) async fn stop(self) {
        self.deliveries.close().await;
        self.stop.cancel();
        for task in self.tasks {
            let _ = task.await;
        }
    }
}

/// Tells of the endpoints as they change.
struct Follow {
    pool: PgPool,
    log: Log,
    projections: Projections,
    vault: Arc<Vault>,
    known: watch::Sender<Endpoints>,
    /// What was told, and what it was told by: what stays the same goes on undisturbed.
    held: HashMap<Uuid, (Configured, Arc<Endpoint>)>,
}

impl Follow {
    async fn run(mut self, stop: CancellationToken) {
        let kinds = WebhookEvent::TYPES.iter().map(|info| info.name);
        let head = *self.log.seen().borrow();
        let mut changes = self.log.follow(Query::kinds(kinds), head);
        let mut position = Some(head);
        loop {
            if let Some(position) = position
                && let Err(behind) = self.projections.wait_for(&["webhook_endpoints"], position, PATIENCE).await
            {
                tracing::warn!(reason = %behind, "webhooks go on with the endpoints as they were");
            }
            if let Err(error) = self.look().await {
                tracing::warn!(error = %error, "the webhook endpoints cannot be read; looking again");
            }
            let changed = async {
                loop {
                    match changes.next().await {
                        Ok(step) if step.events.is_empty() => {}
                        Ok(step) => break step.events.last().map(|event| event.position),
                        Err(error) => {
                            tracing::warn!(error = %error, "changes of webhook endpoints cannot be followed");
                            tokio::time::sleep(LOOK).await;
                        }
                    }
                }
            };
            position = tokio::select! {
                () = stop.cancelled() => return,
                position = changed => position,
                () = tokio::time::sleep(LOOK) => None,
            };
        }
    }

    async fn look(&mut self) -> Result<(), sqlx::Error> {
        let mut held = HashMap::new();
        for configured in load(&self.pool).await? {
            let id = configured.endpoint;
            let endpoint = match self.held.remove(&id) {
                Some((before, endpoint)) if before == configured => endpoint,
                Some(_) | None => match configured.open(&self.vault) {
                    Ok(endpoint) => Arc::new(endpoint),
                    Err(error) => {
                        tracing::error!(endpoint.id = %id, error = %error, "nothing is delivered to an endpoint");
                        stands_still(&self.pool, id, &error.to_string()).await?;
                        continue;
                    }
                },
            };
            held.insert(id, (configured, endpoint));
        }
        self.held = held;
        let all: BTreeMap<_, _> = self.held.iter().map(|(id, (_, endpoint))| (*id, Arc::clone(endpoint))).collect();
        self.known.send_if_modified(|known| {
            let same = known.len() == all.len()
                && known.iter().zip(&all).all(|((a, one), (b, other))| a == b && Arc::ptr_eq(one, other));
            if !same {
                *known = Arc::new(all);
            }
            !same
        });
        Ok(())
    }
}

/// Says why nothing is delivered to an endpoint, unless another process does deliver to it. Who begins to takes that back.
async fn stands_still(pool: &PgPool, endpoint: Uuid, error: &str) -> Result<(), sqlx::Error> {
    let note = sqlx::query!(
        "insert into webhook_state (endpoint, position, error)
         select endpoint, after, $2::text from read.webhook_endpoints where endpoint = $1
         on conflict on constraint webhook_state_pk do update set error = excluded.error, updated_at = clock_timestamp()
         where webhook_state.error is distinct from excluded.error
           and not exists (select from webhook_worker w
                           where w.id = webhook_state.owner and w.seen_at > clock_timestamp() - interval '1 minute')",
        endpoint,
        error
    );
    note.execute(pool).await.map(drop)
}

/// Disables what does not answer any more. Asked for again until it is so, so that a failure needs no care.
async fn disable(executor: Executor, mut asked: mpsc::UnboundedReceiver<Disabled>, stop: CancellationToken) {
    loop {
        let asked = tokio::select! {
            () = stop.cancelled() => return,
            asked = asked.recv() => asked,
        };
        let Some(asked) = asked else { return };
        let (endpoint, reason) = match asked {
            Disabled::Gone { endpoint } => (endpoint, DisableReason::Gone),
            Disabled::Failing { endpoint, .. } => (endpoint, DisableReason::Failing),
        };
        let command = DisableEndpoint { endpoint: EndpointId::from(endpoint), reason };
        if let Err(error) = executor.execute(&command, Order::new(Uuid::now_v7(), ACTOR)).await {
            tracing::warn!(endpoint.id = %endpoint, error = ?error, "an endpoint cannot be disabled yet");
        }
    }
}
