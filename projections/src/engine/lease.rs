//! Which process folds which read model.
//!
//! Advisory locks spare several processes the same work; they are not what keeps the rows right (the checkpoint's
//! compare-and-set is). All locks of a process hang on one connection: when that is lost, so are they.

use std::collections::HashSet;

use sqlx::{Connection, PgConnection, PgPool};
use tokio::sync::Mutex;

/// First key of the locks of folding read models.
pub(crate) const FOLDING: i32 = 0x5649_4701;
/// First key of the locks of rebuilding and verifying them.
const REMAKING: i32 = 0x5649_4702;

/// The locks of this process.
pub(crate) struct Lease {
    pool: PgPool,
    held: Mutex<Held>,
}

struct Held {
    connection: Option<PgConnection>,
    /// Counts connections: a lock taken on an earlier one is lost.
    epoch: u64,
    /// What is locked on this one: the server counts locks, and one that is taken twice must be given back twice.
    names: HashSet<String>,
}

impl Held {
    fn lose(&mut self) {
        self.connection = None;
        self.names.clear();
    }
}

impl Lease {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool, held: Mutex::new(Held { connection: None, epoch: 0, names: HashSet::new() }) }
    }

    /// Tries to become the one that folds `name`; the epoch to check it with later.
    pub(crate) async fn try_own(&self, name: &str) -> Result<Option<u64>, sqlx::Error> {
        let mut held = self.held.lock().await;
        if held.connection.is_none() {
            held.connection = Some(self.pool.acquire().await?.detach());
            held.epoch += 1;
        }
        let epoch = held.epoch;
        if held.names.contains(name) {
            return Ok(Some(epoch));
        }
        let connection = held.connection.as_mut().expect("it was opened above");
        match try_lock(FOLDING, name, connection).await {
            Ok(false) => Ok(None),
            Ok(true) => {
                held.names.insert(name.to_owned());
                Ok(Some(epoch))
            }
            Err(error) => {
                held.lose();
                Err(error)
            }
        }
    }

    /// Whether what was owned at `epoch` still is.
    pub(crate) async fn holds(&self, epoch: u64) -> bool {
        let mut held = self.held.lock().await;
        if held.epoch != epoch {
            return false;
        }
        let alive = match held.connection.as_mut() {
            Some(connection) => connection.ping().await.is_ok(),
            None => false,
        };
        if !alive {
            held.lose();
        }
        alive
    }

    /// Leaves `name` to others.
    pub(crate) async fn give_up(&self, name: &str) -> Result<(), sqlx::Error> {
        let mut held = self.held.lock().await;
        if !held.names.remove(name) {
            return Ok(());
        }
        let Some(connection) = held.connection.as_mut() else { return Ok(()) };
        let unlocked = sqlx::query!("select pg_advisory_unlock($1, hashtext($2))", FOLDING, name);
        if let Err(error) = unlocked.fetch_all(connection).await {
            held.lose();
            return Err(error);
        }
        Ok(())
    }

    /// Gives everything up.
    pub(crate) async fn release(&self) {
        if let Some(connection) = self.held.lock().await.connection.take() {
            // The locks end with the connection, however that ends.
            let _ = connection.close().await;
        }
    }
}

/// The lock of one rebuild or verification, on a connection of its own; lost with that at the latest.
pub(crate) struct Remaking(PgConnection);

impl Remaking {
    /// Keeps others from rebuilding or verifying `name`; `None` when somebody does.
    pub(crate) async fn lock(name: &str, pool: &PgPool) -> Result<Option<Self>, sqlx::Error> {
        let mut connection = pool.acquire().await?.detach();
        Ok(try_lock(REMAKING, name, &mut connection).await?.then_some(Self(connection)))
    }

    /// Lets others in, at once.
    pub(crate) async fn release(mut self) -> Result<(), sqlx::Error> {
        sqlx::query!("select pg_advisory_unlock_all()").execute(&mut self.0).await?;
        self.0.close().await
    }
}

async fn try_lock(class: i32, name: &str, connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"select pg_try_advisory_lock($1, hashtext($2)) as "locked!""#, class, name)
        .fetch_one(connection)
        .await
}
