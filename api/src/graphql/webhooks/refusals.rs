//! Why endpoints cannot be changed, as it is answered.

use async_graphql::{Error, ID};
use serde_json::Value;
use vigie_commands::Failure;
use vigie_domain::webhooks::WebhookRefusal as Rule;
use vigie_integrations::webhooks::wire::VaultError;

use super::unavailable;
use crate::graphql::command::{failed, told};
use crate::graphql::error::{bad_input, fault};
use crate::graphql::events::log_fault;
use crate::graphql::refusal::Told;
use crate::webhooks::WebhookError;

/// A refusal with its family.
pub(super) enum Refused {
    WebhookRefusal(Told),
}

/// A rule of the log.
pub(super) fn refused(rule: &Rule) -> Refused {
    Refused::WebhookRefusal(told(rule))
}

fn beside(code: &'static str, error: &WebhookError) -> Refused {
    Refused::WebhookRefusal(Told::beside(code, error.to_string(), Value::Null))
}

/// There is no such replay, or it is over.
pub(super) fn no_replay(replay: &ID) -> Refused {
    let message = format!("no replay {} of this endpoint is to be done or running", replay.as_str());
    Refused::WebhookRefusal(Told::beside("REPLAY_OVER", message, Value::Null))
}

/// A rule is an answer; anything else is a fault.
pub(super) fn of(name: &'static str, error: &WebhookError) -> Result<Refused, Error> {
    match error {
        WebhookError::Command(Failure::Refused(rule)) => Ok(refused(rule)),
        WebhookError::Command(failure) => Err(failed(name, failure)),
        WebhookError::Url(_) => Ok(beside("URL_REFUSED", error)),
        WebhookError::Header(_) | WebhookError::HeaderName(_) => Ok(beside("HEADER_REFUSED", error)),
        WebhookError::Position { .. } => Err(bad_input("input.after", error)),
        WebhookError::Log(error) => Err(log_fault(error)),
        WebhookError::Nowhere => Ok(beside("ENDPOINT_UNKNOWN", error)),
        WebhookError::Vault(VaultError::NoKey) => {
            Err(fault("NO_KEY", "this server has no key for the secrets of webhooks: set VIGIE_WEBHOOK_KEY"))
        }
        WebhookError::Vault(VaultError::UnknownKey(_)) => Err(fault("NO_KEY", error.to_string())),
        WebhookError::Secret(_) | WebhookError::Sender(_) | WebhookError::Vault(_) | WebhookError::Database(_) => {
            Err(unavailable(error))
        }
    }
}
