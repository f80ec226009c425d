//! What every handler shares.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Pos, Request, ServerError};
use metrics_exporter_prometheus::PrometheusHandle;

use super::Life;
use super::request::Caller;
use crate::graphql::{Schema, Services, Snapshot};
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
}

impl App {
    /// Puts the server together.
    #[must_use]
    pub fn new(settings: Settings, services: Services, metrics: PrometheusHandle, life: Life) -> Self {
        let schema = crate::graphql::schema(services.clone());
        Self(Arc::new(Parts { settings, schema, services, metrics, life }))
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

    /// The answer to an operation that cannot run here, whatever it asks.
    pub(super) fn refuse(&self, kind: Option<OperationType>) -> Option<ServerError> {
        let error = self.services().refuses(kind?)?;
        Some(error.into_server_error(Pos::default()))
    }

    /// The request with what its resolvers need: who asks, and the one state of the read side that it reads.
    pub(super) fn prepare(&self, request: Request, caller: Caller) -> Request {
        let snapshot = Snapshot::new(self.services());
        let mut request = request.data(caller);
        crate::graphql::loaders(&mut request.data, &snapshot);
        request.data(snapshot)
    }
}
