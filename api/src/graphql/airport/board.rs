//! What stands are at a time: one statement for any number of them.

use std::collections::{HashMap, HashSet};

use async_graphql::Error;
use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::enums::StandStatus;
use crate::graphql::load::grouped;
use crate::graphql::loader::Load;
use crate::graphql::snapshot::{Snapshot, unreadable};

/// A stand at a time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct StandAt {
    pub(super) stand: String,
    pub(super) at: DateTime<Utc>,
    /// Whether the stay that starts next is asked for.
    pub(super) with_next: bool,
}

/// What it is then.
#[derive(Debug, Clone, FromRow)]
pub(super) struct State {
    stand: String,
    pub(super) status: StandStatus,
    /// The stay that is running.
    pub(super) current: Option<Uuid>,
    /// The stay that starts next, for who has asked for it.
    pub(super) next: Option<Uuid>,
}

/// Loads what stands are at a time.
pub(super) struct Board(pub(super) Snapshot);

impl Load for Board {
    type Key = StandAt;
    type Value = State;

    async fn load(&self, keys: &[StandAt]) -> Result<HashMap<StandAt, State>, Error> {
        let mut states = HashMap::new();
        for (at, keys) in grouped(keys.to_vec(), |key| key.at) {
            let with_next = keys.iter().any(|key| key.with_next);
            let stands: HashSet<String> = keys.into_iter().map(|key| key.stand).collect();
            for state in self.states(stands.into_iter().collect(), at, with_next).await? {
                let key = |with_next: bool| StandAt { stand: state.stand.clone(), at, with_next };
                if with_next {
                    states.insert(key(true), state.clone());
                }
                states.insert(key(false), state);
            }
        }
        Ok(states)
    }
}

impl Board {
    async fn states(&self, stands: Vec<String>, at: DateTime<Utc>, with_next: bool) -> Result<Vec<State>, Error> {
        let view = self.0.view();
        let mut sql = view.sql("select state.* from (select ");
        sql.push_bind(at).push("::timestamptz as at) moment cross join lateral (").push(view.stand_states(with_next));
        sql.push(") state where state.stand = any(").push_bind(stands).push(")");
        let mut reading = self.0.read().await?;
        let states = sql.build_query_as().fetch_all(reading.connection()).await;
        states.map_err(unreadable)
    }
}
