//! Where the socket is. Its path is limited to about a hundred bytes, wherever the data folder may be.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::folder::Folder;
use super::{ClusterError, NAME};

/// The port names the socket: `.s.PGSQL.5432`.
pub(super) const PORT: u16 = 5432;

/// The longest directory that every system takes: 104 bytes (macOS) without `/.s.PGSQL.5432` and the final zero.
const LONGEST: usize = 104 - 15 - 1;

/// The directory for the socket, which only the server's account can enter; made if need be.
///
/// It is `socket` in the data folder, or one below `/tmp` whose name follows from the data folder when that is too long.
pub(super) fn directory(folder: &Folder) -> Result<PathBuf, ClusterError> {
    let near = folder.path().join("socket");
    if near.as_os_str().len() <= LONGEST {
        folder.private(&near)?;
        return Ok(near);
    }
    let mut denied = None;
    for attempt in 0..16 {
        let path = short(folder, attempt);
        match claim(folder, &path) {
            Ok(()) => return Ok(path),
            Err(source) => denied = Some((path, source)),
        }
    }
    let (path, source) = denied.unwrap_or_else(|| ("/tmp".into(), io::ErrorKind::NotFound.into()));
    Err(ClusterError::Folder { attempt: "cannot make", path, source })
}

fn short(folder: &Folder, attempt: u32) -> PathBuf {
    let digest = folder
        .path()
        .as_os_str()
        .as_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    format!("/tmp/vigie-{digest:016x}-{}-{attempt}", folder.account.uid).into()
}

/// Makes a directory where everybody may write, or takes it up if it is ours and closed to others.
fn claim(folder: &Folder, path: &Path) -> io::Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => folder.account.give(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // Not following links: another account may have put one there.
            let found = fs::symlink_metadata(path)?;
            let ours = found.is_dir() && found.uid() == folder.account.uid && found.mode() & 0o777 == 0o700;
            if ours { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
        }
        Err(error) => Err(error),
    }
}

/// Removes what a dead server left in the directory: its lock names a process, whose number may be another's by now.
/// Only for a cluster that no server runs on; nobody else's server has its socket here.
pub(super) fn sweep(directory: &Path) -> Result<(), ClusterError> {
    for name in [format!(".s.PGSQL.{PORT}.lock"), format!(".s.PGSQL.{PORT}")] {
        let path = directory.join(name);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(ClusterError::Folder { attempt: "cannot remove", path, source });
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Removes a directory outside the data folder again, once the server has gone.
pub(super) fn clean(folder: &Folder, directory: &Path) {
    if !directory.starts_with(folder.path()) {
        // Only an empty one goes: if it stays, the next start takes it up.
        let _ = fs::remove_dir(directory);
    }
}

/// The value of `unix_socket_directories`: quoted, since it is a list.
pub(super) fn setting(directory: &Path) -> std::ffi::OsString {
    let text = directory.to_string_lossy().replace('"', "\"\"");
    format!("unix_socket_directories=\"{text}\"").into()
}

/// `postgres://vigie@localhost/vigie?host=<directory>`.
pub(super) fn url(directory: &Path) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(byte);
    let escape = |byte: &u8| if plain(byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") };
    let host: String = directory.as_os_str().as_bytes().iter().map(escape).collect();
    format!("postgres://{NAME}@localhost:{PORT}/{NAME}?host={host}")
}
