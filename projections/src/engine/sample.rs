//! Compares random rows of the live tables, and what they were before, with what the events about them say.
//!
//! How a row is matched to its events: the first column of its key names the thing that it belongs to, and the events
//! that touch it carry the tag of that thing (`flight:…` for a row of `flights`, `pass:…` for one of `springs`; a column
//! `thing` holds the tag itself). So a row is computed anew from the read model's events with that tag alone. Rows that
//! are only added belong to an event, by its position: they follow from that event and from those before it about the
//! things that it touches. That tags are enough is held by a test of every read model.

mod group;
mod stored;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use tokio_util::sync::CancellationToken;
use vigie_eventlog::{Criterion, Log, Query, Read, Recorded};

use super::compare::{differences, require_version};
use super::lines::Lines;
use super::rows::{AnyTable, Unwritten};
use super::shadow::failed;
use super::{Checkpoint, Model, Rows, apply, table};
use crate::control::{Skips, skips_after};
use crate::{Progress, ProjectionError, Verified};

pub(crate) use group::tag_of;
use group::{Group, Keys, merged, note, together};
use stored::{added, by_key, normal, random_keys, random_places};

/// Rows of one table by their key, as JSON objects; of a history, by key and position.
type Keyed = BTreeMap<String, Value>;

/// Compares `count` random rows of each table of the read model `name`, and every version of them, with what the events
/// about them say, at one position; besides, the rows that as many random events should have left. Nobody waits for it,
/// and it goes on while the system runs.
///
/// # Errors
/// An unknown name, a bad event, rows of another version, cancelled, or a failing database.
pub async fn verify_sample(
    pool: &PgPool,
    log: &Log,
    name: &str,
    count: u32,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<Verified, ProjectionError> {
    let model = crate::model(name)?;
    let sampling = failed("rows could not be chosen");
    Checkpoint::ensure(&model, pool).await.map_err(&sampling)?;
    let mut transaction = snapshot(pool).await.map_err(&sampling)?;
    let at = require_version(&model, &mut transaction).await?;
    let skips = skips_after(log, model.name, 0).await?;
    let verified = Verified::new(&model, at);
    let mut sample = Sample { model: &model, log, position: at.position, skips, verified };
    let events = sample.random_events(count, &mut transaction).await?;
    let groups = sample.groups(&events, count, &mut transaction).await?;
    let head = i64::try_from(groups.len()).unwrap_or(i64::MAX);
    for (done, group) in (1..).zip(&groups) {
        if cancel.is_cancelled() {
            return Err(ProjectionError::Cancelled);
        }
        sample.compare(group, &mut transaction).await?;
        progress(Progress { position: done, head });
    }
    transaction.rollback().await.map_err(&sampling)?;
    Ok(sample.verified)
}

/// One state of the live tables, none of which is younger than it.
async fn snapshot(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let mut transaction = pool.begin_with("begin isolation level repeatable read read only").await?;
    sqlx::query!("lock table read.swap_gate in access share mode").execute(&mut *transaction).await?;
    Ok(transaction)
}

struct Sample<'a> {
    model: &'a Model,
    log: &'a Log,
    position: i64,
    skips: Skips,
    verified: Verified,
}

