//! The server's programs: where systems put them, and which of several to take.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::ClusterError;

/// The oldest major version that will do.
pub(super) const OLDEST: u32 = 14;

/// Where packages put the programs; `*` stands for one folder.
const PLACES: [&str; 7] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/libexec/postgresql*",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/opt/homebrew/bin",
    "/usr/local/pgsql/bin",
];

/// A folder with `postgres` and `initdb`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    /// Where.
    pub folder: PathBuf,
    /// The major version.
    pub version: u32,
}

impl Binaries {
    /// The newest that will do or, for a cluster of a version, those of that version. Only `named` counts when given.
    pub(super) fn find(named: Option<&Path>, cluster: Option<(PathBuf, u32)>) -> Result<Self, ClusterError> {
        let folders = named.map_or_else(candidates, |named| vec![named.to_owned()]);
        let (found, seen) = look(folders, named.is_some());
        let newest = |found: &[Self]| found.iter().max_by_key(|binaries| binaries.version).cloned();
        match cluster {
            None => newest(&found).ok_or(ClusterError::NoServer { seen }),
            Some((folder, version)) => {
                found.iter().find(|binaries| binaries.version == version).cloned().ok_or_else(|| {
                    let servers = found.iter().map(|binaries| binaries.version).collect();
                    ClusterError::OtherVersion { folder, cluster: version, servers }
                })
            }
        }
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The usable among some folders, and what speaks against the others that have something of Postgres in them.
fn look(folders: Vec<PathBuf>, named: bool) -> (Vec<Binaries>, Vec<String>) {
    let (mut found, mut seen): (Vec<Binaries>, _) = (Vec::new(), Vec::new());
    for folder in folders {
        if found.iter().any(|known| known.folder == folder) {
            continue;
        }
        let server = folder.join("postgres");
        let problem = match version(&server) {
            None if named || server.exists() => format!("{} has no PostgreSQL server", folder.display()),
            None => continue,
            Some(version) if version < OLDEST => format!("{} has version {version}", folder.display()),
            Some(_) if !folder.join("initdb").exists() => format!("{} has no initdb", folder.display()),
            Some(version) => {
                found.push(Binaries { folder, version });
                continue;
            }
        };
        seen.push(problem);
    }
    (found, seen)
}

fn candidates() -> Vec<PathBuf> {
    let told = Command::new("pg_config").arg("--bindir").stderr(Stdio::null()).output().ok();
    let told = told.and_then(|output| String::from_utf8(output.stdout).ok()).map(|bindir| PathBuf::from(bindir.trim()));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).filter_map(|folder| {
        // A link such as /usr/local/bin/postgres leads to the folder that also has the other programs.
        fs::canonicalize(folder.join("postgres")).ok()?.parent().map(Path::to_owned)
    });
    told.into_iter().chain(PLACES.into_iter().flat_map(expand)).chain(on_path).collect()
}

/// The folders that a pattern with at most one `*` stands for.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else { return vec![pattern.into()] };
    let (parent, start) = before.rsplit_once('/').unwrap_or(("", before));
    let entries = fs::read_dir(format!("{parent}/")).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with(start)).map(|name| format!("{parent}/{name}{after}").into()).collect()
}

/// The major version of a server: `postgres (PostgreSQL) 15.14 (Debian …)` is 15, `17beta1` 17.
fn version(server: &Path) -> Option<u32> {
    let output = Command::new(server).arg("--version").stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let number = text.strip_prefix("postgres (PostgreSQL) ")?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
