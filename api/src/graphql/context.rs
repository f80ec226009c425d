//! What a resolver finds in its context.

use std::sync::Arc;

use super::loader::{Load, Loader};
use async_graphql::{Context, Error};
use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use super::{Services, Snapshot};
use crate::http::Caller;

/// Cancelled when the server stops: a subscription then tells how far it has come, and ends.
pub struct Stopping(pub CancellationToken);

/// The text of the document that a subscription runs.
pub struct Document(pub Arc<str>);

/// What "now" means in a state that several items share.
pub(super) struct Now(pub(super) DateTime<Utc>);

/// Short names for what every operation carries.
pub(super) trait Parts {
    fn services(&self) -> &Services;
    fn snapshot(&self) -> &Snapshot;
    fn caller(&self) -> &Caller;
    fn stopping(&self) -> CancellationToken;
    /// What "now" means: when the operation was asked for, or the moment in the past that it looks at.
    fn now(&self) -> impl Future<Output = Result<DateTime<Utc>, Error>> + Send;
    fn loader<L: Load>(&self) -> &Loader<L>;
}

impl Parts for Context<'_> {
    fn services(&self) -> &Services {
        self.data_unchecked()
    }
    fn snapshot(&self) -> &Snapshot {
        self.data_unchecked()
    }
    fn caller(&self) -> &Caller {
        self.data_unchecked()
    }
    fn stopping(&self) -> CancellationToken {
        self.data_unchecked::<Stopping>().0.child_token()
    }
    fn now(&self) -> impl Future<Output = Result<DateTime<Utc>, Error>> + Send {
        let now = self.data_opt().map_or(self.caller().asked_at, |Now(now)| *now);
        let snapshot = self.snapshot();
        async move { Ok(snapshot.moment().await?.unwrap_or(now)) }
    }
    fn loader<L: Load>(&self) -> &Loader<L> {
        self.data_unchecked()
    }
}
