//! A full set of read models at a moment, in a schema of its own: for SQL tools, and to be served.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgPool};
use tokio_util::sync::CancellationToken;
use vigie_eventlog::Log;

use crate::engine::{Remaking, Shadow, failed};
use crate::{MODELS, Progress, ProjectionError};

/// A set of read models that was built until a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// Everything up to here, and nothing after it, is in the tables.
    pub position: i64,
    /// When the log recorded that event.
    pub time: Option<DateTime<Utc>>,
    /// Whether all of them are there.
    pub complete: bool,
}

/// Why a set of read models cannot be built or used.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A schema of that name holds something else.
    #[error("there is a schema {schema:?} that no replay has made: it is left as it is")]
    Foreign {
        /// The schema.
        schema: String,
    },
    /// A replay has made one already.
    #[error("the schema {schema:?} holds a replay until position {}; --replace builds it anew", .found.position)]
    Exists {
        /// The schema.
        schema: String,
        /// What is in it.
        found: Replayed,
    },
    /// There is none.
    #[error("there is no replay in a schema {schema:?}: `vigie replay --until … --into {schema}` builds one")]
    Missing {
        /// The schema.
        schema: String,
    },
    /// It was broken off.
    #[error(
        "the replay in the schema {schema:?} was broken off: run it again until position {position}, and it goes on"
    )]
    Incomplete {
        /// The schema.
        schema: String,
        /// Where it was to end.
        position: i64,
    },
    /// A role that was to read it does not exist.
    #[error("there is no role {role:?}")]
    NoRole {
        /// The role.
        role: String,
    },
    /// Folding or the database failed, or it was cancelled.
    #[error(transparent)]
    Projection(#[from] ProjectionError),
}

/// What to build.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// The schema: a name that needs no quotes, and none of the program's own.
    pub schema: &'a str,
    /// Everything up to here.
    pub until: i64,
    /// Whether a replay that is there already is dropped.
    pub replace: bool,
    /// Roles that may read it, besides the program's own.
    pub readers: &'a [String],
}

/// What a replay has left in a schema, if one has.
async fn replayed(pool: &PgPool, schema: &str) -> Result<Option<Replayed>, ProjectionError> {
    let looking = failed("the replay could not be looked at");
    if !table_exists(schema, pool).await.map_err(&looking)? {
        return Ok(None);
    }
    let sql = format!("select position, time, complete from {schema}.replay");
    let row: Option<(i64, Option<DateTime<Utc>>, bool)> =
        sqlx::query_as(AssertSqlSafe(sql)).fetch_optional(pool).await.map_err(&looking)?;
    Ok(row.map(|(position, time, complete)| Replayed { position, time, complete }))
}

/// The replay in a schema, if all of it is there.
///
/// # Errors
/// There is none, or it was broken off.
pub async fn complete(pool: &PgPool, schema: &str) -> Result<Replayed, ReplayError> {
    match replayed(pool, schema).await? {
        None => Err(ReplayError::Missing { schema: schema.to_owned() }),
        Some(found) if !found.complete => {
            Err(ReplayError::Incomplete { schema: schema.to_owned(), position: found.position })
        }
        Some(found) => Ok(found),
    }
}

