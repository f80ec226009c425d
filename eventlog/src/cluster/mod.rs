//! A private PostgreSQL cluster under a data folder, for who has no server of their own.
//!
//! What must stay true:
//! - One server per data folder. Any number of processes may use it at once: the first starts it, the others find it,
//!   the last one to leave stops it. Users are counted by shared file locks, which the kernel releases with the process.
//! - It listens on a Unix socket only, in a directory that only its account can enter.
//! - It is durable, unless the options say otherwise.
//! - A process that is killed leaves the server running; the next one finds it, and stops it in its turn.
//!
//! ```text
//! <data folder>/
//!   postgres/       the cluster (PGDATA), owned by the account that it runs under
//!   socket/         the socket, when the path is short enough for one; else a directory below /tmp
//!   postgres.log    what the server says
//!   starting.lock   held by who starts or stops the server
//!   users.lock      held, shared, by who uses it
//! ```

mod account;
mod binaries;
mod error;
mod folder;
mod initialise;
mod lock;
mod output;
mod pidfile;
mod server;
mod socket;
mod throwaway;

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

pub use binaries::Binaries;
pub use error::ClusterError;
pub use folder::default_data_dir;
pub use throwaway::Throwaway;

use folder::Folder;
use lock::Lock;
use server::Server;

/// The database that Vigie uses in its private cluster, and the role that owns it.
const NAME: &str = "vigie";

/// How a private cluster runs.
#[derive(Debug, Clone)]
pub struct Options {
    /// Commits reach the disk before they are acknowledged. Off only where the data is thrown away anyhow.
    pub durable: bool,
    /// How many connections the server takes.
    pub max_connections: u16,
    /// How long a start (with the recovery after a crash) or a stop may take.
    pub patience: Duration,
    /// The folder of the server programs, such as `/usr/lib/postgresql/16/bin`; found when not given.
    pub binaries: Option<PathBuf>,
}

impl Default for Options {
    /// Durable; 300 connections, for several processes with pools of the usual size; five minutes; the folder that `VIGIE_POSTGRES_BIN` names, if any.
    fn default() -> Self {
        Self {
            durable: true,
            max_connections: 300,
            patience: Duration::from_secs(300),
            binaries: std::env::var_os("VIGIE_POSTGRES_BIN").map(PathBuf::from),
        }
    }
}

impl Options {
    /// For tests: nothing is forced to the disk, and many may connect.
    #[must_use]
    pub fn throwaway() -> Self {
        Self { durable: false, ..Self::default() }
    }
}

/// The server's programs that a data folder would get, or needs: whether there are any, before they are needed.
///
/// # Errors
/// No server programs, or none of the version of the cluster.
pub fn programs(data_dir: &Path, options: &Options) -> Result<Binaries, ClusterError> {
    let cluster = folder::version(&data_dir.join("postgres"))?;
    Binaries::find(options.binaries.as_deref(), cluster)
}

/// A running private cluster that this process uses. [`Cluster::close`] it when done.
#[derive(Debug)]
pub struct Cluster {
    folder: Folder,
    server: Server,
    /// Shared while in use; gone once closed.
    users: Option<Lock>,
    patience: Duration,
}

impl Cluster {
    /// Finds the server of a data folder, or makes and starts one.
    ///
    /// # Errors
    /// No server programs, a data folder that cannot be used, a cluster of another version, or a server that does not
    /// start; each says what to do, the last one with what the server said.
    pub async fn find_or_start(data_dir: &Path, options: Options) -> Result<Self, ClusterError> {
        let folder = Folder::open(data_dir)?;
        let _starting = folder.starting(options.patience).await?;
        let users = folder.users()?;
        users.share()?;
        let server = match Server::find(&folder, options.patience).await? {
            Some(server) => server,
            None => {
                let binaries = Binaries::find(options.binaries.as_deref(), folder.version()?)?;
                initialise::initialise(&folder, &binaries, &options).await?;
                Server::start(&folder, &binaries, &options).await?
            }
        };
        let cluster = Self { folder, server, users: Some(users), patience: options.patience };
        server::make_database(&cluster.options().database("postgres")).await?;
        Ok(cluster)
    }

    /// Finds the server of a data folder if it runs, as its user; starts nothing.
    ///
    /// # Errors
    /// A data folder that cannot be used, or a server that does not answer.
    pub async fn find(data_dir: &Path, options: Options) -> Result<Option<Self>, ClusterError> {
        if !data_dir.join("postgres").exists() {
            return Ok(None);
        }
        let patience = options.patience;
        let folder = Folder::open(data_dir)?;
        let _starting = folder.starting(patience).await?;
        let users = folder.users()?;
        users.share()?;
        let server = Server::find(&folder, patience).await?;
        Ok(server.map(|server| Self { folder, server, users: Some(users), patience }))
    }

    /// How to connect to Vigie's database, as its owner.
    #[must_use]
    pub fn options(&self) -> PgConnectOptions {
        server::connection(self.server.socket_dir())
    }

    /// How to connect to Vigie's database as the application, which may do less: see [`crate::database`].
    #[must_use]
    pub fn application(&self) -> PgConnectOptions {
        server::application(self.server.socket_dir())
    }

    /// The owner's connection as a URL, for programs that take one.
    #[must_use]
    pub fn url(&self) -> String {
        socket::url(self.server.socket_dir())
    }

    /// The directory of the socket.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        self.server.socket_dir()
    }

    /// The data folder, absolute.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.folder.path()
    }

    /// True when this process started the server, false when it found it running.
    #[must_use]
    pub fn started_here(&self) -> bool {
        self.server.started_here()
    }

    /// The process id of the server.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.server.pid()
    }

    /// Leaves; the last user of the server stops it and waits for its end. True when that was this one.
    ///
    /// # Errors
    /// The server did not stop in time.
    pub async fn close(mut self) -> Result<bool, ClusterError> {
        let _starting = self.folder.starting(self.patience).await?;
        let Some(users) = self.users.take() else { return Ok(false) };
        users.release()?;
        if !users.try_alone()? {
            return Ok(false);
        }
        self.server.stop(&self.folder, self.patience).await?;
        Ok(true)
    }
}

impl Drop for Cluster {
    /// Without [`Cluster::close`], such as in a panic: asks the server to stop if nobody else uses it, without waiting.
    fn drop(&mut self) {
        let Some(users) = self.users.take() else { return };
        // Who is starting or closing right now counts itself; leaving the server to them is right.
        let Ok(Some(_starting)) = self.folder.try_starting() else { return };
        if users.release().is_ok() && users.try_alone().unwrap_or(false) {
            self.server.leave(&self.folder);
        }
    }
}
