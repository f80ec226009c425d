//! Sign-ins that failed.

use async_graphql::{Context, Error, ID, Object};
use chrono::{DateTime, Utc};
use vigie_domain::identity::Holder;

use super::name_of;
use crate::accounts::Attempt;

/// A sign-in that failed. Whoever tried was not told why.
pub(crate) struct FailedSignIn(pub(super) Attempt);

#[Object]
impl FailedSignIn {
    /// Counts them, with gaps.
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// When.
    async fn at(&self) -> DateTime<Utc> {
        self.0.at
    }
    /// Whose account; null when nobody is called so.
    async fn user(&self) -> Option<ID> {
        self.0.user_id.map(|user| ID(user.to_string()))
    }
    /// Their name now.
    async fn user_name(&self, ctx: &Context<'_>) -> Result<Option<String>, Error> {
        match self.0.user_id {
            Some(user) => name_of(ctx, &Holder::User(user.into()).to_string()).await,
            None => Ok(None),
        }
    }
    /// `password`, `link` or `oidc`.
    async fn method(&self) -> &str {
        &self.0.method
    }
    /// `unknown_name`, `wrong_password`, `wrong_link`, `deactivated`, `throttled` or `provider`.
    async fn reason(&self) -> &str {
        &self.0.reason
    }
    /// From where: an IPv4 address, or a network of 64 bits.
    async fn address(&self) -> &str {
        &self.0.address
    }
}
