//! From rows to the events that made them, and from events to their causes and to what they led to: one statement per
//! table for any number of starts.
//!
//! The events that made a row are those of its versions: each holds from the event that made it. An event's cause lies
//! before it, so that every walk ends; it is bounded all the same. Postgres cannot know how short such walks are: `limit`
//! and `offset` in the inner queries keep it on the indexes, step by step.

use std::collections::HashMap;
use std::hash::Hash;

use async_graphql::Error;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

use super::starts::{Of, by_table, push_first};
use crate::audit::AuditRow;
use crate::graphql::loader::Load;
use crate::graphql::snapshot::{Snapshot, unreadable};

/// The most events that one statement finds forward.
const MOST: i64 = 10_000;

/// How far forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Reach {
    pub(super) depth: i32,
    pub(super) first: i32,
}

/// An event that was led to.
#[derive(Debug, Clone)]
pub(super) struct Caused {
    pub(super) depth: i32,
    pub(super) row: AuditRow,
}

/// A row and what it belongs to: the number of the start, from 1, and the steps from there.
struct Found {
    start: usize,
    depth: i32,
    row: AuditRow,
}

impl<'r> FromRow<'r, PgRow> for Found {
    fn from_row(row: &'r PgRow) -> Result<Self, sqlx::Error> {
        let start: i64 = row.try_get("start")?;
        let start = usize::try_from(start).map_err(|error| sqlx::Error::Decode(error.into()))?;
        Ok(Self { start, depth: row.try_get("depth")?, row: AuditRow::from_row(row)? })
    }
}

async fn found(snapshot: &Snapshot, mut sql: QueryBuilder<Postgres>) -> Result<Vec<Found>, Error> {
    let mut reading = snapshot.read().await?;
    sql.build_query_as().fetch_all(reading.connection()).await.map_err(unreadable)
}

/// What was found, by the start that it belongs to.
fn by_start<K: Clone + Eq + Hash, T>(starts: &[K], found: Vec<Found>, make: impl Fn(Found) -> T) -> HashMap<K, Vec<T>> {
    let mut all: HashMap<K, Vec<T>> = HashMap::new();
    for one in found {
        if let Some(start) = starts.get(one.start.wrapping_sub(1)) {
            all.entry(start.clone()).or_default().push(make(one));
        }
    }
    all
}

/// Adds the entry at the position that each row of `from` names, looked up one by one.
fn push_entry(sql: &mut QueryBuilder<Postgres>, audit: &str, from: &'static str, name: &'static str) {
    sql.push(" cross join lateral (select * from ").push(audit).push(" where position = ").push(from);
    sql.push(".position limit 1) ").push(name);
}

/// From the start back to what began it. A row's walk starts at the newest of its events that reacted to another; at its
/// last event when none did.
pub(super) struct ChainOf(pub(super) Snapshot);

impl Load for ChainOf {
    type Key = Of;
    type Value = Vec<AuditRow>;

    async fn load(&self, starts: &[Of]) -> Result<HashMap<Of, Vec<AuditRow>>, Error> {
        let view = self.0.view();
        let audit = view.table("audit");
        let mut all = HashMap::new();
        for starts in by_table(starts, |of| of) {
            let mut sql = self.0.view().sql("with recursive first (start, position) as (");
            push_first(&mut sql, &starts.iter().collect::<Vec<_>>(), view);
            sql.push("), head (start, position) as (select first.start, coalesce(max(own.position) ");
            sql.push("filter (where causation_id is not null), max(own.position)) from first");
            push_entry(&mut sql, &audit, "first", "own");
            sql.push(" group by first.start), chain (start, depth, position, causation_id) as (");
            sql.push("select head.start, 0, own.position, own.causation_id from head");
            push_entry(&mut sql, &audit, "head", "own");
            sql.push(" union all select chain.start, chain.depth + 1, cause.position, cause.causation_id from chain ");
            sql.push("cross join lateral (select position, causation_id from ").push(&audit);
            sql.push(" where event = chain.causation_id limit 1) cause where chain.depth < 99) ");
            sql.push("select chain.start, chain.depth, entry.* from chain");
            push_entry(&mut sql, &audit, "chain", "entry");
            sql.push(" order by chain.start, chain.depth");
            all.extend(by_start(&starts, found(&self.0, sql).await?, |found| found.row));
        }
        Ok(all)
    }
}

