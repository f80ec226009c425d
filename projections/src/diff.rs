//! What changed between two positions, row by row and field by field, with the events that did it.
//!
//! The history of a row says it: each version holds from the event that made it. A field's steps are the events between
//! whose versions it differs; a field that changed and changed back has steps too, and is told. What changed is told of
//! things by their tags: a thing's rows are found by its id, wherever they are.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, PgConnection};

/// The most events between the two positions of a board, and the most versions of the rows that are asked for at once.
pub const MOST: i64 = 100_000;

/// A kind of thing, and the tables that hold its rows.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// As in its tags.
    pub name: &'static str,
    tables: &'static [Table],
}

#[derive(Debug, PartialEq, Eq)]
struct Table {
    name: &'static str,
    /// The column that holds the thing's id.
    id: &'static str,
    key: &'static [&'static str],
}

const fn table(name: &'static str, id: &'static str, key: &'static [&'static str]) -> Table {
    Table { name, id, key }
}

/// Every kind of thing that has rows.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "site",
        tables: &[
            table("sites", "site", &["site"]),
            table("turnaround_rules", "site", &["site", "aircraft_type"]),
            table("spring_limits", "site", &["site", "version"]),
        ],
    },
    Kind { name: "stand", tables: &[table("stands", "stand", &["stand"])] },
    Kind { name: "flight", tables: &[table("flights", "flight", &["flight"])] },
    Kind { name: "allocation", tables: &[table("allocations", "allocation", &["allocation"])] },
    Kind { name: "alert", tables: &[table("alerts", "alert", &["alert"])] },
    Kind {
        name: "pass",
        tables: &[
            table("passes", "pass", &["pass"]),
            table("cars", "pass", &["pass", "car"]),
            table("springs", "pass", &["pass", "car", "spring", "quantity"]),
        ],
    },
];

impl Kind {
    /// The table that holds one row for each such thing, and the column that holds its id.
    #[must_use]
    pub fn root(&self) -> (&'static str, &'static str) {
        (self.tables[0].name, self.tables[0].id)
    }

    /// The kind of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }
}

/// From after one position up to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// What is compared: the state after this event; 0 for before all.
    pub from: i64,
    /// The state after this event; not before `from`.
    pub to: i64,
}

/// What changed of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct RowDiff {
    /// The thing, as its tag.
    pub thing: String,
    /// The table.
    pub table: &'static str,
    /// The row's key columns.
    pub key: Map<String, Value>,
    /// Whether the row was there before.
    pub was_there: bool,
    /// Its fields that changed, in the order of their names.
    pub fields: Vec<FieldDiff>,
    /// The events that touched it, oldest first.
    pub events: Vec<i64>,
}

/// What changed of a field.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldDiff {
    /// The column.
    pub field: String,
    /// What it was; null when the row was not there.
    pub before: Value,
    /// What it is. As before, when it changed and changed back.
    pub after: Value,
    /// The events that changed it, oldest first.
    pub events: Vec<i64>,
}

/// Why a difference cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// There is more between the two positions than is looked through at once.
    #[error("more than {MOST} {what} lie between positions {} and {}: ask for a shorter time", span.from, span.to)]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// Between which positions.
        span: Span,
    },
    /// The database failed.
    #[error("the read models could not be read")]
    Database(#[from] sqlx::Error),
}

/// The things of a kind at a site that events between the two positions are about: ids after `after` in their order, at
/// most `limit`.
///
/// # Errors
/// There are more events than [`MOST`], or the database failed.
pub async fn touched(
    schema: &str,
    kind: &Kind,
    site: &str,
    span: Span,
    (after, limit): (Option<&str>, i64),
    connection: &mut PgConnection,
) -> Result<Vec<String>, DiffError> {
    let between = format!("from {schema}.audit where site = $1 and position > $2 and position <= $3");
    let count = format!("select count(*) from (select {between} limit {MOST} + 1) events");
    let count: i64 = sqlx::query_scalar(AssertSqlSafe(count))
        .bind(site)
        .bind(span.from)
        .bind(span.to)
        .fetch_one(&mut *connection)
        .await?;
    if count > MOST {
        return Err(DiffError::TooMuch { what: "events of the site", span });
    }
    // In the order of their bytes: what comes after an id must not depend on the database's language.
    let ids = format!(
        "select distinct substr(tag, length($4) + 1) collate \"C\" as id from (select unnest(things) tag {between}) tags \
         where starts_with(tag, $4) and ($5::text is null or substr(tag, length($4) + 1) collate \"C\" > $5) \
         order by id limit $6"
    );
    Ok(sqlx::query_scalar(AssertSqlSafe(ids))
        .bind(site)
        .bind(span.from)
        .bind(span.to)
        .bind(format!("{}:", kind.name))
        .bind(after)
        .bind(limit)
        .fetch_all(connection)
        .await?)
}

