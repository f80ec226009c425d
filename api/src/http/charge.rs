//! What an operation takes of what its caller may have.

use async_graphql::Value;
use async_graphql::parser::types::OperationType;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

use super::App;
use super::admit::Refused;
use super::caller::Caller;
use crate::actor::Actor;
use crate::limits::{Address, Limit, Overdrawn, Slot};

impl App {
    /// Takes the cost from what the caller may spend; what to tell about the rest.
    pub(super) async fn charge(&self, caller: &Caller, cost: u64) -> Result<HeaderMap, Refused> {
        match self.rates().charge(caller.actor.as_str(), caller.arrival.address, cost).await {
            Ok(quota) => Ok(quota.map(|quota| quota.headers()).unwrap_or_default()),
            Err(Overdrawn { exceeded, quota }) => {
                let mut error = exceeded.into_error();
                let retry = quota.retry_after().map_or(Value::Null, Value::from);
                error.extensions.get_or_insert_default().set("retryAfter", retry);
                let headers = quota.headers();
                Err(Refused { errors: vec![error], status: StatusCode::TOO_MANY_REQUESTS, outright: true, headers })
            }
        }
    }

    /// Takes what an answer holds beyond its cost, where lists that take no size were longer than they count. Who cannot
    /// pay that has little left anyway.
    pub(super) async fn charge_rest(&self, actor: &Actor, address: Address, held: u64, cost: u64) {
        if held > cost {
            let paid = self.rates().charge(actor.as_str(), address, held - cost).await;
            tracing::debug!(held, cost, paid = paid.is_ok(), "an answer held more than it cost");
        }
    }

    /// Takes one of the operations that the caller may run at once.
    pub(super) fn slot(&self, caller: &Caller, kind: Option<OperationType>) -> Result<Slot, Refused> {
        let kind = match kind {
            Some(OperationType::Subscription) => Limit::Subscriptions,
            Some(OperationType::Query | OperationType::Mutation) | None => Limit::Operations,
        };
        let address = caller.arrival.address.to_string();
        self.slots().take(kind, caller.actor.as_str(), &address, &self.settings().limits).map_err(|exceeded| {
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_static("1"))]);
            let errors = vec![exceeded.into_error()];
            Refused { errors, status: StatusCode::TOO_MANY_REQUESTS, outright: true, headers }
        })
    }
}
