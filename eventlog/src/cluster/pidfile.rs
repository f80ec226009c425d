//! `postmaster.pid`: whether a server runs on a cluster, and where its socket is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use super::ClusterError;

/// A running server.
pub(super) struct Found {
    pub(super) pid: Pid,
    pub(super) socket_dir: PathBuf,
}

/// The server that runs on a cluster.
pub(super) fn read(cluster: &Path) -> Result<Option<Found>, ClusterError> {
    let Some(text) = text(cluster)? else { return Ok(None) };
    // Lines: process, cluster, start time, port, socket directory, …: written in steps, so a start may be half told.
    let socket_dir = text.lines().nth(4).map(PathBuf::from).filter(|directory| directory.is_absolute());
    let found = pid(&text).zip(socket_dir).filter(|(pid, _)| runs(*pid, cluster));
    Ok(found.map(|(pid, socket_dir)| Found { pid, socket_dir }))
}

/// Clears the file of a server that is gone but whose number is taken, by another process or by a dead one that nobody
/// has waited for: Postgres would take that for a running server. (Any other stale file it clears by itself.)
pub(super) fn clear(cluster: &Path) -> Result<(), ClusterError> {
    let pid = text(cluster)?.as_deref().and_then(pid);
    if !pid.is_some_and(|pid| exists(pid) && !runs(pid, cluster)) {
        return Ok(());
    }
    let path = file(cluster);
    fs::remove_file(&path).map_err(|source| ClusterError::Folder { attempt: "cannot remove", path, source })
}

fn file(cluster: &Path) -> PathBuf {
    cluster.join("postmaster.pid")
}

fn text(cluster: &Path) -> Result<Option<String>, ClusterError> {
    let path = file(cluster);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ClusterError::Folder { attempt: "cannot read", path, source }),
    }
}

fn pid(text: &str) -> Option<Pid> {
    text.lines().next()?.trim().parse().ok().and_then(Pid::from_raw)
}

/// Is this process the server of this cluster, alive?
pub(super) fn runs(pid: Pid, cluster: &Path) -> bool {
    let process = PathBuf::from(format!("/proc/{}", pid.as_raw_pid()));
    if !Path::new("/proc/self/stat").exists() {
        return exists(pid);
    }
    // A server works in its cluster's directory; a dead one that nobody has waited for has none.
    fs::read_link(process.join("cwd")).is_ok_and(|directory| directory == cluster)
}

/// Is there any process of this number?
fn exists(pid: Pid) -> bool {
    match test_kill_process(pid) {
        Ok(()) | Err(Errno::PERM) => true,
        Err(_) => false,
    }
}
