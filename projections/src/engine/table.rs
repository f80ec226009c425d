//! The SQL of every table. Names of schemas, tables and columns are constants of this crate, never input.

use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection};

use super::rows::AnyTable;

/// The tables that people read.
pub(crate) const LIVE: &str = "read";

/// Loads the rows that were asked for.
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

/// Writes the rows that have changed, in one statement.
pub(crate) async fn store(
    schema: &str,
    table: &dyn AnyTable,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    let changed = table.changed().map_err(|error| sqlx::Error::Encode(error.into()))?;
    let Some(changed) = changed else { return Ok(()) };
    let set: Vec<String> = changed.columns.iter().map(|column| format!("{column} = excluded.{column}")).collect();
    let (name, keys, set) = (table.name(), table.key_columns().join(", "), set.join(", "));
    let sql = format!(
        "insert into {schema}.{name} select * from jsonb_populate_recordset(null::{schema}.{name}, $1::text::jsonb) \
         on conflict ({keys}) do update set {set}"
    );
    sqlx::query(AssertSqlSafe(sql)).bind(changed.json).execute(connection).await?;
    Ok(())
}
