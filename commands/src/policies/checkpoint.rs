//! Who owns a policy, and how far it has come.

use sqlx::{Connection, PgConnection, PgPool};

/// Why a policy cannot go on here.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    /// Another process owns it.
    #[error("another process owns it")]
    Owned,
    /// Somebody else has moved the checkpoint: this owner was paused and is fenced off.
    #[error("another owner has moved its checkpoint")]
    Fenced,
    /// The database failed.
    #[error("its checkpoint cannot be used")]
    Database(#[from] sqlx::Error),
}

/// The checkpoint of an owned policy; its connection holds the lock.
pub(super) struct Checkpoint {
    connection: PgConnection,
    name: &'static str,
    position: i64,
}

/// How far a policy has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyStatus {
    /// Its name.
    pub name: String,
    /// The position up to which it has reacted.
    pub position: i64,
    /// Why it stopped, if it did.
    pub error: Option<String>,
    /// The event that it stopped at.
    pub error_position: Option<i64>,
}

/// How far every policy has come, by name.
///
/// # Errors
/// The database failed.
pub async fn status(pool: &PgPool) -> Result<Vec<PolicyStatus>, sqlx::Error> {
    sqlx::query_as!(PolicyStatus, "select name, position, error, error_position from policy_checkpoint order by name")
        .fetch_all(pool)
        .await
}

impl Checkpoint {
    /// Owns the policy, or says that another process does.
    pub(super) async fn own(pool: &PgPool, name: &'static str) -> Result<Self, Lost> {
        // The lock belongs to the connection, so it is one of its own and not of the pool.
        let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
        let owned = sqlx::query_scalar!(
            r#"select pg_try_advisory_lock(hashtextextended('policy:' || $1, 0)) as "owned!""#,
            name
        )
        .fetch_one(&mut connection)
        .await?;
        if !owned {
            return Err(Lost::Owned);
        }
        let position = sqlx::query_scalar!(
            r#"insert into policy_checkpoint (name, position) values ($1, 0)
               on conflict (name) do update set name = excluded.name returning position"#,
            name
        )
        .fetch_one(&mut connection)
        .await?;
        Ok(Self { connection, name, position })
    }

    pub(super) fn position(&self) -> i64 {
        self.position
    }

    /// Moves on, unless somebody else has.
    pub(super) async fn advance(&mut self, position: i64) -> Result<(), Lost> {
        if position == self.position {
            return Ok(());
        }
        let moved = sqlx::query!(
            "update policy_checkpoint
             set position = $3, error = null, error_position = null, updated_at = clock_timestamp()
             where name = $1 and position = $2",
            self.name,
            self.position,
            position
        )
        .execute(&mut self.connection)
        .await?;
        if moved.rows_affected() == 0 {
            return Err(Lost::Fenced);
        }
        self.position = position;
        Ok(())
    }

    /// Records the event that the policy cannot act on.
    pub(super) async fn stopped_at(&mut self, position: i64, error: &str) -> Result<(), sqlx::Error> {
        sqlx::query!(
            "update policy_checkpoint set error = $2, error_position = $3, updated_at = clock_timestamp()
             where name = $1 and position = $4",
            self.name,
            error,
            position,
            self.position
        )
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    /// Gives the policy up: the connection closes, and the lock with it.
    pub(super) async fn release(self) {
        if let Err(error) = self.connection.close().await {
            tracing::debug!(error = %error, "the connection that held a policy's lock was gone already");
        }
    }
}
