//! Who owns a policy, how far it has come, in which version, and whether it is switched on.

use sqlx::{Connection, PgConnection, PgPool};
use vigie_domain::policies::Policy;

use super::timers::Setting;

/// Why a policy cannot go on here.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    /// Another process owns it.
    #[error("another process owns it")]
    Owned,
    /// People have switched it off.
    #[error("it is switched off")]
    Off,
    /// A newer version has replaced this one.
    #[error("version {stored} has replaced version {known}, which this process has")]
    Replaced { stored: i32, known: i32 },
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
    version: i32,
    position: i64,
}

impl Checkpoint {
    /// Owns the policy in its version, from where the one before has come to; or says why not.
    pub(super) async fn own(pool: &PgPool, policy: &'static dyn Policy) -> Result<Self, Lost> {
        let (name, version) = (policy.name(), policy.version());
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
        let stored = sqlx::query!(
            "insert into policy_checkpoint (name, position, version) values ($1, 0, $2)
             on conflict (name) do update set version = greatest(policy_checkpoint.version, excluded.version)
             returning position, version, off",
            name,
            version
        )
        .fetch_one(&mut connection)
        .await?;
        match stored {
            row if row.version > version => Err(Lost::Replaced { stored: row.version, known: version }),
            row if row.off => Err(Lost::Off),
            row => Ok(Self { connection, name, version, position: row.position }),
        }
    }

    pub(super) fn position(&self) -> i64 {
        self.position
    }

    /// Fails when somebody has switched the policy off, moved it or replaced it.
    pub(super) async fn is_ours(&mut self) -> Result<(), Lost> {
        let ours = sqlx::query_scalar!(
            r#"select exists (select from policy_checkpoint
                              where name = $1 and position = $2 and version = $3 and not off) as "ours!""#,
            self.name,
            self.position,
            self.version
        );
        if ours.fetch_one(&mut self.connection).await? { Ok(()) } else { Err(Lost::Fenced) }
    }

    /// Moves on and sets timers with it, unless somebody else has moved it, replaced it or switched it off.
    pub(super) async fn advance(&mut self, position: i64, timers: &[Setting]) -> Result<(), Lost> {
        if position == self.position {
            return Ok(());
        }
        let mut transaction = self.connection.begin().await?;
        let moved = sqlx::query!(
            "update policy_checkpoint
             set position = $3, error = null, error_position = null, updated_at = clock_timestamp()
             where name = $1 and position = $2 and version = $4 and not off",
            self.name,
            self.position,
            position,
            self.version
        )
        .execute(&mut *transaction)
        .await?;
        if moved.rows_affected() == 0 {
            return Err(Lost::Fenced);
        }
        for timer in timers {
            timer.write(self.name, &mut transaction).await?;
        }
        transaction.commit().await?;
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
