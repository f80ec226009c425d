//! From start to stop: what the probes say and what the sockets wait for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a subscription may take to say how far it has come when the server stops.
const LAST_WORD: Duration = Duration::from_secs(1);

/// Where the server is in its life. Cheap to clone.
#[derive(Clone, Default)]
pub struct Life {
    started: Arc<AtomicBool>,
    leaving: Arc<AtomicBool>,
    stopping: CancellationToken,
    sockets: TaskTracker,
}

impl Life {
    /// The read side has caught up for the first time.
    pub fn set_started(&self) {
        self.started.store(true, Ordering::Release);
    }

    /// Whether the read side has caught up once since the start.
    #[must_use]
    pub fn is_started(&self) -> bool {
        self.started.load(Ordering::Acquire)
    }

    /// Readiness fails from now on, and everything else goes on: who sends requests here has time to notice.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::Release);
    }

    /// Whether new work is welcome.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.is_started() && !self.leaving.load(Ordering::Acquire) && !self.is_stopping()
    }

    /// No new work: readiness fails, sockets finish what runs and close.
    pub fn stop(&self) {
        self.stopping.cancel();
        self.sockets.close();
    }

    /// Whether [`Life::stop`] was called.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }

    /// Cancelled by [`Life::stop`].
    #[must_use]
    pub fn token(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// Waits for [`Life::stop`].
    pub async fn stopping(&self) {
        self.stopping.cancelled().await;
    }

    /// Waits until subscriptions have had the time to say their last word after [`Life::stop`].
    pub async fn cut_off(self) {
        self.stopping.cancelled().await;
        tokio::time::sleep(LAST_WORD).await;
    }

    /// The open sockets.
    #[must_use]
    pub fn sockets(&self) -> &TaskTracker {
        &self.sockets
    }
}