/// What the start led to, nearest first.
pub(super) struct CausedBy(pub(super) Snapshot);

impl Load for CausedBy {
    type Key = (Of, Reach);
    type Value = Vec<Caused>;

    async fn load(&self, starts: &[(Of, Reach)]) -> Result<HashMap<(Of, Reach), Vec<Caused>>, Error> {
        let mut all = HashMap::new();
        for starts in by_table(starts, |(of, _)| of) {
            let mut found = found(&self.0, self.statement(&starts)).await?;
            found.sort_unstable_by_key(|found| (found.start, found.depth, found.row.position));
            all.extend(by_start(&starts, found, |found| Caused { depth: found.depth, row: found.row }));
        }
        for ((_, reach), found) in &mut all {
            found.truncate(usize::try_from(reach.first).unwrap_or_default());
        }
        Ok(all)
    }
}

impl CausedBy {
    fn statement(&self, starts: &[(Of, Reach)]) -> QueryBuilder<Postgres> {
        let view = self.0.view();
        let audit = view.table("audit");
        let mut sql = self.0.view().sql("with recursive first (start, position) as (");
        push_first(&mut sql, &starts.iter().map(|(of, _)| of).collect::<Vec<_>>(), view);
        sql.push(
            "), caused (start, depth, position, event) as (select first.start, 0, own.position, own.event from first",
        );
        push_entry(&mut sql, &audit, "first", "own");
        sql.push(" union all select caused.start, caused.depth + 1, later.position, later.event from caused ");
        sql.push("cross join lateral (select position, event from ").push(&audit);
        sql.push(" where causation_id = caused.event offset 0) later where caused.depth < (");
        sql.push_bind(starts.iter().map(|(_, reach)| reach.depth).collect::<Vec<i32>>());
        sql.push("::integer[])[caused.start::integer]) ");
        // Without an order, the walk ends where the limit does: nearest first.
        sql.push("select near.start, near.depth, entry.* from (select * from caused where depth > 0 limit ").push(MOST);
        sql.push(") near");
        push_entry(&mut sql, &audit, "near", "entry");
        sql
    }
}

/// What commands recorded, in the order of the log.
pub(super) struct OfCommand(pub(super) Snapshot);

impl Load for OfCommand {
    type Key = Uuid;
    type Value = Vec<AuditRow>;

    async fn load(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<AuditRow>>, Error> {
        let mut sql = self.0.view().sql("select of.start, 0 as depth, entry.* from unnest(");
        sql.push_bind(ids.to_vec())
            .push(") with ordinality of (id, start) join command using (id) cross join lateral (");
        sql.push("select * from ").push(self.0.view().table("audit"));
        sql.push(
            " where position between command.first_position and command.last_position order by position limit 200",
        );
        sql.push(") entry order by of.start, entry.position");
        Ok(by_start(ids, found(&self.0, sql).await?, |found| found.row))
    }
}

/// The newest events of rows, newest first.
pub(super) struct NewestOf(pub(super) Snapshot);

impl Load for NewestOf {
    type Key = Of;
    type Value = Vec<AuditRow>;

    async fn load(&self, starts: &[Of]) -> Result<HashMap<Of, Vec<AuditRow>>, Error> {
        let mut all = HashMap::new();
        for starts in by_table(starts, |of| of) {
            let mut sql = self.0.view().sql("select first.start, 0 as depth, entry.* from (");
            push_first(&mut sql, &starts.iter().collect::<Vec<_>>(), self.0.view());
            sql.push(") first");
            push_entry(&mut sql, &self.0.view().table("audit"), "first", "entry");
            sql.push(" order by first.start, entry.position desc");
            all.extend(by_start(&starts, found(&self.0, sql).await?, |found| found.row));
        }
        Ok(all)
    }
}
