//! Rows as they are stored, chosen at random or by their keys.

use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::engine::rows::AnyTable;
use crate::engine::table;

/// Tables with more rows than this, as far as statistics say, are not read as a whole to choose from.
const LARGE: f32 = 100_000.0;

/// So many places in the log, all of them if there are no more.
pub(super) async fn random_places(
    end: i64,
    count: i64,
    connection: &mut PgConnection,
) -> Result<Vec<i64>, sqlx::Error> {
    if end <= count {
        return Ok((0..end).collect());
    }
    sqlx::query_scalar!(
        r#"select floor(random() * $1::bigint)::bigint as "place!" from generate_series(1, $2::bigint)"#,
        end,
        count
    )
    .fetch_all(connection)
    .await
}

/// The keys of so many rows.
pub(super) async fn random_keys(
    table: &(impl AnyTable + ?Sized),
    count: u32,
    connection: &mut PgConnection,
) -> Result<Vec<Value>, sqlx::Error> {
    let (live, name, keys) = (table::LIVE, table.name(), table.key_columns().join(", "));
    let size = sqlx::query_scalar!(
        r#"select reltuples as "rows!" from pg_class where oid = to_regclass($1)"#,
        format!("{live}.{name}")
    );
    let size = size.fetch_one(&mut *connection).await?;
    // Three times as many as are needed, in case the statistics are old.
    #[expect(clippy::cast_precision_loss, reason = "a share of rows need not be exact")]
    let share = (300.0 * count as f32 / size).min(100.0);
    let from = if size > LARGE { format!("tablesample bernoulli ({share})") } else { String::new() };
    let sql =
        format!("select to_jsonb(k) from (select {keys} from {live}.{name} {from} order by random() limit {count}) k");
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(connection).await
}

/// The stored rows with these keys, of the table or of its history.
pub(super) async fn by_key(
    table: &(impl AnyTable + ?Sized),
    name: &str,
    keys: &[Value],
    connection: &mut PgConnection,
) -> Result<Vec<Value>, sqlx::Error> {
    let (live, columns) = (table::LIVE, table.key_columns().join(", "));
    let sql = format!(
        "select to_jsonb(t) from jsonb_populate_recordset(null::{live}.{}, $1) k join {live}.{name} t using ({columns})",
        table.name()
    );
    sqlx::query_scalar(AssertSqlSafe(sql)).bind(Value::Array(keys.to_vec())).fetch_all(connection).await
}

/// The rows that the events at these positions have added.
pub(super) async fn added(
    table: &(impl AnyTable + ?Sized),
    positions: &[i64],
    connection: &mut PgConnection,
) -> Result<Vec<Value>, sqlx::Error> {
    let sql = format!("select to_jsonb(t) from {}.{} t where position = any($1)", table::LIVE, table.name());
    sqlx::query_scalar(AssertSqlSafe(sql)).bind(positions).fetch_all(connection).await
}

/// Rows as the table would have them: times, numbers and JSON are written as Postgres writes them.
pub(super) async fn normal(
    name: &str,
    rows: impl Iterator<Item = Value>,
    connection: &mut PgConnection,
) -> Result<Vec<Value>, sqlx::Error> {
    let rows: Vec<Value> = rows.collect();
    if rows.is_empty() {
        return Ok(rows);
    }
    let sql = format!("select to_jsonb(t) from jsonb_populate_recordset(null::{}.{name}, $1) t", table::LIVE);
    sqlx::query_scalar(AssertSqlSafe(sql)).bind(Value::Array(rows)).fetch_all(connection).await
}
