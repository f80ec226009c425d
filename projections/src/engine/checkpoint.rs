//! How far a read model has come. It moves by compare-and-set, in the transaction that writes the rows.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};

use super::{Model, Until};
use crate::State;

/// The checkpoint of a read model, as it was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Checkpoint {
    pub(crate) version: i32,
    pub(crate) position: i64,
    pub(crate) state: State,
    pub(crate) error: Option<String>,
    pub(crate) error_position: Option<i64>,
    pub(crate) paused_by: Option<String>,
    pub(crate) paused_at: Option<DateTime<Utc>>,
    pub(crate) paused_reason: Option<String>,
}

impl Checkpoint {
    /// Makes checkpoints for read models that have none.
    pub(crate) async fn ensure(model: &Model, pool: &PgPool) -> Result<(), sqlx::Error> {
        sqlx::query!(
            "insert into read.checkpoint (name, version, position, state) values ($1, $2, 0, 'running') \
             on conflict (name) do nothing",
            model.name,
            model.version
        )
        .execute(pool)
        .await?;
        Ok(())
    }

    /// The checkpoint as it is.
    pub(crate) async fn read(name: &str, pool: &PgPool) -> Result<Option<Self>, sqlx::Error> {
        sqlx::query_as!(
            Self,
            r#"select version, position, state as "state: State", error, error_position, paused_by, paused_at,
                      paused_reason
               from read.checkpoint where name = $1"#,
            name
        )
        .fetch_optional(pool)
        .await
    }

    /// Locks the checkpoint until the transaction ends: nobody moves it meanwhile.
    pub(crate) async fn lock(name: &str, connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar!("select position from read.checkpoint where name = $1 for update", name)
            .fetch_one(connection)
            .await
    }

    /// Moves it from `from` to `to`; false when somebody else has moved it.
    pub(crate) async fn advance(
        model: &Model,
        from: i64,
        to: i64,
        owner: &str,
        rate: f64,
        connection: &mut PgConnection,
    ) -> Result<bool, sqlx::Error> {
        // What is lost with the last moments before a crash is folded again: no need to wait for the disk.
        sqlx::query!("set local synchronous_commit = off").execute(&mut *connection).await?;
        let moved = sqlx::query!(
            "update read.checkpoint set position = $4, owner = $5, rate = $6, updated_at = clock_timestamp(), \
             error = null, error_position = null, attempts = 0 \
             where name = $1 and version = $2 and position = $3 and state = 'running'",
            model.name,
            model.version,
            from,
            to,
            owner,
            rate
        )
        .execute(connection)
        .await?;
        Ok(moved.rows_affected() == 1)
    }

    /// Notes that an event has stopped the read model, unless somebody else has moved it.
    pub(crate) async fn stop(model: &Model, at: i64, bad: i64, reason: &str, pool: &PgPool) -> Result<(), sqlx::Error> {
        sqlx::query!(
            "update read.checkpoint set state = 'stopped', error = $3, error_position = $4, \
             attempts = case when error_position = $4 then attempts + 1 else 1 end, \
             updated_at = clock_timestamp() where name = $1 and position = $2 and state = 'running'",
            model.name,
            at,
            reason,
            bad
        )
        .execute(pool)
        .await?;
        Ok(())
    }

    /// Lets it go on that was stopped by an event which it leaves out; false when that is not what stops it.
    pub(crate) async fn go_past(model: &Model, skipped: i64, pool: &PgPool) -> Result<bool, sqlx::Error> {
        let moved = sqlx::query!(
            "update read.checkpoint set state = 'running', error = null, error_position = null, attempts = 0, \
             updated_at = clock_timestamp() where name = $1 and state = 'stopped' and error_position = $2",
            model.name,
            skipped
        );
        Ok(moved.execute(pool).await?.rows_affected() == 1)
    }

    /// Lets stopped read models try again; what stopped them stays to be read until they have gone past it.
    pub(crate) async fn retry(pool: &PgPool) -> Result<(), sqlx::Error> {
        sqlx::query!("update read.checkpoint set state = 'running' where state = 'stopped'").execute(pool).await?;
        Ok(())
    }

    /// After a rebuild: at `position`, in this version; running, or paused there if that was its end.
    pub(crate) async fn rebuilt(
        model: &Model,
        position: i64,
        until: Option<Until<'_>>,
        connection: &mut PgConnection,
    ) -> Result<(), sqlx::Error> {
        let (by, reason) = until.map(|until| (until.by.actor.as_str(), until.by.reason.as_str())).unzip();
        sqlx::query!(
            "update read.checkpoint set version = $2, position = $3, error = null, error_position = null, \
             attempts = 0, state = case when $4::text is null then 'running' else 'paused' end, paused_by = $4, \
             paused_reason = $5, paused_at = case when $4::text is not null then clock_timestamp() end, \
             updated_at = clock_timestamp() where name = $1",
            model.name,
            model.version,
            position,
            by,
            reason
        )
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// How far the shadow of this read model in `schema` has come; `None` if there is none of this version.
pub(crate) async fn shadow(schema: &str, model: &Model, pool: &PgPool) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        "select position from read.shadow where schema = $1 and name = $2 and version = $3",
        schema,
        model.name,
        model.version
    )
    .fetch_optional(pool)
    .await
}

/// Begins a shadow at 0.
pub(crate) async fn begin_shadow(
    schema: &str,
    model: &Model,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into read.shadow (schema, name, version, position) values ($1, $2, $3, 0) \
         on conflict (schema, name) do update set version = excluded.version, position = 0, \
         updated_at = clock_timestamp()",
        schema,
        model.name,
        model.version
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Moves it from `from` to `to`; false when somebody else has moved it or it is gone.
pub(crate) async fn advance_shadow(
    schema: &str,
    model: &Model,
    from: i64,
    to: i64,
    connection: &mut PgConnection,
) -> Result<bool, sqlx::Error> {
    // A fill that loses its last moments with a crash of the server does them again.
    sqlx::query!("set local synchronous_commit = off").execute(&mut *connection).await?;
    let moved = sqlx::query!(
        "update read.shadow set position = $5, updated_at = clock_timestamp() \
         where schema = $1 and name = $2 and version = $3 and position = $4",
        schema,
        model.name,
        model.version,
        from,
        to
    )
    .execute(connection)
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// Forgets it.
pub(crate) async fn end_shadow(schema: &str, name: &str, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from read.shadow where schema = $1 and name = $2", schema, name).execute(connection).await?;
    Ok(())
}
