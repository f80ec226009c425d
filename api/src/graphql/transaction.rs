//! A read-only transaction that is ended however its reader ends.
//!
//! Readers are dropped at any moment: their client hangs up, or their time is over. A connection whose `begin` was cut
//! short, or failed after it had begun, is inside a transaction that the pool does not know of; the next one to get it
//! would read an old state, or fail. So the transaction is ended by whoever let the connection go, not by what is known
//! of it.

use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, Row as _};
use tokio::runtime::Handle;

/// A connection of the pool, inside a transaction until it is dropped.
pub(super) struct ReadTransaction(Option<PoolConnection<Postgres>>);

impl ReadTransaction {
    /// Begins with statements of our own, the first of which is `begin`; with the number that one of them may ask for.
    pub(super) async fn begin(pool: &PgPool, statements: String) -> Result<(Self, Option<i64>), sqlx::Error> {
        let mut transaction = Self(Some(pool.acquire().await?));
        let rows = sqlx::raw_sql(AssertSqlSafe(statements)).fetch_all(&mut *transaction).await?;
        let number = rows.last().map(|row| row.try_get(0)).transpose()?;
        Ok((transaction, number))
    }
}

impl Deref for ReadTransaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.0.as_ref().expect("the connection is there until it is dropped")
    }
}

impl DerefMut for ReadTransaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.0.as_mut().expect("the connection is there until it is dropped")
    }
}

impl Drop for ReadTransaction {
    fn drop(&mut self) {
        let Some(mut connection) = self.0.take() else { return };
        let Ok(runtime) = Handle::try_current() else {
            connection.close_on_drop();
            return;
        };
        runtime.spawn(async move {
            if let Err(error) = sqlx::raw_sql("rollback").execute(&mut *connection).await {
                tracing::debug!(error = %error, "a transaction ends with its connection");
                connection.close_on_drop();
            }
        });
    }
}
