//! Restarts from a restored backup: a base backup that was taken under load, brought up to the moment of the crash with
//! the write-ahead log of the server that was lost.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::process::Command;
use tokio::sync::Mutex;

use super::chaos::Ground;
use crate::Fault;

/// How many times longer than a backup takes is waited before the next one.
const REST: u32 = 10;

/// The backup that there is, and what the last one has cost.
#[derive(Default)]
pub(crate) struct Backups(Mutex<State>);

#[derive(Default)]
struct State {
    /// There is one, of the server's present time line.
    usable: bool,
    next: Option<Instant>,
}

/// Takes a base backup, unless the last one was too short ago for its size. A server that fails meanwhile spoils it.
pub(super) async fn backup(ground: &Ground) -> Result<(), Fault> {
    let mut state = ground.backups.0.lock().await;
    if state.next.is_some_and(|next| Instant::now() < next) {
        return Ok(());
    }
    state.usable = false;
    let start = Instant::now();
    drop(ground.server.admin().await?);
    let (data, target) = (ground.server.data(), ground.server.beside("backup"));
    remove(&target)?;
    let owner = fs::metadata(&data)?;
    let mut command = Command::new(ground.server.programs()?.join("pg_basebackup"));
    let socket = ground.server.socket();
    fs::create_dir(&target)?;
    own(&target, &owner)?;
    command.arg("--pgdata").arg(&target).arg("--host").arg(socket.parent().unwrap_or(Path::new("/")));
    command.args(["--username=vigie", "--wal-method=none", "--checkpoint=fast", "--no-sync"]).current_dir("/");
    if rustix::process::geteuid().is_root() {
        command.uid(owner.uid()).gid(owner.gid());
    }
    state.usable = command.output().await?.status.success();
    state.next = Some(Instant::now() + start.elapsed() * REST);
    if state.usable {
        ground.tally.add("base backups taken under load");
    }
    Ok(())
}

/// Loses the server and its data, all but the write-ahead log, and goes on from the backup.
pub(super) async fn restore(ground: &Ground) -> Result<(), Fault> {
    if !ground.backups.0.lock().await.usable {
        backup(ground).await?;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let mut state = ground.backups.0.lock().await;
    if !state.usable {
        return Ok(());
    }
    let server = &ground.server;
    let (data, backup, lost) = (server.data(), server.beside("backup"), server.beside("lost"));
    server.cut_power().await?;
    remove(&lost)?;
    fs::rename(&data, &lost)?;
    fs::rename(&backup, &data)?;
    state.usable = false;
    replay(&data, &lost)?;
    server.revive().await?;
    ground.tally.add("restarts from a restored backup");
    remove(&lost)
}

/// Makes the next start fetch the write-ahead log of the lost server, to its end. No connections before that.
fn replay(data: &Path, lost: &Path) -> Result<(), Fault> {
    let owner = fs::metadata(data)?;
    let settings = data.join("postgresql.auto.conf");
    let from = lost.join("pg_wal").display().to_string();
    let mut file = fs::OpenOptions::new().append(true).open(settings)?;
    writeln!(file, "restore_command = 'cp \"{from}/%f\" \"%p\"'")?;
    writeln!(file, "recovery_target_timeline = 'latest'\nhot_standby = off")?;
    let signal = data.join("recovery.signal");
    fs::write(&signal, "")?;
    own(&signal, &owner)
}

fn own(path: &Path, owner: &fs::Metadata) -> Result<(), Fault> {
    use std::os::unix::fs::PermissionsExt;
    if path.is_dir() {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(chown(path, Some(owner.uid()), Some(owner.gid()))?)
}

fn remove(folder: &Path) -> Result<(), Fault> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
