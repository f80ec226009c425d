//! The SQL of every table. Names of schemas, tables and columns are constants of this crate, or of an operator who may
//! make schemas, and never input of others.

use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection};

use super::lines::{Lines, fields};
use super::rows::{AnyTable, Unwritten};

/// The tables that people read.
pub(crate) const LIVE: &str = "read";

/// The name of the sister that keeps what rows were before.
pub(crate) fn history_of(table: &str) -> String {
    format!("{table}_history")
}

/// Loads the rows that were asked for and are not in memory.
pub(crate) async fn load(
    schema: &str,
    table: &mut dyn AnyTable,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    let wanted = table.wanted();
    if wanted.is_empty() {
        return Ok(());
    }
    let (name, keys) = (table.name(), table.key_columns().join(", "));
    let sql = format!(
        "select row_to_json(t)::text from jsonb_populate_recordset(null::{schema}.{name}, $1) k \
         join {schema}.{name} t using ({keys})"
    );
    let rows: Vec<String> =
        sqlx::query_scalar(AssertSqlSafe(sql)).bind(Value::Array(wanted)).fetch_all(connection).await?;
    rows.iter().try_for_each(|row| table.load(row)).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// Writes the rows that have changed, and what they were before, with one statement each.
pub(crate) async fn store(
    schema: &str,
    table: &mut dyn AnyTable,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    let Unwritten { new: mut rows, changed, past } = table.take();
    if !past.is_empty() {
        let name = history_of(table.name());
        let sql = format!(
            "insert into {schema}.{name} select * from jsonb_populate_recordset(null::{schema}.{name}, $1::text::jsonb)"
        );
        sqlx::query(AssertSqlSafe(sql)).bind(past.array()).execute(&mut *connection).await?;
    }
    rows.append(&changed);
    upsert(schema, table.name(), table.key_columns(), &rows, connection).await
}

/// Writes rows, new ones or those that are there.
pub(crate) async fn upsert(
    schema: &str,
    name: &str,
    keys: &[&str],
    rows: &Lines,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    let Some(first) = rows.iter().next() else { return Ok(()) };
    let columns = fields(first).map(|(column, _)| String::from_utf8_lossy(column).into_owned());
    let set: Vec<String> = columns.map(|column| format!("{column} = excluded.{column}")).collect();
    let (keys, set) = (keys.join(", "), set.join(", "));
    let sql = format!(
        "insert into {schema}.{name} select * from jsonb_populate_recordset(null::{schema}.{name}, $1::text::jsonb) \
         on conflict ({keys}) do update set {set}"
    );
    sqlx::query(AssertSqlSafe(sql)).bind(rows.array()).execute(connection).await?;
    Ok(())
}
