//! The Postgres that is measured: durable, and used by nobody else.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, PgPool};
use tempfile::TempDir;
use vigie_eventlog::MIGRATOR;
use vigie_eventlog::cluster::{Cluster, Options};

use crate::Outcome;

/// Where to measure.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Where {
    /// A server where databases may be made; without it, a private durable one is started for the run.
    #[arg(long, env = "VIGIE_BENCH_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// The disk on which the private server keeps its data.
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    folder: PathBuf,
}

/// A server for the length of a run.
pub(crate) struct Server {
    options: PgConnectOptions,
    private: Option<(Cluster, TempDir)>,
    disk: PathBuf,
}

impl Server {
    pub(crate) async fn open(at: &Where) -> Outcome<Self> {
        if let Some(url) = &at.database_url {
            return Ok(Self { options: url.parse()?, private: None, disk: at.folder.clone() });
        }
        let folder = tempfile::Builder::new().prefix("vigie-bench-").tempdir_in(&at.folder)?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let options = Options { max_connections: 200, ..Options::default() };
        let cluster = Cluster::find_or_start(folder.path(), options).await?;
        Ok(Self { options: cluster.options(), disk: folder.path().into(), private: Some((cluster, folder)) })
    }

    /// A folder on the disk that is measured; without a private server, the one that was named.
    pub(crate) fn disk(&self) -> &Path {
        &self.disk
    }

    /// Where the private server writes its log.
    pub(crate) fn log(&self) -> Option<PathBuf> {
        self.private.as_ref().map(|(cluster, _)| cluster.data_dir().join("postgres.log"))
    }

    /// The number of the private server's process.
    pub(crate) fn process(&self) -> Outcome<Option<String>> {
        let Some((cluster, _)) = &self.private else { return Ok(None) };
        let file = fs::read_to_string(cluster.data_dir().join("postgres/postmaster.pid"))?;
        Ok(file.lines().next().map(str::to_owned))
    }

    /// A program that comes with Postgres.
    pub(crate) fn program(&self, name: &str) -> Outcome<PathBuf> {
        let options = Options::default();
        Ok(vigie_eventlog::cluster::programs(&self.disk, &options)?.folder.join(name))
    }

    /// A new, migrated database.
    pub(crate) async fn database(&self) -> Outcome<Database> {
        let name = format!("vigie_bench_{}", uuid::Uuid::now_v7().simple());
        let mut admin = self.options.connect().await?;
        admin.execute(AssertSqlSafe(format!(r#"create database "{name}""#))).await?;
        let options = self.options.clone().database(&name);
        let pool = PgPoolOptions::new().max_connections(8).connect_with(options.clone()).await?;
        MIGRATOR.run(&pool).await?;
        Ok(Database { pool, options, name })
    }

    /// How another process reaches a database.
    pub(crate) fn url(&self, database: &Database) -> String {
        database.options.to_url_lossy().to_string()
    }

    /// Removes a database.
    pub(crate) async fn drop(&self, database: Database) -> Outcome<()> {
        database.pool.close().await;
        let mut admin = self.options.connect().await?;
        admin.execute(AssertSqlSafe(format!(r#"drop database "{}" with (force)"#, database.name))).await?;
        Ok(())
    }

    /// The server's version.
    pub(crate) async fn version(&self) -> Outcome<String> {
        let mut admin = self.options.connect().await?;
        Ok(sqlx::query_scalar("select current_setting('server_version')").fetch_one(&mut admin).await?)
    }

    /// Stops the private server and removes its data.
    pub(crate) async fn close(self) -> Outcome<()> {
        if let Some((cluster, folder)) = self.private {
            cluster.close().await?;
            folder.close()?;
        }
        Ok(())
    }
}

/// A database of the run.
pub(crate) struct Database {
    /// Connections as the program has them.
    pub(crate) pool: PgPool,
    /// For more connections.
    pub(crate) options: PgConnectOptions,
    name: String,
}

impl Database {
    /// One that is there already and stays.
    pub(crate) async fn open(url: &str) -> Outcome<Self> {
        let options: PgConnectOptions = url.parse()?;
        let pool = PgPoolOptions::new().max_connections(8).connect_with(options.clone()).await?;
        let name = options.get_database().unwrap_or_default().to_owned();
        Ok(Self { pool, options, name })
    }
}
