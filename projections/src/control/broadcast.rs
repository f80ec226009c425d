//! The states of the read models for everybody in this process who watches them.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::{Status, status};

/// How often the states are looked at while somebody watches; nobody is told more often.
const LOOK: Duration = Duration::from_millis(300);

/// Where the states are told; looks at them only while somebody listens.
pub(crate) struct Broadcast {
    listeners: watch::Receiver<Arc<[Status]>>,
    wanted: Arc<Notify>,
}

impl Broadcast {
    /// The broadcast, and the task that feeds it until the shutdown.
    pub(crate) fn new(pool: PgPool, shutdown: CancellationToken) -> (Self, impl Future<Output = ()>) {
        let (sender, listeners) = watch::channel(Arc::from([]));
        let wanted = Arc::new(Notify::new());
        let task = feed(sender, Arc::clone(&wanted), pool, shutdown);
        (Self { listeners, wanted }, task)
    }

    /// The states: empty until they have been looked at; ends with the process's read models.
    pub(crate) fn listen(&self) -> watch::Receiver<Arc<[Status]>> {
        let listener = self.listeners.clone();
        self.wanted.notify_one();
        listener
    }
}

async fn feed(sender: watch::Sender<Arc<[Status]>>, wanted: Arc<Notify>, pool: PgPool, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        // One receiver is what others are cloned from.
        if sender.receiver_count() <= 1 {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = wanted.notified() => continue,
            }
        }
        match status(&pool).await {
            Ok(states) => drop(sender.send_replace(states.into())),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::debug!(error, "the states of the read models cannot be read; trying again");
            }
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}
