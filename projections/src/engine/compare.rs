//! Compares the live tables of a read model with the log.

use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Row};
use tokio_util::sync::CancellationToken;
use vigie_eventlog::Log;

use super::shadow::{Shadow, failed, table_names};
use super::{Checkpoint, Model, Remaking, table};
use crate::contract::Compared;
use crate::{Difference, Progress, ProjectionError, State, Verified};

const SCHEMA: &str = "read_verify";

/// Folds the log anew beside the live tables of the read model `name` and compares, row by row and field by field, at
/// one position of both. Neither readers nor the running read model wait for it; memory stays that of a batch.
///
/// # Errors
/// An unknown name, a bad event, another rebuild or verification, or a failing database.
pub async fn verify(
    pool: &PgPool,
    log: &Log,
    name: &str,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<Verified, ProjectionError> {
    let model = crate::model(name)?;
    let lock = Remaking::lock(model.name, pool).await.map_err(failed("the lock could not be asked for"))?;
    let Some(lock) = lock else { return Err(ProjectionError::Busy { name: model.name.to_owned() }) };
    let verified = fill_and_compare(pool, log, &model, progress, cancel).await;
    lock.release().await.map_err(failed("the lock could not be released"))?;
    verified
}

async fn fill_and_compare(
    pool: &PgPool,
    log: &Log,
    model: &Model,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<Verified, ProjectionError> {
    Checkpoint::ensure(model, pool).await.map_err(failed("the checkpoint could not be made"))?;
    let mut shadow = Shadow::create(SCHEMA, model, pool, log).await?;
    let verified = compare(&mut shadow, progress, cancel).await;
    shadow.drop().await?;
    verified
}

async fn compare(
    shadow: &mut Shadow<'_>,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<Verified, ProjectionError> {
    let comparing = failed("the tables could not be compared");
    let name = shadow.model.name;
    let live = Checkpoint::read(name, shadow.pool).await.map_err(&comparing)?;
    shadow.fill(live.map_or(0, |live| live.position), progress, cancel).await?;
    shadow.finish_keys(cancel).await?;
    // One snapshot holds the live rows, their checkpoint and, with what is drained here, the same state folded anew.
    let mut transaction = shadow.pool.begin().await.map_err(&comparing)?;
    sqlx::query!("set transaction isolation level repeatable read")
        .execute(&mut *transaction)
        .await
        .map_err(&comparing)?;
    let at = require_version(shadow.model, &mut transaction).await?;
    shadow.drain(at.position, &mut transaction).await?;
    let verified = tables(shadow.model, at, &mut transaction).await.map_err(&comparing)?;
    transaction.rollback().await.map_err(&comparing)?;
    Ok(verified)
}

/// Where the read model is; its rows must be of this build's version.
pub(super) async fn require_version(model: &Model, connection: &mut PgConnection) -> Result<Compared, ProjectionError> {
    let stored = sqlx::query!(
        r#"select version, position, state as "state: State", error_position from read.checkpoint where name = $1"#,
        model.name
    );
    let stored = stored.fetch_one(connection).await.map_err(failed("the tables could not be compared"))?;
    if stored.version == model.version {
        let (position, state, error_position) = (stored.position, stored.state, stored.error_position);
        return Ok(Compared { position, state, error_position });
    }
    Err(ProjectionError::OtherVersion { name: model.name.to_owned(), stored: stored.version, known: model.version })
}

/// The tables that are not, by their digest, what the live ones are at one position; `None` when they need not be the
/// same, because the live ones are of another version or have not come as far.
pub(crate) async fn differing_tables(shadow: &mut Shadow<'_>) -> Result<Option<Vec<String>>, ProjectionError> {
    let comparing = failed("the tables could not be compared");
    let (filled, name) = (shadow.position, shadow.model.name);
    let mut transaction = shadow.pool.begin().await.map_err(&comparing)?;
    sqlx::query!("set transaction isolation level repeatable read")
        .execute(&mut *transaction)
        .await
        .map_err(&comparing)?;
    let live = sqlx::query!("select version, position from read.checkpoint where name = $1", name)
        .fetch_one(&mut *transaction)
        .await
        .map_err(&comparing)?;
    if live.version != shadow.model.version || live.position < filled {
        return Ok(None);
    }
    // Rolled back with the transaction: the shadow stays where it is.
    let drained = shadow.drain(live.position, &mut transaction).await;
    shadow.position = filled;
    drained?;
    let mut differing = Vec::new();
    for name in table_names(shadow.model) {
        let ours = digest(&shadow.schema, &name, &mut transaction).await.map_err(&comparing)?;
        if ours != digest(table::LIVE, &name, &mut transaction).await.map_err(&comparing)? {
            differing.push(name);
        }
    }
    transaction.rollback().await.map_err(&comparing)?;
    Ok(Some(differing))
}

/// How many rows, and the sum of their hashes, in whatever order they lie.
async fn digest(schema: &str, name: &str, connection: &mut PgConnection) -> Result<(i64, String), sqlx::Error> {
    let columns = sqlx::query_scalar!(
        r#"select string_agg(quote_ident(attname), ', ' order by attname) as "columns!" from pg_attribute
           where attrelid = to_regclass($1) and attnum > 0 and not attisdropped and attgenerated = ''"#,
        format!("{schema}.{name}")
    );
    let columns = columns.fetch_one(&mut *connection).await?;
    let sql = format!(
        "select count(*), coalesce(sum(hash_record_extended(row({columns}), 0)::numeric), 0)::text from {schema}.{name}"
    );
    sqlx::query_as(AssertSqlSafe(sql)).fetch_one(connection).await
}

async fn tables(model: &Model, at: Compared, connection: &mut PgConnection) -> Result<Verified, sqlx::Error> {
    let mut verified = Verified::new(model, at);
    for (_, table) in (model.tables)() {
        let keys = table.key_columns();
        one_table(table.name(), keys, &mut verified, connection).await?;
        if table.has_history() {
            let keys = [keys, &["position"]].concat();
            one_table(&table::history_of(table.name()), &keys, &mut verified, connection).await?;
        }
    }
    Ok(verified)
}

async fn one_table(
    name: &str,
    keys: &[&str],
    verified: &mut Verified,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    let join = format!(
        "from {live}.{name} s full join {SCHEMA}.{name} e using ({keys})",
        live = table::LIVE,
        keys = keys.join(", ")
    );
    let differs = "to_jsonb(s) is distinct from to_jsonb(e)";
    let count = format!("select count(*), count(*) filter (where {differs}) {join}");
    let (rows, differing): (i64, i64) = sqlx::query_as(AssertSqlSafe(count)).fetch_one(&mut *connection).await?;
    verified.rows += rows;
    verified.differing_rows += differing;
    if differing > 0 {
        let list = format!(
            "select to_jsonb(s) as stored, to_jsonb(e) as expected {join} where {differs} order by {} limit {}",
            keys.join(", "),
            Verified::SHOWN
        );
        for row in sqlx::query(AssertSqlSafe(list)).fetch_all(&mut *connection).await? {
            let (stored, expected) = (row.try_get("stored")?, row.try_get("expected")?);
            verified.differences.extend(differences(name, keys, stored, expected));
        }
    }
    Ok(())
}

/// Field by field; the whole row when one side has none.
pub(super) fn differences(
    table: &str,
    keys: &[&str],
    stored: Option<Value>,
    expected: Option<Value>,
) -> Vec<Difference> {
    let key = |row: &Value| keys.iter().map(|key| ((*key).to_owned(), row[*key].clone())).collect::<Value>();
    let difference = |key: Value, field: Option<String>, stored: Value, expected: Value| Difference {
        table: table.to_owned(),
        key,
        field,
        stored,
        expected,
    };
    match (stored, expected) {
        (Some(Value::Object(stored)), Some(Value::Object(expected))) => {
            let key = key(&Value::Object(expected.clone()));
            let differing = expected.into_iter().filter(|(field, value)| stored.get(field) != Some(value));
            differing
                .map(|(field, value)| {
                    let stored = stored.get(&field).cloned().unwrap_or_default();
                    difference(key.clone(), Some(field), stored, value)
                })
                .collect()
        }
        (stored, expected) => {
            let row = stored.clone().or_else(|| expected.clone()).unwrap_or_default();
            vec![difference(key(&row), None, stored.unwrap_or_default(), expected.unwrap_or_default())]
        }
    }
}
