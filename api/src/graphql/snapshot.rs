//! One operation reads one state of the read models.
//!
//! All reads of an operation share one read-only transaction in REPEATABLE READ, which is opened by the first of them;
//! they take turns. A mutation starts a new state once its events have been folded, so that its result is in it; a
//! subscription starts one for each of its items, and holds none while it waits. The past is read in the same
//! transaction, through another view.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::Error;
use sqlx::postgres::PgArguments;
use sqlx::query::QueryAs;
use sqlx::{AssertSqlSafe, FromRow, PgConnection, PgPool, Postgres, Transaction};
use tokio::sync::{Mutex, MutexGuard};
use vigie_projections::{MODELS, Projections};

use super::Services;
use super::relation::View;

/// The state that an operation reads. Clones share it.
#[derive(Clone)]
pub struct Snapshot {
    pool: PgPool,
    projections: Projections,
    view: View,
    open: Arc<Mutex<Option<Open>>>,
}

struct Open {
    transaction: Transaction<'static, Postgres>,
    /// How far each read model was known to be before the transaction: what it commits after that is not needed, and
    /// checkpoints are not written while nothing matches.
    reached: Vec<(&'static str, i64)>,
}

/// The right to send a statement.
pub(super) struct Reading<'a> {
    view: &'a View,
    open: MutexGuard<'a, Option<Open>>,
}

impl Reading<'_> {
    /// The connection, inside the transaction.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.open().transaction
    }

    /// A statement on relations of the view. It is put together from constants; what comes from a caller is bound.
    pub(super) fn statement<'q, T>(&self, sql: String) -> QueryAs<'q, Postgres, T, PgArguments>
    where
        T: for<'r> FromRow<'r, sqlx::postgres::PgRow>,
    {
        sqlx::query_as(AssertSqlSafe(sql)).persistent(self.view.is_kept())
    }

    /// Everything up to this position is in the rows of every read model.
    pub(super) async fn position(&mut self) -> Result<i64, Error> {
        match self.view.past() {
            Some(position) => Ok(position),
            None => self.latest().await,
        }
    }

    /// The same of what the transaction sees, whatever the view shows of it.
    pub(super) async fn latest(&mut self) -> Result<i64, Error> {
        let rows = sqlx::query!("select name, position from read.checkpoint").fetch_all(self.connection()).await;
        let saved: HashMap<String, i64> =
            rows.map_err(unreadable)?.into_iter().map(|row| (row.name, row.position)).collect();
        let reached = self.open().reached.iter();
        let positions = reached.map(|(name, reached)| saved.get(*name).copied().unwrap_or(0).max(*reached));
        Ok(positions.min().unwrap_or(0))
    }

    fn open(&mut self) -> &mut Open {
        self.open.as_mut().expect("a transaction is open while it is read from")
    }
}

impl Snapshot {
    /// A state that is fixed by the first read.
    #[must_use]
    pub fn new(services: &Services) -> Self {
        Self {
            pool: services.pool.clone(),
            projections: services.projections.clone(),
            view: View::now(services.schema.clone()),
            open: Arc::default(),
        }
    }

    /// What is read from.
    pub(super) fn view(&self) -> &View {
        &self.view
    }

    /// Reads from the state; waits for other reads of the operation.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub(super) async fn read(&self) -> Result<Reading<'_>, Error> {
        let mut open = self.open.lock().await;
        if open.is_none() {
            let reached =
                MODELS.iter().map(|model| (model.name, *self.projections.watch(model.name).borrow())).collect();
            let transaction = self.pool.begin_with("begin isolation level repeatable read read only").await;
            *open = Some(Open { transaction: transaction.map_err(unreadable)?, reached });
        }
        Ok(Reading { view: &self.view, open })
    }

    /// Forgets the state: the next read sees what is there then.
    pub(super) async fn renew(&self) {
        // Dropping rolls back, and gives the connection back to the pool.
        self.open.lock().await.take();
    }
}

/// The caller is told that the read side failed; the cause is for the log.
pub(super) fn unreadable(error: sqlx::Error) -> Error {
    tracing::error!(error = &error as &dyn std::error::Error, "the read models could not be read");
    super::error::fault("UNAVAILABLE", "the read models could not be read")
}