impl Sample<'_> {
    /// Events of the read model at random places, oldest first.
    async fn random_events(
        &self,
        count: u32,
        connection: &mut PgConnection,
    ) -> Result<Vec<Arc<Recorded>>, ProjectionError> {
        let places = random_places(self.position, count.into(), connection).await;
        let places = places.map_err(failed("events could not be chosen"))?;
        let mut events = BTreeMap::new();
        for place in places {
            let read = Read::after(place).until(self.position).limit(1);
            let event = self.log.read(&self.model.query(), read).await?.pop();
            events.extend(event.map(|event| (event.position, Arc::new(event))));
        }
        Ok(events.into_values().filter(|event| !self.skips.contains(&event.position)).collect())
    }

    /// The rows to compare, put together by the things that they belong to.
    async fn groups(
        &self,
        events: &[Arc<Recorded>],
        count: u32,
        connection: &mut PgConnection,
    ) -> Result<Vec<Group>, ProjectionError> {
        let mut of_things: BTreeMap<String, Keys> = BTreeMap::new();
        let mut of_events = Vec::new();
        let any_added = (self.model.tables)().iter().any(|(_, table)| table.is_append_only());
        for (_, table) in (self.model.tables)() {
            if !table.is_append_only() {
                let keys = random_keys(table.as_ref(), count, connection).await;
                for key in keys.map_err(failed("rows could not be chosen"))? {
                    note(&mut of_things, table.as_ref(), key);
                }
            }
        }
        for event in events {
            let entries = apply::read(std::slice::from_ref(event))?;
            let mut rows = Rows::new((self.model.tables)());
            apply::want(self.model, &entries, &mut rows);
            let mut group = Group { events: BTreeMap::from([(event.position, Arc::clone(event))]), ..Group::default() };
            for table in rows.tables_mut() {
                for key in table.wanted() {
                    group.tags.extend(tag_of(table, &key));
                    note(&mut of_things, table, key);
                }
            }
            if any_added {
                of_events.push(group);
            }
        }
        Ok(together(of_things).into_iter().chain(merged(of_events)).collect())
    }

    /// Computes the rows of a group anew and compares them.
    async fn compare(&mut self, group: &Group, connection: &mut PgConnection) -> Result<(), ProjectionError> {
        let comparing = failed("rows could not be compared");
        let mut expected = self.expected(group).await?;
        for (_, table) in (self.model.tables)() {
            let name = table.name();
            let (rows, past) = expected.remove(name).unwrap_or_default();
            if table.is_append_only() {
                let positions: Vec<i64> = group.events.keys().copied().collect();
                let stored = added(table.as_ref(), &positions, connection).await.map_err(&comparing)?;
                let rows = normal(name, rows.into_values(), connection).await.map_err(&comparing)?;
                self.differ(name, table.key_columns(), stored, rows);
                continue;
            }
            let Some(keys) = group.keys.get(name) else { continue };
            let stored = by_key(table.as_ref(), name, keys, connection).await.map_err(&comparing)?;
            let rows = normal(name, rows.into_values(), connection).await.map_err(&comparing)?;
            self.differ(name, table.key_columns(), stored, rows);
            if table.has_history() {
                let (history, columns) = (table::history_of(name), [table.key_columns(), &["position"]].concat());
                let stored = by_key(table.as_ref(), &history, keys, connection).await.map_err(&comparing)?;
                let past = normal(&history, past.into_values(), connection).await.map_err(&comparing)?;
                self.differ(&history, &columns, stored, past);
            }
        }
        Ok(())
    }

    /// The rows of the group's keys and events, and their former versions, by table.
    async fn expected(&self, group: &Group) -> Result<HashMap<&'static str, (Keyed, Keyed)>, ProjectionError> {
        let last = group.events.keys().last().copied();
        let until = last.filter(|_| group.keys.is_empty()).unwrap_or(self.position);
        let mut rows = Rows::partial((self.model.tables)());
        let mut kept: HashMap<&'static str, (Keyed, Keyed)> = HashMap::new();
        let mut after = 0;
        while after < until {
            let (events, to) = self.page(group, after, until).await?;
            let entries = apply::read(&events)?;
            apply::want(self.model, &entries, &mut rows);
            // There is nothing else to look up.
            rows.tables_mut().for_each(|table| drop(table.wanted()));
            apply::fold(self.model, &entries, &mut rows)?;
            for table in rows.tables_mut() {
                keep(table, group, &mut kept)?;
            }
            after = to;
        }
        Ok(kept)
    }

    /// The next events of the group, and how far they go.
    async fn page(&self, group: &Group, after: i64, until: i64) -> Result<(Vec<Arc<Recorded>>, i64), ProjectionError> {
        let criterion = |tag: &String| Criterion {
            kinds: self.model.events.iter().map(|kind| (*kind).to_owned()).collect(),
            tags: vec![tag.clone()],
        };
        let query = Query { criteria: group.tags.iter().map(criterion).collect() };
        let found = self.log.read(&query, Read::after(after).until(until)).await?;
        let full = found.len() == Read::PAGE as usize;
        let to = found.last().filter(|_| full).map_or(until, |last| last.position);
        let found = found.into_iter().map(|event| (event.position, Arc::new(event)));
        let mut events: BTreeMap<i64, Arc<Recorded>> = found.collect();
        let own = group.events.range(after + 1..=to);
        events.extend(own.map(|(position, event)| (*position, Arc::clone(event))));
        events.retain(|position, _| !self.skips.contains(position));
        Ok((events.into_values().collect(), to))
    }

    fn differ(&mut self, name: &str, keys: &[&str], stored: Vec<Value>, expected: Vec<Value>) {
        let mut stored: Keyed = stored.into_iter().map(|row| (text(keys, &row), row)).collect();
        let mut shown = 0;
        self.verified.rows += i64::try_from(expected.len()).unwrap_or(i64::MAX);
        let pairs: Vec<_> = expected.into_iter().map(|row| (stored.remove(&text(keys, &row)), Some(row))).collect();
        self.verified.rows += i64::try_from(stored.len()).unwrap_or(i64::MAX);
        let left = stored.into_values().map(|row| (Some(row), None));
        for (stored, expected) in pairs.into_iter().chain(left).filter(|(stored, expected)| stored != expected) {
            self.verified.differing_rows += 1;
            shown += 1;
            if shown <= Verified::SHOWN {
                self.verified.differences.extend(differences(name, keys, stored, expected));
            }
        }
    }
}

/// Takes what was folded so far of the rows that are compared, and lets go of the rest.
fn keep(
    table: &mut (impl AnyTable + ?Sized),
    group: &Group,
    kept: &mut HashMap<&'static str, (Keyed, Keyed)>,
) -> Result<(), ProjectionError> {
    let Unwritten { new, changed, past } = table.take();
    let (rows, versions) = kept.entry(table.name()).or_default();
    let columns = table.key_columns();
    let wanted: BTreeSet<String> =
        group.keys.get(table.name()).into_iter().flatten().map(|key| text(columns, key)).collect();
    let is_wanted = |row: &Value| match table.is_append_only() {
        true => row["position"].as_i64().is_some_and(|position| group.events.contains_key(&position)),
        false => wanted.contains(&text(columns, row)),
    };
    for row in parsed(&new).chain(parsed(&changed)) {
        let row = row?;
        if is_wanted(&row) {
            rows.insert(text(columns, &row), row);
        }
    }
    let with_position = [columns, &["position"]].concat();
    for row in parsed(&past) {
        let row = row?;
        if is_wanted(&row) {
            versions.insert(text(&with_position, &row), row);
        }
    }
    Ok(())
}

fn parsed(lines: &Lines) -> impl Iterator<Item = Result<Value, ProjectionError>> {
    let unreadable = |error: serde_json::Error| failed("rows could not be compared")(sqlx::Error::Decode(error.into()));
    lines.iter().map(move |line| serde_json::from_slice(line).map_err(unreadable))
}

/// The key of a row as text.
fn text(columns: &[&str], row: &Value) -> String {
    columns.iter().map(|column| row[*column].to_string()).collect::<Vec<_>>().join("\u{1f}")
}
