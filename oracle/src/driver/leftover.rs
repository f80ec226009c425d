//! Servers whose driver was killed: the next run stops them. Folders that were kept to be read stay.

use std::fs::{self, OpenOptions};
use std::path::Path;

use vigie_eventlog::cluster::{Cluster, Options};

use crate::Fault;

/// What the folders of runs are called, below the system's temporary directory.
pub(super) const PREFIX: &str = "vigie-oracle-";

/// Stops the servers that nobody uses any more, and removes their folders.
pub(super) async fn sweep() {
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            // Somebody else's, or about to be removed by its own driver: in the way of nothing.
            let _ = clear(&entry.path()).await;
        }
    }
}

async fn clear(folder: &Path) -> Result<(), Fault> {
    let server = folder.join("server");
    let users = OpenOptions::new().write(true).open(server.join("users.lock"))?;
    users.try_lock()?;
    drop(users);
    // As its only user: leaving it stops it. If it has got another one meanwhile, everything stays.
    if let Some(cluster) = Cluster::find(&server, Options::default()).await?
        && cluster.close().await?
    {
        fs::remove_dir_all(folder)?;
    }
    Ok(())
}
