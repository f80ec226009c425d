//! The data folder: where it is, whose it is, what is in it.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::ClusterError;
use super::account::Account;
use super::lock::Lock;

/// Root's data folder when the account that Postgres runs under cannot reach the usual one.
const FOR_ROOT: &str = "/var/lib/vigie";

/// The data folder when nobody names one: `VIGIE_DATA`; else `data` in the checkout that this program was built in;
/// else the user's own (`$XDG_DATA_HOME/vigie`, `~/.local/share/vigie`). Root gets `/var/lib/vigie` in place of a
/// folder that the account which Postgres then runs under cannot enter, such as one below root's home.
#[must_use]
pub fn default_data_dir() -> PathBuf {
    if let Some(named) = std::env::var_os("VIGIE_DATA").filter(|named| !named.is_empty()) {
        return named.into();
    }
    let usual = checkout().map(|root| root.join("data")).or_else(of_user).unwrap_or_else(|| FOR_ROOT.into());
    if reachable(&usual) { usual } else { FOR_ROOT.into() }
}

/// The checkout of a program at `<checkout>/target/<profile>/vigie`.
fn checkout() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let target = program.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "target"))?;
    let root = target.parent()?;
    (root.join("Cargo.toml").exists() && root.join("migrations").exists()).then(|| root.to_owned())
}

fn of_user() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")))?;
    Some(base.join("vigie"))
}

fn reachable(data: &Path) -> bool {
    let Ok(account) = Account::choose(&data.join("postgres")) else { return true };
    data.ancestors().find(|folder| folder.exists()).is_none_or(|folder| account.can_enter(folder))
}

/// A data folder that can be used.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    pub(super) account: Account,
}

impl Folder {
    /// Makes it if need be, and makes sure that the server's account can reach it.
    pub(super) fn open(path: &Path) -> Result<Self, ClusterError> {
        let cannot = |attempt| move |source| ClusterError::Folder { attempt, path: path.into(), source };
        // Others may pass through to what is theirs below, which is closed to everybody else.
        fs::DirBuilder::new().recursive(true).mode(0o755).create(path).map_err(cannot("cannot make"))?;
        let path = fs::canonicalize(path).map_err(cannot("cannot find"))?;
        let account = Account::choose(&path.join("postgres"))?;
        if !account.can_enter(&path) {
            return Err(ClusterError::CannotEnter { path, account: account.name });
        }
        Ok(Self { path, account })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The cluster: PGDATA.
    pub(super) fn cluster(&self) -> PathBuf {
        self.path.join("postgres")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.path.join("postgres.log")
    }

    /// The cluster and its major version, if there is one.
    pub(super) fn version(&self) -> Result<Option<(PathBuf, u32)>, ClusterError> {
        version(&self.cluster())
    }

    /// The right to start or stop the server, until dropped.
    pub(super) async fn starting(&self, patience: Duration) -> Result<Lock, ClusterError> {
        let lock = Lock::open(&self.path.join("starting.lock"))?;
        lock.alone(patience).await?;
        Ok(lock)
    }

    /// The same, if nobody else has it now.
    pub(super) fn try_starting(&self) -> Result<Option<Lock>, ClusterError> {
        let lock = Lock::open(&self.path.join("starting.lock"))?;
        Ok(lock.try_alone()?.then_some(lock))
    }

    /// The lock that counts the users.
    pub(super) fn users(&self) -> Result<Lock, ClusterError> {
        Lock::open(&self.path.join("users.lock"))
    }

    /// A directory that only the server's account (and root) can enter; made if need be.
    pub(super) fn private(&self, path: &Path) -> Result<(), ClusterError> {
        let made = match fs::DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        };
        made.and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o700)))
            .and_then(|()| self.account.give(path))
            .map_err(|source| ClusterError::Folder { attempt: "cannot make", path: path.into(), source })
    }
}

/// A cluster and its major version, if there is one.
pub(super) fn version(cluster: &Path) -> Result<Option<(PathBuf, u32)>, ClusterError> {
    let file = cluster.join("PG_VERSION");
    let cannot = |source| ClusterError::Folder { attempt: "cannot read", path: file.clone(), source };
    match fs::read_to_string(&file) {
        Ok(text) => {
            let version = text.trim().parse().map_err(|error| cannot(io::Error::other(error)))?;
            Ok(Some((cluster.to_owned(), version)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot(error)),
    }
}
