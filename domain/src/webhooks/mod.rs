//! Webhooks: who receives which events, where, and how. The history of the configuration; deliveries are not facts.
//!
//! No secret is a fact: what signs a delivery, the values of headers and the query of a URL stand beside the log,
//! encrypted, and events name them by ids.

mod change_endpoint;
mod disable_endpoint;
mod enable_endpoint;
mod events;
mod filter;
#[cfg(test)]
pub(crate) mod fixtures;
mod ids;
mod refusal;
mod register_endpoint;
mod remove_endpoint;
mod rotate_secret;
mod settings;
mod state;
mod url;

pub use change_endpoint::{Change, ChangeEndpoint};
pub use disable_endpoint::DisableEndpoint;
pub use enable_endpoint::EnableEndpoint;
pub use events::{
    DisableReason, EndpointChanged, EndpointDisabled, EndpointEnabled, EndpointRegistered, EndpointRemoved, Secret,
    SecretKind, SecretRotated, WebhookEvent, names,
};
pub use filter::{Filter, FilterTag, MAX_PATTERNS, TagKind, TypePattern};
pub use ids::{EndpointId, SecretId};
pub use refusal::WebhookRefusal;
pub use register_endpoint::RegisterEndpoint;
pub use remove_endpoint::RemoveEndpoint;
pub use rotate_secret::{LONGEST_OVERLAP_MINUTES, MOST_SECRETS, RotateSecret};
pub use settings::{
    EndpointSettings, HeaderName, Headers, MAX_HEADERS, OnExhaustion, Rate, RetrySchedule, Target, Timeout,
};
pub use state::{Endpoint, HeldSecret};
pub use url::EndpointUrl;
