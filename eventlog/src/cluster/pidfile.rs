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

/// The server that runs on a cluster. What a server that died has left behind is cleared away.
pub(super) fn read(cluster: &Path) -> Result<Option<Found>, ClusterError> {
    let path = cluster.join("postmaster.pid");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(ClusterError::Folder { attempt: "cannot read", path, source }),
    };
    // Lines: process, cluster, start time, port, socket directory, …: written in steps, so a start may be half told.
    let mut lines = text.lines();
    let pid = lines.next().and_then(|line| line.trim().parse().ok()).and_then(Pid::from_raw);
    let socket_dir = lines.nth(3).map(PathBuf::from).filter(|directory| directory.is_absolute());
    match (pid, socket_dir) {
        (Some(pid), Some(socket_dir)) if runs(pid, cluster) => Ok(Some(Found { pid, socket_dir })),
        (Some(pid), _) if exists(pid) && !runs(pid, cluster) => {
            // The number has gone to another process since. Postgres would take that one for a server and refuse.
            fs::remove_file(&path).map_err(|source| ClusterError::Folder { attempt: "cannot remove", path, source })?;
            Ok(None)
        }
        // A dead server's file is cleared by Postgres itself, which also looks for what that server left in memory.
        (Some(_) | None, _) => Ok(None),
    }
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
