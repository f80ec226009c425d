//! The trail as a read model.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;
use vigie_domain::kernel::Stamp;

use super::{Told, describe};
use crate::{Entry, FoldError, ReadModel, Row, Rows};

/// A field of a thing, before and after an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The thing as its tag, such as `alert:…`.
    pub thing: String,
    /// The field.
    pub field: String,
    /// What it was; null when there was nothing.
    pub before: Value,
    /// What it is.
    pub after: Value,
}

/// What one event did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the columns are described in the migration")]
pub struct AuditRow {
    pub position: i64,
    pub event: Uuid,
    pub r#type: String,
    pub site: String,
    pub actor: String,
    pub command: String,
    pub command_id: Uuid,
    pub correlation_id: Uuid,
    pub causation_id: Option<Uuid>,
    pub occurred_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    pub things: Vec<String>,
    pub action: String,
    pub changes: Vec<Change>,
    pub note: String,
}

impl Row for AuditRow {
    type Key = (i64,);
    const TABLE: &'static str = "audit";
    const KEY: &'static [&'static str] = &["position"];
    const APPEND_ONLY: bool = true;
    fn key(&self) -> (i64,) {
        (self.position,)
    }
    fn position(&self) -> i64 {
        self.position
    }
    fn touch(&mut self, _stamp: &Stamp) {}
}

/// A thing that an event is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the columns are described in the migration")]
pub struct ThingRow {
    pub thing: String,
    pub position: i64,
}

impl Row for ThingRow {
    type Key = (String, i64);
    const TABLE: &'static str = "audit_things";
    const KEY: &'static [&'static str] = &["thing", "position"];
    const APPEND_ONLY: bool = true;
    fn key(&self) -> (String, i64) {
        (self.thing.clone(), self.position)
    }
    fn position(&self) -> i64 {
        self.position
    }
    fn touch(&mut self, _stamp: &Stamp) {}
}

/// What the trail last said of a thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the columns are described in the migration")]
pub struct FieldsRow {
    pub thing: String,
    pub fields: Map<String, Value>,
    pub position: i64,
}

impl Row for FieldsRow {
    type Key = (String,);
    const TABLE: &'static str = "audit_fields";
    const KEY: &'static [&'static str] = &["thing"];
    // Nobody sees it: it is what the fold itself remembers.
    const HISTORY: bool = false;
    fn key(&self) -> (String,) {
        (self.thing.clone(),)
    }
    fn position(&self) -> i64 {
        self.position
    }
    fn touch(&mut self, stamp: &Stamp) {
        self.position = stamp.position;
    }
}

/// The audit trail.
pub struct Audit;

impl ReadModel for Audit {
    const NAME: &'static str = "audit";
    const VERSION: i32 = 1;
    const EVENTS: &'static [&'static str] = &[];
    type Rows = (AuditRow, ThingRow, FieldsRow);

    fn keys(entry: &Entry, rows: &mut Rows) {
        rows.want::<AuditRow>((entry.stamp().position,));
        for thing in things(entry) {
            rows.want::<ThingRow>((thing.clone(), entry.stamp().position));
        }
        for (thing, _) in describe(entry.event()).sets {
            rows.want::<FieldsRow>((thing.into_string(),));
        }
    }

    fn fold(entry: &Entry, rows: &mut Rows) -> Result<(), FoldError> {
        let told = describe(entry.event());
        let position = entry.stamp().position;
        // Its own row is never loaded; that it was here before shows in the things that it changed.
        let seen = told.sets.iter().any(|(thing, _)| {
            rows.get::<FieldsRow>(&(thing.as_str().to_owned(),)).is_some_and(|row| row.position >= position)
        });
        if seen {
            return Ok(());
        }
        for thing in things(entry) {
            let row = ThingRow { thing: thing.clone(), position };
            rows.put(&row.key(), entry, |_| row.clone())?;
        }
        let changes = changes(&told, entry, rows)?;
        rows.put(&(position,), entry, |_| audit_row(entry, told, changes))
    }
}

/// What the event is about, without the tags that only divide time.
fn things(entry: &Entry) -> impl Iterator<Item = &String> {
    entry.recorded.tags.iter().filter(|tag| !tag.starts_with("stand_day:") && !tag.starts_with("site_day:"))
}

/// The fields that change, each with what it was before.
fn changes(told: &Told, entry: &Entry, rows: &mut Rows) -> Result<Vec<Change>, FoldError> {
    let mut changes = Vec::new();
    for (thing, sets) in &told.sets {
        let key = (thing.as_str().to_owned(),);
        let mut set = |fields: &mut Map<String, Value>| {
            for (field, after) in sets {
                let before = fields.get(field).cloned().unwrap_or_default();
                let after = after.of(&before);
                if before != after {
                    fields.insert(field.clone(), after.clone());
                    changes.push(Change { thing: key.0.clone(), field: field.clone(), before, after });
                }
            }
        };
        // In place where there is something: a thing may have many fields, and an event sets few.
        if rows.get::<FieldsRow>(&key).is_some() {
            rows.change(&key, entry, |row: &mut FieldsRow| set(&mut row.fields))?;
        } else {
            let mut fields = Map::new();
            set(&mut fields);
            rows.put(&key, entry, |_| FieldsRow { thing: key.0.clone(), fields, position: 0 })?;
        }
    }
    Ok(changes)
}

fn audit_row(entry: &Entry, told: Told, changes: Vec<Change>) -> AuditRow {
    let (recorded, metadata) = (&entry.recorded, &entry.recorded.metadata);
    AuditRow {
        position: recorded.position,
        event: recorded.id,
        r#type: recorded.kind.clone(),
        site: recorded.site.clone(),
        actor: metadata.actor.clone(),
        command: metadata.command.clone(),
        command_id: metadata.command_id,
        correlation_id: metadata.correlation_id,
        causation_id: metadata.causation_id,
        occurred_at: recorded.occurred_at,
        recorded_at: recorded.recorded_at,
        things: things(entry).cloned().collect(),
        action: told.action,
        changes,
        note: told.note,
    }
}
