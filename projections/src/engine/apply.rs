//! A batch of events, folded into the tables.

use std::sync::Arc;

use sqlx::PgConnection;
use vigie_eventlog::Recorded;

use super::{Entry, Model, Rows, table};

/// Why a batch could not be folded; nothing of it is written.
#[derive(Debug)]
pub(crate) enum ApplyError {
    /// This event cannot be read or does not fit.
    BadEvent { position: i64, reason: String },
    /// A statement failed.
    Database(sqlx::Error),
}

impl From<sqlx::Error> for ApplyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

/// Folds events into the tables of `schema`: loads, folds in memory, writes what changed.
pub(crate) async fn apply(
    model: &Model,
    schema: &str,
    connection: &mut PgConnection,
    events: &[Arc<Recorded>],
) -> Result<(), ApplyError> {
    let entries = read(events)?;
    let mut rows = Rows::new((model.tables)());
    want(model, &entries, &mut rows);
    for table in rows.tables_mut() {
        table::load(schema, table, connection).await?;
    }
    fold(model, &entries, &mut rows)?;
    for table in rows.tables_mut() {
        table::store(schema, table, connection).await?;
    }
    Ok(())
}

/// Asks for the rows that the events touch.
pub(crate) fn want(model: &Model, entries: &[Entry], rows: &mut Rows) {
    for entry in entries {
        (model.keys)(entry, rows);
    }
}

/// Folds events into rows that are there.
pub(crate) fn fold(model: &Model, entries: &[Entry], rows: &mut Rows) -> Result<(), ApplyError> {
    for entry in entries {
        let position = entry.stamp().position;
        let bad = |error: super::FoldError| ApplyError::BadEvent { position, reason: error.to_string() };
        (model.fold)(entry, rows).map_err(bad)?;
    }
    Ok(())
}

/// Reads events in today's shape.
pub(crate) fn read(events: &[Arc<Recorded>]) -> Result<Vec<Entry>, ApplyError> {
    let entry = |event: &Arc<Recorded>| {
        Entry::read(event).map_err(|error| ApplyError::BadEvent { position: event.position, reason: chain(&error) })
    };
    events.iter().map(entry).collect()
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
