//! Read models as their state and progress change.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use async_graphql::{Context, Error, Subscription};
use chrono::DateTime;
use futures_util::stream::{Stream, unfold};
use tokio::sync::watch;
use vigie_projections::{MODELS, Status};

use super::Projection;
use crate::graphql::context::Parts;
use crate::graphql::error::bad_input;

/// Subscriptions to the state of read models.
#[derive(Default)]
pub(crate) struct ProjectionsSubscription;

#[Subscription]
impl ProjectionsSubscription {
    /// Each read model as it is now, and again whenever its position, its state or its rebuild has changed; at most
    /// about three times a second each, the newest state at last.
    async fn projection_changed(
        &self,
        ctx: &Context<'_>,
        names: Option<Vec<String>>,
    ) -> Result<impl Stream<Item = Projection> + use<>, Error> {
        let unknown = names.iter().flatten().find(|name| MODELS.iter().all(|model| model.name != name.as_str()));
        if let Some(unknown) = unknown {
            return Err(bad_input("names", format!("there is no read model {unknown:?}")));
        }
        let states = ctx.services().projections.states();
        let watch = Watch { states, names, told: HashMap::new(), waiting: VecDeque::new() };
        Ok(unfold(watch, next))
    }
}

struct Watch {
    states: watch::Receiver<Arc<[Status]>>,
    names: Option<Vec<String>>,
    told: HashMap<String, Status>,
    waiting: VecDeque<Status>,
}

async fn next(mut watch: Watch) -> Option<(Projection, Watch)> {
    loop {
        if let Some(status) = watch.waiting.pop_front() {
            return Some((Projection(status), watch));
        }
        // The server stops; the socket tells the client to come back.
        watch.states.changed().await.ok()?;
        let states = Arc::clone(&watch.states.borrow_and_update());
        for status in states.iter() {
            let wanted = watch.names.as_ref().is_none_or(|names| names.contains(&status.name));
            let told = watch.told.get(&status.name);
            if wanted && told.is_none_or(|told| essence(told) != essence(status)) {
                watch.told.insert(status.name.clone(), status.clone());
                watch.waiting.push_back(status.clone());
            }
        }
    }
}

/// What is worth telling: not what changes by itself as time goes by.
fn essence(status: &Status) -> Status {
    let (lag_seconds, rate, updated_at) = (0.0, 0.0, DateTime::UNIX_EPOCH);
    let rebuild =
        status.rebuild.clone().map(|rebuild| vigie_projections::control::Rebuild { updated_at, rate, ..rebuild });
    Status { lag_seconds, rate, updated_at, rebuild, ..status.clone() }
}
