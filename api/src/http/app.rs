//! What every handler shares.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::Request;
use metrics_exporter_prometheus::PrometheusHandle;

use super::Life;
use super::caller::Caller;
use super::stream::Streams;
use crate::documents::{Automatic, Documents};
use crate::graphql::{Document, Schema, Services, Snapshot, Stopping, Validator};
use crate::limits::{Rates, Slots};
use crate::rights::Scope;
use crate::settings::Settings;

/// The server's parts. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

struct Parts {
    settings: Settings,
    schema: Schema,
    services: Services,
    metrics: PrometheusHandle,
    life: Life,
    validator: Validator,
    documents: Documents,
    /// What clients have persisted; none where they may not.
    automatic: Option<Automatic>,
    streams: Arc<Streams>,
    rates: Rates,
    slots: Slots,
}

impl App {
    /// Puts the server together.
    #[must_use]
    pub fn new(
        settings: Settings,
        documents: Documents,
        services: Services,
        metrics: PrometheusHandle,
        life: Life,
    ) -> Self {
        let protocols = &settings.protocols;
        let may_persist = protocols.automatic_bytes > 0 && !protocols.documents_only;
        let automatic = may_persist.then(|| Automatic::new(protocols.automatic_bytes));
        let schema = crate::graphql::schema(services.clone(), protocols);
        let validator = Validator::new(protocols);
        let streams = Arc::new(Streams::new(protocols.streams, protocols.stream_reservation));
        let rates = rates(&settings, &services);
        Self(Arc::new(Parts {
            settings,
            schema,
            services,
            metrics,
            life,
            validator,
            documents,
            automatic,
            streams,
            rates,
            slots: Slots::default(),
        }))
    }

    /// The settings that it was started with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Where it is in its life.
    #[must_use]
    pub fn life(&self) -> &Life {
        &self.0.life
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.0.schema
    }

    pub(super) fn services(&self) -> &Services {
        &self.0.services
    }

    pub(super) fn metrics(&self) -> &PrometheusHandle {
        &self.0.metrics
    }

    /// Says what is wrong with a document without running it.
    pub(super) fn validator(&self) -> &Validator {
        &self.0.validator
    }

    pub(super) fn streams(&self) -> &Arc<Streams> {
        &self.0.streams
    }

    pub(super) fn documents(&self) -> &Documents {
        &self.0.documents
    }

    pub(super) fn automatic(&self) -> Option<&Automatic> {
        self.0.automatic.as_ref()
    }

    /// What callers may spend.
    pub(super) fn rates(&self) -> &Rates {
        &self.0.rates
    }

    /// What callers run.
    pub(super) fn slots(&self) -> &Slots {
        &self.0.slots
    }

    /// The request with what its resolvers need: who asks, when to end, and the one state of the read side that it reads.
    pub(super) fn prepare(&self, request: Request, caller: Caller) -> (Request, Snapshot) {
        let (mut request, snapshot) = self.prepare_to_watch(request, caller);
        crate::graphql::loaders(&mut request.data, &snapshot);
        (request, snapshot)
    }

    /// The same for a subscription, which begins with a state, and whose items bring theirs, with loaders.
    pub(super) fn prepare_to_watch(&self, request: Request, caller: Caller) -> (Request, Snapshot) {
        let (scope, timeout) = (Scope::of(&caller.rights), self.settings().limits.operation + GRACE);
        let snapshot = Snapshot::new(self.services(), scope, timeout);
        let document = Document(request.query.as_str().into());
        let request = request.data(document).data(caller).data(Stopping(self.life().token()));
        (request.data(snapshot.clone()), snapshot)
    }
}

/// How much longer than an operation its statements may take: what ends a query is its own deadline, with its own answer.
/// Postgres ends what nobody else does, such as a statement of a subscription.
const GRACE: Duration = Duration::from_secs(1);

fn rates(settings: &Settings, services: &Services) -> Rates {
    let redis = settings.redis_url.as_deref().and_then(|url| match redis::Client::open(url) {
        Ok(client) => Some(client),
        Err(error) => {
            tracing::warn!(error = %error, "REDIS_URL cannot be used; this process limits rates by itself");
            None
        }
    });
    let options = services.pool.connect_options();
    Rates::new(&settings.limits, redis, options.get_database().unwrap_or("vigie"))
}
