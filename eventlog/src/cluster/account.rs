//! The account that the server runs under. Postgres refuses to run as root.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};

use super::ClusterError;

/// The account that the server runs under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) name: String,
    /// Another account than that of this process, which is root.
    other: bool,
}

impl Account {
    /// Ourselves; as root, who owns the cluster if there is one, else `postgres`, else `nobody`.
    pub(super) fn choose(cluster: &Path) -> Result<Self, ClusterError> {
        let own = rustix::process::geteuid().as_raw();
        let owner = fs::metadata(cluster).ok().map(|found| (found.uid(), found.gid()));
        match (own, owner) {
            (0, Some((0, _))) => Err(ClusterError::OwnedByRoot { path: cluster.into() }),
            (0, Some((uid, gid))) => Ok(Self { uid, gid, name: uid.to_string(), other: true }),
            (0, None) => Self::unprivileged().ok_or(ClusterError::NoAccount),
            (own, Some((owner, _))) if owner != own => {
                Err(ClusterError::OtherOwner { path: cluster.into(), owner, own })
            }
            (uid, _) => {
                let gid = rustix::process::getegid().as_raw();
                Ok(Self { uid, gid, name: uid.to_string(), other: false })
            }
        }
    }

    fn unprivileged() -> Option<Self> {
        ["postgres", "nobody"].into_iter().find_map(|name| {
            let (uid, gid) = (id("-u", name)?, id("-g", name)?);
            (uid != 0).then(|| Self { uid, gid, name: name.to_owned(), other: true })
        })
    }

    /// Makes a program run under it. Root's further groups are dropped with the change.
    pub(super) fn apply(&self, command: &mut tokio::process::Command) {
        if self.other {
            command.uid(self.uid).gid(self.gid);
        }
    }

    /// Gives it what this process has made.
    pub(super) fn give(&self, path: &Path) -> std::io::Result<()> {
        if self.other { chown(path, Some(self.uid), Some(self.gid)) } else { Ok(()) }
    }

    /// Can it enter a directory? Tried, not computed: access lists and mount options decide too.
    pub(super) fn can_enter(&self, directory: &Path) -> bool {
        use std::os::unix::process::CommandExt;
        if !self.other {
            return true;
        }
        let mut command = Command::new("/bin/sh");
        command.args(["-c", r#"cd -- "$1""#, "sh"]).arg(directory).uid(self.uid).gid(self.gid).current_dir("/");
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }
}

/// A number that `id` tells about an account, from whatever directory the machine asks.
fn id(which: &str, name: &str) -> Option<u32> {
    let output = Command::new("id").args([which, name]).stderr(Stdio::null()).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
