//! Webhooks: the log, delivered to other systems.
//!
//! Each endpoint gets every event that it asks for, signed, at least once, strictly in order per key, with the event's id.
//! What must stay true, whatever is killed at whatever moment:
//! 1. An endpoint's position moves only over what is delivered, set aside, or stands in `webhook_waiting`.
//! 2. No event of a key is sent before the one ahead of it is delivered or set aside.
//! 3. Whoever was replaced as an endpoint's owner writes nothing any more: each write names the owner and its epoch.
//! 4. What is in memory is bounded, however much waits.

mod endpoint;
pub mod schema;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod wire;

pub use endpoint::{Endpoint, EndpointId, Exhausted, Filter, Secret};
