//! A connection of the sequencer's own: nobody else waits for it, and nothing is asked before it is used.

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection as _, PgConnection, PgPool};

/// Connects when it is needed, and anew after [`Connection::discard`].
pub(super) struct Connection {
    options: PgConnectOptions,
    live: Option<PgConnection>,
}

impl Connection {
    pub(super) fn new(pool: &PgPool) -> Self {
        Self { options: pool.connect_options().as_ref().clone(), live: None }
    }

    pub(super) async fn get(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        if self.live.is_none() {
            self.live = Some(self.options.connect().await?);
        }
        self.live.as_mut().ok_or(sqlx::Error::WorkerCrashed)
    }

    /// What was under way on it is of unknown outcome.
    pub(super) fn discard(&mut self) {
        self.live = None;
    }

    pub(super) async fn close(self) {
        if let Some(live) = self.live {
            // Its end is noticed by the server in any case.
            let _ = live.close().await;
        }
    }
}
