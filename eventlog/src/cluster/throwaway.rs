//! A private cluster for the length of a test run.

use std::fs;
use std::path::{Path, PathBuf};

use super::lock::Lock;
use super::{Cluster, ClusterError, Options};

/// What the folders of throwaway clusters are called, below the system's temporary directory.
const PREFIX: &str = "vigie-throwaway-";

/// A cluster in a folder of its own, which goes with it.
#[derive(Debug)]
pub struct Throwaway {
    cluster: Cluster,
    folder: PathBuf,
}

impl Throwaway {
    /// Starts one, not durable; clears away those whose owners were killed.
    ///
    /// # Errors
    /// As [`Cluster::find_or_start`].
    pub async fn start() -> Result<Self, ClusterError> {
        let temporary = std::env::temp_dir();
        for folder in left_behind(&temporary) {
            // Somebody else's, or in the way of nothing: the next run tries again.
            let _ = clear(&folder).await;
        }
        let folder = temporary.join(format!("{PREFIX}{}", uuid::Uuid::now_v7().simple()));
        let cluster = Cluster::find_or_start(&folder, Options::throwaway()).await?;
        Ok(Self { cluster, folder })
    }

    /// The cluster.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Stops it and removes its folder.
    ///
    /// # Errors
    /// It did not stop in time, or the folder cannot be removed.
    pub async fn close(self) -> Result<(), ClusterError> {
        self.cluster.close().await?;
        remove(&self.folder)
    }
}

fn left_behind(temporary: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(temporary).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    ours.map(|entry| entry.path()).filter(|path| path.join("users.lock").exists()).collect()
}

/// Stops and removes a cluster that nobody uses.
async fn clear(folder: &Path) -> Result<(), ClusterError> {
    let users = Lock::open(&folder.join("users.lock"))?;
    if !users.try_alone()? {
        return Ok(());
    }
    drop(users);
    // As its only user: leaving it stops it.
    if let Some(cluster) = Cluster::find(folder, Options::throwaway()).await? {
        cluster.close().await?;
    }
    remove(folder)
}

fn remove(folder: &Path) -> Result<(), ClusterError> {
    fs::remove_dir_all(folder).map_err(|source| ClusterError::Folder {
        attempt: "cannot remove",
        path: folder.into(),
        source,
    })
}
