//! The task that carries out rebuilds that somebody has asked for, and those that a process has left undone.

use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use vigie_eventlog::Log;

use super::rebuilds::waiting;
use super::{Ends, Work};
use crate::{Model, ProjectionError};

/// How often it looks.
const LOOK: Duration = Duration::from_secs(1);

/// Carries out rebuilds, one after the other; other processes carry out others meanwhile.
pub(crate) struct TakeUp {
    pub(crate) models: Vec<Model>,
    pub(crate) pool: PgPool,
    pub(crate) log: Log,
    pub(crate) owner: String,
    pub(crate) shutdown: CancellationToken,
}

impl TakeUp {
    /// Runs until the shutdown.
    pub(crate) async fn run(self) {
        while !self.shutdown.is_cancelled() {
            match waiting(&self.pool).await {
                Ok(names) => {
                    for model in self.models.iter().filter(|model| names.iter().any(|name| name == model.name)) {
                        self.carry_out(model).await;
                    }
                }
                Err(error) => tracing::debug!(error = %error, "cannot look for rebuilds; looking again"),
            }
            tokio::select! {
                () = self.shutdown.cancelled() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    async fn carry_out(&self, model: &Model) {
        if self.shutdown.is_cancelled() {
            return;
        }
        let ends = Ends { cancel: CancellationToken::new(), shutdown: self.shutdown.clone() };
        let work = Work { pool: &self.pool, log: &self.log, model, owner: &self.owner };
        let name = model.name;
        match work.take_up(&ends).await {
            Ok(Some(position)) => tracing::info!(projection.name = name, position, "read model was made anew"),
            // Nothing to do any more, or somebody else does it, or it waits for a verification to end.
            Ok(None) | Err(ProjectionError::Busy { .. } | ProjectionError::Cancelled) => {}
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(projection.name = name, error, "a rebuild has failed");
            }
        }
    }
}
