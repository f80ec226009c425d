//! Why a private cluster cannot be used, and what to do about it.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use super::binaries::OLDEST;

/// Why a private cluster cannot be used, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// There is no PostgreSQL server on this machine, or none that is new enough.
    #[error(
        "no PostgreSQL server of version {OLDEST} or newer was found{}. Install one (Debian, Ubuntu: `apt-get install \
         postgresql`; Fedora: `dnf install postgresql-server`; macOS: `brew install postgresql@16`), name the folder \
         of its programs in VIGIE_POSTGRES_BIN, or name a server of your own in DATABASE_URL",
        also(.seen)
    )]
    NoServer {
        /// What was found instead: folders and why they will not do.
        seen: Vec<String>,
    },
    /// The cluster was made by another major version than the servers here.
    #[error(
        "the cluster in {} was made by PostgreSQL {cluster}, but only {} here: install PostgreSQL {cluster}, or move \
         the data with pg_upgrade", folder.display(), here(.servers)
    )]
    OtherVersion {
        /// The cluster.
        folder: PathBuf,
        /// Its major version.
        cluster: u32,
        /// The major versions of the servers that were found.
        servers: Vec<u32>,
    },
    /// The data folder, or something in it, cannot be made, read or written.
    #[error("{attempt} {}", path.display())]
    Folder {
        /// What was attempted, such as `cannot make`.
        attempt: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The cluster belongs to another account.
    #[error(
        "{} belongs to account {owner}, but this is account {own}: run as that account or as root, or choose another \
         data folder with VIGIE_DATA", path.display()
    )]
    OtherOwner {
        /// The cluster.
        path: PathBuf,
        /// Its owner's id.
        owner: u32,
        /// The id of who runs this.
        own: u32,
    },
    /// The cluster belongs to root, as whom Postgres does not run.
    #[error("{} belongs to root, as whom PostgreSQL refuses to run: give it to another account with chown", path.display())]
    OwnedByRoot {
        /// The cluster.
        path: PathBuf,
    },
    /// Root needs an account to run Postgres under, and there is none.
    #[error(
        "PostgreSQL refuses to run as root, and there is neither an account `postgres` nor `nobody` to run it under"
    )]
    NoAccount,
    /// The account that Postgres runs under cannot reach the data folder.
    #[error(
        "PostgreSQL refuses to run as root and runs as `{account}`, which cannot enter {}: choose another data folder \
         with VIGIE_DATA, such as /var/lib/vigie", path.display()
    )]
    CannotEnter {
        /// The data folder.
        path: PathBuf,
        /// The account.
        account: String,
    },
    /// A program of the server could not be run.
    #[error("cannot run {}", program.display())]
    Program {
        /// The program.
        program: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A program of the server failed.
    #[error("{program} failed ({status}); it said:\n{said}")]
    Failed {
        /// `initdb` or `postgres`.
        program: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// The last lines that it wrote.
        said: String,
    },
    /// The server is there but cannot be used.
    #[error("the private PostgreSQL server (process {pid}) cannot be used; it said:\n{said}")]
    Unusable {
        /// Its process id.
        pid: i32,
        /// The last lines of its log.
        said: String,
        /// What the connection said last.
        source: Option<sqlx::Error>,
    },
    /// The server did not stop in time.
    #[error("the private PostgreSQL server (process {pid}) has not stopped within {seconds} s; it goes on stopping")]
    StillRunning {
        /// Its process id.
        pid: i32,
        /// How long it was waited for.
        seconds: u64,
    },
    /// Another process is starting or stopping the server and does not come to an end.
    #[error("another process has been starting or stopping the server for {seconds} s (it holds {})", path.display())]
    Busy {
        /// The lock.
        path: PathBuf,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The database could not be made.
    #[error("cannot make the database")]
    Database(#[source] sqlx::Error),
}

fn also(seen: &[String]) -> String {
    if seen.is_empty() { String::new() } else { format!(" (seen: {})", seen.join("; ")) }
}

fn here(servers: &[u32]) -> String {
    match servers {
        [] => "no server is".to_owned(),
        servers => format!("PostgreSQL {} is", servers.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")),
    }
}
