//! Tables beside the live ones: made anew from the log, in a schema of their own.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use tokio_util::sync::CancellationToken;
use vigie_eventlog::{Log, Read};

use super::rows::AnyTable;
use super::{ApplyError, Model, apply, table};
use crate::control::{Skips, skips_after};
use crate::{Progress, ProjectionError};

/// Tables of one read model in another schema, folded up to `position`.
pub(crate) struct Shadow<'a> {
    pub(crate) schema: &'static str,
    pub(crate) model: &'a Model,
    pub(crate) pool: &'a PgPool,
    pub(crate) log: &'a Log,
    pub(crate) position: i64,
    /// Events that the read model leaves out.
    skips: Skips,
}

/// A database error with what was attempted.
pub(crate) fn failed(attempt: &'static str) -> impl Fn(sqlx::Error) -> ProjectionError {
    move |source| ProjectionError::Database { attempt, source }
}

impl From<ApplyError> for ProjectionError {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::BadEvent { position, reason } => Self::BadEvent { position, reason },
            ApplyError::Database(source) => failed("rows could not be folded")(source),
        }
    }
}

impl<'a> Shadow<'a> {
    /// Empty tables, like the live ones; what an earlier attempt has left is dropped.
    pub(crate) async fn create(
        schema: &'static str,
        model: &'a Model,
        pool: &'a PgPool,
        log: &'a Log,
    ) -> Result<Self, ProjectionError> {
        let skips = skips_after(log, model.name, 0).await?;
        let shadow = Self { schema, model, pool, log, position: 0, skips };
        shadow.drop().await?;
        let mut transaction = pool.begin().await.map_err(failed("tables could not be made"))?;
        for name in table_names(model) {
            shadow.create_table(&name, &mut transaction).await.map_err(failed("tables could not be made"))?;
        }
        transaction.commit().await.map_err(failed("tables could not be made"))?;
        Ok(shadow)
    }

    async fn create_table(&self, name: &str, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let (live, made) = (format!("{}.{name}", table::LIVE), format!("{}.{name}", self.schema));
        let create = format!("create table {made} (like {live} including all)");
        sqlx::query(AssertSqlSafe(create)).execute(&mut *connection).await?;
        for index in indexes(&live, &made, connection).await? {
            if index.made != index.live {
                let rename = format!("alter index {}.{} rename to {}", self.schema, index.made, index.live);
                sqlx::query(AssertSqlSafe(rename)).execute(&mut *connection).await?;
            }
        }
        // Storage settings are not among what `like` takes along.
        let options = sqlx::query_scalar!(
            "select array_to_string(reloptions, ', ') from pg_class where oid = to_regclass($1)",
            live
        );
        if let Some(options) = options.fetch_one(&mut *connection).await? {
            let set = format!("alter table {made} set ({options})");
            sqlx::query(AssertSqlSafe(set)).execute(connection).await?;
        }
        Ok(())
    }

    /// Drops the tables.
    pub(crate) async fn drop(&self) -> Result<(), ProjectionError> {
        Self::drop_tables(self.schema, self.model, self.pool).await
    }

    /// Drops such tables, if they are there.
    pub(crate) async fn drop_tables(schema: &str, model: &Model, pool: &PgPool) -> Result<(), ProjectionError> {
        for name in table_names(model) {
            let sql = format!("drop table if exists {schema}.{name}");
            sqlx::query(AssertSqlSafe(sql)).execute(pool).await.map_err(failed("tables could not be dropped"))?;
        }
        Ok(())
    }

    /// Folds the log up to `until`, page by page, each in a transaction of its own.
    pub(crate) async fn fill(
        &mut self,
        until: i64,
        progress: &(dyn Fn(Progress) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<(), ProjectionError> {
        while self.position < until {
            if cancel.is_cancelled() {
                return Err(ProjectionError::Cancelled);
            }
            let mut transaction = self.pool.begin().await.map_err(failed("rows could not be folded"))?;
            sqlx::query!("set local synchronous_commit = off")
                .execute(&mut *transaction)
                .await
                .map_err(failed("rows could not be folded"))?;
            self.page(until, &mut transaction).await?;
            transaction.commit().await.map_err(failed("rows could not be folded"))?;
            progress(Progress { position: self.position, head: until });
        }
        Ok(())
    }

    /// Folds what is left up to `until`, within the caller's transaction.
    pub(crate) async fn drain(&mut self, until: i64, connection: &mut PgConnection) -> Result<(), ProjectionError> {
        while self.position < until {
            self.page(until, connection).await?;
        }
        Ok(())
    }

    async fn page(&mut self, until: i64, connection: &mut PgConnection) -> Result<(), ProjectionError> {
        let events = self.log.read(&self.model.query(), Read::after(self.position).until(until)).await?;
        let full = events.len() == Read::PAGE as usize;
        let last = events.last().map_or(until, |event| event.position);
        let taken = events.into_iter().filter(|event| !self.skips.contains(&event.position));
        let events: Vec<_> = taken.map(Arc::new).collect();
        apply(self.model, self.schema, connection, &events).await?;
        self.position = if full { last } else { until };
        Ok(())
    }
}

/// The tables of a read model, with those that keep what rows were before.
pub(crate) fn table_names(model: &Model) -> Vec<String> {
    let names = |(_, table): &(_, Box<dyn AnyTable>)| {
        let history = table.has_history().then(|| table::history_of(table.name()));
        std::iter::once(table.name().to_owned()).chain(history)
    };
    (model.tables)().iter().flat_map(names).collect()
}

struct Index {
    live: String,
    made: String,
}

/// The same index on both tables: `like` makes up names of its own.
async fn indexes(live: &str, made: &str, connection: &mut PgConnection) -> Result<Vec<Index>, sqlx::Error> {
    sqlx::query_as!(
        Index,
        r#"select o.relname as "live!", m.relname as "made!"
           from pg_index oi join pg_class o on o.oid = oi.indexrelid
           cross join pg_index mi join pg_class m on m.oid = mi.indexrelid
           where oi.indrelid = to_regclass($1) and mi.indrelid = to_regclass($2)
             and oi.indisprimary = mi.indisprimary and oi.indisunique = mi.indisunique
             and regexp_replace(pg_get_indexdef(o.oid), '^.* USING ', '')
                 = regexp_replace(pg_get_indexdef(m.oid), '^.* USING ', '')"#,
        live,
        made
    )
    .fetch_all(connection)
    .await
}