/// Builds every read model with its history until a position into a schema of its own, which `owner` makes. What is
/// broken off goes on when it is asked for again.
///
/// # Errors
/// The schema holds something else, the log cannot be folded, or it was cancelled.
pub async fn replay(
    pool: &PgPool,
    log: &Log,
    owner: &PgConnectOptions,
    wanted: &Wanted<'_>,
    progress: &(dyn Fn(&'static str, Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<Replayed, ReplayError> {
    let name = format!("schema {}", wanted.schema);
    let lock = Remaking::lock(&name, pool).await.map_err(failed("the replay's lock could not be asked for"))?;
    let Some(lock) = lock else { return Err(ProjectionError::Busy { name }.into()) };
    let made = build(pool, log, owner, wanted, progress, cancel).await;
    lock.release().await.map_err(failed("the replay's lock could not be released"))?;
    made
}

async fn build(
    pool: &PgPool,
    log: &Log,
    owner: &PgConnectOptions,
    wanted: &Wanted<'_>,
    progress: &(dyn Fn(&'static str, Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<Replayed, ReplayError> {
    begin(pool, owner, wanted).await?;
    for model in MODELS {
        let mut shadow = Shadow::open(wanted.schema, model, pool, log, wanted.until).await?;
        shadow.fill(wanted.until, &|at| progress(model.name, at), cancel).await?;
        shadow.finish(cancel).await?;
        progress(model.name, Progress { position: wanted.until, head: wanted.until });
    }
    end(pool, wanted).await
}

/// Makes the schema, or finds what an earlier attempt with the same end has left.
async fn begin(pool: &PgPool, owner: &PgConnectOptions, wanted: &Wanted<'_>) -> Result<(), ReplayError> {
    let making = failed("the schema could not be made");
    let Wanted { schema, until, .. } = *wanted;
    let found = replayed(pool, schema).await?;
    match found {
        Some(found) if !found.complete && found.position == until && !wanted.replace => return Ok(()),
        Some(found) if !wanted.replace => return Err(ReplayError::Exists { schema: schema.to_owned(), found }),
        Some(_) => {
            let mut owner = owner.connect().await.map_err(&making)?;
            drop_schema(schema, &mut owner).await.map_err(&making)?;
        }
        None => {}
    }
    let there = sqlx::query_scalar!(r#"select to_regnamespace($1) is not null as "there!""#, schema);
    if there.fetch_one(pool).await.map_err(&making)? {
        return Err(ReplayError::Foreign { schema: schema.to_owned() });
    }
    let mut owner = owner.connect().await.map_err(&making)?;
    let made = make_schema(pool, &mut owner, wanted).await;
    owner.close().await.map_err(&making)?;
    made
}

/// The schema belongs to the role that the program runs as, which fills and reads it.
async fn make_schema(pool: &PgPool, owner: &mut PgConnection, wanted: &Wanted<'_>) -> Result<(), ReplayError> {
    let making = failed("the schema could not be made");
    let Wanted { schema, until, .. } = *wanted;
    let role = sqlx::query_scalar!(r#"select quote_ident(current_user) as "role!""#);
    let role = role.fetch_one(pool).await.map_err(&making)?;
    let mut transaction = owner.begin().await.map_err(&making)?;
    let statements = [
        format!("create schema {schema} authorization {role}"),
        format!(
            "create table {schema}.replay (position bigint not null, time timestamptz, complete boolean not null,
                                           started_at timestamptz not null default clock_timestamp())"
        ),
        format!("alter table {schema}.replay owner to {role}"),
        format!("comment on schema {schema} is 'Vigie: read models until position {until}, not complete yet'"),
    ];
    for sql in statements {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut *transaction).await.map_err(&making)?;
    }
    let row = format!(
        "insert into {schema}.replay (position, time, complete)
         values ($1, (select recorded_at from event where position = $1), false)"
    );
    sqlx::query(AssertSqlSafe(row)).bind(until).execute(&mut *transaction).await.map_err(&making)?;
    for reader in wanted.readers {
        let known = sqlx::query_scalar!("select quote_ident(rolname) from pg_roles where rolname = $1", reader);
        let known = known.fetch_optional(&mut *transaction).await.map_err(&making)?.flatten();
        let role = known.ok_or_else(|| ReplayError::NoRole { role: reader.clone() })?;
        let grant = format!("grant usage on schema {schema} to {role}");
        sqlx::query(AssertSqlSafe(grant)).execute(&mut *transaction).await.map_err(&making)?;
    }
    transaction.commit().await.map_err(&making)?;
    Ok(())
}

/// Says that all is there, and lets readers in.
async fn end(pool: &PgPool, wanted: &Wanted<'_>) -> Result<Replayed, ReplayError> {
    let ending = failed("the replay could not be ended");
    let Wanted { schema, until, .. } = *wanted;
    let mut transaction = pool.begin().await.map_err(&ending)?;
    for reader in wanted.readers {
        let role = sqlx::query_scalar!(r#"select quote_ident($1) as "role!""#, reader);
        let role = role.fetch_one(&mut *transaction).await.map_err(&ending)?;
        let grant = format!("grant select on all tables in schema {schema} to {role}");
        sqlx::query(AssertSqlSafe(grant)).execute(&mut *transaction).await.map_err(&ending)?;
    }
    sqlx::query!("delete from read.shadow where schema = $1", schema)
        .execute(&mut *transaction)
        .await
        .map_err(&ending)?;
    let done = format!("update {schema}.replay set complete = true");
    sqlx::query(AssertSqlSafe(done)).execute(&mut *transaction).await.map_err(&ending)?;
    let comment = format!("comment on schema {schema} is 'Vigie: read models until position {until}'");
    sqlx::query(AssertSqlSafe(comment)).execute(&mut *transaction).await.map_err(&ending)?;
    transaction.commit().await.map_err(&ending)?;
    complete(pool, schema).await
}

async fn drop_schema(schema: &str, owner: &mut PgConnection) -> Result<(), sqlx::Error> {
    let mut transaction = owner.begin().await?;
    sqlx::query!("delete from read.shadow where schema = $1", schema).execute(&mut *transaction).await?;
    sqlx::query(AssertSqlSafe(format!("drop schema {schema} cascade"))).execute(&mut *transaction).await?;
    transaction.commit().await
}

async fn table_exists(schema: &str, pool: &PgPool) -> Result<bool, sqlx::Error> {
    // Besides the name, its columns: a table of somebody else's that is called the same is none of ours.
    sqlx::query_scalar!(
        r#"select coalesce((
               select array_agg(a.attname::text order by a.attnum)
                   = array['position', 'time', 'complete', 'started_at']
               from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
               where c.relname = 'replay' and c.relnamespace = to_regnamespace($1)
                 and obj_description(c.relnamespace, 'pg_namespace') like 'Vigie: %'), false) as "there!""#,
        schema
    )
    .fetch_one(pool)
    .await
}
