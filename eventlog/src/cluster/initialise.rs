//! Making the cluster.

use std::fs;
use std::process::Stdio;

use super::binaries::Binaries;
use super::folder::Folder;
use super::output::last_lines;
use super::server::bare;
use super::{ClusterError, NAME, Options};

/// Makes the cluster if there is none. It is made aside and moved in place, so that there never is half of one.
pub(super) async fn initialise(folder: &Folder, binaries: &Binaries, options: &Options) -> Result<(), ClusterError> {
    if folder.version()?.is_some() {
        return Ok(());
    }
    let (aside, cluster) = (folder.path().join("postgres.new"), folder.cluster());
    if aside.exists() {
        let cannot = |source| ClusterError::Folder { attempt: "cannot remove", path: aside.clone(), source };
        fs::remove_dir_all(&aside).map_err(cannot)?;
    }
    folder.private(&aside)?;
    let program = binaries.program("initdb");
    let mut command = bare(&program);
    // Ordered by code point, the same on every machine and after every update of the system's libraries, which would
    // otherwise break indexes; letters are known, so that upper and lower case work beyond ASCII.
    let letters = if cfg!(target_os = "linux") { "C.UTF-8" } else { "C" };
    command.arg("--pgdata").arg(&aside).args(["--username", NAME, "--encoding=UTF8", "--locale=C"]);
    command.arg(format!("--lc-ctype={letters}")).arg("--data-checksums");
    // Whoever gets to the socket may come in: only this account and root can enter its directory.
    command.args(["--auth-local=trust", "--auth-host=reject"]).stdin(Stdio::null());
    if !options.durable {
        command.arg("--no-sync");
    }
    folder.account.apply(&mut command);
    let output = command.output().await.map_err(|source| ClusterError::Program { program, source })?;
    if !output.status.success() {
        let said = last_lines(&String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
        return Err(ClusterError::Failed { program: "initdb", status: output.status, said });
    }
    fs::rename(&aside, &cluster).map_err(|source| ClusterError::Folder {
        attempt: "cannot put the new cluster in place at",
        path: cluster,
        source,
    })
}
