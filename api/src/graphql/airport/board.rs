//! What stands are at a time: one statement for any number of them.

use std::collections::HashMap;

use async_graphql::Error;
use async_graphql::dataloader::Loader;
use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::enums::StandStatus;
use crate::graphql::load::grouped;
use crate::graphql::snapshot::{Snapshot, unreadable};

/// A stand at a time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct StandAt {
    pub(super) stand: String,
    pub(super) at: DateTime<Utc>,
}

/// What it is then.
#[derive(Debug, Clone, FromRow)]
pub(super) struct State {
    stand: String,
    pub(super) status: StandStatus,
    /// The stay that is running.
    pub(super) current: Option<Uuid>,
    /// The stay that starts next.
    pub(super) next: Option<Uuid>,
}

/// Loads what stands are at a time.
pub(super) struct Board(pub(super) Snapshot);

impl Loader<StandAt> for Board {
    type Value = State;
    type Error = Error;

    async fn load(&self, keys: &[StandAt]) -> Result<HashMap<StandAt, State>, Error> {
        let mut states = HashMap::new();
        for (at, keys) in grouped(keys.to_vec(), |key| key.at) {
            let stands: Vec<String> = keys.into_iter().map(|key| key.stand).collect();
            let view = self.0.view();
            let mut sql = view.sql("select state.* from (select ");
            sql.push_bind(at).push("::timestamptz as at) moment cross join lateral (").push(view.stand_states());
            sql.push(") state where state.stand = any(").push_bind(stands).push(")");
            let mut reading = self.0.read().await?;
            let found = sql.build_query_as().fetch_all(reading.connection()).await;
            drop(reading);
            let found: Vec<State> = found.map_err(unreadable)?;
            states.extend(found.into_iter().map(|state| (StandAt { stand: state.stand.clone(), at }, state)));
        }
        Ok(states)
    }
}
