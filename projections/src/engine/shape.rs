//! The shape of tables: the same columns, settings and indexes as the live ones, in another schema.

use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

use super::table::LIVE;

/// Memory for making an index; more is asked for than Postgres gives by itself, and given back with the transaction.
const INDEX_MEMORY: &str = "set local maintenance_work_mem = '128MB'";

/// An index that a live table has and its shadow lacks.
pub(crate) struct Missing {
    /// The statement that makes it, under the same name.
    pub(crate) sql: String,
    /// Whether it is the key.
    pub(crate) is_primary: bool,
}

/// Makes an empty table like the live one, without indexes.
pub(crate) async fn create_like_live(
    schema: &str,
    name: &str,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    let live = format!("{LIVE}.{name}");
    let create = format!("create table {schema}.{name} (like {live} including all excluding indexes)");
    sqlx::query(AssertSqlSafe(create)).execute(&mut *connection).await?;
    // Storage settings are not among what `like` takes along.
    let options =
        sqlx::query_scalar!("select array_to_string(reloptions, ', ') from pg_class where oid = to_regclass($1)", live);
    if let Some(options) = options.fetch_one(&mut *connection).await? {
        let set = format!("alter table {schema}.{name} set ({options})");
        sqlx::query(AssertSqlSafe(set)).execute(connection).await?;
    }
    Ok(())
}

/// The indexes that the table still lacks, the key first.
pub(crate) async fn missing(
    schema: &str,
    name: &str,
    connection: &mut PgConnection,
) -> Result<Vec<Missing>, sqlx::Error> {
    let live = format!("{LIVE}.{name}");
    let rows = sqlx::query!(
        r#"select i.relname as "name!", pg_get_indexdef(i.oid) as "definition!", x.indisprimary as "is_primary!",
                  pg_get_constraintdef(c.oid) as "constraint?"
           from pg_index x
           join pg_class i on i.oid = x.indexrelid
           left join pg_constraint c on c.conindid = i.oid and c.contype in ('p', 'u')
           where x.indrelid = to_regclass($1) and not exists (
               select from pg_class m where m.relname = i.relname and m.relnamespace = to_regnamespace($2))
           order by x.indisprimary desc, i.relname"#,
        live,
        schema
    )
    .fetch_all(connection)
    .await?;
    let sql = |index: &str, definition: String, constraint: Option<String>| match constraint {
        Some(constraint) => format!("alter table {schema}.{name} add constraint {index} {constraint}"),
        None => definition.replacen(&format!(" ON {live} "), &format!(" ON {schema}.{name} "), 1),
    };
    let missing = rows
        .into_iter()
        .map(|row| Missing { sql: sql(&row.name, row.definition, row.constraint), is_primary: row.is_primary });
    Ok(missing.collect())
}

/// Makes an index.
pub(crate) async fn build(sql: &str, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    sqlx::query(INDEX_MEMORY).execute(&mut *transaction).await?;
    sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut *transaction).await?;
    transaction.commit().await
}

/// Whether tables of these names are all in `schema`, with the columns of the live ones.
pub(crate) async fn agrees(schema: &str, names: &[String], pool: &PgPool) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"with columns as (
               select n.nspname, c.relname,
                      array_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) order by a.attname) columns
               from pg_class c
               join pg_namespace n on n.oid = c.relnamespace
               join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
               where c.relkind in ('r', 'p') and c.relname = any ($3) and n.nspname in ($1, $2)
               group by n.nspname, c.relname
           )
           select count(*) = cardinality($3) as "agrees!"
           from columns live join columns made using (relname, columns)
           where live.nspname = $1 and made.nspname = $2"#,
        LIVE,
        schema,
        names
    )
    .fetch_one(pool)
    .await
}
