//! What a resolver finds in its context.

use async_graphql::Context;
use async_graphql::dataloader::DataLoader;

use super::{Services, Snapshot};
use crate::http::Caller;

/// Short names for what every operation carries.
pub(super) trait Parts {
    fn services(&self) -> &Services;
    fn snapshot(&self) -> &Snapshot;
    fn caller(&self) -> &Caller;
    fn loader<L: Send + Sync + 'static>(&self) -> &DataLoader<L>;
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
    fn loader<L: Send + Sync + 'static>(&self) -> &DataLoader<L> {
        self.data_unchecked()
    }
}
