//! Tables beside the live ones: made anew from the log, in a schema of their own.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use tokio_util::sync::CancellationToken;
use vigie_eventlog::{Log, Read};

use super::rows::AnyTable;
use super::{ApplyError, Model, apply, checkpoint, fill, shape, table};
use crate::control::{Skips, skips_after};
use crate::{Progress, ProjectionError};

/// Tables of one read model in another schema, folded up to `position`.
pub(crate) struct Shadow<'a> {
    pub(crate) schema: String,
    pub(crate) model: &'a Model,
    pub(crate) pool: &'a PgPool,
    pub(crate) log: &'a Log,
    pub(crate) position: i64,
    /// Events that the read model leaves out.
    pub(crate) skips: Skips,
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
    /// What an earlier attempt has left, if it is of this version, has the live tables' columns and is not beyond
    /// `until`; otherwise empty tables.
    pub(crate) async fn open(
        schema: &str,
        model: &'a Model,
        pool: &'a PgPool,
        log: &'a Log,
        until: i64,
    ) -> Result<Self, ProjectionError> {
        let opening = failed("the tables of an earlier attempt could not be looked at");
        let left = checkpoint::shadow(schema, model, pool).await.map_err(&opening)?;
        if let Some(position) = left.filter(|position| *position <= until)
            && shape::agrees(schema, &table_names(model), pool).await.map_err(&opening)?
        {
            tracing::info!(projection.name = model.name, schema, position, "a fill that was broken off goes on");
            let skips = skips_after(log, model.name, 0).await?;
            return Ok(Self { schema: schema.to_owned(), model, pool, log, position, skips });
        }
        Self::create(schema, model, pool, log).await
    }

    /// Empty tables, like the live ones; what an earlier attempt has left is dropped.
    pub(crate) async fn create(
        schema: &str,
        model: &'a Model,
        pool: &'a PgPool,
        log: &'a Log,
    ) -> Result<Self, ProjectionError> {
        let creating = failed("tables could not be made");
        let skips = skips_after(log, model.name, 0).await?;
        let shadow = Self { schema: schema.to_owned(), model, pool, log, position: 0, skips };
        let mut transaction = pool.begin().await.map_err(&creating)?;
        checkpoint::begin_shadow(schema, model, &mut transaction).await.map_err(&creating)?;
        for (_, table) in (model.tables)() {
            shadow.create_one(table.name(), !table.is_append_only(), &mut transaction).await.map_err(&creating)?;
            if table.has_history() {
                let history = table::history_of(table.name());
                shadow.create_one(&history, false, &mut transaction).await.map_err(&creating)?;
            }
        }
        transaction.commit().await.map_err(&creating)?;
        Ok(shadow)
    }

    /// One whose rows change needs its key from the start; every other index is made once the rows are there.
    async fn create_one(&self, name: &str, keyed: bool, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let drop = format!("drop table if exists {}.{name}", self.schema);
        sqlx::query(AssertSqlSafe(drop)).execute(&mut *connection).await?;
        shape::create_like_live(&self.schema, name, connection).await?;
        if keyed {
            for index in shape::missing(&self.schema, name, connection).await? {
                if index.is_primary {
                    sqlx::query(AssertSqlSafe(index.sql)).execute(&mut *connection).await?;
                }
            }
        }
        Ok(())
    }

    /// Makes the indexes that are still missing and gathers statistics: with all of them nothing is missing for readers.
    pub(crate) async fn finish(&self, cancel: &CancellationToken) -> Result<(), ProjectionError> {
        self.make_indexes(false, cancel).await
    }

    /// Makes the keys that are still missing: what comparing and folding need.
    pub(crate) async fn finish_keys(&self, cancel: &CancellationToken) -> Result<(), ProjectionError> {
        self.make_indexes(true, cancel).await
    }

    async fn make_indexes(&self, keys: bool, cancel: &CancellationToken) -> Result<(), ProjectionError> {
        let finishing = failed("indexes could not be made");
        let mut connection = self.pool.acquire().await.map_err(&finishing)?;
        for name in table_names(self.model) {
            let missing = shape::missing(&self.schema, &name, &mut connection).await.map_err(&finishing)?;
            for index in missing.iter().filter(|index| !keys || index.is_primary) {
                if cancel.is_cancelled() {
                    return Err(ProjectionError::Cancelled);
                }
                shape::build(&index.sql, &mut connection).await.map_err(&finishing)?;
            }
            if !missing.is_empty() {
                let analyze = format!("analyze {}.{name}", self.schema);
                sqlx::query(AssertSqlSafe(analyze)).execute(&mut *connection).await.map_err(&finishing)?;
            }
        }
        Ok(())
    }

    /// Drops the tables.
    pub(crate) async fn drop(&self) -> Result<(), ProjectionError> {
        Self::drop_tables(&self.schema, self.model, self.pool).await
    }

    /// Drops such tables, if they are there.
    pub(crate) async fn drop_tables(schema: &str, model: &Model, pool: &PgPool) -> Result<(), ProjectionError> {
        let dropping = failed("tables could not be dropped");
        let mut transaction = pool.begin().await.map_err(&dropping)?;
        checkpoint::end_shadow(schema, model.name, &mut transaction).await.map_err(&dropping)?;
        for name in table_names(model) {
            let sql = format!("drop table if exists {schema}.{name}");
            sqlx::query(AssertSqlSafe(sql)).execute(&mut *transaction).await.map_err(&dropping)?;
        }
        transaction.commit().await.map_err(&dropping)
    }

    /// Folds the log up to `until`, segment by segment, each in a transaction of its own.
    pub(crate) async fn fill(
        &mut self,
        until: i64,
        progress: &(dyn Fn(Progress) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<(), ProjectionError> {
        if self.position >= until {
            return Ok(());
        }
        self.skips = skips_after(self.log, self.model.name, 0).await?;
        fill::fill(self, until, progress, cancel).await
    }

    /// Folds what is left up to `until`, within the caller's transaction.
    pub(crate) async fn drain(&mut self, until: i64, connection: &mut PgConnection) -> Result<(), ProjectionError> {
        while self.position < until {
            let events = self.log.read(&self.model.query(), Read::after(self.position).until(until)).await?;
            let full = events.len() == Read::PAGE as usize;
            let last = events.last().map_or(until, |event| event.position);
            let taken = events.into_iter().filter(|event| !self.skips.contains(&event.position));
            let events: Vec<_> = taken.map(Arc::new).collect();
            apply(self.model, &self.schema, connection, &events).await?;
            self.position = if full { last } else { until };
        }
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
