//! Webhooks: the log, delivered to other systems.
//!
//! Each endpoint gets every event that it asks for, signed, at least once, strictly in order per key, with the event's id.
//! What must stay true, whatever is killed at whatever moment:
//! 1. An endpoint's position moves only over what is delivered, set aside, or stands in `webhook_waiting`.
//! 2. No event of a key is sent before the one ahead of it is delivered or set aside.
//! 3. Whoever was replaced as an endpoint's owner writes nothing any more: each write names the owner and its epoch.
//! 4. What is in memory is bounded, however much waits.

mod attempts;
mod breaker;
mod cap;
mod changes;
mod delivery;
mod endpoint;
mod engine;
mod lanes;
mod orders;
mod preview;
mod probe;
mod prune;
mod rate;
mod record;
mod retry;
pub mod schema;
mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod track;
mod waiting;
pub mod wire;
mod worker;

use std::time::Duration;

use chrono::{DateTime, Utc};

pub use changes::AttemptRow;
pub use endpoint::{Endpoint, EndpointId, Exhausted, Filter};
pub use engine::{Endpoints, Setup, Webhooks};
pub use orders::{Order, ask, cancel, forget};
pub use preview::{Preview, preview};
pub use probe::probe;
pub use prune::{Pruned, prune};

/// Bounds and periods of the deliveries of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// A process that was not seen for so long is taken for dead.
    pub lease: Duration,
    /// How often processes show themselves and look for each other.
    pub look: Duration,
    /// Requests to one endpoint at the same time.
    pub parallel: usize,
    /// Requests at the same time, to whatever endpoint.
    pub requests: usize,
    /// How long a process that stops waits for what is on its way.
    pub grace: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(15),
            look: Duration::from_secs(1),
            parallel: 16,
            requests: 1_024,
            grace: Duration::from_secs(10),
        }
    }
}

/// An endpoint that is to be disabled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disabled {
    /// It says that it is gone for good.
    Gone {
        /// Which.
        endpoint: EndpointId,
    },
    /// It has failed for five days.
    Failing {
        /// Which.
        endpoint: EndpointId,
        /// Since its first failure after its last success.
        since: DateTime<Utc>,
    },
}
