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

/// The name of the sister that keeps what rows were before.
pub(crate) fn history_of(table: &str) -> String {
    format!("{table}_history")
}

/// Writes the rows that have changed, in one statement, and what they were before, in another.
pub(crate) async fn store(
    schema: &str,
    table: &dyn AnyTable,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    let encode = |error: serde_json::Error| sqlx::Error::Encode(error.into());
    if let Some(superseded) = table.superseded().map_err(encode)? {
        let name = history_of(table.name());
        let sql = format!(
            "insert into {schema}.{name} select * from jsonb_populate_recordset(null::{schema}.{name}, $1::text::jsonb)"
        );
        sqlx::query(AssertSqlSafe(sql)).bind(superseded.json).execute(&mut *connection).await?;
    }
    let Some(changed) = table.changed().map_err(encode)? else { return Ok(()) };
    let set: Vec<String> = changed.columns.iter().map(|column| format!("{column} = excluded.{column}")).collect();
    let (name, keys, set) = (table.name(), table.key_columns().join(", "), set.join(", "));
    let sql = format!(
        "insert into {schema}.{name} select * from jsonb_populate_recordset(null::{schema}.{name}, $1::text::jsonb) \
         on conflict ({keys}) do update set {set}"
    );
    sqlx::query(AssertSqlSafe(sql)).bind(changed.json).execute(connection).await?;
    Ok(())
}
