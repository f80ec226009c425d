//! What every subcommand that touches the log opens first.

use std::path::Path;
use std::sync::Arc;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgPool};
use vigie_commands::refusals::Refusals;
use vigie_commands::{Clock, Executor};
use vigie_eventlog::cluster::{Cluster, ClusterError, Options, default_data_dir};
use vigie_eventlog::database::{PrepareError, as_application, prepare};
use vigie_eventlog::{Log, LogError};

use crate::clock;
use crate::settings::Settings;

/// The open database, log and write side. Closes the private Postgres with it, if nobody else uses that.
pub struct Runtime {
    /// The connections of the log and of what follows it; a server's requests read over connections of their own.
    pub pool: PgPool,
    /// The log.
    pub log: Log,
    /// The write side.
    pub executor: Executor,
    owner: PgConnectOptions,
    /// The private Postgres; none with DATABASE_URL.
    cluster: Option<Cluster>,
}

/// Why the log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A URL of a database is none.
    #[error("{name} cannot be read")]
    Url {
        /// The setting.
        name: &'static str,
        /// What is wrong with it.
        source: sqlx::Error,
    },
    /// The private Postgres cannot be used.
    #[error("the private Postgres cannot be used")]
    Cluster(#[from] ClusterError),
    /// The database does not answer.
    #[error("the database cannot be reached")]
    Connect(#[source] sqlx::Error),
    /// The database cannot be migrated, or its roles cannot be used.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl Runtime {
    /// Finds or starts Postgres, migrates it and opens the log.
    ///
    /// # Errors
    /// Postgres cannot be reached or started, or a migration fails.
    pub async fn open(settings: &Settings) -> Result<Self, OpenError> {
        let (logins, cluster) = match &settings.database_url {
            Some(url) => (Logins::of(url, settings.migration_database_url.as_deref())?, None),
            None => {
                let data = settings.data.clone().unwrap_or_else(default_data_dir);
                let options = Options { binaries: settings.postgres_bin.clone(), ..Options::default() };
                let cluster = Cluster::find_or_start(&data, options).await?;
                (Logins { owner: cluster.options(), application: cluster.application() }, Some(cluster))
            }
        };
        // Whoever fails from here on must still leave the private Postgres as a user of it does.
        match Self::connect(&logins, settings).await {
            Ok((pool, log, executor)) => Ok(Self { pool, log, executor, owner: logins.owner, cluster }),
            Err(error) => {
                leave(cluster).await;
                Err(error)
            }
        }
    }

    async fn connect(logins: &Logins, settings: &Settings) -> Result<(PgPool, Log, Executor), OpenError> {
        prepare(&logins.owner).await?;
        // Statements here take milliseconds, and compiling one takes a hundred: walks, whose length Postgres cannot know,
        // look to it as if that paid.
        let options = as_application(&logins.application).await?.options([("jit", "off")]);
        let pool = match PgPoolOptions::new().max_connections(settings.pool_size).connect_with(options.clone()).await {
            // The pool goes on trying for a while, and then does not tell what was in the way.
            Err(sqlx::Error::PoolTimedOut) => {
                let reason = options.connect().await.err().unwrap_or(sqlx::Error::PoolTimedOut);
                return Err(OpenError::Connect(reason));
            }
            other => other.map_err(OpenError::Connect)?,
        };
        let log = Log::open(pool.clone()).await?;
        let clock: Clock = Arc::new(clock::now);
        let refusals = Refusals::start(pool.clone(), settings.refusals, Arc::clone(&clock));
        let executor = Executor::new(log.clone(), clock).recording(refusals);
        Ok((pool, log, executor))
    }

    /// How to connect as the owner of the database, who may change its structure.
    #[must_use]
    pub fn owner(&self) -> &PgConnectOptions {
        &self.owner
    }

    /// Where the private Postgres keeps its data; none with `DATABASE_URL`.
    #[must_use]
    pub fn data_dir(&self) -> Option<&Path> {
        self.cluster.as_ref().map(Cluster::data_dir)
    }

    /// Ends what waits, then stops the private Postgres if nobody else uses it.
    pub async fn close(self) {
        self.log.close().await;
        self.pool.close().await;
        leave(self.cluster).await;
    }
}

/// Who migrates, and who runs.
pub(crate) struct Logins {
    pub(crate) owner: PgConnectOptions,
    pub(crate) application: PgConnectOptions,
}

impl Logins {
    /// Without a login of its own for migrations, the application's migrates too.
    pub(crate) fn of(url: &str, migration_url: Option<&str>) -> Result<Self, OpenError> {
        let read = |name, url: &str| {
            let options = url.parse::<PgConnectOptions>().map_err(|source| OpenError::Url { name, source })?;
            Ok::<_, OpenError>(options.application_name("vigie"))
        };
        let application = read("DATABASE_URL", url)?;
        let owner = match migration_url {
            Some(url) => read("VIGIE_MIGRATION_DATABASE_URL", url)?,
            None => application.clone(),
        };
        Ok(Self { owner, application })
    }
}

async fn leave(cluster: Option<Cluster>) {
    if let Some(cluster) = cluster
        && let Err(error) = cluster.close().await
    {
        tracing::error!(error = %error, "the private Postgres could not be stopped");
    }
}