/// What changed of the rows of these things, in the order of things, tables and keys; rows that did not are left out.
///
/// # Errors
/// The rows have more versions than [`MOST`] between the two positions, or the database failed.
pub async fn diff(
    schema: &str,
    kind: &Kind,
    ids: &[String],
    span: Span,
    connection: &mut PgConnection,
) -> Result<Vec<RowDiff>, DiffError> {
    let mut found: BTreeMap<(&str, usize, String), Row> = BTreeMap::new();
    for (place, table) in kind.tables.iter().enumerate() {
        for version in versions(schema, table, ids, span, connection).await? {
            let Some(id) = ids.iter().find(|id| version.id == **id) else { continue };
            let row =
                found.entry((id, place, version.key.clone())).or_insert_with(|| Row { table, versions: Vec::new() });
            row.versions.push(version);
        }
    }
    let diffs = found.into_iter().filter_map(|((id, _, _), row)| row.diff(kind, id, span));
    Ok(diffs.collect())
}

struct Row {
    table: &'static Table,
    /// The one that holds at `from`, if there is one, and those made after it, oldest first.
    versions: Vec<Version>,
}

#[derive(sqlx::FromRow)]
struct Version {
    id: String,
    /// The key columns as text, in an order that everybody agrees on.
    key: String,
    position: i64,
    fields: sqlx::types::Json<Map<String, Value>>,
}

async fn versions(
    schema: &str,
    table: &Table,
    ids: &[String],
    span: Span,
    connection: &mut PgConnection,
) -> Result<Vec<Version>, DiffError> {
    let Table { name, id, key } = table;
    let key = key.iter().map(|column| format!("{column}::text")).collect::<Vec<_>>().join(", ");
    let select = |from: &str, holds: &str| {
        format!(
            "select {id}::text as id, array_to_string(array[{key}], e'\\x1f') as key, position, to_jsonb(held) as fields \
             from {schema}.{from} held where {id} = any($1::text[]::{kind}[]) and position <= $3 and {holds}",
            kind = if matches!(*id, "allocation" | "alert") { "uuid" } else { "text" },
        )
    };
    let sql = format!(
        "{} union all {} order by id, key, position limit {MOST} + 1",
        select(name, "true"),
        select(&format!("{name}_history"), "until > $2")
    );
    let rows: Vec<Version> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(ids).bind(span.from).bind(span.to).fetch_all(connection).await?;
    if i64::try_from(rows.len()).is_ok_and(|count| count > MOST) {
        return Err(DiffError::TooMuch { what: "versions of rows", span });
    }
    Ok(rows)
}

/// Columns that say when a row changed, not what it is.
const TECHNICAL: [&str; 4] = ["position", "changed_at", "until", "epoch"];

impl Row {
    fn diff(&self, kind: &Kind, id: &str, span: Span) -> Option<RowDiff> {
        let begun = self.versions.iter().take_while(|version| version.position <= span.from).count();
        let before = self.versions[..begun].last();
        let steps = &self.versions[begun..];
        let last = steps.last()?;
        let nothing = Map::new();
        let at_first = before.map_or(&nothing, |version| &version.fields.0);
        let mut fields = Vec::new();
        for field in last.fields.keys().filter(|field| !TECHNICAL.contains(&field.as_str())) {
            let value = |fields: &Map<String, Value>| fields.get(field).cloned().unwrap_or_default();
            let (mut held, mut events) = (value(at_first), Vec::new());
            for step in steps {
                let now = value(&step.fields);
                if now != held {
                    events.push(step.position);
                    held = now;
                }
            }
            if !events.is_empty() {
                fields.push(FieldDiff { field: field.clone(), before: value(at_first), after: held, events });
            }
        }
        let key = |column: &&str| ((*column).to_owned(), last.fields.get(*column).cloned().unwrap_or_default());
        Some(RowDiff {
            thing: format!("{}:{id}", kind.name),
            table: self.table.name,
            key: self.table.key.iter().map(key).collect(),
            was_there: before.is_some(),
            fields,
            events: steps.iter().map(|step| step.position).collect(),
        })
    }
}
