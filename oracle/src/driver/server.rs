//! The Postgres that is broken: a private, durable one in a folder of its own.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Executor, PgConnection};
use tokio::sync::Mutex;
use vigie_eventlog::cluster::{Cluster, Options, programs};

use super::signal::Process;
use crate::Fault;

/// How long a server may take to come up, with the recovery after a crash.
const PATIENCE: Duration = Duration::from_secs(120);

/// The server. It is down at times, and another process after that.
pub(crate) struct Server {
    folder: PathBuf,
    options: PgConnectOptions,
    cluster: Mutex<Option<Cluster>>,
}

fn options() -> Options {
    Options { max_connections: 200, patience: PATIENCE, ..Options::default() }
}

impl Server {
    /// Makes and starts it. It keeps enough of its log for a restore from any backup of the last minutes.
    pub(crate) async fn start(folder: &Path) -> Result<Self, Fault> {
        let cluster = Cluster::find_or_start(folder, options()).await?;
        let folder = cluster.data_dir().to_owned();
        let server = Self { folder, options: cluster.options(), cluster: Mutex::new(Some(cluster)) };
        let mut admin = server.admin().await?;
        admin.execute("alter system set wal_keep_size = '1GB'").await?;
        admin.execute("select pg_reload_conf()").await?;
        admin.execute("create database elsewhere").await?;
        Ok(server)
    }

    /// How to connect, past the proxies.
    pub(crate) fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// The socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.options.get_socket().map_or_else(PathBuf::new, |directory| directory.join(".s.PGSQL.5432"))
    }

    /// The folder of the cluster.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("postgres")
    }

    /// A folder beside the cluster.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The folder of the server's programs.
    pub(crate) fn programs(&self) -> Result<PathBuf, Fault> {
        Ok(programs(&self.folder, &options())?.folder)
    }

    /// A connection, once the server takes one again.
    pub(crate) async fn admin(&self) -> Result<PgConnection, Fault> {
        self.connect(self.options().application_name("oracle")).await
    }

    /// The same to another database of the server.
    pub(crate) async fn elsewhere(&self) -> Result<PgConnection, Fault> {
        self.connect(self.options().application_name("oracle").database("elsewhere")).await
    }

    async fn connect(&self, options: PgConnectOptions) -> Result<PgConnection, Fault> {
        let until = Instant::now() + PATIENCE;
        loop {
            match options.connect().await {
                Ok(connection) => return Ok(connection),
                Err(error) if Instant::now() > until => return Err(error.into()),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// Sends a signal to the postmaster.
    pub(crate) async fn signal(&self, signal: Signal) -> Result<(), Fault> {
        let cluster = self.cluster.lock().await;
        let pid = cluster.as_ref().and_then(|cluster| Pid::from_raw(cluster.pid())).ok_or("no server runs")?;
        let postmaster = Process::working_in(&self.data(), pid).ok_or("the server has ended by itself")?;
        postmaster.send(signal);
        Ok(())
    }

    /// Starts it again after its end, whatever that was, and waits until it takes connections.
    pub(crate) async fn revive(&self) -> Result<(), Fault> {
        let mut cluster = self.cluster.lock().await;
        // The old handle goes last: it would stop a server that nobody else uses.
        let revived = Cluster::find_or_start(&self.folder, options()).await?;
        cluster.replace(revived);
        Ok(())
    }

    /// Kills every process of the server, as a power cut would, and waits until none is left.
    pub(crate) async fn cut_power(&self) -> Result<(), Fault> {
        self.signal(Signal::KILL).await?;
        loop {
            let left = Process::all_working_in(&self.data());
            if left.is_empty() {
                return Ok(());
            }
            for process in left {
                process.send(Signal::KILL);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Stops it in order.
    pub(crate) async fn stop(&self) -> Result<(), Fault> {
        if let Some(cluster) = self.cluster.lock().await.take() {
            cluster.close().await?;
        }
        Ok(())
    }
}
